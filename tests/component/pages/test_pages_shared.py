"""Pages that many visitors share: each sees what the application would have shown to them alone."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import pytest
from werkzeug.test import Client, TestResponse

from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.middleware import Cache
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.pages.basket_cookie import BASKET_COOKIE
from bazar.frontend.pages.sessions import GUEST_COOKIE, SESSION_COOKIE
from bazar.frontend.wiring import cached
from shop_window import ADDRESS, PASSWORD, Reader, Shop

#: Pages that are kept for visitors of a kind; the last three are not kept, since they are no success.
SHARED = (
    "/",
    "/new",
    "/bestsellers",
    "/search?q=xen",
    "/books/1",
    "/books/2",
    "/books/1/basket",
    "/subjects/distributed%20systems",
)
NOT_KEPT = ("/books/99", "/search?sort=nonsense", "/subjects/none")
HOST = urlsplit(ADDRESS).hostname or ""
HOSTILE_NAME = '"><script>alert(1)</script>'


class Window:
    """The shop with the cache before it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.answers = Answers(10_000_000, time.monotonic)
        self.cache: Cache = cached(shop.app.wsgi_app, self.answers, shop.visitors)
        self.hear()

    def hear(self) -> None:
        """All that the catalog has to tell; good for a second."""
        epoch, _, number = self.shop.shelves.position.partition("-")
        self.answers.follow(epoch, int(number), (), time.monotonic() + 3600)

    def reader(self) -> Reader:
        """Somebody with a browser, who sees the shop through the cache."""
        return Reader(Client(self.cache))  # type: ignore[arg-type]  # it asks what both clients have

    @contextmanager
    def without_cache(self, reader: Reader) -> Iterator[None]:
        """The same browser asks the application itself."""
        before: WSGIApplication = reader.client.application
        reader.client.application = self.shop.app.wsgi_app  # type: ignore[assignment]  # the client takes any
        yield
        reader.client.application = before  # type: ignore[assignment]  # as above


@pytest.fixture
def window(shop: Shop) -> Window:
    return Window(shop)


@pytest.fixture
def readers(shop: Shop, window: Window) -> dict[str, Reader]:
    found = {name: window.reader() for name in ("stranger", "guest", "customer", "other customer", "staff", "admin")}
    found["guest"].put(1, 2)
    for name in ("customer", "other customer"):
        assert found[name].register(f"{name.replace(' ', '-')}@example.org", name=f"A {name}").status_code == 303
    for role in (Role.STAFF, Role.ADMIN):
        shop.accounts.create_account(f"{role}@example.org", PASSWORD, role, HOSTILE_NAME)
        assert found[role.value].sign_in(f"{role}@example.org").status_code == 303
    found["customer"].put(2)
    window.hear()
    return found


def plain(page: TestResponse) -> str:
    """Without the key of the next purchase, which is another one each time."""
    return re.sub(r'name="key" value="[^"]+"', "", page.text)


@pytest.mark.parametrize("path", [*SHARED, *NOT_KEPT])
def test_everybody_sees_what_the_application_would_show_to_them_alone(
    window: Window, readers: dict[str, Reader], path: str
) -> None:
    for name, reader in readers.items():
        with window.without_cache(reader):
            alone = reader.get(path)
        for _ in range(2):
            given = reader.get(path)
            assert given.status_code == alone.status_code, name
            assert plain(given) == plain(alone), name
            for header in ("Content-Security-Policy", "Content-Type", "Referrer-Policy", "Bazar-Position"):
                assert given.headers.get(header) == alone.headers.get(header), (name, header)


@pytest.mark.parametrize("path", SHARED)
def test_the_second_visitor_of_a_kind_is_answered_from_what_is_kept(
    window: Window, readers: dict[str, Reader], path: str
) -> None:
    readers["customer"].get(path)
    given = window.cache.given
    page = readers["other customer"].get(path)
    assert window.cache.given == given + 1
    assert page.headers["Cache-Control"] == "no-store"
    assert "ETag" not in page.headers
    assert "A other customer" in page.text
    assert "A customer" not in page.text


def test_a_form_on_a_shared_page_is_the_own_one_of_each_browser(readers: dict[str, Reader]) -> None:
    for name in ("customer", "other customer", "staff", "admin", "guest"):
        assert readers[name].put(1).status_code == 303, name
        form = readers[name].form("/books/1", "/books/1/basket")
        assert readers[name].send(form, quantity="1").status_code == 303, name
    bought = [readers[name].buy(1) for name in ("customer", "other customer")]
    assert len({answer.headers["Location"] for answer in bought}) == 2
    form = readers["customer"].form("/books/1", "/books/1/basket")
    assert readers["other customer"].send(form, quantity="1").status_code == 403


def test_each_look_at_a_shared_page_has_a_key_of_its_own(readers: dict[str, Reader]) -> None:
    keys = {readers["customer"].form("/books/1", "/books/1/buy").fields["key"] for _ in range(3)}
    assert len(keys) == 3


def test_what_changes_for_one_visitor_is_seen_at_once(readers: dict[str, Reader]) -> None:
    reader = readers["customer"]
    badge = re.compile(r'id="basket-copies">([^<]*)<')
    assert badge.search(reader.get("/").text)[1] == "1"  # type: ignore[index]  # or the test fails
    reader.put(1, 4)
    assert badge.search(reader.get("/").text)[1] == "5"  # type: ignore[index]  # as above
    reader.send(reader.form("/", "/sign-out"))
    page = reader.get("/")
    assert "A customer" not in page.text
    assert badge.search(page.text)[1] == ""  # type: ignore[index]  # as above


def test_a_session_that_was_ended_elsewhere_shows_the_page_of_a_stranger(
    window: Window, readers: dict[str, Reader]
) -> None:
    secret = readers["customer"].client.get_cookie(SESSION_COOKIE, domain=HOST)
    assert secret is not None
    window.shop.accounts.sign_out(secret.value, SignInKind.SESSION)
    assert "A customer" not in readers["customer"].get("/books/1").text


def test_a_mark_that_a_visitor_sends_is_text(readers: dict[str, Reader]) -> None:
    """Who could have marks filled in would have the page of another visitor's kind say what it should not."""
    for reader in (readers["customer"], readers["guest"]):
        page = reader.get("/search?q=place-0123456789abcdef0123456789abcdef-token-")
        assert "place-0123456789abcdef0123456789abcdef-token-" in page.text


def test_a_basket_of_an_earlier_day_gets_forms_that_work(readers: dict[str, Reader]) -> None:
    """The secret of forms ends with the browser's session, the basket does not."""
    guest = readers["guest"]
    guest.client.delete_cookie(GUEST_COOKIE, domain=HOST)
    assert guest.client.get_cookie(BASKET_COOKIE, domain=HOST) is not None
    assert guest.send(guest.form("/books/1", "/books/1/basket"), quantity="1").status_code == 303


def test_while_the_catalog_is_away_a_visitor_sees_what_is_known_with_its_age(
    window: Window, readers: dict[str, Reader]
) -> None:
    readers["customer"].get("/books/1")
    window.answers.follow(*_position(window), (), time.monotonic() - 3600)
    window.shop.shelves.is_away = True
    page = readers["other customer"].get("/books/1")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "does not answer just now" in page.text
    assert "A other customer" in page.text


def _position(window: Window) -> tuple[str, int]:
    epoch, _, number = window.shop.shelves.position.partition("-")
    return epoch, int(number)
