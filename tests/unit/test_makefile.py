"""What a first ``make run`` leaves behind where it fails."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
MAKE_SECONDS = 30
#: As Debian's python3 without python3-venv: it makes half an environment, says what is missing, and fails.
HALF = """#!/bin/sh
[ "$1" = -c ] && exit 0
for folder; do :; done
mkdir -p "$folder/bin" && touch "$folder/bin/python"
echo "apt install python3-venv"
exit 1
"""

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
def test_an_environment_that_was_made_by_half_is_made_anew_the_next_time(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(HALF)
    python.chmod(0o700)
    for name in ("requirements/run.txt", "requirements/build.txt", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for _ in range(2):
        found = subprocess.run(
            ["make", "--file", MAKEFILE, f"PYTHON={python}", "run"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=MAKE_SECONDS,
            check=False,
        )
        assert found.returncode != 0
        assert "apt install python3-venv" in found.stdout
