"""One server over TLS: Granian's master and its worker. It drains when told and never outlives its parent."""

import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]  # made in Rust
from granian.server.common import AbstractServer
from granian.server.mp import MPServer

from bazar.chassis.cores import Core, OnOneCore
from bazar.chassis.listener import ensure_port_free, open_listener
from bazar.chassis.pidfile import pid_file
from bazar.chassis.supervisor import NEEDS_A_PERSON
from bazar.chassis.tls import UnusableCertificate, check_server_files

#: Granian's own lines go where all others go, from warnings up; without this it writes to standard output.
_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
#: Descriptors for what is no client's connection: databases, the search index, neighbours.
_OWN_DESCRIPTORS = 512
#: Whoever sends a head and never ends it takes no more memory than this.
_LARGEST_HEAD_BYTES = 64 * 1024
#: Granian's largest. A thread that ends takes its database connections with it.
_THREAD_IDLE_SECONDS = 600

#: A page is made of thousands of objects that end with it; Python would look for cycles among them after every 700.
_MADE_BEFORE_COLLECTING = 20_000
#: What a service may take to stop once its requests are answered.
_STOP_SECONDS = 5
_END_SIGNALS = {signal.SIGTERM, signal.SIGINT}

_Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunningService:
    """What the worker serves, and how to end it once the last request is answered."""

    app: WSGIApplication
    stop: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """Where and how one service is served. ``client_ca``: every client must have a certificate of that CA.

    ``connections`` is what one worker accepts, idle ones that are kept included; others wait in the
    ``backlog``. A connection ends when its next request is not whole within ``idle_seconds``. Requests get
    ``drain_seconds`` to end. ``lifeline`` is the read end of a pipe: the server ends when the other closes.
    ``core``: where the worker's Python stays, see ``Core``; None where the system decides.
    """

    service: str
    host: str
    port: int
    run_directory: Path
    certificate: Path
    key: Path
    client_ca: Path | None = None
    workers: int = 1
    blocking_threads: int = 4
    connections: int = 4096
    backlog: int = 1024
    idle_seconds: int = 30
    drain_seconds: int = 10
    lifeline: int | None = None
    core: int | None = None


def serve(spec: ServerSpec, build: Callable[[], RunningService]) -> None:
    """Serve until SIGTERM, SIGINT or the end of the lifeline; SIGHUP loads new certificates.

    ``build`` runs in the worker; outside Linux it must be picklable. Raises PortTaken, AlreadyRunning and
    UnusableCertificate before anything is started, and SystemExit when a worker died: NEEDS_A_PERSON if that is what
    the worker ended with, else 1.
    """
    # Granian starts workers by multiprocessing's start method. A fork shares the master's memory and is up at
    # once. It is safe here: the master opens nothing and runs no thread but Granian's, which sit in waitpid.
    # Elsewhere (macOS) system libraries do not survive it.
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn", force=True)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until Granian takes it; what comes before finds new files read
    check_server_files(spec.certificate, spec.key)
    ensure_port_free(spec.host, spec.port)
    with (
        pid_file(spec.run_directory, spec.service),
        open_listener(spec.host, spec.port, spec.backlog) as listener,
    ):
        _allow_descriptors(spec.connections + _OWN_DESCRIPTORS)
        master = _Master(spec, listener)
        try:
            # Not MPServer's own serve(): all it adds is a warning of many threads. Ours wait for neighbours.
            AbstractServer.serve(master, target_loader=partial(_start, build, spec), wrap_loader=False)
        except SystemExit:
            if not master.interrupt_signal:  # else the workers got the same Ctrl-C and were done first
                raise


