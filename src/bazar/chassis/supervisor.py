"""Keeps the servers of one machine running: starts, restarts and stops them. One process without threads."""

import contextlib
import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from bazar.chassis.listener import PortTaken, ensure_port_free

#: Between two looks at what sends no signal: a probe, a port, the rest of a process group.
POLL_SECONDS = 0.1
#: The first restart comes at once, the next ones after 1, 2, 4 ... seconds, at most this many.
LONGEST_PAUSE_SECONDS = 30.0
#: A child that lived this long is restarted without a pause.
HEALTHY_SECONDS = 60.0
MAINTENANCE_SECONDS = 24 * 3600.0
#: EX_CONFIG of sysexits.h: how a server ends that only a person can mend.
NEEDS_A_PERSON = 78

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ChildState(Enum):
    """What is reported of a child."""

    STARTED = "started"
    READY = "ready"
    ENDED = "ended"  # by itself; it is started again
    WAITING = "waiting"  # for its port
    STOPPED = "stopped"
    KILLED = "killed"  # it did not stop in time


#: Receives the child's name, its new state and a detail for people.
Report = Callable[[str, ChildState, str], None]


@dataclass(frozen=True)
class Child:
    """One server. ``--lifeline N`` is appended to its command; ``ready`` must answer within a second.

    ``environment``: its variables; None for ours.
    """

    name: str
    command: tuple[str, ...]
    host: str
    port: int
    ready: Callable[[], bool]
    environment: Mapping[str, str] | None = None


class Supervisor:
    """Runs the children until SIGINT or SIGTERM; they start in the order given and stop in the reverse one.

    SIGHUP is passed on. ``opened`` is called when all are ready the first time, ``maintenance`` once a day.
    Nothing that these or a child do ends the supervisor, but for a child that ends with NEEDS_A_PERSON before all
    were ready; if it is killed, the lifeline ends the children.
    """

    def __init__(
        self,
        children: Sequence[Child],
        report: Report,
        *,
        opened: Callable[[], None] = lambda: None,
        maintenance: Callable[[], None] = lambda: None,
        stop_seconds: float = 20.0,
    ) -> None:
        self._children = children
        self._report = report
        self._opened = opened
        self._maintenance = maintenance
        self._stop_seconds = stop_seconds

    def run(self) -> int:
        """The exit code: 0, 1 if a child had to be killed at the end, or NEEDS_A_PERSON."""
        lifeline, held_open = os.pipe()
        charges = [_Charge(child, lifeline, self._report, self._stop_seconds) for child in self._children]
        try:
            with _signals() as next_signals:
                in_vain = self._watch(charges, next_signals)
                killed = [charge.stop() for charge in reversed(charges)]
                return NEEDS_A_PERSON if in_vain else int(any(killed))
        finally:
            os.close(held_open)
            os.close(lifeline)

    def _watch(self, charges: Sequence["_Charge"], next_signals: Callable[[float], set[int]]) -> bool:
        """Until a signal says that it is over; True where it ends because a child cannot be started at all."""
        is_open = False
        maintenance_at = time.monotonic() + MAINTENANCE_SECONDS
        while True:
            pause = min(charge.look() for charge in charges)
            if not is_open and any(charge.needs_a_person for charge in charges):
                return True
            if not is_open and all(charge.is_ready for charge in charges):
                is_open = True
                _guarded(self._opened)
            if time.monotonic() >= maintenance_at:
                maintenance_at = time.monotonic() + MAINTENANCE_SECONDS
                _guarded(self._maintenance)
            received = next_signals(pause)
            if received & {signal.SIGINT, signal.SIGTERM}:
                return False
            if signal.SIGHUP in received:
                for charge in charges:
                    charge.reload()


