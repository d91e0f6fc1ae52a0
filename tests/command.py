"""The command ``bazar``, run in this process or as one of its own."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from bazar.cli import bazar

COMMAND_SECONDS = 60


def run_here(*arguments: str, typed: str | bytes = "", **settings: str) -> Result:
    """In this process, which is quick; ``settings`` are all the BAZAR_… that there are."""
    cleared: dict[str, str | None] = {name: None for name in os.environ if name.startswith("BAZAR_")}
    return CliRunner().invoke(bazar, arguments, input=typed, env={**cleared, **settings}, prog_name="bazar")


def run(*arguments: str | Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, as an operator does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    return subprocess.run(
        [sys.executable, "-m", "bazar", *arguments],
        env={**clean, **settings},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
