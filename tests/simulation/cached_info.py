"""The page of a book from the front-end's real cache, which the real follower of the feed keeps up to date."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from bazar.chassis import headers
from bazar.chassis.clock import Deadline
from bazar.chassis.freshness import ENVIRON_KEY, MadeOf
from bazar.chassis.position import read_position
from bazar.contracts.wire import dump
from bazar.frontend.api.problems import PROBLEMS
from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.follower import FeedFollower
from bazar.frontend.cache.middleware import Cache
from bazar.frontend.gateways.catalog_service import CatalogService
from bazar.frontend.wiring import LONGEST_LOOK_SECONDS
from simulation.network import Request, Response
from simulation.outside import refusal
from simulation.world import World

MOST_BYTES = 2**20
_PATH = "/info/"


class CachedInfo:
    """Of one run of the front-end server. Behind the cache stands what is left of the application: the call."""

    def __init__(self, world: World, catalog: CatalogService) -> None:
        self._world = world
        self._catalog = catalog
        answers = Answers(MOST_BYTES, world.monotonic)
        self._follower = FeedFollower(answers, self._changes_after)
        self._cache = Cache(
            self._application,
            answers,
            documents=(_PATH,),
            pages=(),
            whole_pages=(),
            variant=lambda _environ: "",
            visitor=lambda _environ: None,
            notice=lambda _age_seconds: b"",
            monotonic=world.monotonic,
        )

    def start(self) -> None:
        """Follow the feed."""
        self._follower.start()

    def stir(self) -> None:
        """Look at the feed now: of all times, those right after a commit show most."""
        self._follower._loop.wake()

    def serve(self, item_number: int, request: Request) -> Response:
        """The response to somebody without a sign-in."""
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"{_PATH}{item_number}", "QUERY_STRING": ""}
        if headers.POSITION in request.headers:
            environ["HTTP_BAZAR_POSITION"] = request.headers[headers.POSITION]
        told: list[tuple[str, dict[str, str]]] = []

        def start_response(status: str, sent: list[tuple[str, str]], _error: Any = None) -> Any:
            told.append((status, dict(sent)))

        data = b"".join(self._cache(environ, start_response))
        status, sent = told[-1]
        return Response(int(status[:3]), data, sent)

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        item_number = int(environ["PATH_INFO"].removeprefix(_PATH))
        try:
            seen = self._catalog.book(item_number, Deadline.after(5.0))
        except Exception as error:  # noqa: BLE001 - as at the edge of the real process
            refused = refusal(self._world, PROBLEMS, error)
            start_response(f"{refused.status} refused", [("Content-Type", "application/problem+json")])
            return [refused.data]
        environ[ENVIRON_KEY] = MadeOf(frozenset({item_number}), read_position(seen.position))
        sent = [("Content-Type", "application/json"), (headers.POSITION, seen.position or "")]
        start_response("200 OK", sent)
        return [dump(seen.answer)]

    def _changes_after(self, number: int) -> Any:
        return self._catalog.changes_after(number, Deadline.after(LONGEST_LOOK_SECONDS))
