"""Unit tests reach nothing outside their process."""

import socket
from typing import NoReturn

import pytest


class SocketBlocked(AssertionError):
    """A unit test connected to something."""


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever connects fails: tests that need a network stand in another folder."""

    def refuse(_socket: socket.socket, address: object) -> NoReturn:
        raise SocketBlocked(f"a unit test connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
