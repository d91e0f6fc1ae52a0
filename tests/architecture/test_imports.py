"""The arrows of the architecture hold, and a violation of each rule is caught."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bazar

SOURCE = Path(bazar.__file__).parent
PROJECT = SOURCE.parent.parent / "pyproject.toml"
LINT = Path(sys.executable).with_name("lint-imports")

#: (contract, the file that breaks it, the import that does).
VIOLATIONS = [
    ("layers", "contracts/times.py", "bazar.chassis.clock"),
    ("layers", "chassis/clock.py", "bazar.catalog.domain.isbn"),
    ("layers", "chassis/clock.py", "bazar.settings"),
    ("layers", "settings.py", "bazar.resources"),
    ("layers", "frontend/gateways/neighbours.py", "bazar.order.domain.errors"),
    ("layers", "order/use_cases/place_order.py", "bazar.catalog.use_cases.hold_copies"),
    ("layers", "catalog/wiring.py", "bazar.cli"),
    ("layers", "newcomer.py", "bazar.contracts"),
    ("service", "catalog/domain/isbn.py", "bazar.catalog.use_cases.ports"),
    ("service", "catalog/use_cases/ports.py", "bazar.catalog.storage.schema"),
    ("service", "order/recovery/sweep.py", "bazar.order.gateways.catalog_service"),
    ("service", "frontend/pages/browse.py", "bazar.frontend.api.books"),
    ("service", "frontend/storage/accounts.py", "bazar.frontend.wiring"),
    ("service", "frontend/helpers.py", "bazar.contracts"),
    ("pure", "order/use_cases/ports.py", "sqlalchemy"),
    ("pure", "frontend/domain/errors.py", "flask"),
    ("pure", "catalog/use_cases/ports.py", "bazar.chassis.clock"),
    ("wired", "catalog/api/routes.py", "bazar.settings"),
    ("wired", "frontend/gateways/neighbours.py", "bazar.resources"),
    ("wired", "order/recovery/sweep.py", "bazar.deployment"),
    ("entrance", "cli/account.py", "bazar.frontend.storage.accounts"),
    ("messages", "contracts/wire.py", "flask"),
]


def lint(source: Path, configuration: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run lint-imports over the package in ``source``, by all contracts or one."""
    chosen = ["--contract", contract] if contract else []
    return subprocess.run(
        [LINT, "--no-cache", "--no-logo", "--config", configuration, *chosen],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder that holds a copy of the package."""
    shutil.copytree(SOURCE, tmp_path / "bazar", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_arrows_hold() -> None:
    found = lint(SOURCE.parent, PROJECT)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("contract", "file", "module"), VIOLATIONS)
def test_a_violation_is_caught(copied: Path, contract: str, file: str, module: str) -> None:
    with (copied / "bazar" / file).open("a") as broken:
        broken.write(f"\nimport {module}\n")
    found = lint(copied, PROJECT, contract)
    assert found.returncode == 1, found.stdout
    assert "BROKEN" in found.stdout
    assert f"bazar.{file.removesuffix('.py').replace('/', '.')}" in found.stdout


def test_every_contract_has_been_seen_to_catch() -> None:
    contracts = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {contract for contract, _, _ in VIOLATIONS}
