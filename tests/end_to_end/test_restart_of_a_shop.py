"""A shop that is closed, killed or started beside another: what it keeps, what it leaves, what it says."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bazar.chassis.supervisor import NEEDS_A_PERSON
from command import run
from processes import is_gone, wait_until
from shop import Shop
from shop import _free_ports as free_ports

WAIT_SECONDS = 30

OpenShop = Callable[..., Shop]


def test_a_second_start_keeps_everything_and_both_end_cleanly(open_shop: OpenShop) -> None:
    first = open_shop()
    assert first.admin is not None
    assert first.admin[1] in first.output()
    item = first.add_book(stock=3, title="Kept")
    token = first.customer("kept@example.org")
    client = first.client(token)
    order = client.call("POST", f"/purchase/{item}", key="before").json
    client.close()
    ca = first.ca.read_bytes()
    processes = first.processes()
    assert len(processes) == 1 + 2 * 3  # itself, and a master and a worker of each server
    os.killpg(first.process.pid, signal.SIGINT)  # Ctrl-C
    assert first.process.wait(WAIT_SECONDS) == 0
    assert [process for process in processes if not is_gone(process)] == []
    said = first.output()
    stopped = [said.index(f"The {name} server has stopped") for name in ("frontend", "order", "catalog")]
    assert stopped == sorted(stopped)
    assert "Traceback" not in said

    second = open_shop()
    assert second.admin is None
    assert first.admin[1] not in second.output()
    assert "Sign in as admin@localhost with the password that the first start showed." in second.output()
    assert second.ca.read_bytes() == ca
    client = second.client(token)  # signed in as before
    assert client.call("POST", f"/purchase/{item}", key="before").json == order
    assert client.call("GET", f"/info/{item}").json["quantity"] == 2
    assert client.call("GET", "/info/1").json["title"] == "How to get a good grade in DOS in 40 minutes a day"
    assert client.call("POST", f"/purchase/{item}", key="after").status == 201
    client.close()
    processes = second.processes()
    second.process.terminate()
    assert second.process.wait(WAIT_SECONDS) == 0
    assert [process for process in processes if not is_gone(process)] == []


def test_a_shop_that_is_killed_leaves_no_process_behind_and_opens_again(open_shop: OpenShop) -> None:
    killed = open_shop()
    processes = killed.processes()
    assert len(processes) == 1 + 2 * 3
    killed.process.kill()
    killed.process.wait(WAIT_SECONDS)
    wait_until(lambda: all(is_gone(process) for process in processes))
    again = open_shop()
    client = again.client(again.customer("again@example.org"))
    assert client.call("POST", "/purchase/2", key="again").status == 201
    client.close()


@pytest.mark.parametrize("number", range(3))
def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "var"
    first = free_ports()
    with socket.create_server(("127.0.0.1", first + number)):
        found = run("up", BAZAR_DATA_DIR=str(folder), BAZAR_PORT=str(first))
    assert found.returncode == 1
    assert found.stderr == (
        f"Error: port {first + number} on 127.0.0.1 is taken by another program; "
        f"the shop takes {first} to {first + 2}: end that program, or choose others, BAZAR_PORT=8443 say\n"
    )
    assert found.stdout == ""
    assert not folder.exists()


def test_a_port_that_is_taken_on_the_other_localhost_is_said(tmp_path: Path) -> None:
    first = free_ports()
    with socket.create_server(("::1", first), family=socket.AF_INET6):
        found = run("up", BAZAR_DATA_DIR=str(tmp_path / "var"), BAZAR_PORT=str(first))
    assert found.returncode == 1
    assert f"port {first} on ::1 is taken by another program" in found.stderr


def test_an_address_that_this_machine_has_not_is_said_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    found = run("up", BAZAR_DATA_DIR=str(folder), BAZAR_BIND_ADDRESS="192.0.2.1")
    assert found.returncode == 1
    assert found.stderr == "Error: port 8443 on 192.0.2.1 cannot be used: Cannot assign requested address\n"
    assert not folder.exists()


def test_a_database_that_is_gone_keeps_the_shop_closed(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "order.database").touch()
    found = run("up", BAZAR_DATA_DIR=str(folder), BAZAR_PORT=str(free_ports()), BAZAR_SAMPLE="0")
    assert found.returncode == NEEDS_A_PERSON
    assert found.stderr.startswith(
        f"the order server cannot open its database: sqlite:///{folder}/order.sqlite3 is gone or empty: "
        f"restore it; to begin anew without what it held, remove {folder}/run/order.database\n"
    )
    assert "Traceback" not in found.stderr
    assert "Bazar is open" not in found.stdout


def test_a_ca_that_was_removed_is_told_to_be_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "order.database").touch()  # so that it does not open
    found = run("up", BAZAR_DATA_DIR=str(folder), BAZAR_PORT=str(free_ports()))
    assert found.stdout.startswith(
        f"Using the databases in {folder}. {folder}/certs/ca.pem is gone: "
        "making another CA, which no browser knows yet\n"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere, and take any port")
def test_a_folder_or_a_port_that_is_not_ours_is_said_with_a_way_out(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    found = run("up", BAZAR_DATA_DIR=str(closed), BAZAR_PORT=str(free_ports()))
    assert found.stderr == (
        f"Error: {closed} cannot be written: give it to the user who runs Bazar: chown -R USER {closed}\n"
    )
    found = run("up", BAZAR_DATA_DIR=str(closed / "var"), BAZAR_PORT=str(free_ports()))
    assert found.stderr.startswith(f"Error: {closed}/var cannot be made: {closed} cannot be written: choose another")
    found = run("up", BAZAR_DATA_DIR=str(tmp_path / "var"), BAZAR_PORT="443")
    assert found.stderr == "Error: port 443 may be used by root only; choose another, BAZAR_PORT=8443 say\n"
