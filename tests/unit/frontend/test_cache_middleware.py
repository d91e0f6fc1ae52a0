"""The cache before the application: what it gives, to whom, and what it leaves to the application."""

import gzip
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import werkzeug
from werkzeug.test import TestResponse

from bazar.chassis.freshness import ENVIRON_KEY, MadeOf
from bazar.contracts.books import Change
from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.middleware import NOTICE_PLACE, Cache
from bazar.frontend.domain.shared_pages import Visitor

EPOCH = "e1"
WAIT_SECONDS = 30
PAGE = "/books/7"
DOCUMENT = "/api/v1/info/7"


class MovableSeconds:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Application:
    """Answers with what it is told to, counts, and may be made to wait."""

    def __init__(self) -> None:
        self.asked: list[WSGIEnvironment] = []
        self.status = "200 OK"
        self.number = 10
        self.declares = True
        self.more: list[tuple[str, str]] = []
        self.body = b"<p>Xen</p>" + NOTICE_PLACE
        self.before_it_answers: Callable[[], object] = lambda: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked.append(environ)
        position = f"{EPOCH}-{self.number}"
        self.before_it_answers()
        kind = "text/html" if environ["PATH_INFO"] == PAGE else "application/json"
        if self.declares:
            environ[ENVIRON_KEY] = MadeOf(frozenset({7}), (EPOCH, self.number))
        start_response(self.status, [("Content-Type", kind), ("Bazar-Position", position), *self.more])
        return [self.body]


class Shop:
    """The cache around the application, and the feed that it follows."""

    def __init__(self) -> None:
        self.time = MovableSeconds()
        #: Who sends cookies; None leaves them to the application.
        self.visitor: Visitor | None = None
        self.app = Application()
        self.answers = Answers(1_000_000, self.time)
        self.cache = Cache(
            self.app,
            self.answers,
            documents=("/api/v1/info/",),
            pages=("/books/",),
            whole_pages=("/",),
            variant=lambda environ: environ.get("HTTP_ACCEPT_LANGUAGE", ""),
            visitor=lambda _environ: self.visitor,
            notice=lambda seconds: b"<p>%d seconds old</p>" % seconds,
            monotonic=self.time,
        )
        self.hear(10)

    def hear(self, number: int, *changed: int) -> None:
        changes = [Change(number=number, item_number=item, version=1, offer_only=True) for item in changed]
        self.answers.follow(EPOCH, number, changes, self.time())

    def get(self, path: str = PAGE, **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return werkzeug.Client(self.cache, use_cookies=False).get(path, headers=sent)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_second_who_asks_is_answered_from_what_is_kept(shop: Shop) -> None:
    first, second = shop.get(), shop.get()
    assert (first.data, first.status_code) == (second.data, second.status_code) == (shop.app.body, 200)
    assert len(shop.app.asked) == 1
    assert second.headers["Cache-Control"] == "public, max-age=0, s-maxage=1, must-revalidate"


@pytest.mark.parametrize(
    "own",
    [
        {"Authorization": "Bearer x"},
        {"Cookie": "__Host-session=x"},
        {"Cookie": f"Bazar-Position={EPOCH}-3; __Host-session=x"},
        {"Cookie": f"__Host-session=x; Bazar-Position={EPOCH}-3"},
        {"Cookie": f"Bazar-Position={EPOCH}-3; Bazar-Position=x"},
    ],
)
def test_who_shows_something_of_their_own_is_heard_by_the_application(shop: Shop, own: dict[str, str]) -> None:
    shop.app.body = b"for everybody"
    shop.get()
    shop.app.body = b"for one"
    assert shop.get(**own).data == b"for one"
    assert shop.get().data == b"for everybody"


def test_a_document_is_the_same_for_everybody_whatever_a_browser_sends_along(shop: Shop) -> None:
    first = shop.get(DOCUMENT)
    assert shop.get(DOCUMENT, Cookie=f"__Host-session=x; Bazar-Position={EPOCH}-10").data == first.data
    assert len(shop.app.asked) == 1
    shop.app.body, shop.app.number = b"sold", 11
    assert shop.get(DOCUMENT, Cookie=f"__Host-session=x; Bazar-Position={EPOCH}-11").data == b"sold"


def test_what_the_application_did_not_declare_is_not_kept(shop: Shop) -> None:
    shop.app.declares = False
    shop.app.more = [("Set-Cookie", "secret=1")]
    assert "secret" in shop.get().headers["Set-Cookie"]
    shop.get()
    assert len(shop.app.asked) == 2


@pytest.mark.parametrize(
    "private", [("Set-Cookie", "secret=1"), ("set-cookie", "secret=1"), ("Cache-Control", "private, no-store")]
)
def test_what_was_made_for_one_visitor_is_given_whole_and_not_kept(shop: Shop, private: tuple[str, str]) -> None:
    shop.app.more = [("Set-Cookie", f"Bazar-Position={EPOCH}-10; Path=/"), private]
    assert private[1] in shop.get().headers.getlist(private[0])
    shop.app.more = []
    shop.app.body = b"for everybody"
    assert shop.get().data == b"for everybody"
    assert len(shop.app.asked) == 2


def test_a_page_tells_the_browser_the_position_once(shop: Shop) -> None:
    shop.get()
    assert f"Bazar-Position={EPOCH}-10;" in shop.get().headers["Set-Cookie"]
    assert "Set-Cookie" not in shop.get(Cookie=f"Bazar-Position={EPOCH}-10").headers
    shop.get(DOCUMENT)
    assert "Set-Cookie" not in shop.get(DOCUMENT).headers
    assert len(shop.app.asked) == 2


def test_another_language_is_another_answer(shop: Shop) -> None:
    shop.get(Accept_Language="en")
    shop.app.body = b"deutsch"
    assert shop.get(Accept_Language="de").data == b"deutsch"
    assert shop.get(Accept_Language="en").data != b"deutsch"


def test_a_change_is_shown_when_it_is_heard(shop: Shop) -> None:
    shop.get()
    shop.app.body, shop.app.number = b"another price", 11
    assert shop.get().data != b"another price"
    shop.hear(11, 7)
    assert shop.get().data == b"another price"


def test_who_sends_back_the_position_that_was_told_last_never_falls_behind(shop: Shop) -> None:
    shop.get(DOCUMENT)
    shop.hear(12)
    assert shop.get(DOCUMENT).headers["Bazar-Position"] == f"{EPOCH}-10"
    for _ in range(2):
        told = shop.get(DOCUMENT, Bazar_Position=f"{EPOCH}-12")
        assert told.headers["Bazar-Position"] == f"{EPOCH}-12"
        shop.app.status = "503 Unavailable"
        shop.time.seconds += 10
    assert told.headers["Age"] == "10"
    assert len(shop.app.asked) == 2


def test_who_has_seen_a_newer_position_asks_the_application(shop: Shop) -> None:
    shop.get(DOCUMENT)
    shop.app.body, shop.app.number = b"sold", 11
    assert shop.get(DOCUMENT, Bazar_Position=f"{EPOCH}-11").data == b"sold"
    assert shop.get(PAGE, Cookie=f"Bazar-Position={EPOCH}-11").data == b"sold"


def test_a_fill_that_was_overtaken_by_a_change_is_not_kept(shop: Shop) -> None:
    shop.app.before_it_answers = lambda: shop.hear(11, 7)
    shop.get()
    shop.app.before_it_answers = lambda: None
    shop.app.body, shop.app.number = b"newer", 11
    assert shop.get().data == b"newer"


def test_many_who_ask_at_once_are_one_question(shop: Shop) -> None:
    together, may_answer = threading.Barrier(8), threading.Event()
    shop.app.before_it_answers = lambda: may_answer.wait(WAIT_SECONDS)

    def ask() -> bytes:
        together.wait(WAIT_SECONDS)
        return bytes(shop.get().data)

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask) for _ in range(8)]
        while not shop.app.asked:
            assert not any(one.done() for one in asked)
        may_answer.set()
        assert {one.result(WAIT_SECONDS) for one in asked} == {shop.app.body}
    assert len(shop.app.asked) == 1


