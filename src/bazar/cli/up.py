"""``bazar up``: the whole shop on one machine, watched over and started again where a server dies."""

import json
import subprocess
import sys
import time
from pathlib import Path

import click

from bazar.chassis.certificates import MissingCertificates, service_files
from bazar.chassis.client import NeighbourUnavailable
from bazar.chassis.clock import Deadline
from bazar.chassis.listener import PortTaken, ensure_port_free
from bazar.chassis.pidfile import AlreadyRunning, pid_file
from bazar.chassis.supervisor import Child, ChildState, Supervisor
from bazar.cli.certs import renew_certificates
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.calls import OPERATOR, SERVICES
from bazar.settings import Settings
from bazar.shop import neighbour, port_of, prepare_folders

BAZAR = (sys.executable, "-m", "bazar")
PROBE_SECONDS = 1.0
READY = 200


@click.command()
def up() -> None:
    """Open the shop: certificates, databases, sample catalogue, three servers."""
    shop = settings()
    began = time.monotonic()
    with told_plainly(PortTaken, AlreadyRunning, MissingCertificates, PermissionError):
        for service in SERVICES:
            ensure_port_free(shop.bind_address, port_of(shop, service))
        is_new = not shop.data_dir.exists()
        click.echo(f"{'Making' if is_new else 'Using'} certificates and databases in {shop.data_dir}")
        prepare_folders(shop)
        with pid_file(shop.run_directory, "up"):
            sys.exit(_run(shop, began))


def _run(shop: Settings, began: float) -> int:
    first_admin = subprocess.Popen(  # noqa: S603 - this program
        [*BAZAR, "account", "first-admin"], stdout=subprocess.PIPE, text=True
    )

    def opened() -> None:
        made, _ = first_admin.communicate()
        _say_open(shop, json.loads(made) if made.strip() else None, time.monotonic() - began)

    children = [_child(shop, service) for service in SERVICES]
    return Supervisor(children, _report, opened=opened, maintenance=lambda: renew_certificates(shop)).run()


def _child(shop: Settings, service: str) -> Child:
    client = neighbour(shop, OPERATOR, service)

    def ready() -> bool:
        try:
            return client.get_raw("/readyz", Deadline.after(PROBE_SECONDS))[0] == READY
        except NeighbourUnavailable:
            return False

    log_file = _log_file(shop, service)
    return Child(
        service,
        (*BAZAR, service, "--log-file", str(log_file)),
        shop.bind_address,
        port_of(shop, service),
        ready,
    )


def _log_file(shop: Settings, service: str) -> Path:
    return shop.data_dir / "logs" / f"{service}.log"


def _report(name: str, state: ChildState, detail: str) -> None:
    said = {
        ChildState.STARTED: f"Starting the {name} server",
        ChildState.READY: f"The {name} server is ready",
        ChildState.ENDED: f"The {name} server ended ({detail}); it is started again",
        ChildState.WAITING: f"The {name} server waits: {detail}",
        ChildState.STOPPED: f"The {name} server has stopped",
        ChildState.KILLED: f"The {name} server did not stop and was killed",
    }
    click.echo(said[state])


def _say_open(shop: Settings, admin: dict[str, str] | None, seconds: float) -> None:
    ca = service_files(shop.certificates, OPERATOR).ca
    click.echo(f"Ready in {seconds:.1f} s. Logs are in {shop.data_dir / 'logs'}")
    click.echo(f"\nBazar is open at {shop.public_url}")
    click.echo(f"CA to trust: {ca}")
    if admin:
        click.echo(f"Sign in as {admin['email']} with the password {admin['password']} (it is shown only now)")
    else:
        click.echo(
            "Sign in as admin@localhost with the password that the first start showed; "
            "another admin: bazar account create EMAIL --role admin --password-stdin"
        )
