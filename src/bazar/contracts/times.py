"""Times on the wire: RFC 3339 in UTC, to the millisecond."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T08:30:00.125Z``; ``moment`` is aware."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, as the databases keep times."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The moment, aware, in UTC."""
    return EPOCH + timedelta(microseconds=value)
