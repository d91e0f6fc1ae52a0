"""Processes that tests start: wait for what they do, see them gone, find them a port."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

WAIT_SECONDS = 60


def wait_until(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Return as soon as it holds; raises AssertionError where it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_gone(process_id: int) -> bool:
    """Whether it runs no more; a zombie that nobody has collected yet counts as gone."""
    try:
        os.kill(process_id, 0)
        stat = Path(f"/proc/{process_id}/stat")
        return stat.exists() and stat.read_text().rpartition(") ")[2].startswith("Z")
    except (ProcessLookupError, FileNotFoundError):
        return True


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
