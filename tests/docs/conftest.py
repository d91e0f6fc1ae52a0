"""A shop as the README's reader has it: just opened, nothing sold yet."""

from collections.abc import Iterator

import pytest

from shop import Shop


@pytest.fixture
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of the test's own, with the sample catalogue."""
    opened = Shop(tmp_path_factory.mktemp("shop") / "var")
    yield opened
    opened.stop()
