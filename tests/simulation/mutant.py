"""A mutant: what it does wrong, and the attributes of the real code that it replaces."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

#: Of which object or module, which attribute, by what.
Replacement = tuple[object, str, object]


@dataclass(frozen=True)
class Mutant:
    """``replaces`` is called for each run, so that what a replacement remembers begins anew."""

    says: str
    replaces: Callable[[], Sequence[Replacement]]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The code is wrong for as long as this lasts."""
        replacements = self.replaces()
        kept = [(owner, name, getattr(owner, name)) for owner, name, _ in replacements]
        try:
            for owner, name, wrong in replacements:
                setattr(owner, name, wrong)
            yield
        finally:
            for owner, name, right in kept:
                setattr(owner, name, right)
