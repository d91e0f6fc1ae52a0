"""Many rounds on several shops at once, on SQLite and PostgreSQL, and the table of what came of them."""

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from chaos import faults
from chaos.ledger import SERVICES
from chaos.ordeal import Inflict, Result, opened
from chaos.plan import SHORT_PAUSES
from chaos.points import POINTS, Point, Prelude
from postgresql import PostgreSQL

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
DATABASES = (SQLITE, POSTGRESQL)
#: A hold without a decision is given up after so long, instead of 15 s. By the design it decides only how soon things
#: settle; so short, purchases are given up while they are still being made, which is the harder case.
SOON = {**SHORT_PAUSES, "bazar.order.use_cases.finish_orders": {"ABANDONED_AFTER_SECONDS": 2.0}}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """One round, to be done by any shop of a database."""

    name: str
    inflict: Inflict
    seed: object = 0


@dataclass
class Report:
    """What came of it, by database."""

    results: dict[str, list[Result]] = field(default_factory=dict)
    passages: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def violations(self) -> list[str]:
        """Of all."""
        return [
            f"{database}, {result.name}: {wrong}"
            for database, results in self.results.items()
            for result in results
            for wrong in result.violations
        ]

    @property
    def answers(self) -> int:
        """That were held against what is right."""
        return sum(result.answers for results in self.results.values() for result in results)

    @property
    def longest_settle_seconds(self) -> float:
        """From a last fault until all was settled."""
        return max((one.settle_seconds for results in self.results.values() for one in results), default=0.0)

    def add(self, other: "Report") -> None:
        """What was found elsewhere."""
        for database, results in other.results.items():
            self.results.setdefault(database, []).extend(results)
        for database, passages in other.passages.items():
            self.passages.setdefault(database, Counter()).update(passages)

    def faults(self) -> Counter[str]:
        """How often each kind of fault was made in random schedules."""
        return sum((one.faults for results in self.results.values() for one in results), Counter[str]())

    def table(self) -> Table:
        """A line a round."""
        table = Table("round", title="Processes killed and stopped, on each database", title_justify="left")
        for database in self.results:
            for column in (f"{database}\npassages", "\nviolations", "\nsettled after, s"):
                table.add_column(column, justify="right")
        by_name = {database: {one.name: one for one in results} for database, results in self.results.items()}
        for name in dict.fromkeys(name for results in by_name.values() for name in results):
            cells = [name]
            for database, results in by_name.items():
                one = results.get(name)
                if one is None:
                    cells += ["", "", ""]
                    continue
                passages = self.passages.get(database, Counter())[name]
                cells += [
                    str(passages or ""),
                    str(len(one.violations)),
                    f"{one.settle_seconds:.1f}",
                ]
            table.add_row(*cells)
        return table

    def summary(self) -> str:
        """In one sentence."""
        rounds = sum(len(results) for results in self.results.values())
        return (
            f"{rounds} rounds on {' and '.join(self.results)}: {self.answers} answers checked, "
            f"{len(self.violations)} violations, longest time to settle {self.longest_settle_seconds:.1f} s"
        )


def run(
    tasks: Sequence[Task],
    folder: Path,
    server: PostgreSQL | None,
    *,
    databases: Sequence[str] = DATABASES,
    shops: int = 1,
    constants: Mapping[str, Mapping[str, object]] = SHORT_PAUSES,
    start_points: Sequence[Point] = (),
    say: Say = lambda _: None,
) -> Report:
    """Do all tasks on each database, shared out to so many shops of each; the first of them is opened under fire."""
    report, began = Report(), time.monotonic()

    def serve(database: str, number: int, waiting: "queue.SimpleQueue[Task]") -> Report:
        urls = None if database == SQLITE else _new_databases(server)
        life = _life(folder / f"{database}-{number}", urls, constants, start_points if number == 0 else (), waiting)
        mine = Report()
        for result, passages in life:
            mine.add(Report({database: [result]}, {database: passages}))
            ended = f"{time.monotonic() - began:5.0f} s, {database}"
            say(f"{ended}: {result.name}: {', '.join(result.violations) or 'no violations'}")
        return mine

    with ThreadPoolExecutor(len(databases) * shops) as threads:
        futures = []
        for database in databases:
            waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
            for task in tasks:
                waiting.put(task)
            # A thread for the whole life of a shop: its processes end with the thread that started them.
            futures += [threads.submit(serve, database, number, waiting) for number in range(shops)]
        for future in futures:
            report.add(future.result())
    return report


