"""One server of a shop alone, by its own command, as on a machine of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mortal import mortal
from processes import wait_until
from shop import STOP_SECONDS


@contextmanager
def running(service: str, settings: Mapping[str, str], output: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    """It is ready, and runs until the block ends; what it says goes to ``output``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    with output.open("wb") as file:
        process = subprocess.Popen(
            mortal([sys.executable, "-m", "bazar", service], "TERM"),
            env={**clean, **settings},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or is_ready())
        assert process.poll() is None, output.read_text()
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
