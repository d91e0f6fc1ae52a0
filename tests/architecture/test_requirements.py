"""What is installed is locked: by version, by hash, and from wherever the installing machine gets its packages."""

import re
from pathlib import Path

import pytest

import bazar

REQUIREMENTS = Path(bazar.__file__).parent.parent.parent / "requirements"
GROUPS = sorted(file.stem for file in REQUIREMENTS.glob("*.in"))
MOST_AT_RUN_TIME = 35


def locked(group: str) -> dict[str, str]:
    """Name → the lines that lock it."""
    text = (REQUIREMENTS / f"{group}.txt").read_text()
    found = re.split(r"^(?=[A-Za-z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    return {part.split("==")[0]: part for part in found if part.strip()}


@pytest.mark.parametrize("group", GROUPS)
def test_every_package_is_locked_by_version_and_hash(group: str) -> None:
    packages = locked(group)
    assert packages
    for lines in packages.values():
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ]+", lines)
        assert "--hash=sha256:" in lines


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_file_names_no_host(group: str) -> None:
    text = (REQUIREMENTS / f"{group}.txt").read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_few_packages_are_installed_at_run_time() -> None:
    assert len(locked("run")) <= MOST_AT_RUN_TIME


def test_the_groups_agree_on_versions() -> None:
    versions: dict[str, set[str]] = {}
    for group in GROUPS:
        for name, lines in locked(group).items():
            versions.setdefault(name, set()).add(lines.split()[0])
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
