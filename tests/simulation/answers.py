"""Every answer that anybody ever got, held against the others and, once all is quiet, against the databases."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bazar.chassis import headers
from bazar.chassis.position import read_position
from bazar.frontend.cache.answers import TRUSTED_SECONDS
from bazar.order.domain.order_ids import order_id_of
from simulation.audit import Audit
from simulation.front_end import PASSER_BY, STAFF
from simulation.network import Response
from simulation.world import SECRET, World

#: An answer to a purchase that holds for its key for ever.
_FINAL = (201, 409)
#: What uses up no key: unknown book, another body under the key, outcome unknown.
_NOT_FINAL = (404, 422, 503)


@dataclass(frozen=True)
class Ask:
    """What somebody asks of the shop; asked again with the same key, it is the same request."""

    account: str
    method: str
    target: str
    body: bytes = b""
    key: str | None = None


@dataclass(frozen=True)
class Purchase:
    """What the body of a purchase comes to: copies by item number, ascending. Other bodies may come to the same."""

    lines: tuple[tuple[int, int], ...]
    expected_total_minor: int | None


@dataclass
class Session:
    """What one person has seen so far, and says with each request: nothing that is answered may be older."""

    versions: dict[int, int] = field(default_factory=dict)
    position: int = 0
    #: When they asked.
    at_seconds: float = 0.0


class Answers:
    """Invariants 4, 5 and 7, by what people were told."""

    def __init__(self, world: World, audit: Audit) -> None:
        self._world = world
        self._audit = audit
        self._sessions: defaultdict[str, Session] = defaultdict(Session)
        #: Account and key → the final answer, and to which purchase it was given.
        self._final: dict[tuple[str, str], tuple[int, bytes, Purchase]] = {}
        self._final_since: dict[tuple[str, str], float] = {}
        #: Account and key → the purchases that it was used for.
        self._purchases: defaultdict[tuple[str, str], set[Purchase]] = defaultdict(set)
        #: Orders that were confirmed to somebody, and those that were said to be cancelled.
        self._known: set[str] = set()
        self._cancelled: set[str] = set()
        #: Whether the order was known to be confirmed when its cancellation was first asked for.
        self._cancels: dict[Ask, bool] = {}
        self._withdrawn: set[int] = set()
        #: Changes by staff, and whether they were told that it is made.
        self._changes: dict[Ask, bool] = {}

    def asked(self, ask: Ask) -> Session:
        """Somebody is about to ask it; returns what they have seen before."""
        if ask.target == "orders" and ask.method == "POST":
            self._purchases[ask.account, ask.key or ""].add(_purchase(ask))
            self._world.history.call(ask.key or "", partial(order_id_of, ask.account, ask.key or "", SECRET))
        elif ask.target.startswith("cancel/"):
            self._cancels.setdefault(ask, ask.target.partition("/")[2] in self._known)
        elif ask.method == "PATCH":
            self._changes.setdefault(ask, False)
        elif ask.method == "DELETE":
            self._withdrawn.add(int(ask.target.partition("/")[2]))
        session = self._sessions[ask.account]
        return replace(session, versions=dict(session.versions), at_seconds=self._world.scheduler.now)

    def got(self, ask: Ask, response: Response, before: Session) -> None:
        """Somebody got this answer."""
        route, _, name = ask.target.partition("/")
        if ask.method == "POST" and route == "orders":
            self._purchase(ask, response, before)
        elif route == "cancel":
            self._cancel(ask, name, response)
        elif ask.method == "PATCH" and response.status == 200:
            # A change that was refused uses up no key: it may be made later.
            self._changes[ask] = True
            self._knows(ask.account, json.loads(response.data), response)
        elif route == "info" and response.status == 200:
            self._seen(ask.account, json.loads(response.data), response, before)

    def may_have_come_in(self, initial: Sequence[int]) -> dict[int, set[int]]:
        """Copies that came in, by item number: one number, by what staff were told.

        More, where nobody could be told any more whether a change was made: the book has been withdrawn.
        """
        copies = {item_number: {stock} for item_number, stock in enumerate(initial, 1)}
        for ask, is_made in self._changes.items():
            item_number, change = int(ask.target.partition("/")[2]), json.loads(ask.body).get("stock_change", 0)
            made = {number + change for number in copies[item_number]}
            if is_made:
                copies[item_number] = made
            elif item_number in self._withdrawn:
                copies[item_number] |= made
        return copies

    def check_list(self, account: str, response: Response) -> None:
        """Once all is quiet: the list of orders is what was bought, each as it is now (invariant 5)."""
        listed = {order["order_id"]: order["status"] for order in json.loads(response.data)["items"]}
        expected = {
            order_id: "cancelled" if order_id in self._audit.cancellations else "confirmed"
            for order_id, decided in self._audit.decisions.items()
            if account in (decided.account_id, STAFF) and decided.outcome == "confirmed"
        }
        if listed != expected:
            self._broken(5, f"{account} is shown the orders {listed}, but has {expected}")
        for (buyer, key), (status, body, _) in self._final.items():
            if account in (buyer, STAFF) and status == 201 and json.loads(body)["order_id"] not in listed:
                self._broken(5, f"the order that was confirmed to {account} under {key} is lost")
        for order_id in self._cancelled & listed.keys():
            if listed[order_id] != "cancelled":
                self._broken(2, f"{account} was told that {order_id} is cancelled")

    def _purchase(self, ask: Ask, response: Response, before: Session) -> None:
        key, purchase = (ask.account, ask.key or ""), _purchase(ask)
        first = self._final.get(key)
        if response.status in _FINAL:
            now = self._final.setdefault(key, (response.status, response.data, purchase))
            self._final_since.setdefault(key, self._world.scheduler.now)
            if now != (response.status, response.data, purchase):
                self._broken(4, f"{key} was answered {now}, and {purchase} gets {response.status} {response.data!r}")
        elif response.status not in _NOT_FINAL:
            self._broken(4, f"{key} is answered {response.status} {response.data!r}")
        elif response.status != 503 and first and first[2] == purchase and before.at_seconds >= self._final_since[key]:
            # Whoever asked before may have been told what was true before.
            self._broken(4, f"{key} was answered {first}, and now {response.status} {response.data!r}")
        elif response.status == 404 and not self._withdrawn & {item_number for item_number, _ in purchase.lines}:
            self._broken(4, f"{key} is told that a book is unknown: {response.data!r}")
        elif response.status == 422 and len(self._purchases[key]) == 1:
            self._broken(4, f"{key} is told of another body, but there was one only")
        if response.status == 201:
            self._confirmed(ask, purchase, response)

    def _confirmed(self, ask: Ask, purchase: Purchase, response: Response) -> None:
        order = json.loads(response.data)
        decided = self._audit.decisions.get(order["order_id"])
        if decided is None or decided.outcome != "confirmed" or decided.account_id != ask.account:
            self._broken(5, f"{ask.key} was confirmed to {ask.account}, the decision is {decided}")
        if tuple((line["item_number"], line["quantity"]) for line in order["lines"]) != purchase.lines:
            self._broken(5, f"{ask.key} asked for {purchase}, got {order['lines']}")
        if purchase.expected_total_minor not in (None, order["total"]["amount"]):
            self._broken(5, f"{ask.key} was to cost {purchase.expected_total_minor}, costs {order['total']}")
        self._known.add(order["order_id"])
        session = self._sessions[ask.account]
        session.position = max(_position(response), session.position)

    def _cancel(self, ask: Ask, order_id: str, response: Response) -> None:
        if response.status == 200:
            self._cancelled.add(order_id)
            if order_id not in self._audit.cancellations:
                self._broken(2, f"{order_id} was said to be cancelled, but is not")
        elif response.status == 404 and not self._cancels[ask]:
            pass  # too early, or never an order
        elif response.status not in (409, 503):
            self._broken(5, f"to cancel {order_id} is answered {response.status} {response.data!r}")

    def _seen(self, account: str, book: dict[str, Any], response: Response, before: Session) -> None:
        number, version, position = book["item_number"], book["version"], _position(response)
        newest = self._audit.version_at(number, before.at_seconds - TRUSTED_SECONDS)
        if version < newest and "Age" not in response.headers:
            self._broken(7, f"{account} is shown version {version} of {number} a second after version {newest}")
        if account == PASSER_BY:
            return
        if version < before.versions.get(number, 0):
            self._broken(7, f"{account} saw version {before.versions[number]} of {number}, now {version}")
        if position < before.position:
            self._broken(7, f"{account} has seen the feed up to {before.position}, and is now shown {position}")
        self._knows(account, book, response)

    def _knows(self, account: str, book: dict[str, Any], response: Response) -> None:
        session, number = self._sessions[account], book["item_number"]
        session.versions[number] = max(book["version"], session.versions.get(number, 0))
        session.position = max(_position(response), session.position)

    def _broken(self, invariant: int, what: str) -> None:
        self._world.violation(f"{invariant}: {what}")


def _purchase(ask: Ask) -> Purchase:
    body, copies = json.loads(ask.body), Counter[int]()
    for line in body["lines"]:
        copies[line["item_number"]] += line["quantity"]
    total = body["expected_total"]
    return Purchase(tuple(sorted(copies.items())), None if total is None else total["amount"])


def _position(response: Response) -> int:
    """How far the catalog was when it gave the answer."""
    position = read_position(response.headers.get(headers.POSITION))
    return position[1] if position else 0
