"""Exchanges with a neighbour over kept connections: what is answered, and what comes of a neighbour that does not."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.connections import Connections, NoAnswer, NotConnected, Response
from bazar.chassis.tls import client_context
from bazar.contracts.names import CATALOG, FRONTEND
from processes import free_port, wait_until
from together import together

OK = b"HTTP/1.1 200 OK\r\nBazar-Position: a-1\r\nContent-Length: 2\r\n\r\nhi"
SECONDS = 60.0


class Neighbour:
    """A TLS server that gives each request the next of ``answers``; None closes the connection instead."""

    def __init__(self, certificates: Path) -> None:
        files = service_files(certificates, CATALOG)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(files.certificate, files.key)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.load_verify_locations(files.ca)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        self.answers: Callable[[], bytes | None] = lambda: OK
        self.requests: list[bytes] = []
        self.connections = self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def hang_up(self) -> None:
        """Close all that is open, as a server does with connections on which nothing comes."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain = self._listener.accept()[0]
                self._open.append(plain)
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), plain, self._tls.wrap_socket(plain, server_side=True) as secured:
            self._open.append(secured)
            self.connections += 1
            while request := secured.recv(65536):
                self.requests.append(request)
                answer = self.answers()
                if answer is None:
                    break
                secured.sendall(answer)
        self.ended += 1


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    ensure_certificates(folder, (LeafSpec(CATALOG), LeafSpec(FRONTEND)), system_clock)
    return folder


@pytest.fixture
def neighbour(certificates: Path) -> Iterator[Neighbour]:
    with closing(Neighbour(certificates)) as neighbour:
        yield neighbour


def to(port: int, certificates: Path, name: str = CATALOG, most_kept: int = 2) -> Connections:
    files = service_files(certificates, FRONTEND)
    return Connections("127.0.0.1", port, client_context(files.ca, files.certificate, files.key), name, most_kept)


@pytest.fixture
def connections(neighbour: Neighbour, certificates: Path) -> Iterator[Connections]:
    with closing(to(neighbour.port, certificates)) as connections:
        yield connections


def get(connections: Connections, seconds: float = SECONDS) -> Response:
    return connections.ask("GET", "/books/1", {"Request-Id": "abc"}, None, Deadline.after(seconds))


def test_the_request_is_sent_as_it_is_asked_and_the_answer_read(neighbour: Neighbour, connections: Connections) -> None:
    assert get(connections) == Response(200, {"bazar-position": "a-1", "content-length": "2"}, b"hi")
    connections.ask("POST", "/books", {"Content-Type": "application/json"}, b"{}", Deadline.after(SECONDS))
    host = f"Host: 127.0.0.1:{neighbour.port}".encode()
    assert neighbour.requests == [
        b"GET /books/1 HTTP/1.1\r\n" + host + b"\r\nRequest-Id: abc\r\n\r\n",
        b"POST /books HTTP/1.1\r\n" + host + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ]


def test_a_connection_is_kept_for_the_next_request(neighbour: Neighbour, connections: Connections) -> None:
    for _ in range(5):
        get(connections)
    assert neighbour.connections == 1


def test_no_more_connections_are_kept_than_were_asked_for(neighbour: Neighbour, connections: Connections) -> None:
    all_asked = threading.Barrier(5)

    def wait_for_the_others() -> bytes:
        all_asked.wait(SECONDS)
        return OK

    neighbour.answers = wait_for_the_others
    together(*[lambda: get(connections)] * 5)
    assert neighbour.connections == 5
    wait_until(lambda: neighbour.ended == 3)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
def test_a_neighbour_that_wants_to_close_is_asked_over_a_new_connection(
    neighbour: Neighbour, connections: Connections, answer: bytes
) -> None:
    neighbour.answers = lambda: answer
    assert (get(connections).body, get(connections).body) == (b"hi", b"hi")
    assert neighbour.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_not_used(neighbour: Neighbour, connections: Connections) -> None:
    """So that calls that may be made only once do not fail for it."""
    get(connections)
    neighbour.hang_up()
    wait_until(lambda: neighbour.ended == 1)
    assert get(connections).body == b"hi"
    assert neighbour.connections == 2


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000, 404, b"x" * 100_000),
    ],
)
def test_answers_of_any_form_are_read_whole(
    neighbour: Neighbour, connections: Connections, answer: bytes, status: int, body: bytes
) -> None:
    neighbour.answers = lambda: answer
    for _ in range(2):
        read = get(connections)
        assert (read.status, read.body) == (status, body)
    assert neighbour.connections == 1


def test_an_answer_that_is_cut_short_is_none(neighbour: Neighbour, connections: Connections) -> None:
    answers = iter([OK[:-1], None])
    neighbour.answers = lambda: next(answers)
    done = threading.Event()

    def ask() -> None:
        with pytest.raises(NoAnswer):
            get(connections)
        done.set()

    threading.Thread(target=ask).start()
    wait_until(lambda: neighbour.requests)
    neighbour.hang_up()
    assert done.wait(SECONDS)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        OK + OK,
    ],
)
def test_what_is_no_answer_is_said_and_its_connection_is_not_used_again(
    neighbour: Neighbour, connections: Connections, answer: bytes | None
) -> None:
    neighbour.answers = lambda: answer
    with pytest.raises(NoAnswer):
        get(connections)
    neighbour.answers = lambda: OK
    assert get(connections).body == b"hi"
    assert neighbour.connections == 2


def test_nobody_waits_longer_than_they_want_to(neighbour: Neighbour, connections: Connections) -> None:
    asked = threading.Event()

    def never() -> None:
        asked.wait(SECONDS)

    neighbour.answers = never
    deadline = Deadline.after(0.2)
    with pytest.raises(NoAnswer):
        connections.ask("GET", "/", {}, None, deadline)
    assert deadline.passed
    asked.set()


def test_nothing_is_sent_when_no_time_is_left(neighbour: Neighbour, connections: Connections) -> None:
    with pytest.raises(NoAnswer):
        get(connections, 0.0)
    assert neighbour.requests == []


def test_where_nobody_listens_nothing_was_sent(certificates: Path) -> None:
    with pytest.raises(NotConnected):
        get(to(free_port(), certificates))


def test_a_server_with_another_name_is_not_talked_to(neighbour: Neighbour, certificates: Path) -> None:
    with pytest.raises(NoAnswer, match="Hostname mismatch") as refused:
        get(to(neighbour.port, certificates, name="order"))
    assert not isinstance(refused.value, NotConnected)
    assert neighbour.requests == []


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/a b", {}), ("/a\r\nX: y", {}), ("/", {"X": "y\r\nZ: z"}), ("/", {"X": "y\nZ: z"}), ("/ä", {}), ("/\0", {})],
)
def test_nothing_is_sent_that_would_be_another_request(
    neighbour: Neighbour, connections: Connections, target: str, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        connections.ask("GET", target, headers, None, Deadline.after(SECONDS))
    assert neighbour.requests == []


def test_closed_connections_are_kept_no_more(neighbour: Neighbour, connections: Connections) -> None:
    get(connections)
    connections.close()
    wait_until(lambda: neighbour.ended == 1)
    get(connections)
    wait_until(lambda: neighbour.ended == 2)
