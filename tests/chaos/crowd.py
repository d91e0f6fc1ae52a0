"""Sixteen customers and a bookseller at one shop, who ask again where no answer comes, and note all of it."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPException

from chaos.history import FINAL, Basket, Cancellation, Change, History, Purchase, Try
from shop import Answer, Client, Shop

#: Shorter than some stops of a process: a customer asks again while the first request is still in its hands.
ANSWER_SECONDS = 6.0
#: Who has no final answer after this leaves; longer than any settling, so that a shop that stays shut is noticed there.
PATIENCE_SECONDS = 40.0
PAUSE_SECONDS = (0.02, 0.3)
STAFF_PAUSE_SECONDS = 0.08
FIRST_PRICE = 4000
JOIN_SECONDS = 90.0


class Crowd:
    """Busy from ``start`` to ``finish``. ``leaving``: the share of customers who do not ask again after an error."""

    def __init__(
        self, shop: Shop, tokens: Sequence[str], items: Sequence[int], name: str, seed: str, *, leaving: float = 0.15
    ) -> None:
        """``name`` makes their keys, ``seed`` what they want."""
        self.leaving = leaving
        self.stopping = threading.Event()
        self._answered = threading.Condition()
        self._answers = 0
        self._customers = [
            _Customer(self, shop, number, token, items=items, name=name, seed=seed)
            for number, token in enumerate(tokens)
        ]
        self._staff = _Staff(self, shop, items, name, seed)
        people: list[Callable[[], None]] = [customer.shop_around for customer in self._customers]
        self._threads = [threading.Thread(target=work, daemon=True) for work in (*people, self._staff.work)]

    def start(self) -> None:
        """Let them in."""
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, count: int, at_most_seconds: float) -> None:
        """Until so many more answers have come, or the time is over."""
        with self._answered:
            wanted = self._answers + count
            self._answered.wait_for(lambda: self._answers >= wanted, at_most_seconds)

    def finish(self) -> None:
        """Each ends what they are at; returns when all are done."""
        self.stopping.set()
        deadline = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a customer waits for ever"

    def ask_again(self) -> None:
        """Everybody repeats what they asked for, until it is answered; but some who left never come back."""
        people: list[Callable[[], None]] = [customer.ask_again for customer in self._customers]
        again = [threading.Thread(target=work, daemon=True) for work in (*people, self._staff.ask_again)]
        for thread in again:
            thread.start()
        for thread in again:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), "a customer waits for ever"

    def history(self) -> History:
        """What they all did."""
        history = History()
        for person in (*self._customers, self._staff):
            history.add(person.history)
        return history

    def note_answer(self) -> None:
        """Somebody got one."""
        with self._answered:
            self._answers += 1
            self._answered.notify_all()


class _Person:
    """Somebody with a connection of their own."""

    def __init__(self, crowd: Crowd, client: Client, seed: str) -> None:
        self.history = History()
        self._crowd = crowd
        self._client = client
        self._rng = random.Random(seed)  # noqa: S311 - no secret

    def _try(self, method: str, path: str, what: object, key: str | None = None) -> Try:
        sent_at = time.monotonic()
        answer: Answer | None = None
        try:
            answer = self._client.call(method, path, what, key=key)
            self._crowd.note_answer()
        except (OSError, HTTPException):
            self._client.close()  # the next call connects again
        return Try(sent_at, time.monotonic(), answer)

    def _until(self, done: Callable[[Try], bool], ask: Callable[[], Try], *, may_leave: bool) -> None:
        """Ask until it is done, or leave."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not done(ask()):
            leaves = may_leave and self._rng.random() < self._crowd.leaving
            if leaves or time.monotonic() > give_up_at:
                return
            time.sleep(self._rng.uniform(*PAUSE_SECONDS))


