"""What stands beside Bazar on Granian: bytes returned by bare WSGI, by the shop's cache alone, and Flask saying hello.

``BENCH_ANSWER`` is a file with the headers, a JSON list of pairs, and the body after an empty line.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, jsonify

from bazar.chassis.freshness import ENVIRON_KEY, MadeOf
from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.middleware import Cache

POSITION = ("epoch", 1)
MOST_BYTES = 1_000_000
AN_HOUR_SECONDS = 3600

_head, _, _body = Path(os.environ["BENCH_ANSWER"]).read_bytes().partition(b"\n\n")
_HEADERS = [(name.title(), value) for name, value in json.loads(_head)]


def bare(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The same bytes for everybody."""
    start_response("200 OK", _HEADERS)
    return [_body]


def _made_of_one_book(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ[ENVIRON_KEY] = MadeOf(frozenset({1}), POSITION)
    return bare(environ, start_response)


def _in_cache() -> WSGIApplication:
    """The shop's cache in front of the same bytes: after the first request it answers by itself."""
    answers = Answers(MOST_BYTES, time.monotonic)
    answers.follow(*POSITION, (), time.monotonic() + AN_HOUR_SECONDS)  # as if the feed had been heard up to then
    return Cache(
        _made_of_one_book,
        answers,
        documents=["/"],
        pages=[],
        whole_pages=[],
        variant=lambda environ: environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        visitor=lambda _environ: None,
        notice=lambda _seconds: b"",
    )


in_cache = _in_cache()
hello = Flask(__name__)


@hello.get("/")
def say_hello() -> Response:
    """A small JSON document."""
    return jsonify(message="hello")
