"""Many people who want a copy of one book at the same moment, and what each of them was told."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from http.client import HTTPException
from typing import Protocol

#: Who has no reply after this gives up.
PATIENCE_SECONDS = 20.0
#: Until somebody asks again, where the store does not say when.
PAUSE_SECONDS = 1.0
LONGEST_GATHERING_SECONDS = 30.0


class Reply(Enum):
    """What an answer means to a buyer."""

    BOUGHT = "bought"
    SOLD_OUT = "sold out"


@dataclass(eq=False)
class NoReply(Exception):
    """An error, or no answer at all: whether the copy was bought is unknown."""

    what_came: str
    retry_after_seconds: float = PAUSE_SECONDS


class Buyer(Protocol):
    """One person at one store."""

    name: str

    def look(self) -> None:
        """Read about the book."""
        ...

    def buy(self) -> Reply:
        """Ask for a copy; raises NoReply, and may then be called again."""
        ...


class Crowd:
    """Buyers, each in a thread: all look at the book, then all ask at once, again and again until they get a reply."""

    def __init__(self, buyers: Sequence[Buyer], disaster: Callable[[], None], disaster_after: int) -> None:
        """The disaster happens once, at the moment when so many have read that they bought a copy."""
        self.told: dict[str, Reply] = {}
        self.failures: Counter[str] = Counter()  # what came in place of a reply, and how often
        self.seconds = 0.0
        self._disaster = disaster
        self._disaster_after = disaster_after
        self._bought = 0
        self._lock = threading.Lock()
        self._begin = threading.Barrier(len(buyers) + 1)
        self._struck = threading.Event()
        # Daemons: Ctrl-C ends the demonstration without waiting for everybody's patience.
        self._threads = [threading.Thread(target=self._want_a_copy, args=(buyer,), daemon=True) for buyer in buyers]

    def run(self) -> None:
        """Let them in; returns when all have a reply or have given up. Raises RuntimeError without a disaster."""
        for thread in self._threads:
            thread.start()
        self._begin.wait(LONGEST_GATHERING_SECONDS)
        began = time.monotonic()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - began
        if not self._struck.is_set():
            raise RuntimeError(f"no server was killed: {self._bought} bought a copy, others got {self.failures}")

    def _want_a_copy(self, buyer: Buyer) -> None:
        buyer.look()
        self._begin.wait(LONGEST_GATHERING_SECONDS)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            try:
                reply = buyer.buy()
            except NoReply as none:
                with self._lock:
                    self.failures[none.what_came] += 1
                time.sleep(none.retry_after_seconds + random.random())  # noqa: S311 - people are not in step
            else:
                self._note(buyer.name, reply)
                return

    def _note(self, name: str, reply: Reply) -> None:
        with self._lock:
            self.told[name] = reply
            self._bought += reply is Reply.BOUGHT
            strikes = reply is Reply.BOUGHT and self._bought == self._disaster_after
        if strikes:
            self._disaster()
            self._struck.set()


def reply_of(ask: Callable[[], tuple[int, str | None]]) -> Reply:
    """What it means that ``ask`` gives this status and Retry-After, or fails; raises NoReply."""
    try:
        status, retry_after = ask()
    except (OSError, HTTPException) as error:
        raise NoReply(type(error).__name__) from error
    match status:
        case HTTPStatus.OK | HTTPStatus.CREATED:
            return Reply.BOUGHT
        case HTTPStatus.CONFLICT:
            return Reply.SOLD_OUT
        case _:
            raise NoReply(f"status {status}", float(retry_after or PAUSE_SECONDS))
