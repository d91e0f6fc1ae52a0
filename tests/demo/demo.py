"""`make demo`: the plain store and Bazar, the same rush on the same shelf, the same kill -9, and both ledgers."""

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from rich import box
from rich.console import Console
from rich.table import Table

# From tests/ on: there, this folder is the package demo; from here, this file would be.
sys.path.remove(str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from demo.crowd import Crowd
from demo.stores import OpenBazar, OpenPlainStore, Store
from demo.tally import Tally

COPIES = 100
BUYERS = 500
STRUCK = "order"
STRUCK_AFTER = COPIES // 2


def main() -> int:
    """Show it; the exit status: 0 if Bazar's ledger is right, 1 if not, 130 after Ctrl-C."""
    console = Console(highlight=False)
    began = time.monotonic()
    _on_end_signals(signal.default_int_handler)
    console.print(f"Opening a plain store and a Bazar, each with {COPIES} copies of one book ...")
    tallies = {}
    try:
        with tempfile.TemporaryDirectory(prefix="bazar-demo-") as folder, _both_open(Path(folder)) as stores:
            for store in stores:
                console.print(f"{store.name}: {BUYERS} buyers at once, and kill -9 of the {STRUCK} server ...")
                tallies[store.name] = _rush(store)
    except KeyboardInterrupt:
        console.print("Interrupted; both stores are closed.")
        return 130
    bazar = tallies[OpenBazar.name]
    console.print(_side_by_side(tallies))
    console.print(_sentence_on_plain_store(tallies[OpenPlainStore.name]))
    console.print(_sentence_on_bazar(bazar))
    console.print(f"All of it took {time.monotonic() - began:.0f} s.")
    return 1 if bazar.faults else 0


@contextmanager
def _both_open(folder: Path) -> Iterator[list[Store]]:
    """Opened in threads: Ctrl-C reaches only the main one, so whatever was begun ends up here and is closed."""
    openings: list[Callable[[], Store]] = [
        lambda: OpenPlainStore(folder / "plain", COPIES),
        lambda: OpenBazar(folder / "bazar", COPIES),
    ]
    with ThreadPoolExecutor(len(openings)) as threads:
        opened: list[Future[Store]] = []
        try:
            opened += map(threads.submit, openings)
            yield [future.result() for future in opened]
        finally:
            _on_end_signals(signal.SIG_IGN)  # a second Ctrl-C would leave processes behind
            for future in opened:
                if future.exception() is None:
                    future.result().close()


def _on_end_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _rush(store: Store) -> Tally:
    crowd = Crowd(store.buyers(BUYERS), partial(store.kill, STRUCK), STRUCK_AFTER)
    crowd.run()
    orders, stock = store.ledger()
    return Tally(COPIES, BUYERS, orders, stock, crowd.told, crowd.failures.total(), crowd.seconds)


def _side_by_side(tallies: dict[str, Tally]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{BUYERS} buyers at once, one kill -9 at the {STRUCK_AFTER}th sale")
    for name in tallies:
        table.add_column(name, justify="right")
    rows: list[tuple[str, Callable[[Tally], str]]] = [
        ("copies at the start", lambda tally: str(tally.copies)),
        ("buyers told 'bought'", lambda tally: str(len(tally.bought))),
        ("orders in the store's ledger", lambda tally: str(tally.orders.total())),
        ("stock left, as the store counts", lambda tally: str(tally.stock)),
        ("sold more than there were", lambda tally: _fault(tally.oversold)),
        ("lost: told 'bought', no order", lambda tally: _fault(tally.lost)),
        ("doubled: one buyer, another order", lambda tally: _fault(tally.doubled)),
        ("unknown: an order, not told 'bought'", lambda tally: _fault(tally.unknown)),
        ("turned away, though copies are left", lambda tally: _fault(tally.turned_away)),
        ("never answered", lambda tally: _fault(tally.unanswered)),
        ("asked again after an error", lambda tally: str(tally.repetitions)),
        ("seconds", lambda tally: f"{tally.seconds:.1f}"),
    ]
    for title, value in rows:
        table.add_row(title, *map(value, tallies.values()))
    return table


def _fault(count: int) -> str:
    return f"[bold red]{count}[/]" if count else f"[green]{count}[/]"


def _sentence_on_plain_store(tally: Tally) -> str:
    if not tally.faults:
        return "The plain store was lucky this time."
    twice = f", {tally.doubled} of them to buyers who clicked again after the crash" if tally.doubled else ""
    return (
        f"The plain store sold {tally.orders.total()} of {tally.copies} copies{twice}, and counts {tally.stock} "
        "as left: between its look at the stock and its note of one less, the others look too."
    )


def _sentence_on_bazar(tally: Tally) -> str:
    if tally.faults:
        return "[bold red]Bazar's ledger is wrong: its orders, its stock and its answers do not fit together.[/]"
    return (
        f"Bazar sold {tally.orders.total()} of {tally.copies} copies, each once, and everybody knows: one conditional "
        "UPDATE takes a copy, and whoever asks again with the same key gets the same answer."
    )


if __name__ == "__main__":
    sys.exit(main())
