"""Orders that need a hand: who sees them, what settle and cancel do in each case, and that they are ended for good."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bazar.contracts.names import CATALOG, ORDER
from bazar.order.domain.decisions import Outcome
from bazar.order.use_cases.cancel_order import ReturnCopies
from bazar.order.use_cases.finish_orders import FinishOrders, Sweep
from bazar.order.use_cases.ports import Moved
from conftest import MovableClock
from three_services import CURRENCY, ThreeServices

STOCK = 5
BOUGHT = 2

#: What breaks an order of BOUGHT copies: SQL on the catalog's and on the order server's database.
Break = Callable[["Stuck"], None]


class Stuck:
    """A shop with an order that is brought into some contradiction."""

    def __init__(self, folder: Path, clock: MovableClock) -> None:
        self.clock = clock
        self.shop = ThreeServices(folder, clock)
        self.item = self.shop.add_book(stock=STOCK)
        self.order = self.buy()
        self.order_id = self.order["order_id"]
        catalog = self.shop.catalog_of_order
        self._finish = FinishOrders(self.shop.orders, catalog, clock)
        self._return = ReturnCopies(self.shop.orders, catalog, clock)
        self._sweep = Sweep(self.shop.orders, catalog, clock, lambda: 0.0, CURRENCY)

    def buy(self) -> Any:
        answer = self.shop.call(
            "POST", f"/purchase/{self.item}", "customer", json={"quantity": BOUGHT}, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201, answer.text
        return answer.json

    def write(self, service: str, *statements: str, **values: object) -> None:
        with self.shop.databases[service].writing() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), {"id": self.order_id, **values})

    def finish(self) -> None:
        """What the loops do with what was just decided or cancelled."""
        with self.shop.orders.reading() as tx:
            decided = tx.decisions([self.order_id])
            if tx.cancelled([self.order_id]):
                decided = []
        self._finish.finish(decided)
        self._return.return_copies()

    def another_round(self) -> None:
        """What the loops do again and again, and a settlement that comes twice."""
        self._sweep.sweep()
        self._return.return_copies()
        if self.order_is_confirmed():
            self.finish()

    def order_is_confirmed(self) -> bool:
        answer = self.shop.call("GET", f"/orders/{self.order_id}", "customer")
        return answer.status_code == 200 and answer.json["status"] == "confirmed"  # type: ignore[index]  # JSON or None

    def listed(self, who: str = "staff") -> list[Any]:
        answer = self.shop.call("GET", "/orders?status=stuck", who)
        assert answer.status_code == 200, answer.text
        return list(answer.json["items"])  # type: ignore[index]  # JSON or None

    def end(self, action: str, who: str = "staff", **body: str) -> Any:
        return self.shop.call("POST", f"/orders/{self.order_id}/{action}", who, json=body or None)

    @property
    def quantity(self) -> int:
        """Copies that can be bought."""
        return int(self.shop.call("GET", f"/info/{self.item}").json["quantity"])  # type: ignore[index]  # JSON or None

    @property
    def hold(self) -> str | None:
        with self.shop.databases[CATALOG].reading() as connection:
            found = connection.execute(sa.text("SELECT state FROM holds WHERE order_id = :id"), {"id": self.order_id})
            return found.scalar_one_or_none()

    def journal(self) -> list[tuple[Any, ...]]:
        with self.shop.databases[ORDER].reading() as connection:
            rows = connection.execute(sa.text("SELECT order_id, action, in_words, reason FROM journal ORDER BY 1"))
            return [tuple(row) for row in rows]


@pytest.fixture
def stuck(tmp_path: Path, clock: MovableClock) -> Iterator[Stuck]:
    opened = Stuck(tmp_path, clock)
    yield opened
    opened.shop.close()


def hold_is_gone(stuck: Stuck) -> None:
    stuck.write(
        CATALOG,
        "UPDATE books SET stock = stock + :back",
        "DELETE FROM hold_lines WHERE order_id = :id",
        "DELETE FROM holds WHERE order_id = :id",
        back=BOUGHT,
    )


def hold_is(state: str) -> Break:
    def change(stuck: Stuck) -> None:
        back = BOUGHT if state in {"refused", "released"} else 0
        stuck.write(
            CATALOG,
            "UPDATE books SET stock = stock + :back",
            "UPDATE holds SET state = :state WHERE order_id = :id",
            back=back,
            state=state,
        )

    return change


def hold_is_of_another_purchase(stuck: Stuck) -> None:
    stuck.write(CATALOG, "UPDATE holds SET purchase_hash = 'another' WHERE order_id = :id")


def decided(outcome: Outcome) -> Break:
    def change(stuck: Stuck) -> None:
        stuck.write(ORDER, "UPDATE decisions SET outcome = :outcome WHERE order_id = :id", outcome=outcome.value)

    return change


def cancelled(stuck: Stuck) -> None:
    assert stuck.shop.call("POST", f"/orders/{stuck.order_id}/cancel", "customer").status_code == 200


def hold_is_gone_and_cancelled(stuck: Stuck) -> None:
    hold_is_gone(stuck)
    cancelled(stuck)


#: What is broken → what settle does: (status, copies on the shelf, hold, whether something is left to do), and cancel.
SITUATIONS: list[tuple[Break, tuple[str, int, str | None, bool], tuple[str, int, str | None]]] = [
    (hold_is_gone, ("confirmed", STOCK, None, True), ("cancelled", STOCK, None)),
    (hold_is("released"), ("confirmed", STOCK, "released", True), ("cancelled", STOCK, "released")),
    (hold_is("refused"), ("confirmed", STOCK, "refused", True), ("cancelled", STOCK, "refused")),
    (
        hold_is_of_another_purchase,
        ("confirmed", STOCK - BOUGHT, "settled", True),
        ("cancelled", STOCK - BOUGHT, "settled"),
    ),
    (hold_is_gone_and_cancelled, ("cancelled", STOCK, None, True), ("cancelled", STOCK, None)),
    (decided(Outcome.CANCELLED), ("cancelled", STOCK - BOUGHT, "settled", True), ("cancelled", STOCK, "returned")),
    (decided(Outcome.PRICE_CHANGED), ("cancelled", STOCK - BOUGHT, "settled", True), ("cancelled", STOCK, "returned")),
]
NAMES = ["gone", "released", "refused", "another", "cancelled and gone", "decided cancelled", "decided price changed"]


def decision_of(stuck: Stuck) -> tuple[Any, ...]:
    with stuck.shop.databases[ORDER].reading() as connection:
        return tuple(connection.execute(sa.text("SELECT * FROM decisions")).one())


@pytest.mark.parametrize(("broken", "expected", "_cancel"), SITUATIONS, ids=NAMES)
def test_what_staff_settle_stands_and_is_never_stuck_again(
    stuck: Stuck, broken: Break, expected: tuple[str, int, str | None, bool], _cancel: object
) -> None:
    broken(stuck)
    stuck.finish()
    (item,) = stuck.listed()
    assert item["order_id"] == stuck.order_id
    before = decision_of(stuck)
    answer = stuck.end("settle", reason="handed out on Monday")
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], stuck.quantity, stuck.hold, bool(answer.json["note"])) == expected
    assert stuck.journal() == [(stuck.order_id, "settle", "handed out on Monday", item["reason"])]
    for _ in range(2):
        stuck.another_round()
        assert stuck.listed() == []
        assert stuck.end("settle").json == answer.json
    assert (stuck.quantity, stuck.hold) == expected[1:3]
    assert decision_of(stuck) == before
    assert len(stuck.journal()) == 1


@pytest.mark.parametrize(("broken", "_settle", "expected"), SITUATIONS, ids=NAMES)
def test_what_staff_cancel_does_not_stand_and_is_never_stuck_again(
    stuck: Stuck, broken: Break, _settle: object, expected: tuple[str, int, str | None]
) -> None:
    broken(stuck)
    stuck.finish()
    (item,) = stuck.listed()
    before = decision_of(stuck)
    answer = stuck.end("cancel", reason="nobody came for it")
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], stuck.quantity, stuck.hold) == expected
    assert stuck.journal() == [(stuck.order_id, "cancel", "nobody came for it", item["reason"])]
    for _ in range(2):
        stuck.another_round()
        assert stuck.listed() == []
        assert stuck.end("cancel").json == answer.json
    assert (stuck.quantity, stuck.hold) == expected[1:]
    assert decision_of(stuck) == before
    assert len(stuck.journal()) == 1


def test_a_settlement_settles_the_hold_where_there_is_one(stuck: Stuck) -> None:
    stuck.write(CATALOG, "UPDATE holds SET state = 'held' WHERE order_id = :id")
    stuck.write(ORDER, "INSERT INTO stuck_orders (order_id, reason, at) VALUES (:id, 'somebody said so', 0)")
    answer = stuck.end("settle")
    assert (answer.status_code, answer.json["note"], stuck.hold) == (200, "", "settled")
    assert stuck.quantity == STOCK - BOUGHT


def test_what_is_left_to_do_is_said_of_the_case_at_hand(stuck: Stuck) -> None:
    hold_is_gone_and_cancelled(stuck)
    stuck.finish()
    assert "stays cancelled" in stuck.end("settle").json["note"]


def test_a_stuck_order_that_was_handed_out_cannot_be_cancelled(stuck: Stuck, clock: MovableClock) -> None:
    hold_is_gone(stuck)
    stuck.finish()
    with stuck.shop.orders.writing() as tx:
        tx.move(Moved(stuck.order_id, "collected", clock(), "staff"), 3000)
    answer = stuck.end("cancel")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/too-late")
    assert "collected at 2026-01-31T12:00:00" in answer.json["detail"]
    assert (len(stuck.listed()), stuck.journal()) == (1, [])


def test_the_list_shows_the_order_why_and_since_when(stuck: Stuck, clock: MovableClock) -> None:
    clock.advance(minutes=5)
    hold_is_gone(stuck)
    stuck.finish()
    assert stuck.listed() == [
        {
            **stuck.order,
            "decision": "confirmed",
            "reason": "a hold that is not there cannot be settled",
            "stuck_since": "2026-01-31T12:05:00.000Z",
        }
    ]
    assert stuck.listed("admin") == stuck.listed()


def test_what_was_answered_otherwise_shows_its_decision_and_is_no_order_to_anybody_else(stuck: Stuck) -> None:
    decided(Outcome.CANCELLED)(stuck)
    stuck.finish()
    (item,) = stuck.listed()
    assert (item["decision"], item["status"], item["message"]) == ("cancelled", "cancelled", "")
    path = f"/orders/{stuck.order_id}"
    assert stuck.shop.call("GET", path, "staff").status_code == 200
    assert stuck.shop.call("GET", path, "customer").status_code == 404
    assert stuck.end("cancel", "customer").status_code == 404
    assert stuck.end("cancel").status_code == 200
    assert stuck.shop.call("GET", path, "staff").status_code == 404


def test_why_staff_cancelled_a_stuck_order_is_kept_with_the_order(stuck: Stuck) -> None:
    hold_is_gone(stuck)
    stuck.finish()
    assert stuck.end("cancel", reason="nobody came for it").status_code == 200
    with stuck.shop.orders.reading() as tx:
        told = [one.in_words for one in tx.happened_to(stuck.order_id) if one.what == "cancelled"]
    assert told == ["nobody came for it"]


def test_a_customer_who_cancels_a_stuck_order_does_not_end_it(stuck: Stuck) -> None:
    hold_is_gone(stuck)
    stuck.finish()
    assert stuck.end("cancel", "customer").status_code == 200
    assert [item["status"] for item in stuck.listed()] == ["cancelled"]


def test_an_order_that_was_settled_by_hand_and_then_cancelled_needs_a_hand_again(stuck: Stuck) -> None:
    hold_is_gone(stuck)
    stuck.finish()
    assert stuck.end("settle").status_code == 200
    cancelled(stuck)
    assert [item["reason"] for item in stuck.listed()] == ["a hold that is not there has no copies to return"]


@pytest.mark.parametrize("who", ["customer", "other"])
def test_the_list_and_the_settlement_are_for_staff(stuck: Stuck, who: str) -> None:
    hold_is_gone(stuck)
    stuck.finish()
    listed: Any = stuck.shop.call("GET", "/orders?status=stuck", who)
    for answer in (listed, stuck.end("settle", who)):
        assert (answer.status_code, answer.json["type"]) == (403, "/problems/forbidden")
    assert stuck.shop.call("GET", "/orders?status=stuck").status_code == 401
    assert len(stuck.listed()) == 1


@pytest.mark.parametrize("who", ["customer", "staff"])
@pytest.mark.parametrize("status", ["confirmed", "STUCK", "stuck "])
def test_any_other_status_is_refused_and_told_what_is_allowed(stuck: Stuck, who: str, status: str) -> None:
    answer = stuck.shop.call("GET", f"/orders?status={status}", who)
    assert answer.status_code == 422
    (error,) = answer.json["errors"]  # type: ignore[index]  # JSON or None
    assert error["field"] == "status"
    assert "stuck" in error["detail"]


def test_an_order_that_is_not_stuck_is_not_settled_by_hand(stuck: Stuck) -> None:
    answer = stuck.end("settle")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/not-stuck")
    unknown = stuck.shop.call("POST", f"/orders/{'a' * 32}/settle", "staff")
    assert unknown.status_code == 404
    decided(Outcome.OUT_OF_STOCK)(stuck)
    assert stuck.end("settle").status_code == 404
    assert stuck.journal() == []


def test_the_list_comes_page_by_page_the_last_ones_first(stuck: Stuck) -> None:
    ids = [letter * 32 for letter in "abcde"]
    for number, order_id in enumerate(ids):
        stuck.write(
            ORDER,
            "INSERT INTO decisions SELECT "
            ":other, account_id, purchase_hash, outcome, decided_at, currency, lines, shortages, position "
            "FROM decisions WHERE order_id = :id",
            "INSERT INTO stuck_orders VALUES (:other, 'why', :at)",
            other=order_id,
            at=number // 2,
        )
    found: list[str] = []
    place: str | None = ""
    while place is not None:
        page: Any = stuck.shop.call("GET", f"/orders?status=stuck&limit=2{place}", "staff").json
        assert len(page["items"]) <= 2
        found += [item["order_id"] for item in page["items"]]
        place = page["next"] and f"&cursor={page['next']}"
    assert found == ids[::-1]
    assert stuck.shop.call("GET", "/orders?status=stuck&cursor=nonsense", "staff").status_code == 422
