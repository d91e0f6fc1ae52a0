"""The second factor of who signs in: codes that change with the time (TOTP, RFC 6238), and recovery codes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyotp

from bazar.frontend.domain.errors import ShopError

STEP_SECONDS = 30
#: The code of the step before or after is right too: clocks differ, and typing takes time (RFC 6238 section 5.2).
STEPS_AROUND = 1
#: In a window. Who guesses has the password already; of a million codes three are right at a time.
MOST_WRONG_CODES = 10
WRONG_CODES_WINDOW = timedelta(hours=1)
RECOVERY_CODES = 10

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(eq=False)
class CodeNeeded(ShopError):
    """The password is right, and the account asks for a code too.

    ``half_secret`` is what the sign-in goes on with, empty where the code comes with the password only.
    """

    half_secret: str = field(repr=False, default="")


@dataclass(eq=False)
class WrongCode(ShopError):
    """It is no code of this account, or one that was used."""


@dataclass(eq=False)
class HalfSignInEnded(ShopError):
    """Too long ago, or finished before: who wants in begins with the password again."""


@dataclass(frozen=True)
class SecondFactor:
    """What an account's codes are made with, and what was sent lately. ``last_step``: of the last code used."""

    secret: str = field(repr=False)
    is_on: bool
    wrong_since: datetime
    wrong_codes: int = 0
    last_step: int = 0

    @classmethod
    def new(cls, now: datetime) -> "SecondFactor":
        """A random secret of 160 bits, off until a code shows that it has arrived (RFC 4226 section 4)."""
        return cls(pyotp.random_base32(), is_on=False, wrong_since=now)

    def step_of(self, code: str, now: datetime) -> int | None:
        """The step whose code this is; None where it is of none, or of one that was used or is over."""
        plain = re.sub(r"[\s-]", "", code)
        if not _CODE.fullmatch(plain):
            return None
        totp = pyotp.TOTP(self.secret, interval=STEP_SECONDS)
        step = totp.timecode(now)
        around = range(max(step - STEPS_AROUND, self.last_step + 1), step + STEPS_AROUND + 1)
        return next((each for each in around if pyotp.utils.strings_equal(totp.generate_otp(each), plain)), None)

    def locked_seconds(self, now: datetime) -> int:
        """How long no code is looked at, after too many wrong ones; 0 where it is."""
        left = self.wrong_since + WRONG_CODES_WINDOW - now
        return max(0, -(-left // timedelta(seconds=1))) if self.wrong_codes >= MOST_WRONG_CODES else 0

    def missed(self, now: datetime) -> "SecondFactor":
        """After a wrong code."""
        if now >= self.wrong_since + WRONG_CODES_WINDOW or not self.wrong_codes:
            return replace(self, wrong_codes=1, wrong_since=now)
        return replace(self, wrong_codes=self.wrong_codes + 1)


@dataclass(frozen=True)
class SettingUp:
    """What an app needs to make codes; shown until the first code has come."""

    secret: str = field(repr=False)
    email: str

    def address(self, shop_name: str) -> str:
        """``otpauth://…``, which apps on the same device open, and others read as a QR code (the key URI format)."""
        issuer = shop_name.replace(":", " ")  # it divides issuer and account there, written as %3A too
        return pyotp.TOTP(self.secret, interval=STEP_SECONDS).provisioning_uri(name=self.email, issuer_name=issuer)

    @property
    def in_groups(self) -> Sequence[str]:
        """The secret for typing."""
        return [self.secret[start : start + 4] for start in range(0, len(self.secret), 4)]