def _life(
    folder: Path,
    urls: Mapping[str, str] | None,
    constants: Mapping[str, Mapping[str, object]],
    start_points: Sequence[Point],
    waiting: "queue.SimpleQueue[Task]",
) -> Iterator[tuple[Result, Counter[str]]]:
    folder.mkdir(parents=True)
    with opened(folder, databases=urls, constants=constants, start_points=start_points) as ordeal:
        for point in start_points:
            missed = [] if ordeal.fire.has_struck(point) else [f"{point.name} was not passed"]
            yield Result(point.name, missed, 0.0, 0), Counter()
        while not waiting.empty():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                break
            yield ordeal.round(task.name, task.inflict, task.seed), Counter()
        passed = Counter({point.name: ordeal.fire.passages(point) for point in POINTS})
        yield Result("the shop's whole life", ordeal.last_look(), 0.0, 0), passed


def _new_databases(server: PostgreSQL | None) -> dict[str, str]:
    assert server is not None
    return {service: server.new_database() for service in SERVICES}


def kill_points() -> list[Task]:
    """kill -9 at each step of the table but those of a start."""
    return [Task(point.name, faults.kill_at(point)) for point in POINTS if point.prelude is not Prelude.START]


def schedules(seed: int, numbers: Sequence[int]) -> list[Task]:
    """Random faults; the seed and the number of a schedule say what is done, not how the threads run."""
    return [Task(f"schedule {number}", faults.at_random, f"{seed} {number}") for number in numbers]


def stops_and_masters() -> list[Task]:
    """What is no kill of a worker: SIGSTOP beyond all deadlines, the masters, and ``bazar up``."""
    by_name = {point.name: point for point in POINTS}
    stops = [
        ("frontend: before the purchases are passed on", faults.STOP_SECONDS),
        ("frontend: the order is known, the customer not told", faults.STOP_SECONDS),
        ("order: held, before BEGIN of the decision", faults.STOP_SECONDS),
        ("order: decision: after the write, before COMMIT", faults.LONG_STOP_SECONDS),
        ("order: before the call to settle", faults.STOP_SECONDS),
        ("order: sweep: with the list of open holds", faults.STOP_SECONDS),
        ("order: cancel: after the write, before COMMIT", faults.STOP_SECONDS),
        ("catalog: hold: copies are taken, before COMMIT", faults.LONG_STOP_SECONDS),
        ("catalog: hold: after COMMIT, before the answer", faults.STOP_SECONDS),
        ("catalog: settle: after COMMIT, before the answer", faults.STOP_SECONDS),
        ("catalog: change of a book: after COMMIT, before the answer", faults.STOP_SECONDS),
    ]
    of_masters = (
        "frontend: the order is known, the customer not told",
        "order: decision: after the write, before COMMIT",
        "catalog: feed: the change is numbered, before COMMIT",
    )
    of_up = ("order: held, before BEGIN of the decision", "catalog: hold: copies are taken, before COMMIT")
    return [
        *(Task(f"SIGSTOP for {s:g} s, {name}", faults.stop_at(by_name[name], s)) for name, s in stops),
        *(
            Task(f"SIGSTOP of the master, {name}", faults.stop_at(by_name[name], victim="master"))
            for name in of_masters
        ),
        *(Task(f"kill -9 of the master, {name}", faults.kill_at(by_name[name], "master")) for name in of_masters),
        *(Task(f"kill -9 of bazar up, {name}", faults.kill_up_at(by_name[name])) for name in of_up),
        Task("SIGSTOP of bazar up while a server dies", faults.stop_up()),
    ]
