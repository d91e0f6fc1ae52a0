"""`make bench-latency`: how long answers take by how much is asked a second; nothing here passes or fails on time.
Wrong books end it with an error.

What a closed loop gets answered is measured first, in each round; then parts of it are offered in an open loop, which
waits for nobody: requests come at random moments, and the time of an answer begins when its request was due. Client and
shop share the machine.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle, repeat
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.page import Tables, printed, write_tables
from bench.paths import CUSTOMERS, READERS, info_of, opened
from bench.results import percentiles
from bench.tills import Till, on_sqlite
from load.generator import Generator, Offer
from svg import Line, Panel, axes, picture, polyline, text

ROOT = Path(__file__).parents[2]
PARTS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
#: Of the open loop; who has none waits, and that counts.
CONNECTIONS = 256
WARM_UP_SECONDS = 2.0
DONE = (200, 201)
TOO_MUCH = (429, 503)
INFO, PURCHASES = "cached info", "purchases"
CLIENTS = {INFO: READERS, PURCHASES: CUSTOMERS}
BODY = b'{"quantity":1}'
HEADINGS = (
    *("what, and how much of the closed loop's rate", "asked /s", "done /s", "p50 ms", "p99 ms", "refused /s"),
    *("failures", "generator's CPU"),
)
#: The lower edge of the plot; it is one of powers of ten.
LEAST_MS = 0.1

Requests = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One step in one round, a second each. Times are those of what was done. ``cpu``: the generator's, of one core."""

    asked: float
    done: float
    refused: float
    failures: int
    p50_ms: float
    p99_ms: float
    cpu: float

    @classmethod
    def to(cls, offer: Offer, took_seconds: float, cpu_seconds: float) -> "Answers":
        """What came of an offer, whose last answer came later than its last request. Whatever is neither done nor
        refused is a failure.
        """
        done, refused = offer.milliseconds(*DONE), offer.milliseconds(*TOO_MUCH)
        p50_ms, p99_ms = percentiles(done)
        return cls(
            asked=offer.offered / offer.seconds,
            done=len(done) / took_seconds,
            refused=len(refused) / took_seconds,
            failures=offer.offered - len(done) - len(refused),
            p50_ms=p50_ms,
            p99_ms=p99_ms,
            cpu=cpu_seconds / took_seconds,
        )


#: By kind, and the part of the closed loop's rate, None for the closed loop itself; round by round.
Found = Mapping[tuple[str, float | None], Sequence[Answers]]


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of two seconds each: to see that it works")
    parser.add_argument("--write", action="store_true", help="renew the table and plot of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-latency.json", help="where all figures go")
    given = parser.parse_args()
    rounds, seconds = (1, 2.0) if given.quick else (3, 5.0)
    console = Console(highlight=False, width=140)
    with tempfile.TemporaryDirectory(prefix="bazar-latency-") as folder, ExitStack() as stack:
        shop = opened(stack, Path(folder) / "shop")
        till = stack.enter_context(closing(Till(shop, Path(folder) / "till", on_sqlite(shop.folder))))
        found = _measure(till, rounds, seconds, console)
        till.check()
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {rounds} rounds of {seconds:g} s"
    tables: Tables = [(HEADINGS, list(rows_of(found)))]
    console.print(*(printed(headings, rows) for headings, rows in tables), machine)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = [
        {"kind": kind, "part": part, "rounds": [asdict(each) for each in answers]}
        for (kind, part), answers in found.items()
    ]
    given.json.write_text(json.dumps({"machine": machine, "found": kept}, indent=1) + "\n")
    if given.write:
        lead = f"`make bench-latency{' BENCH=--quick' if given.quick else ''}`: {machine}."
        plots = {"bench-latency.svg": ("Latency against load", plot(found))}
        write_tables(ROOT / "docs" / "benchmarks.md", "make bench-latency", lead, tables, plots)
    return 0


