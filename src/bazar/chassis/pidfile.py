"""Which servers run on a data folder: a file each, locked for as long as its process lives."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Whoever asks which servers live holds each lock for a moment; a start waits that out.
PATIENCE_SECONDS = 0.5


@dataclass(eq=False)
class AlreadyRunning(Exception):
    """A server of this name serves this data folder; ``process_id`` is 0 if it has not yet said its own."""

    name: str
    process_id: int

    def __str__(self) -> str:
        return f"{self.name} already runs on this data folder (process {self.process_id})"


@contextmanager
def pid_file(run_directory: Path, name: str) -> Iterator[None]:
    """Be the only ``name`` of this folder; raises AlreadyRunning.

    The file stays behind: its lock says who lives, and unlinking it would let two hold locks on one name.
    """
    run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A POSIX record lock, for flock() passes to forked children: a worker would keep its dead master "alive".
    with (run_directory / f"{name}.pid").open("a+") as file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _lock(file.fileno()):
            if time.monotonic() > deadline:
                raise AlreadyRunning(name, _read_process_id(file.fileno()))
            time.sleep(PATIENCE_SECONDS / 10)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def live_processes(run_directory: Path) -> dict[str, int]:
    """Name → process id of each that holds its pid file now."""
    found: dict[str, int] = {}
    for path in sorted(run_directory.glob("*.pid")):
        with path.open("r+") as file:
            if not _lock(file.fileno()) and (process_id := _read_process_id(file.fileno())):
                found[path.stem] = process_id
    return found


def _lock(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES
        return False
    return True


def _read_process_id(descriptor: int) -> int:
    content = os.pread(descriptor, 32, 0)
    return int(content) if content.strip().isdigit() else 0
