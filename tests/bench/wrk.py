"""Drives one URL with wrk, an existing load generator, and reads what it found."""

import json
import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench.results import Measured, together

SCRIPT = Path(__file__).with_name("requests.lua")
#: wrk ends by itself after the time it was given; whoever is measured may keep it waiting so long.
PATIENCE_SECONDS = 30


class ProgramMissing(Exception):
    """A program that the benchmark needs is not installed; says how to install it."""


def program(name: str) -> str:
    """Where a program is; raises ProgramMissing."""
    found = shutil.which(name, path=f"{_path()}:/usr/sbin")
    if found is None:
        raise ProgramMissing(f"{name} is not installed: run tests/install-system-packages.sh as root")
    return found


@dataclass(frozen=True, kw_only=True)
class Load:
    """What wrk asks for. ``arguments``: those of requests.lua, for purchases."""

    url: str
    connections: int
    headers: Sequence[str] = ()
    arguments: Sequence[str] = field(default_factory=list)


def drive(load: Load, seconds: int, halfway: Callable[[], object] = lambda: None) -> Measured:
    """A closed loop of so many connections, by one thread; ``halfway`` is called in the middle of it."""
    return drive_all([load], seconds, halfway)


def drive_all(loads: Sequence[Load], seconds: int, halfway: Callable[[], object] = lambda: None) -> Measured:
    """Several at the same time, a wrk each, told as one."""
    used = _children_cpu_seconds()
    timer = threading.Timer(seconds / 2, halfway)
    timer.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(len(loads)) as threads:
        found = list(threads.map(partial(_run, seconds), loads))
    took = time.perf_counter() - began
    timer.join()
    return replace(together(found), client_cpu=(_children_cpu_seconds() - used) / took)


def shared_out(urls: Sequence[str], connections: int) -> Sequence[tuple[str, int]]:
    """Each URL with its share of the connections."""
    each, more = divmod(connections, len(urls))
    return [(url, each + (number < more)) for number, url in enumerate(urls)]


def _run(seconds: int, load: Load) -> Measured:
    command = [program("wrk"), "--threads", "1", "--connections", str(load.connections), "--timeout", "10s"]
    command += ["--duration", f"{seconds}s", "--script", str(SCRIPT)]
    command += [word for header in load.headers for word in ("--header", header)]
    done = subprocess.run(
        [*command, load.url, "--", *load.arguments],
        capture_output=True,
        text=True,
        timeout=seconds + PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Measured(
        seconds=said["seconds"],
        answers=said["answers"],
        failures=said["failures"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
    )


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _path() -> str:
    return os.environ.get("PATH", os.defpath)
