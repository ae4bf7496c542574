"""A state graph: states and the moves between them, checked when it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from hansa.foundation.errors import Refused

State = TypeVar("State", bound=StrEnum)


class StateGraph(Generic[State]):
    """The life of one kind of thing. `moves` names every state and where it may go next.

    Raises ValueError at declaration when a state cannot be reached from `start`, when a
    move leads to a state that is not declared, or when no state is final.
    """

    def __init__(
        self, *, thing: str, start: State, moves: Mapping[State, frozenset[State]]
    ) -> None:
        self.thing = thing
        self.start = start
        self.moves = dict(moves)
        self.ends = frozenset(state for state, onward in self.moves.items() if not onward)
        unknown = {to for onward in self.moves.values() for to in onward} - set(self.moves)
        reached, edge = {start}, [start]
        while edge:
            for to in self.moves.get(edge.pop(), frozenset()) - reached:
                reached.add(to)
                edge.append(to)
        unreached = set(self.moves) - reached
        if unknown or unreached or not self.ends:
            raise ValueError(f"{thing}: unknown {unknown}, unreached {unreached}, ends {self.ends}")

    def may(self, now: State, then: State) -> bool:
        """Whether the thing may go from `now` to `then` in one move."""
        return then in self.moves[now]

    def check(self, now: State, then: State) -> None:
        """Raises Refused `state-move` when the thing may not go from `now` to `then`."""
        if not self.may(now, then):
            raise Refused(
                "state-move",
                f"The {self.thing} is {now} and cannot become {then}; from here it can become "
                f"{', '.join(sorted(self.moves[now])) or 'nothing else'}.",
                field="state",
            )
