"""Placeholders of routes that are stricter than Flask's own: anything else is no such address (404)."""

from werkzeug.routing import BaseConverter, ValidationError


class PositiveInteger(BaseConverter):
    """1 to 2^53 - 1 in ASCII digits without leading zeros; Flask's own takes 01 and other scripts' digits."""

    regex = "[1-9][0-9]{0,15}"
    largest = 2**53 - 1

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > self.largest:
            raise ValidationError
        return number


class Base32Id(BaseConverter):
    """32 characters of lower-case base32."""

    regex = "[a-z2-7]{32}"
