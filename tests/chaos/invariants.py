"""What must hold after each round: DESIGN's invariants 1 to 5, in the databases and in every answer that was given.

(Invariant 8, that all settles within 60 s, is the wait before these checks.) Each function gives a sentence for each
violation, nothing where all is right.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from bazar.order.domain.order_ids import order_id_of
from chaos.history import FINAL, Cancellation, Change, Held, History, Purchase, Try, final_answers
from chaos.ledger import Decided, Hold, Ledgers
from chaos.shelf import Event, Undecided, misfit

OUTCOMES = {
    "/problems/out-of-stock": "out-of-stock",
    "/problems/price-changed": "price-changed",
    "/problems/order-cancelled": "cancelled",
}
#: What a repetition with another basket gets, and what is said while nobody knows.
NOT_FINAL = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

A_MOMENT_SECONDS = 0.001


@dataclass(frozen=True)
class Round:
    """What is checked: one round of a shop that has settled."""

    history: History
    items: Mapping[int, int]  # item number → copies at the beginning
    accounts: Sequence[str]  # account id by the customer's number
    settled_at: float


def violations(this: Round, ledgers: Ledgers) -> list[str]:
    """All that is wrong."""
    items = list(this.items)
    holds = ledgers.holds(items)
    secret = ledgers.order_id_secret()
    ids = {
        id(purchase): order_id_of(this.accounts[purchase.customer], purchase.key, secret)
        for purchase in this.history.purchases
    }
    decisions = ledgers.decisions([*ids.values(), *holds])
    return [
        *_of_shelves(this, ledgers, holds),
        *_of_orders(holds, decisions),
        *_of_answers(this.history),
        *(
            wrong
            for purchase in this.history.purchases
            for wrong in _of_key(purchase, ids[id(purchase)], decisions.get(ids[id(purchase)]))
        ),
        *(f"stuck: {order}" for order in ledgers.stuck()),
        *(f"not settled: {count} {what}" for what, count in ledgers.unsettled().items()),
        *_of_strangers(ids.values(), holds),
        *_of_linearizability(this, ledgers, lambda purchase: holds.get(ids[id(purchase)])),
    ]


def _of_shelves(this: Round, ledgers: Ledgers, holds: Mapping[str, Hold]) -> Iterator[str]:
    """Invariant 1, and the versions of the feed."""
    shelves = ledgers.shelves(list(this.items))
    sold, held = Counter[int](), Counter[int]()
    for hold in holds.values():
        if hold.state in ("settled", "held"):
            (sold if hold.state == "settled" else held).update(hold.lines)
    for item, shelf in shelves.items():
        if shelf.stock < 0 or shelf.stock + held[item] + sold[item] != shelf.taken_in:
            there = f"stock {shelf.stock} + held {held[item]} + sold {sold[item]}"
            yield f"book {item}: {there} != {shelf.taken_in} taken in"
        told = this.items[item] + sum(change.copies for change in this.history.changes if change.item == item)
        if told != shelf.taken_in:
            yield f"book {item}: {shelf.taken_in} copies came in, staff were told of {told}"
    for item, versions in ledgers.versions(list(this.items)).items():
        if versions != sorted(set(versions)) or versions[-1] != shelves[item].version:
            yield f"book {item}: the feed tells versions {versions}, the book is at {shelves[item].version}"


def _of_orders(holds: Mapping[str, Hold], decisions: Mapping[str, Decided]) -> Iterator[str]:
    """Invariants 2 and 3: each hold beside its decision."""
    for order_id, hold in holds.items():
        decided = decisions.get(order_id)
        if hold.state != _expected_state(decided):
            yield f"order {order_id}: its hold is {hold.state}, its decision {decided}"
        if decided is None:
            continue
        if (decided.account_id, decided.purchase_hash) != (hold.account_id, hold.purchase_hash):
            yield f"order {order_id}: hold {hold} and decision {decided} are of different purchases"
        if decided.outcome == "confirmed" and decided.lines != hold.lines:
            yield f"order {order_id}: {hold.lines} were held, {decided.lines} ordered"
    for order_id, decided in decisions.items():
        if decided.outcome == "confirmed" and order_id not in holds:
            yield f"order {order_id}: confirmed, and no copies were taken"
        if decided.is_cancelled and not (decided.outcome == "confirmed" and decided.is_returned):
            yield f"order {order_id}: cancelled, and not returned or never confirmed: {decided}"


def _expected_state(decided: Decided | None) -> str:
    """Of the hold, when all is settled."""
    if decided is None or decided.outcome == "out-of-stock":
        # A refusal took nothing; it binds its key, and whoever comes back decides by it.
        return "refused"
    if decided.outcome != "confirmed":
        return "released"
    return "returned" if decided.is_cancelled else "settled"


def _of_key(purchase: Purchase, order_id: str, decided: Decided | None) -> Iterator[str]:
    """Invariants 4 and 5: one key, one final answer, and it is what was decided."""
    answers = final_answers(purchase)
    different = {(basket, answer.status, answer.body) for basket, answer in answers}
    if len(different) > 1:
        yield f"key {purchase.key}: different final answers {different}"
    for basket, answer in answers:
        if decided is None:
            yield f"key {purchase.key}: answered {answer.status}, and nothing is decided"
            continue
        told = answer.json
        if answer.status == HTTPStatus.CREATED:
            lines = {line["item_number"]: line["quantity"] for line in told["lines"]}
            if (told["order_id"], told["status"], "confirmed") != (order_id, "confirmed", decided.outcome):
                yield f"key {purchase.key}: told {told}, decided {decided}"
            if not lines == dict(basket.lines) == decided.lines:
                yield f"key {purchase.key}: asked for {basket.lines}, told {lines}, decided {decided.lines}"
        elif OUTCOMES.get(told["type"]) != decided.outcome:
            yield f"key {purchase.key}: told {told}, decided {decided}"
    yield from _of_rivals(purchase)


def _of_rivals(purchase: Purchase) -> Iterator[str]:
    """A key belongs to one basket, and the other one is told so from then on."""
    refused = [basket for basket, one in purchase.tries if one.status == HTTPStatus.UNPROCESSABLE_ENTITY]
    final = purchase.final
    if refused and (len(purchase.baskets) == 1 or len(set(refused)) > 1 or (final and final[0] in refused)):
        yield f"key {purchase.key}: refused as used for another basket: {refused}"


def _of_answers(history: History) -> Iterator[str]:
    """No answer is anything else than the contract names."""
    for purchase in history.purchases:
        for _, one in purchase.tries:
            yield from _of_status(f"purchase {purchase.key}", one, (*FINAL, *NOT_FINAL))
    every: list[Cancellation | Change] = [*history.cancellations, *history.changes]
    for asked in every:
        if not asked.is_done:
            yield f"never done: {asked}"
    for cancellation in history.cancellations:
        for one in cancellation.tries:
            yield from _of_status(f"cancel {cancellation.purchase.key}", one, (HTTPStatus.OK, 503))
    for change in history.changes:
        for one in change.tries:
            yield from _of_status(f"change {change.key}", one, (HTTPStatus.OK, 503))


def _of_status(what: str, one: Try, allowed: Sequence[int]) -> Iterator[str]:
    if one.answer is None:
        return
    if one.status not in allowed:
        yield f"{what}: answered {one.answer}"
    if one.status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" not in {n.lower() for n in one.answer.headers}:
        yield f"{what}: 503 without Retry-After"


def _of_strangers(known: Iterable[str], holds: Mapping[str, Hold]) -> Iterator[str]:
    """Nothing was bought that nobody asked for."""
    for order_id in set(holds) - set(known):
        yield f"order {order_id}: nobody asked for it"


def _of_linearizability(this: Round, ledgers: Ledgers, held: Held) -> Iterator[str]:
    for item, shelf in ledgers.shelves(list(this.items)).items():
        after = this.settled_at + A_MOMENT_SECONDS
        last = Event("counted in the database", after, after, there=shelf.stock)
        try:
            wrong = misfit(this.items[item], [*this.history.events(item, held), last], this.settled_at)
        except Undecided as undecided:
            wrong = f"undecided: {undecided}"
        if wrong:
            yield f"book {item} with {this.items[item]} copies at first is not linearizable: {wrong}"
