"""One shop under fire: opened in it, sold at in rounds, and looked through after each."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from pprint import pformat

from bazar.chassis.pidfile import live_processes
from chaos.crowd import Crowd
from chaos.history import History
from chaos.invariants import Round, violations
from chaos.ledger import SERVICES, Ledgers, urls_of
from chaos.plan import SHORT_PAUSES, Fire
from chaos.points import POINTS, Point, Prelude
from shop import Client, Shop

#: Invariant 8.
SETTLE_SECONDS = 60.0
CUSTOMERS = 16
#: Few copies: most customers are refused sooner or later. Of the last book there are usually some.
COPIES = (8, 25, 60)
#: A killed master's worker ends its requests first: 10 s to drain, 5 s to stop, and then some.
LEFTOVERS_SECONDS = 30.0
POLL_SECONDS = 0.03
START_POINTS = tuple(point for point in POINTS if point.prelude is Prelude.START)


@dataclass(frozen=True)
class Result:
    """What became of one round. ``settle_seconds``: from the last fault until all was settled."""

    name: str
    violations: Sequence[str]
    settle_seconds: float
    answers: int
    faults: Counter[str] = field(default_factory=Counter)


class Ordeal:
    """A shop whose processes are killed, its customers, and its databases."""

    def __init__(self, folder: Path, fire: Fire, shop: Shop, ledgers: Ledgers, settle_seconds: float) -> None:
        self.fire = fire
        self.shop = shop
        self.rng = random.Random()  # noqa: S311 - no secret
        self.faults: Counter[str] = Counter()
        self._folder = folder
        self.ledgers = ledgers
        self._settle_seconds = settle_seconds
        emails = [f"customer-{number}@example.org" for number in range(CUSTOMERS)]
        self._tokens = [shop.customer(email) for email in emails]
        accounts = ledgers.accounts()
        self._accounts = [accounts[email] for email in emails]

    def round(self, name: str, inflict: "Inflict", seed: object = 0) -> Result:
        """Sell while ``inflict`` does its worst, settle, ask again, check. ``name``: no two rounds share it."""
        self.rng.seed(f"{seed} {name}")
        self.faults = Counter()
        items = self._new_books(name)
        crowd = Crowd(self.shop, self._tokens, list(items), name, f"{seed} {name}")
        found: list[str] = []
        crowd.start()
        try:
            last_fault_at = inflict(self, crowd)
        except Missed as missed:
            found.append(str(missed))
            last_fault_at = time.monotonic()
        crowd.finish()
        settled_at = self._settled(last_fault_at, found)
        self._see_that_nobody_is_left(found)
        crowd.ask_again()
        end_at = self._settled(time.monotonic(), found)
        history = crowd.history()
        found += violations(Round(history, items, self._accounts, end_at), self.ledgers)
        if found:
            self._keep_evidence(name, found, history)
        return Result(name, found, settled_at - last_fault_at, history.answers, self.faults)

    def last_look(self) -> list[str]:
        """What holds for the whole life of the shop: the feed has no gaps, customers see their orders and no others."""
        found = []
        last, highest, count = self.ledgers.feed()
        if not last == highest == count:
            found.append(f"feed: {last} promised, {highest} the highest, {count} there")
        confirmed = self.ledgers.confirmed()
        for account, token in zip(self._accounts, self._tokens, strict=True):
            seen = list(_all_orders(self.shop.client(token)))
            theirs = [order_id for order_id, owner in confirmed.items() if owner == account]
            if sorted(seen) != sorted(theirs):
                found.append(f"account {account} sees {len(seen)} orders and has {len(theirs)}")
        return found

    def pids(self, service: str) -> tuple[int, int]:
        """Master and worker of a server, as soon as it has both."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            master = live_processes(self._folder / "run").get(service)
            with suppress(FileNotFoundError, ProcessLookupError, ValueError):
                (worker,) = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
                return int(master or 0), worker
            if time.monotonic() > deadline:
                raise Missed(f"the {service} server did not come back")
            time.sleep(POLL_SECONDS)

    def kill_server(self, service: str) -> None:
        """Master and worker at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pids(service)[0], signal.SIGKILL)
        self.faults[f"kill -9 {service}"] += 1

    def _new_books(self, label: str) -> dict[int, int]:
        items: dict[int, int] = {}
        deadline = time.monotonic() + self._settle_seconds
        while len(items) < len(COPIES):
            copies = COPIES[len(items)]
            try:
                items[self.shop.add_book(copies, f"{label}, of {copies}")] = copies
            except (OSError, HTTPException, AssertionError):  # the last fault is a moment ago
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)
        return items

    def _settled(self, since: float, found: list[str]) -> float:
        """When all was quiet, at most 60 s after ``since``."""
        while left := self.ledgers.unsettled():
            if time.monotonic() > since + self._settle_seconds:
                found.append(f"not settled {self._settle_seconds:g} s after the last fault: {left}")
                break
            time.sleep(POLL_SECONDS)
        return time.monotonic()

    def _see_that_nobody_is_left(self, found: list[str]) -> None:
        """Besides ``bazar up``, three masters and three workers: no process of this shop."""
        deadline = time.monotonic() + LEFTOVERS_SECONDS
        while True:
            try:
                expected = {self.shop.process.pid, *(pid for service in SERVICES for pid in self.pids(service))}
            except Missed as missed:
                found.append(str(missed))
                return
            there = set(processes_with(f"CHAOS_FOLDER={self.fire.folder}"))
            if there == expected:
                return
            if time.monotonic() > deadline:
                found.append(f"processes {there} are there, {expected} should be")
                return
            time.sleep(POLL_SECONDS)

    def _keep_evidence(self, name: str, found: list[str], history: History) -> None:
        path = self._folder.parent / f"evidence of {name}.txt"
        path.write_text("\n".join([name, *found, "", pformat(history, width=160)]))
        found.append(f"all that was asked and answered is in {path}")


#: Gives the time of its last fault; raises Missed.
Inflict = Callable[[Ordeal, Crowd], float]


class _ShopUnderFire(Shop):
    """Each server dies four times before it is open."""

    open_seconds = 180


class Missed(Exception):
    """A fault could not be made: its step was never passed, or a server did not come back."""


@contextmanager
def opened(
    folder: Path,
    *,
    databases: Mapping[str, str] | None = None,
    constants: Mapping[str, Mapping[str, object]] = SHORT_PAUSES,
    mutant: str | None = None,
    start_points: Sequence[Point] = (),
    settle_seconds: float = SETTLE_SECONDS,
) -> Iterator[Ordeal]:
    """A shop of the harness, on SQLite unless ``databases`` (URL by service); killed at ``start_points`` meanwhile."""
    fire = Fire(folder / "fire", constants, mutant)
    for point in start_points:
        fire.arm(point)
    settings = {f"BAZAR_{service.upper()}_DATABASE_URL": url for service, url in (databases or {}).items()}
    shop = _ShopUnderFire(folder / "var", BAZAR_SAMPLE="0", **fire.environment, **settings)
    try:
        assert any(fire.passages(point) for point in START_POINTS), "the shop's processes do not read chaos/injected"
        with Ledgers(databases or urls_of(folder / "var")) as ledgers:
            yield Ordeal(folder / "var", fire, shop, ledgers, settle_seconds)
    finally:
        shop.stop()


def processes_with(variable: str) -> Iterator[int]:
    """The processes that were started with this in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)


def _all_orders(client: Client) -> Iterator[str]:
    cursor: str | None = ""
    while cursor is not None:
        page = client.call("GET", f"/orders?limit=100&cursor={cursor}").json
        yield from (order["order_id"] for order in page["items"])
        cursor = page["next"]
    client.close()
