"""Random texts that open something, and the hashes by which the shop knows them again."""

import hashlib
import secrets
from base64 import b32encode

SECRET_BYTES = 32
#: 80 random bits: nobody guesses one, so one round of SHA-256 keeps it well.
RECOVERY_CODE_BYTES = 10
RECOVERY_CODE_GROUP = 4


def new_secret() -> str:
    """256 random bits, for cookies, tokens and links."""
    return secrets.token_urlsafe(SECRET_BYTES)


def sha256(text: str) -> str:
    """In hexadecimal, of whatever text was sent."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def new_password() -> str:
    """125 random bits, in groups that can be read aloud."""
    return _in_groups(b32encode(secrets.token_bytes(16)).decode().lower()[:25], 5)


def new_recovery_code() -> str:
    """Four groups of four letters and digits."""
    return _in_groups(b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode().lower(), RECOVERY_CODE_GROUP)


def hash_of_recovery_code(typed: str) -> str:
    """However it is capitalised and grouped."""
    return sha256("".join(character for character in typed.lower() if character.isalnum()))


def _in_groups(letters: str, size: int) -> str:
    return "-".join(letters[start : start + size] for start in range(0, len(letters), size))
