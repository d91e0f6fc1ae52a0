"""Headers of our own, each named once."""

REQUEST_ID = "Request-Id"
#: How far the caller has seen the data: ``<epoch>-<number of the change>``.
POSITION = "Bazar-Position"
#: Milliseconds after which the caller no longer waits. Not a moment: clocks differ between machines.
REMAINING_MS = "Bazar-Remaining-Ms"


def in_environ(name: str) -> str:
    """Where WSGI has a header of the request (PEP 3333); Flask's view of them all costs more to look into."""
    return f"HTTP_{name.upper().replace('-', '_')}"
