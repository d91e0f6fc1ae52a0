"""A call of one service to another, as data: both sides are built from the same entry."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Call(Generic[Request, Answer]):
    """One route of a service.

    ``request`` is the type of the JSON body or, for a GET, of the query. ``path`` has placeholders in braces.
    ``callers`` are the services that may make the call: nobody else may. ``repeatable``: making it twice is as
    good as once, so a client may try again when a connection breaks.
    """

    service: str
    method: Method
    path: str
    request: type[Request]
    answer: type[Answer]
    callers: frozenset[str]
    repeatable: bool = True

    def path_for(self, **values: object) -> str:
        """The path with its placeholders filled; values are numbers and our own ids, never free text."""
        return self.path.format(**values)
