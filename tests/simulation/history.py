"""What happened in one run: numbered events, each with its time, who and what; written out only when asked for."""

from collections.abc import Callable, Iterator
from hashlib import sha256


class History:
    """Keeps events as they come; the words are put together later."""

    def __init__(self) -> None:
        self._events: list[tuple[float, str, str, tuple[object, ...]]] = []
        self._names: dict[str, Callable[[], str]] = {}

    def call(self, name: str, identifier: Callable[[], str]) -> None:
        """Whatever has this identifier is shown by its name."""
        self._names[name] = identifier

    def note(self, seconds: float, who: str, what: str, *values: object) -> None:
        """``what`` is a format string for the values, which must not change any more."""
        self._events.append((seconds, who, what, values))

    def __len__(self) -> int:
        return len(self._events)

    def lines(self) -> Iterator[str]:
        """The events in words."""
        names = {identifier(): f"<{name}>" for name, identifier in self._names.items()}
        for number, (seconds, who, what, values) in enumerate(self._events, 1):
            text = what.format(*values)
            for identifier, name in names.items():
                text = text.replace(identifier, name)
            yield f"{number:>5} {seconds:>10.6f}  {who:<10} {text}"

    def digest(self) -> str:
        """Two runs with the same digest are the same, event for event."""
        return sha256("\n".join(self.lines()).encode()).hexdigest()
