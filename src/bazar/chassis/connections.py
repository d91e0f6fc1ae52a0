"""Kept connections to one neighbour: HTTP/1.1 (RFC 9112) over TLS, one exchange at a time on each.

Every call between services comes through here. A client library that serves all servers of the world costs several
times the CPU (ADR 0003); what a neighbour of ours answers is read by the parser that Node.js has.
"""

import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ssl import SSLContext, SSLSocket

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bazar.chassis.clock import Deadline

#: As much as a TLS record can have (RFC 8446 section 5.1).
_READ_BYTES = 16 * 1024


class NoAnswer(Exception):
    """The connection broke, or the time ran out. Whether the request took effect is unknown."""


class NotConnected(NoAnswer):
    """Nobody listens: nothing was sent."""


@dataclass(frozen=True)
class Response:
    """What was answered; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """To one server. Thread-safe; up to ``most_kept`` connections wait for the next request."""

    def __init__(self, host: str, port: int, tls: SSLContext, certificate_name: str, most_kept: int) -> None:
        """``certificate_name``: what the server's certificate must be for, whatever the host."""
        self._host = host
        self._port = port
        self._authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # RFC 3986 section 3.2.2
        self._tls = tls
        self._certificate_name = certificate_name
        self._most_kept = most_kept
        self._kept: list[_Connection] = []  # append and pop are atomic

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, within: Deadline
    ) -> Response:
        """One exchange; raises NoAnswer or NotConnected, and ValueError for what would not be one line of a header."""
        request = _request(method, target, {"Host": self._authority, **headers}, body)
        connection = self._one_that_is_open() or self._connect(within)
        try:
            return connection.exchange(request, within)
        except (OSError, HttpParserError, HttpParserUpgrade) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        finally:
            if connection.can_be_kept and len(self._kept) < self._most_kept:
                self._kept.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close those that are kept, and keep none any more."""
        self._most_kept = 0
        while self._kept:
            self._kept.pop().close()

    def _one_that_is_open(self) -> "_Connection | None":
        with suppress(IndexError):
            while True:
                connection = self._kept.pop()
                if connection.is_open:
                    return connection
                connection.close()
        return None

    def _connect(self, within: Deadline) -> "_Connection":
        try:
            plain = socket.create_connection((self._host, self._port), _seconds_left(within))
        except TimeoutError as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        except OSError as error:
            raise NotConnected(f"{self._authority}: {type(error).__name__}: {error}") from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(_seconds_left(within))
            return _Connection(self._tls.wrap_socket(plain, server_hostname=self._certificate_name))
        except OSError as error:  # ssl.SSLError is one
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        finally:
            plain.close()  # nothing, once TLS has taken its socket over


class _Connection:
    """The parser tells what it finds by the methods ``on_…``."""

    def __init__(self, secured: SSLSocket) -> None:
        self._socket = secured
        self._readable = select.poll()  # not select(), which knows no descriptors above 1023
        self._readable.register(secured, select.POLLIN)
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._is_whole = self._stays_open = False
        #: Whether the last exchange left it fit for another.
        self.can_be_kept = False

    @property
    def is_open(self) -> bool:
        """False where the server has closed it, which is all that there can be to read between two exchanges."""
        return not self._readable.poll(0)

    def exchange(self, request: bytes, within: Deadline) -> Response:
        """Raises NoAnswer, and what sockets and the parser raise."""
        self._headers, self._body, self._is_whole, self.can_be_kept = {}, [], False, False
        self._socket.settimeout(_seconds_left(within))
        with suppress(BrokenPipeError):  # it may have answered before it read all
            self._socket.sendall(request)
        while not self._is_whole:
            self._socket.settimeout(_seconds_left(within))
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise NoAnswer("the connection was closed before the answer was whole")
            self._parser.feed_data(data)
        self.can_be_kept = self._stays_open
        return Response(self._parser.get_status_code(), self._headers, b"".join(self._body))

    def close(self) -> None:
        self._socket.close()

    def on_message_begin(self) -> None:
        if self._is_whole:
            raise ValueError("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self._is_whole = True
        self._stays_open = self._parser.should_keep_alive()  # asked later, it says no


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if " " in target or not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError(f"{target!r}, or one of its headers, cannot be sent as a line")
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")


def _seconds_left(within: Deadline) -> float:
    seconds = within.remaining_seconds()
    if not seconds:
        raise NoAnswer("the time for the request has run out")
    return seconds
