"""Mutants of the front-end's cache."""

from collections.abc import Mapping, Sequence

from bazar.frontend.cache import middleware
from bazar.frontend.cache.answers import Answer, Answers
from simulation.mutant import Mutant, Replacement


def _position_ignored() -> Sequence[Replacement]:
    return [(Answers, "is_as_new_as", lambda self, answer, _seen: answer.epoch == self.heard.epoch)]


def _trusts_silence() -> Sequence[Replacement]:
    def is_fresh(self: Answers, answer: Answer, seen: tuple[str, int] | None) -> bool:
        return self.is_as_new_as(answer, seen)

    return [(Answers, "is_fresh", is_fresh)]


def _keeps_what_changed() -> Sequence[Replacement]:
    return [(Answers, "_is_current", lambda self, answer: answer.epoch == self.heard.epoch)]


def _tells_old_position() -> Sequence[Replacement]:
    return [(middleware, "_at_seen", lambda told, _answer, _seen: told)]


FRONT_END_MUTANTS: Mapping[str, Mutant] = {
    "CACHE_IGNORES_POSITION": Mutant("the cache answers from before what the visitor has seen", _position_ignored),
    "CACHE_TRUSTS_SILENCE": Mutant("the cache is trusted though the feed is not heard any more", _trusts_silence),
    "CACHE_TELLS_OLD_POSITION": Mutant("who sends back what the cache tells falls behind", _tells_old_position),
    "CACHE_KEEPS_WHAT_CHANGED": Mutant("an answer is kept though the book has changed meanwhile", _keeps_what_changed),
}
