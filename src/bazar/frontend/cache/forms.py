"""The forms of an answer that is kept: as it is and compressed, each with its headers made once (RFC 9110)."""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from wsgiref.types import WSGIEnvironment

from bazar.chassis.freshness import PUBLIC

Headers = list[tuple[str, str]]

SMALLEST_COMPRESSED_BYTES = 1_000
_COMPRESSED = ("text/", "application/json", "image/svg+xml")
#: Made anew for each answer, or by this cache.
OURS = {"request-id", "set-cookie", "content-length", "date", "age", "etag", "cache-control", "vary"}
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_VARIES = "Accept-Encoding, Accept-Language, Authorization, Cookie, Bazar-Position"


@dataclass(frozen=True)
class Form:
    """A body with its entity tag and all of its headers; ``unchanged`` are those of a 304."""

    body: bytes
    tag: str
    headers: Headers
    unchanged: Headers

    @classmethod
    def of(cls, body: bytes, tag: str, headers: Sequence[tuple[str, str]]) -> "Form":
        """Made of the headers that it shares with other forms."""
        tagged = [*headers, ("ETag", tag), ("Cache-Control", PUBLIC), ("Vary", _VARIES)]
        return cls(body, tag, [*tagged, ("Content-Length", str(len(body)))], tagged)


@dataclass(frozen=True)
class Forms:
    """Of one answer; ``compressed`` where that pays."""

    plain: Form
    compressed: Form | None

    @property
    def size_bytes(self) -> int:
        """Of the bodies."""
        return len(self.plain.body) + (len(self.compressed.body) if self.compressed else 0)

    def chosen(self, environ: WSGIEnvironment) -> Form:
        """The form that the client takes."""
        if self.compressed is not None and _TAKES_GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return self.compressed
        return self.plain


def forms_of(headers: Sequence[tuple[str, str]], body: bytes) -> Forms:
    """The forms of an answer of the application.

    A tag that the application gave is known elsewhere (If-Match): such an answer is not compressed, since another form
    would need another tag (RFC 9110 section 8.8.3.3).
    """
    by_name = {name.lower(): value for name, value in headers}
    shared = [(name, value) for name, value in headers if name.lower() not in OURS]
    own_tag = by_name.get("etag")
    digest = blake2b(body, digest_size=12).hexdigest()
    plain = Form.of(body, own_tag or f'"{digest}"', shared)
    is_large_text = len(body) >= SMALLEST_COMPRESSED_BYTES and by_name["content-type"].startswith(_COMPRESSED)
    if own_tag is not None or not is_large_text:
        return Forms(plain, None)
    compressed = Form.of(gzip.compress(body, mtime=0), f'"{digest}-gzip"', [*shared, ("Content-Encoding", "gzip")])
    return Forms(plain, compressed)
