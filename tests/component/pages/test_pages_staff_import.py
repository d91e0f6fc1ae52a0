"""A file of books: what it would change is shown, row by row; nothing changes before that is confirmed."""

import re

import pytest
from werkzeug.test import TestResponse

from bazar.frontend.pages.staff.import_file import LARGEST_FILE_BYTES, MOST_ROWS
from shop_window import ADDRESS, Reader, Shop
from stand_ins import HOSTILE

PAGE, PREVIEW = "/staff/import", "/staff/import/preview"
HEAD = "source_id,title,authors,price,stock"
LIST = f"{HEAD}\r\n1,Tea,Ann;Ben,1250,3\r\n2,Milk,,,\r\n3,Jam,Ann,12.50,1\r\n1,Tea again,,1,1\r\n"


@pytest.fixture
def stella(shop: Shop) -> Reader:
    return shop.bookseller()


def preview(reader: Reader, text: str = LIST, name: str = "list.csv", **typed: str) -> TestResponse:
    return reader.upload(PAGE, PREVIEW, text.encode(), name, **{"prices": "minor", **typed})


def section(page: str, name: str) -> str:
    """The section of a preview whose heading has this id, without its marks."""
    found = re.search(rf'<section class="more" aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    return " ".join(re.sub("<[^>]*>", " ", found[1]).split()) if found else ""


def test_the_preview_says_row_by_row_what_would_change(shop: Shop, stella: Reader) -> None:
    shown = preview(stella)
    assert shown.status_code == 200
    assert "Import 1 book<" in shown.text
    assert "2 Tea Ann, Ben $12.50 3" in section(shown.text, "new-rows")
    bad = section(shown.text, "bad-rows")
    assert "Line 3: price: is empty, and nothing was said for such rows" in bad
    assert "cents say: 1250" in bad
    assert "Line 5: source_id: &#39;1&#39; is that of line 2" in bad
    assert not shop.shelves.imported


def test_what_was_shown_is_imported_and_once(shop: Shop, stella: Reader) -> None:
    confirm = stella.form(preview(stella, price="4", stock="7"), PAGE)
    done = stella.send(confirm)
    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?added=2&present=0&bad=2")
    assert [(book.title, book.price.amount, book.stock) for book in shop.shelves.imported.values()] == [
        ("Tea", 1250, 3),
        ("Milk", 400, 7),
    ]
    page = stella.get(done.headers["Location"]).text
    assert "2 books were added." in page
    assert "2 rows could not be used." in page
    assert stella.send(confirm).headers["Location"] == f"{PAGE}?added=0&present=2&bad=2"
    assert {source for source, _ in shop.shelves.imported} == {"list"}
    again = preview(stella, price="4", stock="7").text
    assert "There is nothing new in it." in again
    assert "Tea Ann, Ben" in section(again, "known-rows")
    assert f'action="{PAGE}"' not in again


@pytest.mark.parametrize(
    ("prices", "said", "amounts"),
    [
        (("12.50", "15"), {}, [1250, 1500]),
        (("12,50", "15.5"), {}, [1250, 1550]),
        (("1250", "1500"), {"prices": "minor"}, [1250, 1500]),
        (("15", "16"), {"prices": "decimal"}, [1500, 1600]),
        (("", ""), {"price": "4"}, [400, 400]),
    ],
)
def test_prices_are_read_as_they_are_written(
    shop: Shop, stella: Reader, prices: tuple[str, str], said: dict[str, str], amounts: list[int]
) -> None:
    text = f'{HEAD}\n1,Tea,,"{prices[0]}",1\n2,Milk,,"{prices[1]}",1'
    shown = preview(stella, text, **{"prices": "", **said})
    assert f"${amounts[1] / 100:.2f}" in section(shown.text, "new-rows")
    stella.send(stella.form(shown, PAGE))
    assert [book.price.amount for book in shop.shelves.imported.values()] == amounts


def test_whole_numbers_are_no_prices_before_somebody_says_which(shop: Shop, stella: Reader) -> None:
    answer = preview(stella, f"{HEAD}\n1,Tea,,15,1", prices="")
    assert answer.status_code == 422
    assert 'id="import-prices-mistake"' in answer.text
    assert "say 12.50 or 1250" in answer.text
    assert preview(stella, f"{HEAD}\n1,Tea,,15,1", prices="pennies").status_code == 422
    assert not shop.shelves.imported


def test_prices_that_are_very_low_are_marked(stella: Reader) -> None:
    page = preview(stella, f"{HEAD}\n1,Tea,,15,1\n2,Milk,,100,1").text
    assert "1 price is below $1.00." in page
    assert "2 Tea $0.15 low? 1 3 Milk $1.00 1" in section(page, "new-rows")


def test_the_sample_can_be_imported_as_it_is(shop: Shop, stella: Reader) -> None:
    sample = stella.get(f"{PAGE}/sample.csv")
    assert (sample.mimetype, "attachment" in sample.headers["Content-Disposition"]) == ("text/csv", True)
    stella.send(stella.form(stella.upload(PAGE, PREVIEW, sample.data), PAGE))
    assert [book.title for book in shop.shelves.imported.values()] == ["A Sample of Tea", "A Sample of Milk"]


def test_a_list_that_came_under_another_name_is_seen(stella: Reader) -> None:
    stella.send(stella.form(preview(stella), PAGE))
    page = preview(stella, name="newer.csv").text
    assert "Some of it came before under another name: list." in page
    assert "There is nothing new" in preview(stella, name="newer.csv", source="list").text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty or was not chosen"),
        (b"x" * (LARGEST_FILE_BYTES + 1), "is larger than 256 KiB"),
        (b"\xff\xfe\x00", "no UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no UTF-8"),
        (b"title\nTea", "there is no column source_id, price, stock; there are title.<"),
        (b'"', "no CSV"),
        (HEAD.encode() + b"\n1,A,,1,1" * (MOST_ROWS + 1), "has more than 1000 rows"),
    ],
)
def test_what_is_no_list_of_books_is_said(shop: Shop, stella: Reader, data: bytes, said: str) -> None:
    answer = stella.upload(PAGE, PREVIEW, data, prices="minor")
    assert answer.status_code == 422
    assert 'id="import-file-mistake"' in answer.text
    assert said in answer.text
    assert not shop.shelves.imported


