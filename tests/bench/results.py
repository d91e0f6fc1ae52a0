"""What a benchmark found: rounds of the same steps one after the other, figures over them, ratios within each.

Ratios are computed round by round, since only what was measured at the same time can be compared.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One step in one round.

    ``client_cpu``: the load generator's share of one core, 0 where there is none. ``servers_cpu_seconds``: what each
    server took, where that was watched.
    """

    seconds: float
    answers: int
    failures: int = 0
    p50_ms: float
    p99_ms: float
    client_cpu: float = 0.0
    servers_cpu_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.answers - min(self.failures, self.answers)) / self.seconds


def together(found: Sequence[Measured]) -> Measured:
    """What several load generators found at the same time: answers add up, times are those of the slowest."""
    return Measured(
        seconds=max(each.seconds for each in found),
        answers=sum(each.answers for each in found),
        failures=sum(each.failures for each in found),
        p50_ms=max(each.p50_ms for each in found),
        p99_ms=max(each.p99_ms for each in found),
        client_cpu=sum(each.client_cpu for each in found),
    )


Round = Mapping[str, Measured]


@dataclass(frozen=True)
class Spread:
    """Figures of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Of one figure or more."""
        return cls(statistics.median(figures), min(figures), max(figures))

    def told(self, form: str = ",.0f") -> str:
        """The median, and the range of all."""
        return f"{self.median:{form}} ({self.least:{form}} to {self.most:{form}})"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure that is to be reached, from what one round measured: at least ``bound``, or at most where so said."""

    name: str
    figure: Callable[[Round], float]
    bound: float
    at_most: bool = False
    form: str = ".0%"

    def spread(self, rounds: Sequence[Round]) -> Spread:
        """The figure over all rounds."""
        return Spread.of([self.figure(each) for each in rounds])

    def is_reached(self, rounds: Sequence[Round]) -> bool:
        """Whether the median reaches it."""
        median = self.spread(rounds).median
        return median <= self.bound if self.at_most else median >= self.bound

    @property
    def asked(self) -> str:
        """The bound in words."""
        return f"{'≤' if self.at_most else '≥'} {self.bound:{self.form}}"


def ratio(name: str, of: str, to: str, bound: float, form: str = ".0%") -> Goal:
    """The rate of step ``of`` as part of the rate of step ``to``."""
    return Goal(name=name, figure=lambda each: each[of].rate / each[to].rate, bound=bound, form=form)


def rates(name: str, rounds: Sequence[Round]) -> Spread:
    """Good answers a second of one step."""
    return Spread.of([each[name].rate for each in rounds])


def median_of(name: str, rounds: Sequence[Round], figure: Callable[[Measured], float]) -> float:
    """The median over the rounds of any figure of a step."""
    return statistics.median(figure(each[name]) for each in rounds)


def as_json(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Every figure of every round."""
    return [{name: {**asdict(each), "rate": each.rate} for name, each in found.items()} for found in rounds]


def percentiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    if len(milliseconds) < 2:
        return (milliseconds[0], milliseconds[0]) if milliseconds else (0.0, 0.0)
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return cuts[49], cuts[98]
