"""Put books into a basket, change it, take out what was bought; a guest's basket joins the account's at sign-in."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bazar.frontend.domain.accounts import subscriber_of
from bazar.frontend.domain.basket import Basket, BasketLine
from bazar.frontend.use_cases.tries import CountedTries, is_within_limit, too_many_tries

GUEST_LIFETIME = timedelta(days=60)
GUEST_SECRET_BYTES = 32
PURCHASE_KEY_BYTES = 18


@dataclass(frozen=True)
class Owner:
    """Whose basket it is. ``key`` tells baskets apart; ``account_id`` is None for a guest's."""

    key: str
    account_id: str | None = None

    @classmethod
    def account(cls, account_id: str) -> "Owner":
        """Who is signed in."""
        return cls(account_id, account_id)

    @classmethod
    def guest(cls, secret: str) -> "Owner":
        """Who has this secret in a cookie; the shop keeps its hash."""
        return cls(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest())


class BasketRecords(Protocol):
    """Baskets inside one transaction."""

    @property
    def tries(self) -> CountedTries: ...

    def find(self, owner: Owner) -> Basket | None: ...

    def find_to_change(self, owner: Owner, new: Basket, now: datetime) -> Basket:
        """The owner's basket, ``new`` where there was none; whoever else wants to change it waits."""
        ...

    def save(self, owner: Owner, basket: Basket, now: datetime) -> None: ...

    def remove(self, owner: Owner) -> None: ...

    def sweep_guests(self, before: datetime) -> None:
        """Delete some of the guests' baskets that were last changed ``before``: a bounded number."""
        ...


class BasketStore(Protocol):
    """Baskets, one by one or in a transaction, which is durable when the block ends, undone by any error."""

    def find(self, owner: Owner) -> Basket | None: ...

    def writing(self) -> AbstractContextManager[BasketRecords]: ...


class Baskets:
    """The baskets of the shop. ``clock`` gives the time in UTC.

    ``guests_per_minute``: baskets that guests of one address may begin in a minute; 0 is no limit.
    """

    def __init__(self, store: BasketStore, clock: Callable[[], datetime], guests_per_minute: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._guests_per_minute = guests_per_minute

    def of(self, owner: Owner) -> Basket | None:
        """The owner's basket; None where nothing was ever put in."""
        return self._store.find(owner)

    def put(self, owner: Owner, line: BasketLine, client_address: str) -> Basket:
        """These copies more; raises BasketFull, and TooManyTries where guests of this address began too many."""
        now = self._clock()
        with self._store.writing() as tx:
            tx.sweep_guests(now - GUEST_LIFETIME)
            if owner.account_id is None and tx.find(owner) is None:
                bucket = f"basket:{subscriber_of(client_address)}"
                if not is_within_limit(tx.tries, bucket, self._guests_per_minute, now):
                    raise too_many_tries(now)
            changed = tx.find_to_change(owner, _empty(), now).put(line)
            tx.save(owner, changed, now)
        return changed

    def put_at_least(self, owner: Owner, lines: Sequence[BasketLine]) -> None:
        """So many copies of each at the least, all of them or, with BasketFull, none: who sends it twice has no more.

        For an account: a guest's first basket begins with ``put``, which counts it.
        """
        if not lines:
            return
        now = self._clock()
        with self._store.writing() as tx:
            before = tx.find_to_change(owner, _empty(), now)
            after = before.put_at_least(lines)
            if after != before:
                tx.save(owner, after, now)

    def set(self, owner: Owner, quantities: Mapping[int, int]) -> None:
        """As many copies of what is in the basket as told; none takes a book out."""
        self._change(owner, lambda basket: basket.set(quantities))

    def bought(self, owner: Owner, quantities: Mapping[int, int], purchase_key: str) -> None:
        """Take out what was bought under this key, once."""
        self._change(owner, lambda basket: basket.bought(quantities, purchase_key, new_purchase_key()))

    def refused(self, owner: Owner, purchase_key: str) -> None:
        """The purchase under this key was refused for good: the next one has another key."""
        self._change(owner, lambda basket: basket.refused(purchase_key, new_purchase_key()))

    def join(self, guest: Owner, account: Owner) -> None:
        """The guest has signed in: what is in the guest's basket is in the account's from now on."""
        with self._store.writing() as tx:
            brought = tx.find(guest)
            if brought is None:
                return
            tx.remove(guest)
            own = tx.find_to_change(account, _empty(), self._clock())
            tx.save(account, own.joined_by(brought), self._clock())

    def _change(self, owner: Owner, change: Callable[[Basket], Basket]) -> None:
        with self._store.writing() as tx:
            if tx.find(owner) is None:  # a cookie that nobody was given begins no basket
                return
            before = tx.find_to_change(owner, _empty(), self._clock())
            after = change(before)
            if after != before:
                tx.save(owner, after, self._clock())


def new_guest_secret() -> str:
    """What a guest's browser keeps, to be known by."""
    return secrets.token_urlsafe(GUEST_SECRET_BYTES)


def new_purchase_key() -> str:
    """An idempotency key for the next purchase of a basket."""
    return secrets.token_urlsafe(PURCHASE_KEY_BYTES)


def _empty() -> Basket:
    return Basket(new_purchase_key())