def test_a_file_larger_than_any_body_is_told_the_limit_on_the_same_page(shop: Shop, stella: Reader) -> None:
    body, content_type = b"x" * 2_000_000, "multipart/form-data; boundary=unread"
    answer = stella.client.post(PREVIEW, data=body, content_type=content_type, base_url=ADDRESS)
    assert answer.status_code == 413
    assert 'id="import-file-mistake"' in answer.text
    assert "is larger than 256 KiB; divide it, or use the command `bazar catalogue import`" in answer.text
    assert stella.form(answer, PREVIEW)
    assert not shop.shelves.imported


def test_a_body_that_is_too_large_elsewhere_or_a_customers_shows_no_import(stella: Reader, customer: Reader) -> None:
    for reader, address in ((stella, "/staff/books/new"), (stella, "/sign-in"), (customer, PREVIEW)):
        answer = reader.post(address, {"file": "x" * 2_000_000})
        assert answer.status_code == 413
        assert "That was too much at once" in answer.text
        assert PREVIEW not in answer.text


@pytest.mark.parametrize(
    "row",
    [
        f'1,"{HOSTILE.replace(chr(34), chr(34) * 2)}","=cmd()",1,1',
        "1,\x00,,1,1",
        "1,A,,-1,1",
        "1,A,,1,99999999999999999999",
        f"1,{'A' * 3000},,1,1",
        '1,"unclosed,,1,1',
        "1,A",
        "1,A,,1,1,more,and,more",
    ],
)
def test_hostile_rows_are_shown_as_texts_or_refused(stella: Reader, row: str) -> None:
    shown = preview(stella, f"{HEAD}\n{row}\n2,Good,,1,1")
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text


def test_a_row_that_is_no_utf8_is_refused_and_the_others_are_not(stella: Reader) -> None:
    data = f"{HEAD}\n1,Caf".encode() + b"\xe9,,1,1\n2,Good,,1,1"
    shown = stella.upload(PAGE, PREVIEW, data, prices="minor")
    assert "Line 2: it is no UTF-8: save it as CSV UTF-8" in section(shown.text, "bad-rows")
    assert "Good" in section(shown.text, "new-rows")


def test_a_file_of_the_largest_size_comes_back_whole(shop: Shop, stella: Reader) -> None:
    rows = (f'{number},"Line one\nand two > ~ \xe9",,1,1' for number in range(MOST_ROWS // 2))
    text = "\n".join([HEAD, *rows])
    text += "\n9999,Last,," + "0" * (LARGEST_FILE_BYTES - len(text.encode()) - len("\n9999,Last,,1,1")) + "1,1"
    assert len(text.encode()) == LARGEST_FILE_BYTES
    done = stella.send(stella.form(preview(stella, text), PAGE))
    assert done.status_code == 303
    assert shop.shelves.imported["list", "0"].title == "Line one\nand two > ~ \xe9"


@pytest.mark.parametrize("wrong", [{"price": "x"}, {"stock": "-1"}, {"source": "a\x00b"}, {"source": "a" * 201}])
def test_mistakes_beside_the_file_are_told_and_kept(stella: Reader, wrong: dict[str, str]) -> None:
    answer = preview(stella, **wrong)
    ((name, typed),) = wrong.items()
    assert answer.status_code == 422
    assert f'id="import-{name}-mistake"' in answer.text
    assert typed.replace("\x00", "") in stella.form(answer, PREVIEW).fields[name].replace("\x00", "")


@pytest.mark.parametrize("broken", ["", "a", "AAA", "%%%%", "AAAA", "\N{SNOWMAN}"])
def test_a_confirmation_whose_file_is_broken_imports_nothing(shop: Shop, stella: Reader, broken: str) -> None:
    answer = stella.send(stella.form(preview(stella), PAGE), file=broken)
    assert answer.status_code == 422
    assert not shop.shelves.imported


def test_an_import_without_an_answer_can_be_sent_again(shop: Shop, stella: Reader) -> None:
    confirm = stella.form(preview(stella), PAGE)
    with shop.shelves.losing_answers():
        answer = stella.send(confirm)
    assert answer.status_code == 503
    assert stella.send(stella.form(answer, PAGE)).headers["Location"] == f"{PAGE}?added=0&present=1&bad=3"


def test_numbers_in_the_address_that_no_import_gave_are_passed_over(stella: Reader) -> None:
    for query in ("added=x", "added=-1", "present=1", "added=1&more=2"):
        assert "added." not in stella.get(f"{PAGE}?{query}").text


def test_customers_import_nothing(shop: Shop, customer: Reader) -> None:
    token = customer.form("/books/5", "/sign-out").fields["form_token"]
    assert customer.post(PREVIEW, {"form_token": token}).status_code == 404
    assert customer.post(PAGE, {"form_token": token, "file": "AAAA", "source": "x"}).status_code == 404
    assert not shop.shelves.imported
