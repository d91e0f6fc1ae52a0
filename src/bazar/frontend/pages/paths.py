"""Paths of the shop's own pages for its templates: what is the same again and again is remembered, and bounded."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from flask import Flask

#: Of a shop's books, those that are shown now.
MOST_REMEMBERED = 5_000
#: Of texts in queries, which may be a visitor's: so many, and none that is longer than this.
MOST_TEXTS_REMEMBERED = 5_000
LONGEST_TEXT_REMEMBERED = 100
#: What a query may hold as it is (RFC 3986 section 3.4), as Werkzeug leaves it.
_AS_IT_IS = "!$'()*,/:;?@"


class Paths:
    """Stands in for Flask's ``url_for`` in templates: to build a path costs more than all else in a line of one.

    A path with texts in it is built anew each time: the links of a search have the same few texts in other company.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.remembered = lru_cache(MOST_REMEMBERED, typed=True)(app.url_for)
        self._has_places = lru_cache(maxsize=None)(self._look_for_places)  # as many as there are endpoints

    def __call__(self, endpoint: str, **values: Any) -> str:
        """The same as ``url_for``; raises what that raises."""
        if all(type(value) is int for value in values.values()):
            return self.remembered(endpoint, **values)
        is_more = any(name.startswith("_") for name in values)  # an anchor, say: Flask's own names
        if is_more or self._has_places(endpoint):
            return self._app.url_for(endpoint, **values)
        query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in values.items() if value is not None)
        path = self.remembered(endpoint)
        return f"{path}?{query}" if query else path

    def _look_for_places(self, endpoint: str) -> bool:
        """Whether something of the path itself is given."""
        return any(rule.arguments for rule in self._app.url_map.iter_rules(endpoint))


def _quoted(value: object) -> str:
    text = str(value)
    return _short_quoted(text) if len(text) <= LONGEST_TEXT_REMEMBERED else quote_plus(text, _AS_IT_IS)


@lru_cache(MOST_TEXTS_REMEMBERED)
def _short_quoted(text: str) -> str:
    return quote_plus(text, _AS_IT_IS)
