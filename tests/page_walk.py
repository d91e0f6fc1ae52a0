"""Every page, found by the application's own map of addresses: a new one is walked without being named anywhere."""

import re
from collections.abc import Mapping

from flask import Flask

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses(app: Flask, method: str, examples: Mapping[str, str]) -> dict[str, str]:
    """By endpoint, an address of each page that takes the method, its parameters filled in from the examples.

    Raises AssertionError, which names the page, where there is no example.
    """
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    found = {rule.endpoint: rule.rule for rule in rules if method in (rule.methods or ())}
    unknown = {
        f"{endpoint} ({path}): add an example of <{name}>"
        for endpoint, path in found.items()
        for name in _PARAMETER.findall(path)
        if name not in examples
    }
    if unknown:
        raise AssertionError(f"pages that cannot be walked: {'; '.join(sorted(unknown))}")
    return {endpoint: _PARAMETER.sub(lambda match: examples[match[1]], path) for endpoint, path in found.items()}
