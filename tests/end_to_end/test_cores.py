"""The front-end's Python stays on one core of several, unless somebody says that it should not."""

import os
import re
from pathlib import Path

import pytest

from bazar.chassis.cores import CORES_CAN_BE_CHOSEN
from bazar.contracts.names import CATALOG, FRONTEND
from shop import Shop

pytestmark = pytest.mark.skipif(
    not CORES_CAN_BE_CHOSEN or len(os.sched_getaffinity(0)) < 2, reason="there is no core to choose"
)
_ALLOWED = re.compile(r"Cpus_allowed_list:\t(\d+)\n")


@pytest.mark.parametrize("one_core", ["1", "0"])
def test_the_setting_decides_whether_threads_of_the_front_end_stay(tmp_path: Path, one_core: str) -> None:
    shop = Shop(tmp_path / "var", BAZAR_ONE_CORE=one_core)
    try:
        stay = {service: _threads_that_stay(shop, service) for service in (FRONTEND, CATALOG)}
    finally:
        shop.stop()
    assert (stay[FRONTEND] > 0, stay[CATALOG]) == (one_core == "1", 0)


def _threads_that_stay(shop: Shop, service: str) -> int:
    """How many threads of a server have but one core."""
    tasks = Path(f"/proc/{shop.worker_of(service)}/task").glob("*/status")
    return sum(_ALLOWED.search(task.read_text()) is not None for task in tasks)
