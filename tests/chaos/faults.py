"""What is done to the processes of a shop while it sells."""

import os
import signal
import time
from contextlib import suppress

from chaos.crowd import Crowd
from chaos.ordeal import Inflict, Missed, Ordeal
from chaos.points import CATALOG, FRONTEND, ORDER, POINTS, Point, Prelude

#: Requests live 5 s, statements on PostgreSQL too.
STOP_SECONDS = 7.5
#: Beyond what PostgreSQL lets a transaction stand still.
LONG_STOP_SECONDS = 12.0
#: Until the step is passed: the longest wait is that for a sweep which gives something up.
PATIENCE_SECONDS = 40.0
ANSWERS_BEFORE = 15
ANSWERS_AFTER = 60
AFTERMATH_SECONDS = 4.0
POLL_SECONDS = 0.01
MOST_PRELUDES = 8
SERVICES = (FRONTEND, ORDER, CATALOG)
#: Whoever dies here leaves holds behind that nobody decides.
HELD = next(point for point in POINTS if point.name == "order: held, before BEGIN of the decision")


def kill_at(point: Point, victim: str = "worker") -> Inflict:
    """kill -9 at the step; then the customers go on for a while."""

    def inflict(ordeal: Ordeal, crowd: Crowd) -> float:
        crowd.wait_for_answers(ANSWERS_BEFORE, PATIENCE_SECONDS)
        if point.prelude is Prelude.ORPHANS:
            return _among_orphans(ordeal, crowd, point)
        after = 1
        if point.prelude in (Prelude.KILLED, Prelude.COMPARING):
            ordeal.kill_server(point.service)
            if point.prelude is Prelude.COMPARING:
                ordeal.ledgers.forget_comparison()
        else:
            after = ordeal.rng.randint(1, 3)
        struck_at = _strike(ordeal, point, victim=victim, after=after)
        crowd.wait_for_answers(ANSWERS_AFTER, AFTERMATH_SECONDS)
        return struck_at

    return inflict


def stop_at(point: Point, seconds: float = STOP_SECONDS, victim: str = "worker") -> Inflict:
    """SIGSTOP at the step, SIGCONT when nobody waits for the process any more."""

    def inflict(ordeal: Ordeal, crowd: Crowd) -> float:
        crowd.wait_for_answers(ANSWERS_BEFORE, PATIENCE_SECONDS)
        master, worker = ordeal.pids(point.service)
        _strike(ordeal, point, victim=victim, sent=signal.SIGSTOP)
        # Bounded, or the history of those who are refused at once would be endless.
        time.sleep(seconds)
        os.kill(worker if victim == "worker" else master, signal.SIGCONT)
        continued_at = time.monotonic()
        crowd.wait_for_answers(ANSWERS_AFTER, AFTERMATH_SECONDS)
        return continued_at

    return inflict


def kill_up_at(point: Point) -> Inflict:
    """kill -9 of ``bazar up`` when a server passes the step, and a new start: its servers end by themselves."""

    def inflict(ordeal: Ordeal, crowd: Crowd) -> float:
        crowd.wait_for_answers(ANSWERS_BEFORE, PATIENCE_SECONDS)
        struck_at = _strike(ordeal, point, victim=str(ordeal.shop.process.pid))
        ordeal.shop.open_again()
        crowd.wait_for_answers(ANSWERS_AFTER, AFTERMATH_SECONDS)
        return struck_at

    return inflict


def stop_up(seconds: float = STOP_SECONDS) -> Inflict:
    """SIGSTOP of ``bazar up``, during which a server dies that it cannot start again before SIGCONT."""

    def inflict(ordeal: Ordeal, crowd: Crowd) -> float:
        crowd.wait_for_answers(ANSWERS_BEFORE, PATIENCE_SECONDS)
        os.kill(ordeal.shop.process.pid, signal.SIGSTOP)
        ordeal.kill_server(ordeal.rng.choice(SERVICES))
        time.sleep(seconds)
        os.kill(ordeal.shop.process.pid, signal.SIGCONT)
        ordeal.faults["SIGSTOP up"] += 1
        return time.monotonic()

    return inflict


