"""Search: words, facets and filters, all of it in the address; and suggestions while typing."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bazar.contracts.books import FacetCount, Money
from shop_window import Reader, Shop, links


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


@pytest.fixture
def counted(shop: Shop) -> Shop:
    """The shop with facets for everything."""
    shop.shelves.facets = {
        "subject": (FacetCount(value="history", count=37), FacetCount(value="a/b <i>&?#", count=1)),
        "author": (FacetCount(value="Ada Quill", count=1234),),
        "language": (FacetCount(value="en", count=30), FacetCount(value="grc", count=2)),
        "price": (
            FacetCount(value="0-499", count=3),
            FacetCount(value="500-999", count=4),
            FacetCount(value="10000-", count=5),
        ),
        "in_stock": (FacetCount(value="true", count=36), FacetCount(value="false", count=1)),
    }
    return shop


def test_what_rests_on_a_correction_says_so(shop: Shop, guest: Reader) -> None:
    assert "as it is written" not in guest.get("/search?q=volume").text
    shop.shelves.mistaken = ("volum",)
    assert "No book has “volum” as it is written; these have a word like it." in guest.get("/search?q=volum").text
    shop.shelves.mistaken = ("<i>", "volum")
    page = guest.get("/search?q=volum").text
    assert "No book has all of “&lt;i&gt; volum” as they are written; these have words like them." in page
    shop.shelves.books.clear()
    assert "as they are written" not in guest.get("/search?q=volum").text


@pytest.mark.usefixtures("counted")
def test_every_facet_is_a_link_that_keeps_the_rest_of_the_query(guest: Reader) -> None:
    page = guest.get("/search?q=volume&sort=price").text
    kept = {"q": ["volume"], "sort": ["price"]}
    expected = {
        "history": {"subject": ["history"]},
        "Ada Quill": {"author": ["Ada Quill"]},
        "Ancient Greek": {"language": ["grc"]},
        "Up to $4.99": {"max_price": ["499"]},
        "$5.00 \N{EN DASH} $9.99": {"min_price": ["500"], "max_price": ["999"]},
        "$100.00 and more": {"min_price": ["10000"]},
        "Only what is in stock": {"in_stock": ["true"]},
    }
    for text, more in expected.items():
        assert query_of(links(page, text)[-1]) == kept | more, text
    assert "1,234" in page


def test_counts_that_are_estimated_say_so(counted: Shop, guest: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    of_names, others = ("1,234", "37"), ("36", "30", "4")
    total = len(counted.shelves.books)
    for most_hits_counted, begins in ((total, ""), (total - 1, "about ")):
        monkeypatch.setattr("bazar.frontend.pages.search.MOST_HITS_COUNTED", most_hits_counted)
        page = guest.get("/search").text
        for count in (*(begins + count for count in of_names), *others):
            assert f'<span class="count">{count}</span>' in page


@pytest.mark.usefixtures("counted")
def test_a_filter_in_use_goes_away_by_one_click_and_its_facet_with_it(guest: Reader) -> None:
    page = guest.get("/search?q=volume&subject=history&min_price=500&max_price=999&in_stock=true").text
    removed = [query_of(address) for address in links(page, "take this filter away")]
    everything = {
        "q": ["volume"],
        "subject": ["history"],
        "min_price": ["500"],
        "max_price": ["999"],
        "in_stock": ["true"],
    }
    for names in (("subject",), ("in_stock",), ("min_price", "max_price")):
        assert {name: value for name, value in everything.items() if name not in names} in removed
    assert [query_of(address) for address in links(page, "Take all filters away")] == [{"q": ["volume"]}]
    assert not links(page, "Up to $4.99")
    assert not links(page, "Only what is in stock")


def test_pages_keep_their_place_both_ways(guest: Reader) -> None:
    first = guest.get("/search?q=volume&language=en").text
    assert "1\N{EN DASH}24 of 35" in first
    (following,) = links(first, "Next page")
    second = guest.get(following).text
    assert "25\N{EN DASH}35 of 35" in second
    (back,) = links(second, "Previous page")
    assert query_of(back) == {"q": ["volume"], "language": ["en"]}


def test_prices_are_written_as_the_visitor_does(shop: Shop, guest: Reader) -> None:
    shop.shelves.change(5, price=Money(amount=123456, currency="EUR"))
    page = guest.client.get("/books/5", base_url="https://shop.example.org", headers={"Accept-Language": "de-DE"})
    assert "1.234,56\N{NO-BREAK SPACE}€" in page.text
    assert page.headers["Vary"] == "Accept-Language"
    assert "€1,234.56" in guest.get("/books/5").text


def test_suggestions_name_books_authors_and_subjects_with_their_addresses(guest: Reader) -> None:
    answer = guest.get("/suggest?q=three")
    assert answer.json is not None
    assert answer.json["items"] == [
        {"kind": "book", "text": "Three Left", "by": "Ada Quill", "address": "/books/2"},
        {"kind": "author", "text": "Ada Quill", "address": "/search?author=Ada+Quill"},
        {"kind": "subject", "text": "a/b <i>&?#", "address": "/subjects/a/b%20%3Ci%3E&%3F%23"},
    ]
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    for item in answer.json["items"]:
        assert guest.get(item["address"]).status_code == 200


@pytest.mark.parametrize("address", ["/suggest?q=" + "x" * 300, "/suggest?q=%00"])
def test_what_nobody_types_suggests_nothing(guest: Reader, address: str) -> None:
    assert guest.get(address).status_code == 422


def test_without_the_catalog_there_are_no_suggestions(shop: Shop, guest: Reader) -> None:
    with shop.shelves.away():
        assert guest.get("/suggest?q=three").status_code == 503


def test_where_no_book_has_all_words_the_page_shows_what_all_but_one_find(guest: Reader) -> None:
    page = guest.get("/search?q=volume+xyzzy").text
    assert "No book found" in page
    assert "No book has all of these words. Without “xyzzy”:" in page
    assert "a filter" not in page
    assert links(page, "Volume 5") == ["/books/5"]


@pytest.mark.parametrize("narrowed", ["language=en", "max_price=4999", "in_stock=true"])
def test_where_a_filter_may_hide_the_book_with_all_words_the_page_says_so(guest: Reader, narrowed: str) -> None:
    page = guest.get(f"/search?q=volume+xyzzy&{narrowed}").text
    assert "No book that fits your filters has all of these words. Without “xyzzy”:" in page
    assert "Taking a filter away may help, too." in page


def test_what_all_words_but_one_find_is_within_the_filters(shop: Shop, guest: Reader) -> None:
    page = guest.get("/search?q=volume+xyzzy&language=en").text
    assert links(page, "Volume 5") == ["/books/5"]
    assert links(page, "All of them") == ["/search?q=volume&language=en"]
    assert {(query.q, query.language) for query in shop.shelves.searches[1:]} == {("xyzzy", "en"), ("volume", "en")}


@pytest.mark.parametrize("words", ["xyzzy", "xyzzy plugh", "volume a b c d e xyzzy"])
def test_where_leaving_a_word_out_does_not_help_subjects_are_shown(shop: Shop, guest: Reader, words: str) -> None:
    page = guest.get(f"/search?{urlencode({'q': words})}").text
    assert "Or look along our shelves:" in page
    assert len(shop.shelves.searches) <= 3


def test_filters_that_stop_say_so(shop: Shop, guest: Reader) -> None:
    many = tuple(FacetCount(value=f"author {number}", count=1) for number in range(11))
    shop.shelves.facets = {"author": many, "subject": many[:9]}
    page = guest.get("/search?q=volume").text
    assert page.count("The 10 that most of these books have.") == 1
