"""The page of a book: more of its author and its shelf, and what search engines and other sites are told."""

import json
import re

from bazar.contracts.books import Money
from shop_window import ADDRESS, Reader, Shop, links
from stand_ins import a_book


def structured(page: str) -> dict[str, object]:
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    found: dict[str, object] = json.loads(data)
    return found


def test_other_books_of_the_author_and_of_the_shelf_are_shown_without_the_book_itself(
    shop: Shop, guest: Reader
) -> None:
    shop.shelves.change(5, authors=("Ben Ink",), subjects=("chess",))
    shop.shelves.change(6, authors=("Ben Ink", "Ada Quill"), subjects=("chess", "history"))
    page = guest.get("/books/5").text
    author, shelf = page.split('id="by-author"')[1].split('id="on-shelf"')
    assert links(author, "Volume 6") == links(shelf, "Volume 6") == ["/books/6"]
    assert "/books/5" not in author + shelf
    assert links(author, "All of them") == ["/search?author=Ben+Ink"]


def test_a_book_that_stands_alone_has_no_empty_shelves(shop: Shop, guest: Reader) -> None:
    shop.shelves.books[50] = a_book(50, "Alone", subject="")
    shop.shelves.change(50, authors=(), subjects=(), blurb="")
    page = guest.get("/books/50").text
    assert "by-author" not in page
    assert "on-shelf" not in page


def test_the_book_is_shown_where_its_neighbours_cannot_be_found(shop: Shop, guest: Reader) -> None:
    with shop.shelves.without_index():
        page = guest.get("/books/5")
    assert page.status_code == 200
    assert "on-shelf" not in page.text


def test_search_engines_are_told_the_book_and_its_offer(shop: Shop, guest: Reader) -> None:
    shop.shelves.change(2, isbn="9780262510875", price=Money(amount=1205, currency="USD"))
    page = guest.get("/books/2").text
    told = structured(page)
    address = f"{ADDRESS}/books/2"
    assert told["@type"] == "Book"
    assert (told["name"], told["isbn"], told["inLanguage"], told["datePublished"], told["url"]) == (
        *("Three Left", "9780262510875", "en", "1969", address),
    )
    assert told["author"] == [{"@type": "Person", "name": "Ada Quill"}]
    assert told["offers"] == {
        "@type": "Offer",
        "url": address,
        "price": "12.05",
        "priceCurrency": "USD",
        "availability": "https://schema.org/InStock",
        "itemCondition": "https://schema.org/NewCondition",
    }
    assert f'<link rel="canonical" href="{address}">' in page
    assert '<meta property="og:title" content="Three Left">' in page
    assert f'<meta property="og:url" content="{address}">' in page


def test_what_is_sold_out_or_priced_without_cents_is_told_so(shop: Shop, guest: Reader) -> None:
    shop.shelves.change(2, quantity=0, price=Money(amount=1200, currency="JPY"), year=-44)
    told = structured(guest.get("/books/2").text)
    assert isinstance(told["offers"], dict)
    assert told["offers"]["price"] == "1200"
    assert told["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert "datePublished" not in told


def test_the_script_is_told_what_to_look_at(guest: Reader) -> None:
    page = guest.get("/books/2").text
    assert 'data-book="/api/v1/info/2" data-price="1250"' in page
    assert 'data-few="{n} left" data-few-below="10"' in page