def at_random(ordeal: Ordeal, crowd: Crowd) -> float:
    """Two to four faults of all kinds, at steps and at any moment, also in the recovery from the one before."""
    armed: list[Point] = []
    last_at = time.monotonic()
    has_stopped = False
    for _ in range(ordeal.rng.randint(2, 4)):
        crowd.wait_for_answers(ordeal.rng.randint(5, 60), AFTERMATH_SECONDS)
        kind = ordeal.rng.random()
        service = ordeal.rng.choice(SERVICES)
        if kind < 0.45:
            point = ordeal.rng.choice([point for point in POINTS if point.prelude is not Prelude.START])
            if point not in armed:
                ordeal.fire.arm(
                    point, after=ordeal.rng.randint(1, 8), victim=ordeal.rng.choice(("worker", "worker", "master"))
                )
                armed.append(point)
        elif kind < 0.80:
            _signal(ordeal, service, signal.SIGKILL)
        elif kind < 0.87:
            ordeal.kill_server(service)
            ordeal.kill_server(ordeal.rng.choice(SERVICES))
        elif kind < 0.89:
            ordeal.shop.process.kill()
            ordeal.faults["kill -9 up"] += 1
            ordeal.shop.open_again()
        else:
            # One long stop is enough for a schedule; others are as short as a pause of the machine.
            seconds = ordeal.rng.uniform(0.1, 1.5) if has_stopped or kind < 0.97 else STOP_SECONDS
            has_stopped = has_stopped or seconds == STOP_SECONDS
            stopped = _signal(ordeal, service, signal.SIGSTOP)
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                os.kill(stopped, signal.SIGCONT)
        last_at = time.monotonic()
    crowd.wait_for_answers(ANSWERS_AFTER, AFTERMATH_SECONDS)
    for point in armed:
        if not ordeal.fire.disarm(point):
            ordeal.faults[f"kill -9 at a step of {point.service}"] += 1
            last_at = max(last_at, ordeal.fire.struck_at(point))
    return last_at


def _signal(ordeal: Ordeal, service: str, sent: signal.Signals) -> int:
    """To master or worker; the process id."""
    victim = ordeal.rng.randrange(2)
    process_id = ordeal.pids(service)[victim]
    with suppress(ProcessLookupError):
        os.kill(process_id, sent)
    ordeal.faults[f"{sent.name} {service} {('master', 'worker')[victim]}"] += 1
    return process_id


def _strike(
    ordeal: Ordeal, point: Point, *, victim: str = "worker", sent: signal.Signals = signal.SIGKILL, after: int = 1
) -> float:
    ordeal.fire.arm(point, after=after, victim=victim, sent=sent)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ordeal.fire.has_struck(point):
        if time.monotonic() > deadline and ordeal.fire.disarm(point):
            raise Missed(f"{point.name} was not passed")
        time.sleep(POLL_SECONDS)
    ordeal.faults[f"{sent.name} {victim} at {point.name}"] += 1
    return time.monotonic()


def _among_orphans(ordeal: Ordeal, crowd: Crowd, point: Point) -> float:
    """Customers leave, the order server dies with their copies on hold; then the sweep dies while it gives them up."""
    crowd.leaving = 1.0
    for _ in range(MOST_PRELUDES):
        _strike(ordeal, HELD)
        ordeal.kill_server(FRONTEND)  # which would ask again by itself as soon as the order server is back
        if ordeal.ledgers.orphans():  # else it was the answer to purchases that were refused
            # Nobody else is to come, and nobody asks again.
            crowd.stopping.set()
            return _strike(ordeal, point)
    raise Missed(f"{point.name}: no purchase was left behind")
