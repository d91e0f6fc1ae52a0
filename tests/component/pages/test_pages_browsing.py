"""Look around: home, subjects, search, a book."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from bazar.contracts.books import Money
from shop_window import Reader, Shop, links
from stand_ins import a_book


def test_home_shows_subjects_with_counts_and_shelves(guest: Reader) -> None:
    page = guest.get("/")
    assert page.status_code == 200
    assert links(page.text, "history 37") == ["/subjects/history"]
    # Among the newest, and on the shelf of its subject.
    assert links(page.text, "Volume 39") == ["/books/39"] * 2
    assert links(page.text, "All new books") == ["/new"]
    assert "Best sellers</h2>" not in page.text


def test_home_and_its_own_page_show_what_sells_best(customer: Reader) -> None:
    customer.buy(7)
    customer.buy(2, 3)
    home = customer.get("/").text
    assert home.index("Best sellers</h2>") < home.index('href="/books/2"') < home.index('href="/books/7"')
    page = customer.get("/bestsellers").text
    assert re.findall(r'<h2><a href="/books/(\d+)">', page) == ["2", "7"]
    assert re.findall(r'<h2><a href="/books/(\d+)">', customer.get("/bestsellers?subject=history").text) == ["2", "7"]
    assert "Nothing of this kind was sold lately" in customer.get("/bestsellers?subject=a").text


@pytest.mark.parametrize("bought", [0, 1])
def test_a_place_in_the_best_sellers_that_is_none_is_refused(customer: Reader, bought: int) -> None:
    for _ in range(bought):
        customer.buy(2)
    assert customer.get(f"/bestsellers?cursor={'9' * 5000}").status_code == 422


def test_without_the_order_server_home_leaves_out_what_sells_best(shop: Shop, customer: Reader) -> None:
    customer.buy(2)
    with shop.till.away():
        home, page = customer.get("/"), customer.get("/bestsellers")
    assert (home.status_code, page.status_code) == (200, 200)
    assert "Best sellers</h2>" not in home.text
    assert "out of reach at this moment" in page.text


def test_new_books_are_a_list_page_by_page_of_all_or_of_a_subject(shop: Shop, guest: Reader) -> None:
    for number in range(100, 130):
        shop.shelves.books[number] = a_book(number, f"Volume {number}", subject="chess")
    first = guest.get("/new").text
    assert re.findall(r'<h2><a href="/books/(\d+)">', first)[:2] == ["129", "128"]
    assert "1\N{EN DASH}50 of 69" in first
    (following,) = links(first, "Next page")
    second = guest.get(following).text
    assert "51\N{EN DASH}69 of 69" in second
    assert links(second, "Previous page") == ["/new"]
    chess = guest.get("/new?subject=chess").text
    assert len(re.findall(r"<h2><a", chess)) == 30
    assert 'aria-current="page">chess<' in chess


def test_an_empty_shop_has_a_home_too(shop: Shop, guest: Reader) -> None:
    shop.shelves.books.clear()
    assert guest.get("/").status_code == 200


def test_a_subject_leads_to_all_its_books_page_by_page(guest: Reader) -> None:
    first = guest.get("/subjects/history").text
    (address,) = links(first, "Next page")
    second = guest.get(address).text
    titles = [set(re.findall(r"Volume \d+", page)) for page in (first, second)]
    assert titles[0].isdisjoint(titles[1])
    assert {f"Volume {number}" for number in range(5, 40)} == titles[0] | titles[1]
    assert links(second, "First page") == ["/subjects/history"]


def test_every_subject_on_the_home_page_can_be_followed_whatever_its_name(guest: Reader) -> None:
    subjects = re.findall(r'href="(/subjects/[^"]+)"', guest.get("/").text)
    assert len(set(subjects)) == 3
    for address in subjects:
        assert guest.get(unescape(address)).status_code == 200


def test_an_unknown_subject_offers_those_that_there_are(guest: Reader) -> None:
    page = guest.get("/subjects/gardening")
    assert page.status_code == 404
    assert links(page.text, "distributed systems") == ["/subjects/distributed%20systems"]
    assert links(page.text, "gardening") == ["/search?q=gardening"]


def test_search_passes_words_filters_and_sort_on(shop: Shop, guest: Reader) -> None:
    guest.get("/search?q=volume&subject=history&author=Ada+Quill&language=en&in_stock=true&sort=-price&min_price=")
    query = shop.shelves.searches[0]
    assert (query.q, query.subject, query.author, query.language) == ("volume", "history", "Ada Quill", "en")
    assert (query.in_stock, query.sort, query.min_price) == (True, "-price", None)


def test_search_keeps_its_words_and_filters_in_every_link(guest: Reader) -> None:
    page = guest.get("/search?q=volume&language=en").text
    (following,) = links(page, "Next page")
    (narrower,) = links(page, "Ada Quill")
    (wider,) = links(page, "take this filter away")
    (in_stock,) = links(page, "Only what is in stock")
    (sorted_by_title,) = links(page, "Title")
    assert parse_qs(urlsplit(following).query) == {"q": ["volume"], "language": ["en"], "cursor": ["24"]}
    assert parse_qs(urlsplit(narrower).query) == {"q": ["volume"], "language": ["en"], "author": ["Ada Quill"]}
    assert parse_qs(urlsplit(in_stock).query) == {"q": ["volume"], "language": ["en"], "in_stock": ["true"]}
    assert parse_qs(urlsplit(wider).query) == {"q": ["volume"]}
    assert parse_qs(urlsplit(sorted_by_title).query) == {"q": ["volume"], "language": ["en"], "sort": ["title"]}


def test_a_search_that_finds_nothing_helps_on(guest: Reader) -> None:
    page = guest.get("/search?q=%22%3Cb%3Ezzz&language=en")
    assert page.status_code == 200
    assert "No book found" in page.text
    assert links(page.text, "history") == ["/subjects/history"]
    assert "<b>zzz" not in page.text


@pytest.mark.parametrize(
    "path",
    [
        *(f"/{page}?cursor=a%20b" for page in ("new", "search")),
        "/new?subject=" + "x" * 3_000,
        *(f"/search?{query}" for query in ("sort=loudest", "in_stock=maybe", "min_price=-1", "max_price=x", "q=%00")),
        "/search?q=" + "x" * 3_000,
        "/subjects/history?cursor=%0A",
        "/subjects/" + "x" * 3_000,
    ],
)
def test_what_cannot_be_understood_is_a_422(guest: Reader, path: str) -> None:
    page = guest.get(path)
    assert page.status_code == 422
    assert '<form class="search' in page.text


@pytest.mark.parametrize(
    ("quantity", "words"), [(0, "Sold out"), (1, "1 left"), (3, "3 left"), (9, "9 left"), (10, "In stock")]
)
def test_stock_is_told_in_words(shop: Shop, guest: Reader, quantity: int, words: str) -> None:
    shop.shelves.change(2, quantity=quantity)
    assert f">{words}<" in guest.get("/books/2").text


def test_a_book_shows_its_facts_and_links_on(shop: Shop, guest: Reader) -> None:
    shop.shelves.change(2, price=Money(amount=1200, currency="JPY"), language="de", year=-44, isbn="9780262510875")
    page = guest.get("/books/2").text
    assert all(fact in page for fact in ("¥1,200", "German", "44 BC", "9780262510875", "All about Three Left."))
    assert set(links(page, "Ada Quill")) == {"/search?author=Ada+Quill"}
    assert set(links(page, "history")) == {"/subjects/history"}


@pytest.mark.parametrize("number", ["99", "0", "01", "-1", "9007199254740992", "abc", "²"])
def test_what_is_no_book_is_not_found(guest: Reader, number: str) -> None:
    page = guest.get(f"/books/{number}")
    assert page.status_code == 404
    assert '<form class="search' in page.text


def test_pages_tell_the_position_of_the_catalog_and_it_never_goes_back(shop: Shop, guest: Reader) -> None:
    first = guest.get("/books/2")
    assert first.headers["Bazar-Position"] == "ab12cd34-7"
    assert "Bazar-Position=ab12cd34-7; Secure; HttpOnly; Path=/; SameSite=Lax" in first.headers.getlist("Set-Cookie")
    shop.shelves.position = "ab12cd34-6"
    assert not guest.get("/books/2").headers.getlist("Set-Cookie")
    shop.shelves.position = "ab12cd34-10"
    assert "ab12cd34-10" in guest.get("/books/2").headers["Set-Cookie"]
    shop.shelves.position = "ee00ee00-1"
    assert "ee00ee00-1" in guest.get("/books/2").headers["Set-Cookie"]


def test_all_subjects_have_a_page_of_their_own(shop: Shop, guest: Reader) -> None:
    for number in range(100, 160):
        shop.shelves.books[number] = a_book(number, f"Volume {number}", subject=f"subject {number}")
    home = guest.get("/").text
    assert "subject 159" not in home
    assert links(home, "All subjects") == ["/subjects"]
    page = guest.get("/subjects").text
    assert links(page, "subject 159") == ["/subjects/subject%20159"]
    assert "with the most books" not in page
    for number in range(160, 400):
        shop.shelves.books[number] = a_book(number, f"Volume {number}", subject=f"subject {number}")
    assert "The 200 with the most books." in guest.get("/subjects").text
