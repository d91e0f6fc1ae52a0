"""Who the shop is to its readers."""

from dataclasses import dataclass
from datetime import UTC, tzinfo


@dataclass(frozen=True)
class ShopIdentity:
    """What the sign over the door says; what nobody has told is empty and left out. Its clock is ``time_zone``'s."""

    name: str
    address: str = ""
    hours: str = ""
    contact: str = ""
    time_zone: tzinfo = UTC
