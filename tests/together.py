"""Races: several things at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(*works: Callable[[], T]) -> Sequence[T]:
    """Run these at the same moment, each in a thread; what they give, in their order. Raises what one raises."""
    barrier = threading.Barrier(len(works))

    def work(number: int) -> T:
        barrier.wait()
        return works[number]()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(work, range(len(works))))
