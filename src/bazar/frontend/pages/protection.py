"""What every answer tells the browser not to do."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: No script and no style but our files: a title that holds markup could do nothing even if it got through.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # To other sites nothing; within the shop the address, which browsers without Fetch Metadata need.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
STRICT_TRANSPORT_SECURITY = "max-age=31536000"
#: Names that mean another machine to everybody (RFC 6761, RFC 6762, RFC 8375, RFC 9476).
_LOCAL_NAMES = ("localhost", "local", "internal", "test", "example", "invalid", "home.arpa", "alt")


class Protected:
    """WSGI: puts the headers on every answer of the application, without replacing those of a stricter page.

    Around Flask, and not among its functions: every answer passes here, and a header costs less on this side.
    HSTS only for a host that everybody reaches by this name: a browser would refuse localhost for a year.
    """

    def __init__(self, app: WSGIApplication, public_url: str) -> None:
        told = dict(HEADERS)
        if names_public_host(public_url):
            told["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
        self._app = app
        self._told = [(name.lower(), (name, value)) for name, value in told.items()]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Begin the answer with more headers."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            there = {name.lower(): value for name, value in headers}
            more = [header for lower, header in self._told if lower not in there]
            if "cache-control" not in there and there.get("content-type", "").startswith("text/html"):
                # A page shows who is signed in. Without a sign-in it may be kept, but is asked for again.
                more.append(("Cache-Control", "private, no-cache"))
            return start_response(status, headers + more, *error)

        return self._app(environ, start)


def names_public_host(url: str) -> bool:
    """Whether the host of the address is a name in the public DNS; addresses of numbers are none (RFC 6797, 8.1.1)."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(tuple(f".{name}" for name in _LOCAL_NAMES))
    return False