class _Master(MPServer):
    """Granian's master on a listener of our own, safe against signals and the death of its parent."""

    def __init__(self, spec: ServerSpec, listener: socket.socket) -> None:
        super().__init__(
            target=spec.service,
            address=spec.host,
            port=spec.port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            websockets=False,
            workers=spec.workers,
            blocking_threads=spec.blocking_threads,
            blocking_threads_idle_timeout=_THREAD_IDLE_SECONDS,
            backlog=spec.backlog,
            backpressure=spec.connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=spec.idle_seconds * 1000, max_buffer_size=_LARGEST_HEAD_BYTES
            ),
            log_level=LogLevels.error,
            log_dictconfig=_LOGGING,
            ssl_cert=spec.certificate,
            ssl_key=spec.key,
            ssl_protocol_min=SSLProtocols.tls13,
            ssl_ca=spec.client_ca,
            ssl_client_verify=spec.client_ca is not None,
            # Both accept from one listener: the new worker need not be ready before the old one stops.
            respawn_interval=0.5,
            workers_kill_timeout=spec.drain_seconds + _STOP_SECONDS,
        )
        self._process_id = os.getpid()
        self._spec = spec
        self._listener = listener
        self.main_loop_interrupt = _Wakeup(spec.lifeline, self.signal_handler_interrupt)  # type: ignore[assignment]  # see there

    def _init_shared_socket(self) -> None:
        # On Linux Granian gives each worker a listener with SO_REUSEPORT: a leftover server would silently
        # share the port, and a worker that is replaced resets the connections that wait on its own. Elsewhere
        # it shares one, as here.
        self._ssp = None
        self._shd = SocketHolder(self._listener.fileno(), False, self.backlog)  # type: ignore[call-arg, assignment]  # Rust
        self._sso = self._listener

    def shutdown(self, exit_code: int = 0) -> None:
        # Read before Granian forgets its workers. Whoever starts servers again learns from it that it is in vain.
        if any(worker.inner.exitcode == NEEDS_A_PERSON for worker in self.wrks):
            exit_code = NEEDS_A_PERSON
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # Granian has no types there

    def signal_handler_interrupt(self, *_: object) -> None:
        if os.getpid() != self._process_id:
            sys.exit(0)  # a worker that was forked just now has inherited this handler
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # Granian has no types there

    def signal_handler_reload(self, *_: object) -> None:
        if os.getpid() != self._process_id:
            return  # SIGHUP is the master's business
        try:
            check_server_files(self._spec.certificate, self._spec.key)
        except UnusableCertificate:
            _log.exception("%s keeps the certificate it has", self._spec.service)
        else:
            super().signal_handler_reload()  # type: ignore[no-untyped-call]  # nor there


class _Wakeup:
    """Wakes the master's main loop; stands in for the ``threading.Event`` that Granian has there.

    ``Event.set()`` called by a signal handler deadlocks when the signal interrupts ``set()`` or ``wait()``; a
    pipe does not. And it can be awaited together with the lifeline, which needs no thread then: a fork copies
    only the thread that forks, with whatever locks the others hold.
    """

    def __init__(self, lifeline: int | None, on_lifeline_end: Callable[[], None]) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._lifeline = lifeline
        self._on_lifeline_end = on_lifeline_end

    def set(self) -> None:
        with suppress(BlockingIOError):  # full: it will wake up anyway
            os.write(self._writer, b"\0")

    def clear(self) -> None:
        """Nothing: ``wait`` takes what it has seen, so what comes after it is never lost."""

    def wait(self) -> None:
        ready = wait([self._reader] if self._lifeline is None else [self._reader, self._lifeline])
        if self._reader in ready:
            os.read(self._reader, 4096)
        else:
            self._on_lifeline_end()


def _start(build: Callable[[], RunningService], spec: ServerSpec) -> WSGIApplication:
    """In the worker: build what it serves, and see that it ends in order."""
    # Granian's handler deadlocks when a second signal interrupts it (Ctrl-C reaches the worker both from the
    # terminal and through the master). So no thread takes signals but one, which passes on the first.
    signal.pthread_sigmask(signal.SIG_BLOCK, _END_SIGNALS)
    stop: list[Finalize] = []
    for watch in (
        partial(_end_when_told, stop, signal.getsignal(signal.SIGTERM), spec.drain_seconds),
        partial(_end_with_parent, spec.drain_seconds),
    ):
        threading.Thread(target=watch, daemon=True).start()
    core = None if spec.core is None else Core(spec.core)
    with nullcontext() if core is None else core.for_new_threads():
        running = build()
    # What is there now stays as long as the process: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_BEFORE_COLLECTING)
    # A worker leaves by os._exit(), which skips atexit; multiprocessing's finalizers run, after the drain.
    stop.append(Finalize(None, running.stop, exitpriority=1))
    return running.app if core is None else OnOneCore(running.app, core)


def _end_when_told(stop: Sequence[Finalize], inherited: _Handler, drain_seconds: int) -> None:
    signal.sigwait(_END_SIGNALS)
    if not stop:
        os._exit(0)  # still being built: no request to finish
    while (handler := signal.getsignal(signal.SIGTERM)) is inherited or not callable(handler):
        time.sleep(0.01)  # Granian sets its own right after the build
    handler(signal.SIGTERM, None)
    time.sleep(drain_seconds)
    if stop[0].still_active():  # a client that sends half a request keeps Granian waiting, but not the service
        stop[0]()
        os._exit(1)


def _end_with_parent(drain_seconds: int) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(drain_seconds + _STOP_SECONDS)
        os._exit(1)


def _allow_descriptors(wanted: int) -> None:
    """Connections are descriptors, and 1024 is the usual soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
