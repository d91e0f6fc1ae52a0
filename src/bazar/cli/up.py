"""``bazar up``: the whole shop on one machine, watched over, and started again where a server dies.

This process lives as long as the shop and stays small: what needs libraries is done by short-lived ones.
"""

import json
import os
import subprocess
import sys
import time

import click

from bazar.chassis.listener import PortTaken, ensure_port_free
from bazar.chassis.pidfile import AlreadyRunning, pid_file
from bazar.chassis.probe import is_ready
from bazar.chassis.supervisor import Child, ChildState, Supervisor
from bazar.chassis.tls import UnusableCertificate, check_server_files
from bazar.cli.flags import given_flags, takes_settings
from bazar.cli.open_shop import process_of_open_shop, remember_settings, settings_of_open_shop
from bazar.cli.problems import settings, to_run, told_plainly, unwritable
from bazar.contracts.names import FRONTEND, OPERATOR, SERVICES
from bazar.deployment import certificate_name, port_of, reachable, tls_to
from bazar.settings import DEFAULT_PORT, LOOPBACK, Settings

#: With -P, so that no Python file of the folder at hand is taken for one of a library.
BAZAR = (sys.executable, "-P", "-m", "bazar")
#: glibc keeps the 19 MB of each password hash for the thread that made it, unless large pieces are mapped alone.
MEMORY_SETTINGS = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024)}


@click.command()
@takes_settings
def up() -> None:
    """Open the shop: certificates, databases, sample catalogue, three servers."""
    shop = settings()
    os.environ.update({**MEMORY_SETTINGS, **os.environ, **given_flags()})  # the servers inherit it
    began = time.monotonic()
    with told_plainly(AlreadyRunning, UnusableCertificate):
        _see_that_nobody_is_here(shop)
        if wrong := unwritable(shop.data_dir):
            raise click.ClickException(": ".join(wrong))
        if shop.tls_certificate and shop.tls_key:
            check_server_files(shop.tls_certificate, shop.tls_key)
        click.echo(_what_is_used(shop))
        if subprocess.run([*BAZAR, "certs", "ensure"], check=False).returncode:  # noqa: S603 - this program
            sys.exit(1)
        with pid_file(shop.run_directory, "up"):
            remember_settings(shop, os.environ)
            sys.exit(_run(shop, began))


def _see_that_nobody_is_here(shop: Settings) -> None:
    """Before anything is touched."""
    if process := process_of_open_shop(shop.run_directory):
        opened = Settings.from_environment(settings_of_open_shop(shop.run_directory))
        raise click.ClickException(
            f"Bazar is open already at {opened.public_url} (process {process}); Ctrl-C there closes it"
        )
    others = f"BAZAR_PORT={9443 if shop.port == DEFAULT_PORT else DEFAULT_PORT} say"
    for service in (FRONTEND, *SERVICES):  # first of all the port that was chosen
        host, port = _host(shop, service), port_of(shop, service)
        try:
            ensure_port_free(host, port)
        except PortTaken as taken:
            ports = f"the shop takes {shop.port} to {shop.order_port}"
            raise click.ClickException(f"{taken}; {ports}: end that program, or choose others, {others}") from taken
        except PermissionError as error:
            raise click.ClickException(f"port {port} may be used by root only; choose another, {others}") from error
        except OSError as error:
            raise click.ClickException(f"port {port} on {host} cannot be used: {error.strerror}") from error


def _what_is_used(shop: Settings) -> str:
    if not shop.data_dir.exists():
        return f"Making certificates and databases in {shop.data_dir}"
    ca = shop.certificates / "ca.pem"
    if shop.run_directory.exists() and not ca.exists():
        return f"Using the databases in {shop.data_dir}. {ca} is gone: making another CA, which no browser knows yet"
    return f"Using certificates and databases in {shop.data_dir}"


def _run(shop: Settings, began: float) -> int:
    def opened() -> None:
        # Not before: the password is shown at once, and never again.
        made = subprocess.run(  # noqa: S603 - this program
            [*BAZAR, "account", "first-admin"], stdout=subprocess.PIPE, text=True, check=False
        )
        _say_open(shop, time.monotonic() - began)
        click.echo(_how_to_sign_in(made.returncode, made.stdout))

    children = [_child(shop, service) for service in SERVICES]
    return Supervisor(children, _report, opened=opened, maintenance=_renew_certificates).run()


def _child(shop: Settings, service: str) -> Child:
    host = _host(shop, service)
    address = (reachable(host).strip("[]"), port_of(shop, service))
    log_file = shop.data_dir / "logs" / f"{service}.log"

    def ready() -> bool:
        # Its own certificate is read each time: this process outlives it.
        return is_ready(address, certificate_name(shop, service), tls_to(shop, OPERATOR, service))

    return Child(
        name=service,
        command=(*BAZAR, service, "--host", host, "--log-file", str(log_file)),
        host=host,
        port=port_of(shop, service),
        ready=ready,
        environment={name: value for name, value in os.environ.items() if name not in _databases_of_others(service)},
    )


def _databases_of_others(service: str) -> set[str]:
    """The variables that have their passwords: a server that is broken into must not know them."""
    return {f"BAZAR_{other.upper()}_DATABASE_URL" for other in SERVICES if other != service}


def _host(shop: Settings, service: str) -> str:
    """Only the front-end is opened to the world; its neighbours are on this machine."""
    return shop.bind_address if service == FRONTEND else LOOPBACK


def _renew_certificates() -> None:
    subprocess.run([*BAZAR, "certs", "ensure"], check=False)  # noqa: S603 - this program


def _report(name: str, state: ChildState, detail: str) -> None:
    said = {
        ChildState.STARTED: f"Starting the {name} server",
        ChildState.READY: f"The {name} server is ready",
        ChildState.ENDED: f"The {name} server ended ({detail})",
        ChildState.WAITING: f"The {name} server waits: {detail}",
        ChildState.STOPPED: f"The {name} server has stopped",
        ChildState.KILLED: f"The {name} server did not stop and was killed",
    }
    click.echo(said[state])


def _say_open(shop: Settings, seconds: float) -> None:
    click.echo(f"Ready in {seconds:.1f} s. Logs are in {shop.data_dir / 'logs'}")
    click.echo(f"\nBazar is open at {shop.public_url}")
    click.echo(f"CA to trust: {shop.certificates / 'ca.pem'}")


def _how_to_sign_in(exit_status: int, made: str) -> str:
    another = to_run("account create EMAIL --role admin")
    if exit_status:
        return f"No first admin could be made; make one: {another}"
    if made.strip():
        admin = json.loads(made)
        return f"Sign in as {admin['email']} with the password {admin['password']} (it is shown only now)"
    return f"Sign in as admin@localhost with the password that the first start showed. Another admin: {another}"
