"""The product, made wrong in one place each: what the checks of chaos must notice. It is so in no other process."""

import itertools
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

Change = Callable[[ModuleType], None]
#: Module → what is changed in it.
Mutant = Mapping[str, Change]

OFTEN = 5


def _method(path: str, make: Callable[[Any], Any]) -> Change:
    def change(module: ModuleType) -> None:
        owner_name, name = path.split(".")
        owner = getattr(module, owner_name)
        setattr(owner, name, make(getattr(owner, name)))

    return change


def _sells_without_taking() -> Mutant:
    """Every fifth time nothing is taken from the shelf, and said to be."""
    turn = itertools.count()

    def make(real: Any) -> Any:
        return lambda self, copies: next(turn) % OFTEN == 0 or real(self, copies)

    return {"bazar.catalog.storage.holds": _method("HoldRows.take_from_shelves", make)}


def _forgets_decisions() -> Mutant:
    """Every fifth time decisions are answered from memory, never written."""
    turn = itertools.count()

    def make(real: Any) -> Any:
        def decide(self: Any, proposed: Any) -> Any:
            if next(turn) % OFTEN:
                return real(self, proposed)
            return {decision.order_id: decision for decision in proposed}

        return decide

    return {"bazar.order.storage.decisions": _method("DecisionRows.decide", make)}


def _answers_before_the_commit() -> Mutant:
    """The commit follows 50 ms after the answer: right as long as nobody dies in between."""

    def make(real: Any) -> Any:
        @contextmanager
        def writing(self: Any) -> Iterator[Any]:
            transaction = real(self)
            try:
                yield transaction.__enter__()
            except BaseException:
                transaction.__exit__(*sys.exc_info())
                raise
            threading.Timer(0.05, transaction.__exit__, (None, None, None)).start()

        return writing

    return {"bazar.order.storage.store": _method("OrderStore.writing", make)}


def _never_recovers() -> Mutant:
    """The sweep finds nothing to do."""
    return {"bazar.order.use_cases.finish_orders": _method("Sweep.sweep", lambda _: lambda _self: 0)}


def _random_order_ids() -> Mutant:
    """A repetition is another order."""

    def change(module: ModuleType) -> None:
        alphabet = "abcdefghijklmnopqrstuvwxyz234567"
        module.order_id_of = lambda *_: "".join(secrets.choice(alphabet) for _ in range(32))  # type: ignore[attr-defined]

    return {"bazar.order.domain.order_ids": change}


def _sees_too_few_copies() -> Mutant:
    """Every fifth look at a shelf misses twenty copies, and customers are refused what is there. No sum is wrong."""
    turn = itertools.count()

    def make(real: Any) -> Any:
        def shelves_for_update(self: Any, items: Any) -> Any:
            found = real(self, items)
            if next(turn) % OFTEN:
                return found
            return {item: replace(shelf, stock=max(0, shelf.stock - 20)) for item, shelf in found.items()}

        return shelves_for_update

    return {"bazar.catalog.storage.holds": _method("HoldRows.shelves_for_update", make)}


def _returns_twice() -> Mutant:
    """Copies that come back come back twice, now and then."""
    turn = itertools.count()

    def make(real: Any) -> Any:
        def put_back_on_shelves(self: Any, copies: Any) -> None:
            for _ in range(2 if copies and next(turn) % OFTEN == 0 else 1):
                real(self, copies)

        return put_back_on_shelves

    return {"bazar.catalog.storage.holds": _method("HoldRows.put_back_on_shelves", make)}


def _any_basket_for_a_key() -> Mutant:
    """What is bought is not part of what a key stands for."""

    def change(module: ModuleType) -> None:
        module.purchase_hash_of = lambda *_: "0" * 64  # type: ignore[attr-defined]

    return {"bazar.order.domain.order_ids": change}


MUTANTS: Mapping[str, Callable[[], Mutant]] = {
    "sells without taking": _sells_without_taking,
    "forgets decisions": _forgets_decisions,
    "answers before the commit": _answers_before_the_commit,
    "never recovers": _never_recovers,
    "random order ids": _random_order_ids,
    "sees too few copies": _sees_too_few_copies,
    "puts back twice": _returns_twice,
    "any basket for a key": _any_basket_for_a_key,
}