def test_while_the_application_cannot_answer_a_page_says_how_old_it_is(shop: Shop) -> None:
    shop.get()
    shop.app.status = "503 Service Unavailable"
    shop.time.seconds += 42
    late = shop.get()
    assert (late.status_code, late.headers["Age"], late.headers["Cache-Control"]) == (200, "42", "no-store")
    assert b"42 seconds old" in late.data
    assert shop.get("/books/8").status_code == 503


def test_a_document_that_is_answered_late_is_left_as_it_was(shop: Shop) -> None:
    whole = shop.app.body = b'{"title":"How to write <!-- age -->"}'
    shop.get(DOCUMENT)
    shop.app.status = "503 Service Unavailable"
    shop.time.seconds += 42
    late = shop.get(DOCUMENT)
    assert (late.data, late.headers["Age"]) == (whole, "42")


def test_what_somebody_has_seen_is_never_answered_late_by_something_older(shop: Shop) -> None:
    shop.get()
    shop.app.status = "503 Service Unavailable"
    shop.time.seconds += 42
    assert shop.get(Cookie=f"Bazar-Position={EPOCH}-11").status_code == 503


def test_who_has_it_is_told_that_it_has_not_changed(shop: Shop) -> None:
    tag = shop.get().headers["ETag"]
    again = shop.get(If_None_Match=f'"other", {tag}')
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert shop.get(If_None_Match='"other"').status_code == 200


def test_the_first_who_asks_may_have_it_already(shop: Shop) -> None:
    shop.app.more = [("ETag", '"3"')]
    assert shop.get(If_None_Match='W/"3"').status_code == 304
    assert shop.get().data == shop.app.body
    assert len(shop.app.asked) == 1


def test_a_large_page_is_compressed_for_who_takes_that(shop: Shop) -> None:
    shop.app.body = b"<p>Xen</p>" * 500
    plain, packed = shop.get(), shop.get(Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 10
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert shop.get(If_None_Match=packed.headers["ETag"], Accept_Encoding="gzip").status_code == 304
    assert shop.get(Accept_Encoding="gzip;q=0, identity").data == plain.data


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_other_methods_are_the_applications(shop: Shop, method: str) -> None:
    client = werkzeug.Client(shop.cache, use_cookies=False)
    for _ in range(2):
        client.open(PAGE, method=method)
    assert len(shop.app.asked) == 2


def test_who_sends_a_body_is_heard_by_the_application(shop: Shop) -> None:
    """A body that nobody reads would end the connection."""
    client = werkzeug.Client(shop.cache, use_cookies=False)
    for _ in range(2):
        client.get(PAGE, data=b"body")
    assert len(shop.app.asked) == 2
