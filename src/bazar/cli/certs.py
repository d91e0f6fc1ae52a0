"""``bazar certs``: look at the shop's certificates, or make new ones without closing."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from bazar.chassis.certificates import MissingCertificates, describe, rotate
from bazar.chassis.clock import system_clock
from bazar.chassis.pidfile import live_processes
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, to_run, told_plainly
from bazar.contracts.names import SERVICES
from bazar.deployment import RestoreUnfinished, leaf_specs, prepare_folders
from bazar.settings import Settings


@click.group()
def certs() -> None:
    """The shop's certificates."""


@certs.command()
@takes_settings
def show() -> None:
    """Each certificate: names, end, fingerprint."""
    shop = settings()
    with _told(shop):
        found = describe(shop.certificates, system_clock)
    if not found:
        raise click.ClickException(f"there are no certificates in {shop.certificates} yet; {to_run('up')} makes them")
    for certificate in found:
        click.echo(f"{certificate.file}: {certificate.subject}")
        click.echo(f"  names  {', '.join(certificate.names) or 'none'}")
        click.echo(f"  ends   {certificate.not_after:%Y-%m-%d %H:%M} UTC, in {certificate.days_left} days")
        click.echo(f"  sha256 {certificate.fingerprint}")


@certs.command(name="rotate")
@takes_settings
def rotate_command() -> None:
    """New certificates and token keys under the same CA; running servers take them up without closing."""
    shop = settings()
    with _told(shop):
        made = rotate(shop.certificates, leaf_specs(shop), system_clock)
    click.echo(f"Made {', '.join(made)}")
    for service in _reload(shop):
        click.echo(f"The {service} server takes them up")


@certs.command(hidden=True)
@takes_settings
def ensure() -> None:
    """Make what is missing or ends within 30 days, for bazar up; running servers take it up."""
    shop = settings()
    with _told(shop):
        made = prepare_folders(shop)
    if made:
        _reload(shop)


@contextmanager
def _told(shop: Settings) -> Iterator[None]:
    with told_plainly(MissingCertificates, RestoreUnfinished):
        try:
            yield
        except ValueError as error:
            raise click.ClickException(f"a file in {shop.certificates} is no certificate or key: {error}") from error


def _reload(shop: Settings) -> list[str]:
    running = {name: pid for name, pid in live_processes(shop.run_directory).items() if name in SERVICES}
    for process_id in running.values():
        with suppress(ProcessLookupError):  # it has just ended; the one that follows reads the new files
            os.kill(process_id, signal.SIGHUP)
    return sorted(running)
