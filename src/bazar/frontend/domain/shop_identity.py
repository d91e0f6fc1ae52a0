"""Who the shop is to its readers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ShopIdentity:
    """What the sign over the door says; what nobody has told is empty and left out."""

    name: str
    address: str = ""
    hours: str = ""
    contact: str = ""
