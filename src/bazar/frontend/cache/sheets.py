"""A page that many share: made once for all visitors of a kind, with places that are filled for each (ADR 0020)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from bazar.frontend.cache.forms import OURS, Headers
from bazar.frontend.domain.shared_pages import Marks, Visitor


@dataclass(frozen=True)
class Sheet:
    """Text and, at every second place, what is to be filled in there; with the headers that all share."""

    pieces: Sequence[bytes]
    headers: Headers

    @classmethod
    def of(cls, headers: Sequence[tuple[str, str]], body: bytes, marks: Marks) -> "Sheet":
        """The answer of the application, cut at its marks."""
        cut = re.split(re.escape(marks.prefix.encode()) + b"-([a-z]+)-", body)
        return cls(cut, [(name, value) for name, value in headers if name.lower() not in OURS])

    @property
    def size_bytes(self) -> int:
        """Of the text."""
        return sum(map(len, self.pieces))

    def filled(self, visitor: Visitor) -> bytes:
        """The page for the visitor; what is filled in is text, whatever it looks like."""
        texts = {place.encode(): escape(value).encode() for place, value in visitor.values.items()}
        return b"".join(texts[piece] if number % 2 else piece for number, piece in enumerate(self.pieces))


#: Whom a page was filled in for is shown it, and nobody else.
PRIVATE = ("Cache-Control", "no-store")
