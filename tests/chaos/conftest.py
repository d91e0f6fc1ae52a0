"""A folder for the shops of a campaign."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the shops of one file of tests; evidence of violations stays there."""
    return tmp_path_factory.mktemp("chaos")
