"""A unit test that reaches outside is noticed."""

import socket

import pytest


def test_a_connection_fails_though_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as caller:
        for connect in (caller.connect, caller.connect_ex):
            with pytest.raises(AssertionError, match="a unit test connects"):
                connect(listener.getsockname())
