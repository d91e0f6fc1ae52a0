"""`make overload`: what the servers answer when they are offered more than they can do; nothing here passes or fails.

For purchases and for info, what a closed loop gets answered is measured first; then multiples of it are offered in an
open loop, which waits for nobody. Client and shop share the machine. Figures are medians over ``ROUNDS`` rounds, times
are those of all rounds together.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count, repeat
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from load.generator import Generator, Offer
from marked import replaced
from shop import PAST_THE_CACHE, Shop
from svg import Line, Panel, axes, picture, polyline, text

ROUNDS = 3
SECONDS = 6.0
WARM_UP_SECONDS = 3.0
#: As many clients as are at work at a time: a closed loop of them is refused nothing.
CLIENTS = {"purchases": 64, "info": 16}
CONNECTIONS = 400
MULTIPLES = (0.5, 0.8, 1.0, 1.5, 2.0, 3.0)
PLENTY = 10_000_000
DONE = (200, 201)
TOO_MUCH = (429, 503)
BODY = b'{"quantity":1}'


@dataclass
class Step:
    """What was offered, round by round; ``multiple`` of the closed loop's rate, None for the closed loop itself."""

    multiple: float | None
    offers: list[Offer] = field(default_factory=list)

    def rate(self, *statuses: int) -> float:
        """Answers of these statuses a second."""
        return statistics.median(len(offer.milliseconds(*statuses)) / offer.seconds for offer in self.offers)

    @property
    def offered(self) -> float:
        """Requests a second."""
        return statistics.median(offer.offered / offer.seconds for offer in self.offers)

    def times(self, *statuses: int) -> str:
        """Median and 99th percentile in milliseconds."""
        milliseconds = [each for offer in self.offers for each in offer.milliseconds(*statuses)]
        if len(milliseconds) < 2:
            return "-"
        percentiles = statistics.quantiles(milliseconds, n=100, method="inclusive")
        return f"{percentiles[49]:.0f} / {percentiles[98]:.0f}"

    @property
    def others(self) -> int:
        """Broken connections, answers of other statuses, refusals without Retry-After, requests without an answer."""
        bad = sum(
            answer.status not in DONE + TOO_MUCH or (answer.status in TOO_MUCH and not answer.has_retry_after)
            for offer in self.offers
            for answer in offer.answers
        )
        return bad + sum(offer.unanswered for offer in self.offers)


@dataclass(frozen=True)
class Curve:
    """One kind of request."""

    kind: str
    steps: Sequence[Step]

    @property
    def peak(self) -> float:
        """The most that was answered in any step."""
        return max(step.rate(*DONE) for step in self.steps)


def main() -> None:
    """Measure, print a table, and write it where the caller said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page, the plot beside it")
    page: Path | None = parser.parse_args().write
    console = Console(highlight=False, width=140)
    with tempfile.TemporaryDirectory(prefix="bazar-overload-") as folder:
        shop = Shop(Path(folder) / "var")
        try:
            curves = [_measure(shop, kind, requests) for kind, requests in _kinds(shop).items()]
            megabytes = sum(shop.memory().values())
        finally:
            shop.stop()
    table = Table(title=f"{os.cpu_count()} cores, Python {platform.python_version()}; {megabytes:.0f} MB afterwards")
    for name in HEADINGS:
        table.add_column(name, justify="right")
    for curve in curves:
        table.add_section()
        for row in _rows(curve):
            table.add_row(*row)
    console.print(table)
    if page is not None:
        _write(page, curves)


HEADINGS = ("", "offered /s", "done /s", "of the peak", "ms, median / p99", "refused /s", "ms, median / p99", "other")


def _kinds(shop: Shop) -> Mapping[str, Callable[[], Iterator[bytes]]]:
    item, token, numbers = shop.add_book(PLENTY), shop.customer("ann@example.org"), count()
    buy = (
        f"POST /api/v1/purchase/{item} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\nIdempotency-Key: "
    ).encode()
    # What the cache answers needs no place.
    past_the_cache = ": ".join(PAST_THE_CACHE)
    info = f"GET /api/v1/info/{item} HTTP/1.1\r\nHost: localhost\r\n{past_the_cache}\r\n\r\n".encode()
    return {
        "purchases": lambda: (b"%skey-%d\r\n\r\n%s" % (buy, number, BODY) for number in numbers),
        "info": lambda: repeat(info),
    }


def _measure(shop: Shop, kind: str, requests: Callable[[], Iterator[bytes]]) -> Curve:
    steps = [Step(None), *map(Step, MULTIPLES)]
    with (
        closing(Generator(shop.port, shop.tls, CLIENTS[kind])) as clients,
        closing(Generator(shop.port, shop.tls, CONNECTIONS)) as crowd,
    ):
        clients.saturate(requests(), WARM_UP_SECONDS)
        for _ in range(ROUNDS):
            for step in steps:
                if step.multiple is None:
                    offer = clients.saturate(requests(), SECONDS)
                    able = len(offer.milliseconds(*DONE)) / SECONDS
                else:
                    offer = crowd.offer(requests(), step.multiple * able, SECONDS)
                step.offers.append(offer)
    return Curve(kind, steps)


def _rows(curve: Curve) -> Iterator[Sequence[str]]:
    for step in curve.steps:
        how = f"{CLIENTS[curve.kind]} clients" if step.multiple is None else f"x {step.multiple:g}"
        done = step.rate(*DONE)
        yield (
            *(f"{curve.kind}, {how}", f"{step.offered:.0f}", f"{done:.0f}", f"{done / curve.peak:.0%}"),
            *(step.times(*DONE), f"{step.rate(*TOO_MUCH):.0f}", step.times(*TOO_MUCH), str(step.others)),
        )


def _write(page: Path, curves: Sequence[Curve]) -> None:
    """Replace what stands between the page's two marks."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    lines += [f"| {' | '.join(row)} |" for curve in curves for row in _rows(curve)]
    page.write_text(replaced(page.read_text(), "make overload", "\n".join(lines)))
    page.with_name("overload.svg").write_text(_plot(curves))


def _plot(curves: Sequence[Curve]) -> str:
    """Offered against done (thick) and refused (thin), a panel for each kind."""
    return picture(700, 260, *(_panel(curve, left) for curve, left in zip(curves, (50, 390), strict=True)))


def _panel(curve: Curve, left: int) -> str:
    panel = Panel(left, top=30, width=280, height=180)
    steps = [step for step in curve.steps if step.multiple is not None]
    most = max(step.offered for step in steps)

    def line(style: str, *statuses: int) -> str:
        drawn = Line([(step.offered, step.rate(*statuses)) for step in steps], style)
        return polyline(drawn, (most, most), panel)

    top, floor, right = panel.top, panel.floor, panel.right
    return (
        axes(panel)
        + f'<path d="M{left} {floor}L{right} {top}" fill="none" stroke="#bbb" stroke-dasharray="3 3"/>'
        + line('stroke="#06c" stroke-width="2.5"', *DONE)
        + line('stroke="#c40"', *TOO_MUCH)
        + text(left, top - 10, f"{curve.kind}: done (blue), refused (red), a second")
        + text(right, floor + 30, "offered a second", to_the_left=True)
        + text(right, floor + 15, f"{most:.0f}", to_the_left=True)
        + text(left - 5, top + 5, f"{most:.0f}", to_the_left=True)
    )


if __name__ == "__main__":
    main()
