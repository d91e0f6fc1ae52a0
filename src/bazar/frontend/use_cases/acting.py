"""Who does something to another's account: looked at once more, in the transaction that does it."""

from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.use_cases.account_ports import AccountRecords


def acting_role(tx: AccountRecords, actor: Person, needed: Role) -> Role:
    """The actor's role as it is until the transaction ends; raises NotAllowed where it does not include ``needed``.

    The request read it before it had any lock: who is demoted in the same moment must not act once more. Whoever
    changes a role of the staff waits for the lock of ``admins``, which is taken before that of any account.
    """
    tx.admins()
    account = tx.find_by_id(actor.account_id)
    if account is None or not account.role.includes(needed):
        raise NotAllowed(needed.value)
    return account.role
