"""Rounds that go through all steps, one after the other, and the row of a step over them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from bench.results import Measured, Round, median_of, rates

WARM_UP_SECONDS = 1
HEADINGS = ("step", "a second, median (least to most)", "p50 ms", "p99 ms", "failures", "wrk's CPU")


@dataclass(frozen=True)
class Plan:
    """How often, how long, and what it is called."""

    command: str
    rounds: int
    seconds: int


def measured(steps: Mapping[str, Callable[[int], Measured]], plan: Plan, console: Console) -> list[Round]:
    """Warm all of them up, then go through them again and again."""
    for step in steps.values():
        step(WARM_UP_SECONDS)
    rounds: list[Round] = []
    for number in range(1, plan.rounds + 1):
        console.print(f"Round {number} of {plan.rounds} ...")
        rounds.append({name: step(plan.seconds) for name, step in steps.items()})
    return rounds


def row_of(name: str, rounds: Sequence[Round]) -> Sequence[str]:
    """As HEADINGS."""
    cpu = median_of(name, rounds, lambda step: step.client_cpu)
    return (
        name,
        rates(name, rounds).told(),
        f"{median_of(name, rounds, lambda step: step.p50_ms):.1f}",
        f"{median_of(name, rounds, lambda step: step.p99_ms):.1f}",
        str(sum(each[name].failures for each in rounds)),
        f"{cpu:.0%}" if cpu else "-",
    )
