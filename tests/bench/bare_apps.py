"""What stands beside Bazar on Granian: bytes returned by bare WSGI, and Flask saying hello.

``BENCH_ANSWER`` is a file with the headers, a JSON list of pairs, and the body after an empty line.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response, jsonify

_head, _, _body = Path(os.environ["BENCH_ANSWER"]).read_bytes().partition(b"\n\n")
_HEADERS = [(name, value) for name, value in json.loads(_head)]


def bare(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The same bytes for everybody."""
    start_response("200 OK", _HEADERS)
    return [_body]


hello = Flask(__name__)


@hello.get("/")
def say_hello() -> Response:
    """A small JSON document."""
    return jsonify(message="hello")
