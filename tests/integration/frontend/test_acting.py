"""Who acts on the account of another while their own role is taken away."""

from collections.abc import Callable
from datetime import datetime

import pytest

from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.tries import Limits

PASSWORD, HOME = "violet tables dance", "192.0.2.7"

ACTS: dict[str, Callable[[People, Person, Person], object]] = {
    "make an account": lambda people, actor, _: people.staff_accounts.create(actor, "new@example.org", "", Role.ADMIN),
    "give a role": lambda people, actor, whose: people.staff_accounts.change_role(actor, whose.account_id, Role.ADMIN),
    "end sessions": lambda people, actor, whose: people.staff_accounts.end_sessions(actor, whose.account_id),
    "switch off": lambda people, actor, whose: people.staff_accounts.switch_off_second_factor(actor, whose.account_id),
    "make a link": lambda people, actor, whose: people.lost_passwords.make_link(whose.email, actor),
}


@pytest.mark.parametrize("deleted", [False, True], ids=["demoted", "deleted"])
@pytest.mark.parametrize("act", ACTS)
def test_an_admin_who_was_demoted_meanwhile_does_not_act_once_more(
    store: SqlAccountStore, hasher: PasswordHasher, clock: Callable[[], datetime], act: str, deleted: bool
) -> None:
    people = People.over(store, hasher, clock, Limits(0, 0, 0))
    bea = people.accounts.create_account("bea@example.org", PASSWORD, Role.STAFF)
    boss = people.accounts.create_account("boss@example.org", PASSWORD, Role.ADMIN)
    chief = people.accounts.create_account("chief@example.org", PASSWORD, Role.ADMIN)
    people.second_factors.begin(bea)
    if deleted:
        people.own_account.delete(chief, PASSWORD, HOME)
    else:
        people.staff_accounts.change_role(boss, chief.account_id, Role.STAFF)
    before = people.staff_accounts.journal()
    with pytest.raises(NotAllowed):
        ACTS[act](people, chief, bea)
    assert people.staff_accounts.journal() == before
    ACTS[act](people, boss, bea)
    assert people.staff_accounts.journal() != before