class _Charge:
    """A child, its process, and when to look at it again."""

    def __init__(self, child: Child, lifeline: int, report: Report, stop_seconds: float) -> None:
        self.is_ready = False
        self.needs_a_person = False
        self._child = child
        self._lifeline = lifeline
        self._report = report
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._start_at = 0.0
        self._rest: int | None = None  # the process group that a dead child left behind
        self._rest_until = 0.0
        self._is_waiting = False

    def look(self) -> float:
        """See to the child; the seconds until it wants to be looked at again."""
        if self._process is not None and self._process.poll() is not None:
            self.needs_a_person = self._process.returncode == NEEDS_A_PERSON
            self._bury(f"exit code {self._process.returncode}")
        if self._process is None:
            return self._try_to_start()
        if not self.is_ready:
            self.is_ready = _guarded(self._child.ready) or False
            if not self.is_ready:
                return POLL_SECONDS
            self._say(ChildState.READY)
        return HEALTHY_SECONDS  # its death sends a signal

    def reload(self) -> None:
        """Pass SIGHUP on; before it is ready a child would die of it, and reads the new files anyway."""
        if self._process is not None and self.is_ready:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> bool:
        """SIGTERM, and if that does not help in time SIGKILL for its whole group; whether it was killed."""
        if self._rest is not None:
            _kill_group(self._rest)
        if self._process is None:
            return False
        self._process.terminate()
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            _kill_group(self._process.pid)
            self._process.wait()
            self._say(ChildState.KILLED, f"it had not stopped after {self._stop_seconds:g} s")
            return True
        self._say(ChildState.STOPPED)
        return False

    def _try_to_start(self) -> float:
        now = time.monotonic()
        if now < self._start_at:
            return self._start_at - now
        if self._rest is not None and _group_lives(self._rest):
            if now < self._rest_until:
                return POLL_SECONDS  # its requests may still end
            _kill_group(self._rest)
        self._rest = None
        try:
            ensure_port_free(self._child.host, self._child.port)
        except PortTaken as error:
            if not self._is_waiting:
                self._is_waiting = True
                self._say(ChildState.WAITING, str(error))
            return POLL_SECONDS
        self._is_waiting = False
        self._started_at = now
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a command of our own
                [*self._child.command, "--lifeline", str(self._lifeline)],
                stdin=subprocess.DEVNULL,
                env=self._child.environment,
                pass_fds=[self._lifeline],
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops them in order
            )
        except OSError as error:
            self._bury(str(error))
            return POLL_SECONDS
        self._say(ChildState.STARTED, f"process {self._process.pid}")
        return POLL_SECONDS

    def _bury(self, cause: str) -> None:
        now = time.monotonic()
        if self._process is not None:
            self._rest = self._process.pid
            self._rest_until = now + self._stop_seconds
        self._process = None
        self.is_ready = False
        if now - self._started_at >= HEALTHY_SECONDS:
            self._failures = 0
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (self._failures - 1)) if self._failures else 0.0
        if self.needs_a_person:
            pause = LONGEST_PAUSE_SECONDS
        self._failures += 1
        self._start_at = now + pause
        again = f"starts again {f'in {pause:g} s' if pause else 'now'}"
        self._say(ChildState.ENDED, f"{cause}; {'it needs a person' if self.needs_a_person else again}")

    def _say(self, state: ChildState, detail: str = "") -> None:
        _guarded(lambda: self._report(self._child.name, state, detail))


def _guarded(call: Callable[[], T]) -> T | None:
    """What the call returns; what it raises is logged, for the others stay open."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - logged, at the edge of the process
        _log.exception("the supervisor goes on without it")
        return None


def _group_lives(group: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass  # as process 1 of a container the supervisor has inherited it
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[float], set[int]]]:
    """Catch the signals of a supervisor; what it yields waits for some, at most so many seconds."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda *_: None) for number in caught}
    descriptor_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def next_signals(timeout_seconds: float) -> set[int]:
        ready, _, _ = select.select([reader], [], [], timeout_seconds)
        return set(os.read(reader, 4096)) if ready else set()  # a byte for each signal, its number

    try:
        yield next_signals
    finally:
        signal.set_wakeup_fd(descriptor_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
