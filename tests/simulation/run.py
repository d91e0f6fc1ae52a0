"""One run of the simulation, from one seed."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bazar.contracts.names import ORDER
from bazar.frontend.cache.answers import TRUSTED_SECONDS
from simulation.answers import Answers, Ask
from simulation.audit import Audit
from simulation.by_hand import Operator
from simulation.day import Day
from simulation.faults import Fault
from simulation.front_end import ACCOUNT, PASSER_BY, STAFF, FrontEnd
from simulation.history import History
from simulation.network import Network, Request
from simulation.outside import Outside
from simulation.people import People
from simulation.shop import Disks, Shop
from simulation.world import World

#: How long people come; faults strike until the last has gone home, but not longer than they have patience for.
PEOPLE_COME_SECONDS = 4.0
LONGEST_RUSH_SECONDS = 40.0
#: Nobody waits longer than this for people to go home.
LONGEST_VISIT_SECONDS = 300.0
#: Invariant 8.
SETTLES_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    seed: int
    violations: tuple[str, ...]
    faults: Counter[Fault]
    kill_points: Counter[str]
    #: How the purchases were decided, and how many orders were cancelled.
    decisions: Counter[str]
    #: From the last fault until nothing was left to be done.
    settled_after_seconds: float
    history: History


def run(seed: int, disks: Disks) -> Outcome:
    """The run of this seed: the same, event for event, wherever and whenever."""
    return _Run(seed, disks).outcome()


class _Run:
    def __init__(self, seed: int, disks: Disks) -> None:
        self._seed = seed
        self._world = World(seed)
        self._day = Day.draw(self._world.random)
        disks.renew(self._day)
        self._network = Network(self._world)
        self._audit = Audit(
            self._world, disks.catalog.connection, disks.order.connection, returns_may_be_void=not self._day.is_compared
        )
        self._answers = Answers(self._world, self._audit)
        self._shop = Shop(self._world, self._network, disks, self._audit, self._day)
        operator = Operator(self._world, self._network, self._shop.database(ORDER))
        self._people = People(self._world, self._network, self._answers, operator, self._day)
        self._settled_after_seconds = 0.0

    def outcome(self) -> Outcome:
        """Live through it; it ends with the first violation."""
        violations = self._world.violations
        with Outside(self._world, self._network, self._shop.database).replaced():
            try:
                for part in (self._rush, self._settle, self._ask_all_again, self._compare):
                    if not violations:
                        part()
            finally:
                self._shop.close()
                self._people.go_home()
        if not violations:
            self._audit.check_all(self._answers.may_have_come_in(self._day.stock))
        decisions = Counter(decided.outcome for decided in self._audit.decisions.values())
        decisions["orders that were cancelled"] = len(self._audit.cancellations)
        return Outcome(
            seed=self._seed,
            violations=tuple(violations),
            faults=self._world.faults.counts,
            kill_points=self._world.faults.kill_points,
            decisions=decisions,
            settled_after_seconds=self._settled_after_seconds,
            history=self._world.history,
        )

    def _rush(self) -> None:
        """People come, and faults strike."""
        self._shop.open()
        self._people.open_doors(PEOPLE_COME_SECONDS)
        self._wait(lambda: self._people.are_done, LONGEST_RUSH_SECONDS)
        self._world.faults.end()
        self._world.happens("faults", "end")
        self._wait(lambda: self._people.are_done, LONGEST_VISIT_SECONDS)

    def _settle(self) -> None:
        """Nothing is left to be done (invariant 8)."""
        scheduler, last = self._world.scheduler, self._world.faults.last_at_seconds
        most_seconds = max(0.0, last - scheduler.now) + SETTLES_WITHIN_SECONDS
        if not self._wait(lambda: scheduler.now >= last and self._is_quiet(), most_seconds):
            self._world.violation(f"8: not settled {SETTLES_WITHIN_SECONDS:.0f} s after the last fault")
        self._settled_after_seconds = scheduler.now - last
        self._world.happens("all", "is settled")

    def _ask_all_again(self) -> None:
        """Whatever was asked with a key is asked once more: it must get its answer, the same as before."""
        for ask in list(self._people.asked):
            self._people.arrive(ask.account, partial(self._ask_again, ask))
        if not self._wait(lambda: self._people.are_done and self._is_quiet(), SETTLES_WITHIN_SECONDS):
            self._world.violation("8: without any fault, not everything was answered and settled")

    def _compare(self) -> None:
        """What people and followers of the feed see is what there is."""
        for account in (STAFF, self._world.random.choice(self._people.customers)):
            self._people.arrive(account, partial(self._list, account))
        for front_end in self._shop.front_ends():
            self._people.arrive(PASSER_BY, partial(self._look, front_end))
        self._wait(lambda: self._people.are_done, SETTLES_WITHIN_SECONDS)

    def _wait(self, done: Callable[[], bool], most_seconds: float) -> bool:
        violations = self._world.violations
        return self._world.scheduler.run_until(lambda: bool(violations) or done(), most_seconds)

    def _is_quiet(self) -> bool:
        return self._network.is_empty and self._audit.is_quiet and self._shop.is_open

    def _ask_again(self, ask: Ask) -> None:
        response = self._people.ask(ask)
        if response is None or response.status == 503:
            self._world.violation(f"8: without any fault, {ask} is answered {response}")

    def _list(self, account: str) -> None:
        response = self._people.ask(Ask(account, "GET", "orders"))
        if response is None or response.status != 200:
            self._world.violation(f"8: without any fault, the list of orders is answered {response}")
        else:
            self._answers.check_list(account, response)

    def _look(self, front_end: FrontEnd) -> None:
        self._world.scheduler.sleep(TRUSTED_SECONDS)
        for item_number, version in self._audit.versions().items():
            response = front_end.serve(Request("GET", f"info/{item_number}", {ACCOUNT: PASSER_BY}))
            shown = json.loads(response.data).get("version")
            if response.status == 503 or (response.status == 200 and shown != version):
                self._world.violation(f"7: version {version} of book {item_number} is answered {response}")