class _Customer(_Person):
    def __init__(
        self, crowd: Crowd, shop: Shop, number: int, token: str, *, items: Sequence[int], name: str, seed: str
    ) -> None:
        super().__init__(crowd, shop.client(token, ANSWER_SECONDS), f"{seed} customer {number}")
        self._number = number
        self._items = items
        self._round = name

    def shop_around(self) -> None:
        """Buy, cancel, ask again, until the crowd stops."""
        while not self._crowd.stopping.is_set():
            choice = self._rng.random()
            settled = [purchase for purchase in self.history.purchases if purchase.final]
            if choice < 0.12 and settled:
                self._repeat(self._rng.choice(settled))
            elif choice < 0.27:
                self._cancel()
            else:
                self._buy()
        self._client.close()

    def ask_again(self) -> None:
        """Each key once more, and twice where it had no answer yet; what was begun is done."""
        for cancellation in self.history.cancellations:
            if not cancellation.is_done:
                self._until_cancelled(cancellation, may_leave=False)
        for purchase in self.history.purchases:
            if purchase.final is None and self._rng.random() < 0.3:
                continue  # never heard of again
            if purchase.final is None:
                self._bring_to_an_end(purchase, may_leave=False)
            self._repeat(purchase, may_leave=False)
        self._client.close()

    def _buy(self) -> None:
        baskets = (self._basket(), self._basket()) if self._rng.random() < 0.1 else (self._basket(),)
        if len(set(baskets)) < len(baskets):
            return
        key = f"{self._round}-{self._number}-{len(self.history.purchases)}".replace(" ", "-")
        purchase = Purchase(self._number, key, baskets)
        self.history.purchases.append(purchase)
        self._bring_to_an_end(purchase, may_leave=True)

    def _bring_to_an_end(self, purchase: Purchase, *, may_leave: bool) -> None:
        turn = 0

        def ask() -> Try:
            nonlocal turn
            basket = purchase.baskets[turn % len(purchase.baskets)]
            one = self._send(purchase, basket)
            # With two baskets under one key: the other one, whatever became of this one.
            turn += one.status not in FINAL
            return one

        def is_done(one: Try) -> bool:
            refused = one.status == HTTPStatus.UNPROCESSABLE_ENTITY and len(purchase.baskets) == 1
            return one.status in FINAL or refused

        self._until(is_done, ask, may_leave=may_leave)

    def _repeat(self, purchase: Purchase, *, may_leave: bool = True) -> None:
        """The same answer is expected, and of another basket under this key that it is refused."""
        for basket in purchase.baskets:
            self._until(
                lambda one: one.status not in (None, HTTPStatus.SERVICE_UNAVAILABLE),
                lambda basket=basket: self._send(purchase, basket),  # type: ignore[misc]  # mypy: no default here
                may_leave=may_leave,
            )

    def _send(self, purchase: Purchase, basket: Basket) -> Try:
        total = basket.expected_total
        body: dict[str, object] = {} if total is None else {"expected_total": {"amount": total, "currency": "USD"}}
        if len(basket.lines) == 1:
            ((item, copies),) = basket.lines
            one = self._try("POST", f"/purchase/{item}", {"quantity": copies, **body}, purchase.key)
        else:
            # In any order: it is the same purchase.
            shuffled = self._rng.sample(basket.lines, len(basket.lines))
            lines = [{"item_number": item, "quantity": copies} for item, copies in shuffled]
            one = self._try("POST", "/orders", {"lines": lines, **body}, purchase.key)
        purchase.tries.append((basket, one))
        return one

    def _cancel(self) -> None:
        cancelled = {id(cancellation.purchase) for cancellation in self.history.cancellations}
        orders = [
            purchase for purchase in self.history.purchases if purchase.order_id and id(purchase) not in cancelled
        ]
        if orders:
            purchase = self._rng.choice(orders)
            cancellation = Cancellation(purchase)
            self.history.cancellations.append(cancellation)
            self._until_cancelled(cancellation, may_leave=True)

    def _until_cancelled(self, cancellation: Cancellation, *, may_leave: bool) -> None:
        def ask() -> Try:
            cancellation.tries.append(self._try("POST", f"/orders/{cancellation.purchase.order_id}/cancel", None))
            return cancellation.tries[-1]

        self._until(lambda one: one.status == HTTPStatus.OK, ask, may_leave=may_leave)

    def _basket(self) -> Basket:
        titles = self._rng.sample(self._items, 1 if self._rng.random() < 0.7 else 2)
        lines = tuple((item, self._rng.choice((1, 1, 2, 3))) for item in sorted(titles))
        chance = self._rng.random()
        if chance < 0.08:  # what was never the price
            return Basket(lines, expected_total=1)
        if chance < 0.16:  # what was the price, and is it perhaps
            return Basket(lines, expected_total=FIRST_PRICE * sum(copies for _, copies in lines))
        return Basket(lines)


class _Staff(_Person):
    def __init__(self, crowd: Crowd, shop: Shop, items: Sequence[int], name: str, seed: str) -> None:
        super().__init__(crowd, shop.client(shop.staff(), ANSWER_SECONDS), f"{seed} staff")
        self._items = items
        self._round = name

    def work(self) -> None:
        """Take goods in and change prices, each until it is said to be done."""
        while not self._crowd.stopping.wait(STAFF_PAUSE_SECONDS):
            item, is_delivery = self._rng.choice(self._items), self._rng.random() < 0.7
            copies = self._rng.randint(1, 4) if is_delivery else 0
            key = f"{self._round}-staff-{len(self.history.changes)}".replace(" ", "-")
            price = self._rng.randrange(FIRST_PRICE, FIRST_PRICE + 3)
            self.history.changes.append(Change(item, copies, price, key))
            self._until_done(self.history.changes[-1], may_leave=True)
        self._client.close()

    def ask_again(self) -> None:
        """What was begun is done."""
        for change in self.history.changes:
            if not change.is_done:
                self._until_done(change, may_leave=False)
        self._client.close()

    def _until_done(self, change: Change, *, may_leave: bool) -> None:
        price = {"amount": change.price_minor, "currency": "USD"}
        what: Mapping[str, object] = {"stock_change": change.copies} if change.copies else {"price": price}

        def ask() -> Try:
            change.tries.append(self._try("PATCH", f"/books/{change.item}", what, change.key))
            return change.tries[-1]

        self._until(lambda one: one.status == HTTPStatus.OK, ask, may_leave=may_leave)
