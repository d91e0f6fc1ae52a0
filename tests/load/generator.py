"""Offers a server so many requests a second, whether it answers or not (an open loop), and keeps what came back.

Cheap enough to share a machine with what it measures: one thread, kept TLS connections, requests made of bytes. Its
latencies begin when a request was due, so that a generator which falls behind hides nothing.
"""

import random
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, repeat

#: After the last request was due, answers are awaited for so long.
PATIENCE_SECONDS = 10.0
LONGEST_NAP_SECONDS = 0.1


@dataclass(frozen=True)
class Answered:
    """An answer: after how long, and whether it said when to come back. Status 0: the connection broke."""

    status: int
    milliseconds: float
    has_retry_after: bool


@dataclass(frozen=True)
class Offer:
    """What was offered within ``seconds``, and each answer. ``unanswered``: what had none in the end."""

    seconds: float
    offered: int
    answers: Sequence[Answered]
    unanswered: int

    def milliseconds(self, *statuses: int) -> list[float]:
        """How long answers of these statuses took."""
        return [answer.milliseconds for answer in self.answers if answer.status in statuses]


@dataclass(eq=False)
class _Connection:
    tls: ssl.SSLSocket
    due: float | None = None
    received: bytearray = field(default_factory=bytearray)


class Generator:
    """So many connections to a server on this machine, kept open over several offers."""

    def __init__(self, port: int, tls: ssl.SSLContext, connections: int) -> None:
        self._port = port
        self._context = tls
        self._selector = selectors.DefaultSelector()
        self._idle: deque[_Connection] = deque()
        for _ in range(connections):
            self._connect()

    def offer(self, requests: Iterator[bytes], per_second: float, seconds: float) -> Offer:
        """Send requests at random moments (a Poisson process), ``per_second`` on average."""
        chance = random.Random(1)  # noqa: S311 - no secret
        began = time.perf_counter()
        gaps = (chance.expovariate(per_second) for _ in repeat(None))
        return self._run(requests, accumulate(gaps, initial=began), began, seconds)

    def saturate(self, requests: Iterator[bytes], seconds: float) -> Offer:
        """A closed loop: each connection sends the next request as soon as it has the answer to the one before."""
        began = time.perf_counter()
        return self._run(requests, (time.perf_counter() for _ in repeat(None)), began, seconds)

    def close(self) -> None:
        """Close the connections."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            key.data.tls.close()
        self._selector.close()

    def _run(self, requests: Iterator[bytes], moments: Iterator[float], began: float, seconds: float) -> Offer:
        for key, _ in self._selector.select(0):
            self._receive(key.data)  # closed by the server, which waits only so long for the next request
        answers: list[Answered] = []
        offered, under_way = 0, 0
        due = next(moments)
        while due < began + seconds or under_way:
            now = time.perf_counter()
            if now > began + seconds + PATIENCE_SECONDS:
                break
            while due <= now and due < began + seconds and self._idle:
                self._send(self._idle.popleft(), next(requests), due)
                offered, under_way = offered + 1, under_way + 1
                due = next(moments)
            nap = due - time.perf_counter() if self._idle and due < began + seconds else LONGEST_NAP_SECONDS
            for key, _ in self._selector.select(max(0.0, min(nap, LONGEST_NAP_SECONDS))):
                answer = self._receive(key.data)
                if answer is not None:
                    answers.append(answer)
                    under_way -= 1
        return Offer(seconds, offered, answers, under_way)

    def _connect(self) -> None:
        plain = socket.create_connection(("localhost", self._port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = self._context.wrap_socket(plain, server_hostname="localhost")
        tls.setblocking(False)
        connection = _Connection(tls)
        self._selector.register(tls, selectors.EVENT_READ, connection)
        self._idle.append(connection)

    def _send(self, connection: _Connection, request: bytes, due: float) -> None:
        connection.due = due
        connection.tls.send(request)  # far smaller than the socket's buffer: sent whole

    def _receive(self, connection: _Connection) -> Answered | None:
        """The answer, once it is whole. A connection that broke is replaced."""
        try:
            while received := connection.tls.recv(65536):
                connection.received += received
                if answer := self._whole(connection):
                    return answer
        except ssl.SSLWantReadError:
            return None
        except OSError:
            pass
        self._selector.unregister(connection.tls)
        connection.tls.close()
        if connection.due is None:
            self._idle.remove(connection)
        self._connect()
        return None if connection.due is None else Answered(0, _milliseconds_since(connection.due), False)

    def _whole(self, connection: _Connection) -> Answered | None:
        head, separator, body = bytes(connection.received).partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in fields if line.startswith(b"content-length:")), None)
        if not separator or length is None or len(body) < length:
            return None
        assert connection.due is not None, head
        answer = Answered(
            int(head[9:12]),
            _milliseconds_since(connection.due),
            any(line.startswith(b"retry-after:") for line in fields),
        )
        connection.due = None
        connection.received.clear()
        self._idle.append(connection)
        return answer


def _milliseconds_since(moment: float) -> float:
    return (time.perf_counter() - moment) * 1000
