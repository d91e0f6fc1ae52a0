"""What every answer tells the browser not to do."""

import ipaddress
from urllib.parse import urlsplit

from flask import Blueprint, Response

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


def protect(pages: Blueprint, public_url: str) -> None:
    """Put the headers on every answer of the application, without replacing those of a stricter page.

    HSTS only for a host that everybody reaches by this name: a browser would refuse localhost for a year.
    """
    told = dict(HEADERS)
    if names_public_host(public_url):
        told["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
    by_lower_name = {name.lower(): (name, value) for name, value in told.items()}

    @pages.after_app_request
    def add_headers(response: Response) -> Response:
        # One look over what is there instead of one for each name: every answer passes here.
        there = {name.lower() for name, _ in response.headers}
        for lower, (name, value) in by_lower_name.items():
            if lower not in there:
                response.headers.add(name, value)
        if response.mimetype == "text/html":
            # A page shows who is signed in. Without a sign-in it may be kept, but is asked for again.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


def names_public_host(url: str) -> bool:
    """Whether the host of the address is a name in the public DNS; addresses of numbers are none (RFC 6797, 8.1.1)."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(tuple(f".{name}" for name in _LOCAL_NAMES))
    return False
