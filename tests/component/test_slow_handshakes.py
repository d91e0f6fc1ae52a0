"""Calls to a neighbour that accepts connections before it can shake hands, as while it takes up new certificates."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.tls import client_context
from bazar.contracts import calls
from bazar.contracts.books import Empty, Subjects
from bazar.contracts.names import CATALOG, FRONTEND

#: As long as a new worker may take to be built on busy cores.
BUILDING_SECONDS = 2.5
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"subjects":[]}'


class SlowNeighbour:
    """Accepts at once, shakes hands after ``building_seconds``, then answers the first call."""

    def __init__(self, certificates: Path, building_seconds: float) -> None:
        files = service_files(certificates, CATALOG)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(files.certificate, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._building_seconds = building_seconds
        self._is_built = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        with suppress(OSError), self._listener.accept()[0] as connection:
            self._is_built.wait(self._building_seconds)
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)
                secured.sendall(ANSWER)

    def close(self) -> None:
        self._is_built.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # ends an accept() to which nobody came
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    ensure_certificates(folder, (LeafSpec(CATALOG), LeafSpec(FRONTEND)), system_clock)
    return folder


@pytest.fixture
def client(certificates: Path, request: pytest.FixtureRequest) -> Iterator[ServiceClient]:
    files = service_files(certificates, FRONTEND)
    with (
        closing(SlowNeighbour(certificates, request.param)) as neighbour,
        closing(
            ServiceClient(
                CATALOG,
                neighbour.url,
                client_context(files.ca, files.certificate, files.key),
                lambda audience: audience,
            )
        ) as client,
    ):
        yield client


@pytest.mark.parametrize("client", [BUILDING_SECONDS], indirect=True)
def test_a_handshake_may_take_as_long_as_the_caller_waits(client: ServiceClient) -> None:
    assert client.call(calls.SUBJECTS, Empty(), Deadline.after(60)).answer == Subjects(subjects=())


@pytest.mark.parametrize("client", [60.0], indirect=True)
def test_a_neighbour_that_never_shakes_hands_is_away_once_the_time_has_run_out(client: ServiceClient) -> None:
    deadline = Deadline.after(0.3)
    with pytest.raises(NeighbourUnavailable):
        client.call(calls.SUBJECTS, Empty(), deadline)
    assert deadline.passed
