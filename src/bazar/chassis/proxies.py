"""Whose request it is, behind proxies that the operator trusts."""

import ipaddress
from collections.abc import Iterable, Sequence
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """WSGI middleware: where a trusted proxy asks, REMOTE_ADDR becomes the nearest address that it vouches for.

    X-Forwarded-For of anybody else is not believed: a client could write there whatever it likes.
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._app = app
        self._networks = networks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        address = str(environ.get("REMOTE_ADDR", ""))
        hops = [hop.strip() for hop in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
        while hops and self._trusts(address):
            address = hops.pop()
        environ["REMOTE_ADDR"] = address
        return self._app(environ, start_response)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        # On a socket for both, IPv4 addresses come as ::ffff:10.0.0.1.
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(plain in network for network in self._networks)
