"""International Standard Book Numbers, kept as the 13 digits of ISBN-13 (ISO 2108)."""

from stdnum import isbn

from bazar.catalog.domain.errors import InvalidBook


def isbn13(text: str) -> str:
    """The 13 digits of an ISBN-10 or ISBN-13, with or without hyphens; raises InvalidBook for anything else."""
    try:
        digits: str = isbn.validate(text, convert=True)
    except isbn.ValidationError as error:
        raise InvalidBook("isbn", f"no valid ISBN-10 or ISBN-13 (its check digit included): {error}") from None
    return digits
