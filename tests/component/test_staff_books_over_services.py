"""The booksellers' pages over the real services: what stand-ins could get wrong between them."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from bazar.chassis.clock import system_clock
from shop_window import Reader
from three_services import PASSWORD, ThreeServices


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeServices]:
    opened = ThreeServices(tmp_path_factory.mktemp("shop"), system_clock)
    yield opened
    opened.close()


@pytest.fixture
def stella(shop: ThreeServices) -> Reader:
    """A bookseller who has signed in."""
    reader = Reader(shop.app.test_client())
    form = reader.form("/sign-in", "/sign-in")
    assert reader.send(form, email="staff@example.org", password=PASSWORD).status_code == 303
    return reader


def test_a_book_is_added_changed_counted_and_withdrawn(shop: ThreeServices, stella: Reader) -> None:
    form = stella.form("/staff/books/new", "/staff/books/new")
    facts = {"title": "Tea", "price": "4", "stock": "2", "isbn": "0-306-40615-3"}
    wrong = stella.send(form, **facts)
    assert wrong.status_code == 422
    assert "check digit" in wrong.text
    assert 'id="new-isbn-mistake"' in wrong.text
    form = stella.form(wrong, "/staff/books/new")
    (address,) = {stella.send(form, isbn="0-306-40615-2").headers["Location"].partition("?")[0] for _ in range(2)}
    assert stella.form(address, f"{address}/details").fields["isbn"] == "9780306406157"

    count = stella.form(address, f"{address}/stock-take")
    number = address.rpartition("/")[2]
    sale = shop.call("POST", f"/purchase/{number}", "customer", headers={"Idempotency-Key": "sold"})
    assert sale.status_code == 201
    told = stella.send(count, stock="2")
    assert told.status_code == 412
    for _ in range(2):
        assert stella.send(stella.form(told, f"{address}/stock-take"), stock="0").status_code == 303
    details = stella.form(address, f"{address}/details")
    for _ in range(2):
        assert stella.send(details, title="Tea, Twice", blurb="Of tea.").status_code == 303
    found = shop.call("GET", f"/info/{number}").json
    assert found is not None
    assert (found["title"], found["quantity"], found["version"]) == ("Tea, Twice", 0, 4)

    assert "This form was sent before" in stella.send(stella.form(told, f"{address}/stock-take"), stock="3").text
    withdraw = stella.form(f"{address}/withdraw", f"{address}/withdraw")
    assert [stella.send(withdraw).status_code for _ in range(2)] == [303, 303]
    past = stella.get(address).text
    for entry in ("Taken out of the shop", "Details changed", "1 copy less", "1 copy sold at $4.00", "Added at $4.00"):
        assert entry in past, entry
    journal = stella.get(f"/staff/journal?book={number}").text
    assert journal.count('<span class="who">staff@example.org') == 4
    assert "stock-take: 1 expected, 0 counted" in journal
    assert stella.get("/staff/journal?cursor=x").status_code == 422


def test_a_file_is_imported_as_it_was_shown(shop: ThreeServices, stella: Reader) -> None:
    rows = ["source_id,title,price,stock,isbn", "a,Apples,100,1,0-306-40615-2", "b,Bears,100,1,0-306-40615-3"]

    def preview(name: str, *more: str) -> TestResponse:
        data = "\n".join([*rows, *more]).encode()
        return stella.upload("/staff/import", "/staff/import/preview", data, name, prices="minor")

    before = shop.everything()
    shown = preview("a list.csv")
    assert "Import 1 book<" in shown.text
    assert "Line 3: isbn: no valid ISBN" in shown.text
    assert shop.everything() == before
    confirm = stella.form(shown, "/staff/import")
    done = [stella.send(confirm).headers["Location"] for _ in range(2)]
    assert done == ["/staff/import?added=1&present=0&bad=1", "/staff/import?added=0&present=1&bad=1"]
    assert "import of a list" in stella.get("/staff/journal").text
    again = preview("a list.csv", "c,Cats,100,1,")
    assert "Import 1 book<" in again.text
    assert "There already, left as they are" in again.text
    renamed = preview("other.csv")
    assert "came under this id from the source &#39;a list&#39; already" in renamed.text
    assert "There is nothing new in it." in renamed.text
