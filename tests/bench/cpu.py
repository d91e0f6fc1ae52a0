"""CPU time of the servers of an open shop, as the system counts it (Linux)."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bench.results import Measured
from shop import Shop

SERVERS = (FRONTEND, CATALOG, ORDER)


def watched(shop: Shop, step: Callable[[int], Measured]) -> Callable[[int], Measured]:
    """The step, which then tells too what the servers took for it, system calls included."""

    def watch(seconds: int) -> Measured:
        before = _of_servers(shop)
        found = step(seconds)
        after = _of_servers(shop)
        return replace(found, servers_cpu_seconds={name: after[name] - before[name] for name in SERVERS})

    return watch


def cpu_seconds(process_id: int) -> float:
    """What a process has taken since it began; 0 once it has ended."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _of_servers(shop: Shop) -> Mapping[str, float]:
    return {name: cpu_seconds(shop.worker_of(name)) for name in SERVERS}
