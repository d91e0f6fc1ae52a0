"""The smallest server and the smallest shop of two, started by the tests as programs of their own.

``tiny_server.py serve SERVICE PORT FOLDER [--lifeline N]``, ``tiny_server.py supervise FOLDER NAME:PORT ...``
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from bazar.chassis.certificates import service_files
from bazar.chassis.server import RunningService, ServerSpec, serve
from bazar.chassis.supervisor import NEEDS_A_PERSON, Child, ChildState, Supervisor
from bazar.chassis.tls import client_context

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def build(folder: Path, service: str) -> RunningService:
    """``/`` answers the worker's process id, ``/slow`` when the file ``go`` exists; ``/cores`` how many it may use."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            (folder / "slow-began").touch()
            wait_for(folder / "go")
        answer = len(os.sched_getaffinity(0)) if environ["PATH_INFO"] == "/cores" else os.getpid()
        body = str(answer).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    (folder / f"{service}-building").write_text(str(os.getpid()))
    if (folder / "needs-a-person").exists():
        sys.exit(NEEDS_A_PERSON)
    if (folder / "build-slowly").exists():
        wait_for(folder / "go")
    return RunningService(app=app, stop=(folder / f"{service}-stopped").touch)


def run_server(service: str, port: int, folder: Path, lifeline: int | None) -> None:
    files = service_files(folder / "certs", service)
    spec = ServerSpec(
        service=service,
        host="127.0.0.1",
        port=port,
        run_directory=folder / "run",
        certificate=files.certificate,
        key=files.key,
        client_ca=files.ca,
        drain_seconds=5,
        lifeline=lifeline,
        core=0,
    )
    serve(spec, partial(build, folder, service))


def probe(folder: Path, service: str, port: int) -> Callable[[], bool]:
    files = service_files(folder / "certs", service)
    context = client_context(files.ca, files.certificate, files.key)

    def ready() -> bool:
        with urllib3.HTTPSConnectionPool(
            "127.0.0.1", port, ssl_context=context, server_hostname=service, timeout=1, retries=False
        ) as pool:
            try:
                return pool.request("GET", "/").status == 200
            except urllib3.exceptions.HTTPError:
                return False

    return ready


def run_supervisor(folder: Path, services: list[str], stop_seconds: float) -> int:
    def report(name: str, state: ChildState, detail: str) -> None:
        print(name, state.value, detail, flush=True)

    def child(service: str, port: int) -> Child:
        if service == "broken":
            return Child(service, (sys.executable, "-c", "raise SystemExit(3)"), "127.0.0.1", port, lambda: False)
        command = (sys.executable, __file__, "serve", service, str(port), str(folder))
        return Child(service, command, "127.0.0.1", port, probe(folder, service, port))

    def opened() -> None:
        print("open", flush=True)
        raise RuntimeError("of no consequence")

    pairs = [service.split(":") for service in services]
    children = [child(name, int(port)) for name, port in pairs]
    return Supervisor(children, report, opened=opened, stop_seconds=stop_seconds).run()


def main() -> int:
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(dest="mode")
    one = modes.add_parser("serve")
    one.add_argument("service")
    one.add_argument("port", type=int)
    one.add_argument("folder", type=Path)
    one.add_argument("--lifeline", type=int)
    many = modes.add_parser("supervise")
    many.add_argument("folder", type=Path)
    many.add_argument("services", nargs="+")
    many.add_argument("--stop-seconds", type=float, default=15)
    arguments = parser.parse_args()
    if arguments.mode == "supervise":
        return run_supervisor(arguments.folder, arguments.services, arguments.stop_seconds)
    run_server(arguments.service, arguments.port, arguments.folder, arguments.lifeline)
    return 0


if __name__ == "__main__":
    sys.exit(main())
