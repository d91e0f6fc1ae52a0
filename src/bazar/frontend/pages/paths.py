"""Paths of the shop's own pages for its templates, remembered where that is bounded."""

from functools import lru_cache
from typing import Any

from flask import Flask

#: Of a shop's books, those that are shown now.
MOST_REMEMBERED = 5_000


class Paths:
    """Stands in for Flask's ``url_for`` in templates: to build a path costs more than all else in a line of one."""

    def __init__(self, app: Flask) -> None:
        self._url_for = app.url_for
        self.remembered = lru_cache(MOST_REMEMBERED, typed=True)(app.url_for)

    def __call__(self, endpoint: str, **values: Any) -> str:
        """The same in each request. With texts in it, which may be a visitor's and long, it is built anew."""
        build = self.remembered if all(type(value) is int for value in values.values()) else self._url_for
        return build(endpoint, **values)
