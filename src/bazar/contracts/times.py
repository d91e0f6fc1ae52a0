"""Times on the wire: RFC 3339 in UTC, to the millisecond."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T08:30:00.125Z``; ``moment`` is aware."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, as the databases keep times."""
    return int(moment.timestamp() * 1_000_000)


def from_microseconds(value: int) -> datetime:
    """The moment, aware, in UTC."""
    return datetime.fromtimestamp(value / 1_000_000, UTC)
