"""The folder by which a test and the processes of a shop under fire talk (chaos/injected/sitecustomize.py)."""

import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from chaos.points import POINTS, Point

INJECTED = Path(__file__).with_name("injected")
#: A server that dies again within a minute rests for up to 30 s: right for a server that cannot live, but these are
#: killed all the time, and nothing would be learnt in the pauses.
SHORT_PAUSES = {"bazar.chassis.supervisor": {"LONGEST_PAUSE_SECONDS": 0.1}}


class Fire:
    """Arms points; one that is armed strikes once."""

    def __init__(
        self,
        folder: Path,
        constants: Mapping[str, Mapping[str, object]] = SHORT_PAUSES,
        mutant: str | None = None,
        points: Sequence[Point] = POINTS,
    ) -> None:
        self.folder = folder
        for part in ("armed", "fired", "passages"):
            (folder / part).mkdir(parents=True)
        planned = [{name: str(value) for name, value in asdict(point).items()} for point in points]
        plan = {"constants": constants, "mutant": mutant, "points": planned}
        (folder / "plan.json").write_text(json.dumps(plan))

    @property
    def environment(self) -> dict[str, str]:
        """What the shop has to be started with."""
        paths = [str(INJECTED), os.environ.get("PYTHONPATH", "")]
        return {"CHAOS_FOLDER": str(self.folder), "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def arm(
        self, point: Point, *, after: int = 1, victim: int | str = "worker", sent: signal.Signals = signal.SIGKILL
    ) -> None:
        """Have the ``after``-th passage from now on strike the victim: "worker", "master" or a process id."""
        self.forget(point)
        unready = self.folder / point.name
        unready.write_text(f"{self.passages(point) + after} {victim} {int(sent)}")
        unready.rename(self.folder / "armed" / point.name)

    def disarm(self, point: Point) -> bool:
        """Whether it had not struck; from now on it does not."""
        try:
            (self.folder / "armed" / point.name).unlink()
        except FileNotFoundError:
            return False
        return True

    def has_struck(self, point: Point) -> bool:
        """Whether the point struck since it was armed."""
        return (self.folder / "fired" / point.name).exists()

    def struck_at(self, point: Point) -> float:
        """When it struck, on the monotonic clock: claiming it changed the file's inode."""
        return time.monotonic() - (time.time() - (self.folder / "fired" / point.name).stat().st_ctime)

    def forget(self, point: Point) -> None:
        """As if it had never been armed."""
        for part in ("armed", "fired"):
            with suppress(FileNotFoundError):
                (self.folder / part / point.name).unlink()

    def passages(self, point: Point) -> int:
        """How often the point was passed, in all processes that there ever were."""
        with suppress(FileNotFoundError):
            return (self.folder / "passages" / point.name).stat().st_size
        return 0
