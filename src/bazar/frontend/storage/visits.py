"""Visits in SQL: one prebuilt statement each, since every page of somebody known costs it."""

from datetime import datetime

import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.contracts.times import microseconds
from bazar.frontend.domain.accounts import Person, Role, SignInKind
from bazar.frontend.storage.schema import accounts, baskets, sign_ins
from bazar.frontend.use_cases.baskets import Owner
from bazar.frontend.use_cases.visits import Visit

_SIGNED_IN = (
    sa.select(accounts.c.account_id, accounts.c.email, accounts.c.name, accounts.c.role, baskets.c.lines)
    .select_from(sign_ins.join(accounts).outerjoin(baskets, baskets.c.basket_key == accounts.c.account_id))
    .where(
        sign_ins.c.secret_hash == sa.bindparam("secret_hash"),
        sign_ins.c.kind == sa.bindparam("kind"),
        sign_ins.c.expires_at > sa.bindparam("now"),
    )
)
_LINES = sa.select(baskets.c.lines).where(baskets.c.basket_key == sa.bindparam("key"))


class SqlVisitStore:
    """Implements the port VisitStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def signed_in(self, secret_hash: str, kind: SignInKind, now: datetime) -> Visit | None:
        """None where the secret opens nothing."""
        asked = {"secret_hash": secret_hash, "kind": kind.value, "now": microseconds(now)}
        found = self._database.glance(_SIGNED_IN, asked)
        if not found:
            return None
        row = found[0]
        return Visit(Person(row.account_id, row.email, row.name, Role(row.role)), _copies(row.lines))

    def copies(self, owner: Owner) -> int:
        """0 where there is no basket."""
        found = self._database.glance(_LINES, {"key": owner.key})
        return _copies(found[0].lines) if found else 0


def _copies(lines: list[list[int]] | None) -> int:
    """Of all books together; a line begins with the number of the book and that of its copies."""
    return sum(line[1] for line in lines or ())