def _measure(till: Till, rounds: int, seconds: float, console: Console) -> Found:
    shop = till.shop
    found: dict[tuple[str, float | None], list[Answers]] = {
        (kind, part): [] for kind in CLIENTS for part in (None, *PARTS)
    }
    for kind, requests in _kinds(till).items():
        with (
            closing(Generator(shop.port, shop.tls, CLIENTS[kind])) as clients,
            closing(Generator(shop.port, shop.tls, CONNECTIONS)) as crowd,
        ):
            able = _told(till, kind, partial(clients.saturate, requests(), WARM_UP_SECONDS)).done
            for number in range(rounds):
                console.print(f"{kind}, round {number + 1} of {rounds} ...")
                for part in (None, *PARTS):
                    if part is None:
                        run = partial(clients.saturate, requests(), seconds)
                    else:
                        run = partial(crowd.offer, requests(), part * able, seconds)
                    found[kind, part].append(answers := _told(till, kind, run))
                    able = answers.done if part is None else able
    return found


def _told(till: Till, kind: str, run: Callable[[], Offer]) -> Answers:
    used, began = time.process_time(), time.perf_counter()
    offer = run()
    cpu_seconds, took_seconds = time.process_time() - used, time.perf_counter() - began
    if kind == PURCHASES:
        bought = len(offer.milliseconds(*DONE))
        till.take_note(bought, offer.offered - bought)
    return Answers.to(offer, took_seconds, cpu_seconds)


def _kinds(till: Till) -> Mapping[str, Requests]:
    info = f"GET {info_of(till.hot)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    heads = cycle(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\nIdempotency-Key: ".encode()
        for path in till.paths
        for token in till.tokens
    )
    purchases = (b"%skey-%d\r\n\r\n%s" % (head, number, BODY) for number, head in enumerate(heads))
    return {INFO: lambda: repeat(info), PURCHASES: lambda: purchases}


def rows_of(found: Found) -> Iterator[Sequence[str]]:
    """As HEADINGS; medians over the rounds."""
    for (kind, part), answers in found.items():
        how = f"closed loop of {CLIENTS[kind]}" if part is None else f"{part:.0%}"
        yield (
            f"{kind}, {how}",
            *(f"{_median(answers, name):,.0f}" for name in ("asked", "done")),
            *(f"{_median(answers, name):.1f}" for name in ("p50_ms", "p99_ms")),
            f"{_median(answers, 'refused'):,.0f}",
            str(sum(each.failures for each in answers)),
            f"{_median(answers, 'cpu'):.0%}",
        )


def plot(found: Found) -> str:
    """Milliseconds by powers of ten against the part of the closed loop's rate, a panel for each kind."""
    return picture(700, 280, *(_panel(found, kind, left) for kind, left in zip(CLIENTS, (60, 400), strict=True)))


def _panel(found: Found, kind: str, left: int) -> str:
    panel = Panel(left, top=35, width=260, height=200)
    curves = {name: [(part, _median(found[kind, part], name)) for part in PARTS] for name in ("p50_ms", "p99_ms")}
    decades = max(1, math.ceil(max(_decades(ms) for points in curves.values() for _, ms in points)))
    parts = [axes(panel), text(left, 20, f"{kind}: median (blue), 99th percentile (red), ms")]
    for decade in range(decades + 1):
        words = f"{LEAST_MS * 10**decade:g}"
        parts.append(text(left - 5, panel.floor - panel.height * decade / decades + 4, words, to_the_left=True))
    for part in PARTS:
        place = left + panel.width * part / PARTS[-1]
        parts.append(text(place + 10, panel.floor + 15, f"{part:.0%}", to_the_left=True))
    parts.append(text(panel.right, panel.floor + 30, "of the closed loop's rate", to_the_left=True))
    for (_, points), style in zip(curves.items(), ('stroke="#06c" stroke-width="2.5"', 'stroke="#c40"'), strict=True):
        drawn = Line([(part, _decades(ms)) for part, ms in points], style)
        parts.append(polyline(drawn, (PARTS[-1], decades), panel))
    return "".join(parts)


def _decades(milliseconds: float) -> float:
    return math.log10(max(milliseconds, LEAST_MS) / LEAST_MS)


def _median(answers: Sequence[Answers], name: str) -> float:
    return float(statistics.median(getattr(each, name) for each in answers))


if __name__ == "__main__":
    sys.exit(main())
