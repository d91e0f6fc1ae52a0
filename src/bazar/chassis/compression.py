"""Answers that are smaller on the wire (RFC 9110 section 8.4.1.3)."""

import gzip

from flask import Response, request


def compressed(content: bytes) -> bytes:
    """In gzip; the same for the same content."""
    return gzip.compress(content, mtime=0)


def in_gzip(response: Response, body: bytes | None = None) -> Response:
    """The response, in gzip for whoever takes that; ``body`` is its content where that was compressed before.

    Not for a page that holds a secret beside what somebody else can choose: its length would tell of it (BREACH).
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.set_data(compressed(response.get_data()) if body is None else body)
        response.content_encoding = "gzip"
    return response
