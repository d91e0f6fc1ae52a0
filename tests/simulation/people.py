"""Who uses the shop: customers who buy, ask again and cancel; booksellers; an operator; a follower of the feed."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from bazar.chassis.connections import NoAnswer
from bazar.chassis.headers import POSITION
from bazar.contracts.names import FRONTEND
from bazar.order.domain.order_ids import order_id_of
from simulation.answers import Answers, Ask
from simulation.by_hand import Operator
from simulation.day import Day
from simulation.front_end import ACCOUNT, KEY, PASSER_BY, STAFF
from simulation.network import Network, Request, Response
from simulation.scheduler import Process
from simulation.world import CURRENCY, EPOCH, SECRET, World

#: The longest is longer than a request lives.
SHORTEST_PATIENCE_SECONDS, LONGEST_PATIENCE_SECONDS = 1.0, 6.0
MOST_TRIES = 5
PASSERS_BY, LOOKS = 2, 6


class People:
    """All of them, each a task; whoever began keeps to the shop's rules: the same key for the same purchase."""

    def __init__(self, world: World, network: Network, answers: Answers, operator: Operator, day: Day) -> None:
        self._world = world
        self._network = network
        self._answers = answers
        self._operator = operator
        self._day = day
        self._process = Process("people")
        #: Every request with a key that was ever made, to be made once more in the end.
        self.asked: dict[Ask, None] = {}
        #: Accounts of customers.
        self.customers: list[str] = []
        self._orders: list[tuple[str, str]] = []
        self._prices: dict[int, int] = {}

    @property
    def are_done(self) -> bool:
        """Whether nobody waits or wants anything any more."""
        return not self._process.tasks

    def go_home(self) -> None:
        """The run is over."""
        self._world.scheduler.kill(self._process)

    def arrive(self, name: str, visit: Callable[[], object]) -> None:
        """Somebody more."""
        self._world.scheduler.spawn(self._process, name, visit)

    def open_doors(self, within_seconds: float) -> None:
        """Everybody comes, each some time."""
        random = self._world.random
        for number in range(self._day.customers):
            account = f"customer-{number + 1}"
            self.customers.append(account)
            comes_after_seconds = random.random() * (0.1 if self._day.all_come_at_once else within_seconds)
            self.arrive(account, partial(self._customer, account, comes_after_seconds))
        if self._day.has_cache:
            for _ in range(PASSERS_BY):
                self.arrive(PASSER_BY, partial(self._passer_by, 2 * within_seconds))
        for number in range(self._day.booksellers):
            self.arrive(STAFF, partial(self._bookseller, f"{STAFF}-{number + 1}", within_seconds))

    def ask(self, ask: Ask) -> Response | None:
        """The answer, which is noted; None where there is none."""
        if ask.key is not None:
            self.asked[ask] = None
        before, drawn = self._answers.asked(ask), self._world.random.random()
        patience_seconds = LONGEST_PATIENCE_SECONDS
        if not self._world.faults.have_ended:
            patience_seconds -= drawn * (LONGEST_PATIENCE_SECONDS - SHORTEST_PATIENCE_SECONDS)
        headers = {ACCOUNT: ask.account} if ask.key is None else {ACCOUNT: ask.account, KEY: ask.key}
        if ask.account != PASSER_BY:
            headers[POSITION] = f"{EPOCH}-{before.position}"
        try:
            request = Request(ask.method, ask.target, headers, ask.body)
            response = self._network.ask(FRONTEND, request, patience_seconds)
        except NoAnswer:
            return None
        self._world.note("{} gets {} for {} {}: {}", ask.account, response.status, ask.target, ask.key, response.data)
        self._answers.got(ask, response, before)
        return response

    def ask_again_until_answered(self, ask: Ask) -> Response | None:
        """With the same key, after a pause; gives up some time."""
        for _ in range(MOST_TRIES):
            response = self.ask(ask)
            if response is not None and response.status != 503:
                return response
            self._pause(0.5)
            if self._world.random.random() < 0.1:
                break
        return None

    def _passer_by(self, within_seconds: float) -> None:
        for _ in range(LOOKS):
            self._pause(within_seconds / LOOKS)
            self._look(PASSER_BY, self._day.some_book(self._world.random))

    def _customer(self, account: str, comes_after_seconds: float) -> None:
        random = self._world.random
        self._world.scheduler.sleep(comes_after_seconds)
        for number in range(random.randint(1, 2)):
            if random.random() < (0.8 if self._day.has_cache else 0.3):
                self._look(account, self._day.some_book(random))
            ask = self._purchase(account, f"{account}/{number + 1}")
            if random.random() < 0.2:
                self.arrive(account, partial(self.ask_again_until_answered, ask))  # a double click
            drawn = random.random()
            if drawn < 0.1:
                self.arrive(account, partial(self.ask_again_until_answered, self._purchase(account, ask.key)))
            elif drawn < 0.35:
                self.arrive("operator", partial(self._operator.give_up, ask))
            if random.random() < 0.15:
                # Before there is an answer: who guesses the order's id gains nothing by it.
                order_id = order_id_of(account, ask.key or "", SECRET)
                early = Ask(random.choice((account, STAFF)), "POST", f"cancel/{order_id}")
                self.arrive(account, partial(self._after_a_pause, early))
            response = self.ask_again_until_answered(ask)
            if response is not None and response.status == 201:
                self._bought(account, json.loads(response.data))
            self._pause(0.5)

    def _after_a_pause(self, ask: Ask) -> None:
        self._pause(0.5)
        self.ask(ask)

    def _bought(self, account: str, order: dict[str, Any]) -> None:
        random, order_id = self._world.random, order["order_id"]
        self._orders.append((account, order_id))
        if self._day.has_cache:
            self._look(account, order["lines"][0]["item_number"])
        if random.random() < 0.4:
            self._pause(0.3)
            cancel = Ask(account, "POST", f"cancel/{order_id}")
            if random.random() < 0.3:
                self.arrive(account, partial(self.ask_again_until_answered, cancel))
            self.ask_again_until_answered(cancel)

    def _look(self, account: str, item_number: int) -> None:
        response = self.ask(Ask(account, "GET", f"info/{item_number}"))
        if response is not None and response.status == 200:
            self._prices[item_number] = json.loads(response.data)["price"]["amount"]

    def _purchase(self, account: str, key: str | None) -> Ask:
        random = self._world.random
        items = [self._day.some_book(random) for _ in range(random.choice((1, 1, 1, 2, 3)))]
        lines = [{"item_number": item, "quantity": random.choice((1, 1, 2))} for item in items]
        total = None
        if random.random() < 0.3:
            amount = sum(self._prices.get(line["item_number"], 1) * line["quantity"] for line in lines)
            total = {"amount": amount, "currency": CURRENCY}
        body = json.dumps({"lines": lines, "expected_total": total}).encode()
        return Ask(account, "POST", "orders", body, key)

    def _bookseller(self, name: str, within_seconds: float) -> None:
        random = self._world.random
        changes = random.randint(2, 5)
        for number in range(changes):
            self._pause(0.1 if self._day.all_come_at_once else within_seconds / changes)
            item, drawn = self._day.some_book(random), random.random()
            if drawn < 0.12:
                self.ask_again_until_answered(Ask(STAFF, "DELETE", f"books/{item}"))
            elif drawn < 0.25 and self._orders:
                _, order_id = random.choice(self._orders)
                self.ask_again_until_answered(Ask(STAFF, "POST", f"cancel/{order_id}"))
            else:
                change: dict[str, object] = {"stock_change": random.choice((-1, 1, 2))}
                if drawn < 0.7:
                    change = {"price": {"amount": random.randint(900, 1100), "currency": CURRENCY}}
                body = json.dumps(change).encode()
                self.ask_again_until_answered(Ask(STAFF, "PATCH", f"books/{item}", body, f"{name}/{number + 1}"))
                if self._day.has_cache:
                    self._look(STAFF, random.choice((item, self._day.some_book(random))))

    def _pause(self, most_seconds: float) -> None:
        self._world.scheduler.sleep(self._world.random.random() * most_seconds)
