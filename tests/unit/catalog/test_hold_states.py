"""Every state of a hold against everything that can be asked of it (docs/life-of-a-purchase.md)."""

from collections.abc import Callable

import pytest

from bazar.catalog.domain.holds import Conflict, HoldState, Step, Transition, Unchanged, release, settle

HELD, REFUSED, RELEASED, SETTLED, RETURNED = HoldState

#: (what is asked, the state before) → the state after and whether copies come back; "same" or "conflict".
TABLE: dict[tuple[Callable[[HoldState | None], Transition], HoldState | None], Transition | str] = {
    (settle, None): "conflict",
    (settle, HELD): Step(SETTLED),
    (settle, REFUSED): "conflict",
    (settle, RELEASED): "conflict",
    (settle, SETTLED): "same",
    (settle, RETURNED): "same",
    (release, None): Step(RELEASED),
    (release, HELD): Step(RELEASED, copies_come_back=True),
    (release, REFUSED): "same",
    (release, RELEASED): "same",
    (release, SETTLED): "conflict",
    (release, RETURNED): "conflict",
}


def outcome(transition: Transition) -> Transition | str:
    return {Conflict: "conflict", Unchanged: "same"}.get(type(transition), transition)


def name_of(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("state", [None, *HoldState], ids=name_of)
@pytest.mark.parametrize("asked", [settle, release], ids=name_of)
def test_what_may_follow_what(asked: Callable[[HoldState | None], Transition], state: HoldState | None) -> None:
    assert outcome(asked(state)) == TABLE[asked, state]


@pytest.mark.parametrize("asked", [settle, release], ids=name_of)
@pytest.mark.parametrize("state", [None, *HoldState], ids=name_of)
def test_doing_it_twice_is_as_good_as_once(
    asked: Callable[[HoldState | None], Transition], state: HoldState | None
) -> None:
    first = asked(state)
    if isinstance(first, Step):
        assert asked(first.to) == Unchanged()


def test_copies_come_back_only_from_a_hold_that_has_them() -> None:
    back = [state for state in (None, *HoldState) if getattr(release(state), "copies_come_back", False)]
    assert back == [HELD]


@pytest.mark.parametrize("state", [REFUSED, RELEASED])
def test_a_conflict_names_the_state(state: HoldState) -> None:
    conflict = settle(state)
    assert isinstance(conflict, Conflict)
    assert state.value in conflict.reason
