"""Kinds of text in messages: a pattern that Python and JSON Schema (ECMA-262) read alike, and its words.

A pattern that ends in ``$`` goes on with ``(?!\\n)``, since Python's ``$`` stands before a last newline too.
None allows U+0000, which PostgreSQL cannot store.
"""

from typing import Annotated

from msgspec import Meta

ANY = r"^[^\x00]*$"
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
CURRENCY_CODE = r"^[A-Z]{3}$(?!\n)"
LANGUAGE_TAG = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)"
ISBN_DIGITS = r"^[0-9Xx -]{10,25}$(?!\n)"
IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,255}$(?!\n)"
CURSOR = r"^[\x21-\x7e]{1,200}$(?!\n)"

MOST_SOUGHT_CHARACTERS = 2_000
MOST_NAME_CHARACTERS = 2_000
MOST_REASON_CHARACTERS = 500

#: What is allowed, as the sender of anything else is told.
WORDS = {
    ANY: "text without the character U+0000",
    NOT_BLANK: "text that is not blank, without the character U+0000",
    CURRENCY_CODE: "three capital letters by ISO 4217, USD say",
    LANGUAGE_TAG: "a language tag by BCP 47, en or pt-BR say",
    ISBN_DIGITS: "an ISBN-10 or ISBN-13, with or without hyphens",
    IDEMPOTENCY_KEY: "1 to 255 visible ASCII characters",
    CURSOR: "only what an earlier answer gave as next",
}

Text = Annotated[str, Meta(pattern=ANY, max_length=10_000)]
#: What somebody looks for; nothing has a longer name.
Sought = Annotated[str, Meta(pattern=ANY, max_length=MOST_SOUGHT_CHARACTERS)]
Name = Annotated[str, Meta(pattern=NOT_BLANK, max_length=MOST_NAME_CHARACTERS)]
#: Subjects are keys in the database: PostgreSQL indexes at most 2,704 bytes, and a character may take six.
Subject = Annotated[str, Meta(pattern=NOT_BLANK, max_length=400)]
Currency = Annotated[str, Meta(pattern=CURRENCY_CODE)]
Language = Annotated[str, Meta(pattern=LANGUAGE_TAG, max_length=35)]
#: Why staff do something, in their own words.
Reason = Annotated[str, Meta(pattern=ANY, max_length=MOST_REASON_CHARACTERS)]
Isbn = Annotated[str, Meta(pattern=ISBN_DIGITS)]
Cursor = Annotated[str, Meta(pattern=CURSOR)]
