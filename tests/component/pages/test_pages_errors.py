"""When something goes wrong: pages for people, documents for programs, and files of the look."""

import gzip
import re
from pathlib import Path

import pytest

import bazar.frontend
from bazar.contracts.problems import PROBLEM_TYPES
from shop_window import ADDRESS, Reader, Shop

STATIC = Path(bazar.frontend.__file__).parent / "static"


@pytest.mark.parametrize("name", PROBLEM_TYPES)
def test_every_problem_type_has_its_page(guest: Reader, name: str) -> None:
    page = guest.get(f"/problems/{name}")
    assert page.status_code == 200
    assert str(PROBLEM_TYPES[name].status) in page.text
    assert "`" not in page.text


def test_an_unknown_address_offers_the_search(guest: Reader) -> None:
    page = guest.get("/nothing/here?a=<b>")
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert 'action="/search"' in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("path", ["//books/2", "///books/2", "//", "//example.org/..%2f", "//api/v1/info/2"])
def test_an_address_that_begins_with_two_slashes_is_none(guest: Reader, path: str) -> None:
    answer = guest.client.get("/", base_url=ADDRESS, environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_who_is_astray_is_still_signed_in(customer: Reader) -> None:
    assert "Sign out" in customer.get("/nothing/here").text


def test_programs_get_documents(guest: Reader) -> None:
    answer = guest.get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_mistake_of_ours_tells_no_detail(guest: Reader) -> None:
    page = guest.get("/breaks")
    assert page.status_code == 500
    assert "secret detail" not in page.text
    assert "Traceback" not in page.text
    assert page.headers["Request-Id"] in page.text


def test_a_method_that_does_not_fit_names_those_that_do(guest: Reader) -> None:
    page = guest.client.put("/sign-in", base_url="https://shop.example.org")
    assert page.status_code == 405
    assert "POST" in page.headers["Allow"]
    assert "Nothing has changed." in page.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_program_that_watches_hears_no_page(guest: Reader, path: str) -> None:
    answer = guest.client.post(path, base_url=ADDRESS)
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_a_body_that_is_too_large_is_refused(guest: Reader) -> None:
    page = guest.post("/sign-in", {"password": "x" * 2_000_000})
    assert page.status_code == 413
    assert page.mimetype == "text/html"


def test_half_a_form_is_not_taken_for_all_of_it(guest: Reader) -> None:
    form = guest.form("/sign-in", "/sign-in")
    as_granian_says = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "1000"}
    page = guest.client.post(form.action, data=form.fields, base_url=ADDRESS, environ_overrides=as_granian_says)
    assert (page.status_code, page.mimetype) == (400, "text/html")


@pytest.mark.parametrize("path", ["/", "/books/2", "/subjects/history", "/search?q=a"])
def test_without_the_catalog_the_rest_is_pointed_out(shop: Shop, guest: Reader, path: str) -> None:
    with shop.shelves.away():
        page = guest.get(path)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert 'href="/orders"' in page.text


def test_without_the_order_server_books_are_shown_and_the_rest_is_pointed_out(shop: Shop, customer: Reader) -> None:
    with shop.till.away():
        page = customer.get("/orders")
        assert customer.get("/books/2").status_code == 200
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "You can go on looking for books" in page.text


def test_files_of_the_look_are_named_by_their_content_and_kept_for_ever(guest: Reader) -> None:
    files = re.findall(r'href="(/static/[^"]+)"', guest.get("/").text)
    assert len(files) == 2
    (script,) = re.findall(r'src="(/static/[^"]+)"', guest.get("/").text)
    assert "javascript" in guest.get(script).content_type
    for file in [*files, script]:
        answer = guest.get(file)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert not answer.headers.getlist("Set-Cookie")
    assert guest.get(files[0]).content_type == "text/css; charset=utf-8"
    assert guest.get("/static/shop.css").status_code == 404
    assert guest.get("/static/../templates/base.html").status_code == 404


def test_the_look_is_light(customer: Reader) -> None:
    assert (STATIC / "shop.css").stat().st_size < 20_000
    assert (STATIC / "shop.js").stat().st_size < 10_000
    for path in ("/", "/search?q=volume", "/new", "/books/5"):
        page = customer.get(path)
        assert len(page.data) < 60_000
        # The page, its look, its script and its icon: covers are drawn in the page.
        assert len(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)) == 3
        assert "<img" not in page.text


def test_look_and_script_are_compressed_for_who_takes_that_and_a_page_with_a_token_never(customer: Reader) -> None:
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', customer.get("/").text):
        plain = customer.get(path)
        packed = customer.client.get(path, base_url=ADDRESS, headers={"Accept-Encoding": "br, gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert "Content-Encoding" not in plain.headers
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert "Accept-Encoding" in plain.headers["Vary"]
        refused = customer.client.get(path, base_url=ADDRESS, headers={"Accept-Encoding": "gzip;q=0"})
        assert refused.data == plain.data
    own = customer.client.get("/books/5", base_url=ADDRESS, headers={"Accept-Encoding": "gzip"})
    assert "form_token" in own.text
    assert "Content-Encoding" not in own.headers
