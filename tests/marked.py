"""The part of a page that a program writes: it stands between two marks that readers do not see."""

import re


def replaced(page: str, name: str, text: str) -> str:
    """The page with this text between the mark of that name and the next end; raises ValueError without such marks."""
    begin, end = f"<!-- {name} -->\n", "<!-- end -->"
    new, found = re.subn(f"(?s){re.escape(begin)}.*?{end}", lambda _: f"{begin}\n{text}\n\n{end}", page)
    if found != 1:
        raise ValueError(f"the page has {found} places marked {name}")
    return new
