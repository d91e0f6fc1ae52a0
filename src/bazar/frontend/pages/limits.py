"""The limits that pages tell and browsers hold, each from where it is set. The servers check them all again."""

from dataclasses import dataclass

from bazar.contracts.books import MOST_COPIES_A_LINE, MOST_SOURCE_CHARACTERS
from bazar.contracts.text import MOST_NAME_CHARACTERS, MOST_REASON_CHARACTERS, MOST_SOUGHT_CHARACTERS
from bazar.contracts.wire import LARGEST_JSON_INTEGER
from bazar.frontend.domain import accounts
from bazar.frontend.domain.basket import MOST_TITLES
from bazar.frontend.domain.second_factor import RECOVERY_CODES
from bazar.frontend.pages.staff.fields import MOST_OWN_WORDS
from bazar.frontend.use_cases.accounts import MOST_FOUND

#: With fewer copies than these a page says how many are left.
FEW_LEFT_BELOW = 10
#: A recovery code, with room for blanks.
MOST_CODE_CHARACTERS = 40


@dataclass(frozen=True)
class PageLimits:
    """What templates know as ``limits``; characters of a field where nothing else is said."""

    email: int = accounts.MOST_EMAIL_CHARACTERS
    person_name: int = accounts.MOST_NAME_CHARACTERS
    code: int = MOST_CODE_CHARACTERS
    recovery_codes: int = RECOVERY_CODES
    sought: int = MOST_SOUGHT_CHARACTERS
    book_title: int = MOST_NAME_CHARACTERS
    people_found: int = MOST_FOUND
    reason: int = MOST_REASON_CHARACTERS
    own_words: int = MOST_OWN_WORDS
    source: int = MOST_SOURCE_CHARACTERS
    item_number: int = len(str(LARGEST_JSON_INTEGER))
    few_left_below: int = FEW_LEFT_BELOW
    titles: int = MOST_TITLES
    copies_a_line: int = MOST_COPIES_A_LINE
