"""The port of a server, taken by one process alone."""

import errno
import socket
from dataclasses import dataclass

#: ``localhost`` means both; a stranger on the other one would get half of the clients.
_TWINS = {"127.0.0.1": "::1", "::1": "127.0.0.1", "0.0.0.0": "::", "::": "0.0.0.0"}  # noqa: S104 - compared only
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass(eq=False)
class PortTaken(Exception):
    """Another process listens there."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"port {self.port} on {self.host} is taken by another program"


def open_listener(host: str, port: int, backlog: int) -> socket.socket:
    """A listening socket that no other can share; raises PortTaken. ``host`` is an address or a name."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Not SO_REUSEPORT, which shares. SO_REUSEADDR lets a server come back while connections of its
        # predecessor are in TIME_WAIT; on Linux it does not bind beside a listener.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it. Else Nagle's algorithm meets the other side's delayed ACK: an answer that takes
        # two packets waits 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    return listener


def ensure_port_free(host: str, port: int) -> None:
    """See that nobody listens there, nor on the address's IPv4 or IPv6 twin; raises PortTaken."""
    open_listener(host, port, backlog=1).close()
    if host in _TWINS:
        try:
            open_listener(_TWINS[host], port, backlog=1).close()
        except OSError as error:
            if error.errno not in _NO_SUCH_ADDRESS:
                raise
