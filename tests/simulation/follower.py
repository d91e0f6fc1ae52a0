"""Who follows the feed of changes: the seat of the front-end's cache to come. It keeps the version of each book."""

from collections.abc import Mapping

from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.contracts import calls
from bazar.contracts.books import ChangesQuery
from simulation.scheduler import Wait
from simulation.world import World

LONGEST_REST_SECONDS = 3.0


class Follower:
    """Asks for what came after the last change that it knows, again and again."""

    def __init__(self, world: World, catalog: ServiceClient) -> None:
        self._world = world
        self._catalog = catalog
        self._rest: Wait | None = None
        self._after = 0
        self._versions: dict[int, int] = {}

    @property
    def versions(self) -> Mapping[int, int]:
        """Item number → version, as far as it has followed."""
        return self._versions

    def run(self) -> None:
        """Until the process dies."""
        while True:
            self.look()
            self._rest = self._world.scheduler.waiting()
            self._world.scheduler.wait(self._world.random.random() * LONGEST_REST_SECONDS)

    def stir(self) -> None:
        """Look now: of all times, those right after a commit show most."""
        if self._rest is not None:
            self._rest.end(True)

    def look(self) -> None:
        """Once; without an answer, the next look finds it."""
        try:
            deadline = Deadline.after(5.0, self._world.monotonic)
            seen = self._catalog.call(calls.CHANGES, ChangesQuery(after=self._after), deadline).answer
        except NeighbourUnavailable:
            return
        for change in seen.changes:
            self._after = change.number
            self._versions[change.item_number] = change.version
