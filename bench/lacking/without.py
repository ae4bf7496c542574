"""Takes one protection out of a node that the bench has started, to see what it costs.

No setting of a node does this. The bench puts this folder on PYTHONPATH of the processes that it
starts, and names the protection in HANSA_BENCH_WITHOUT (see sitecustomize.py beside this file).
TLS is not among them: that is left out by `http.tls`, as where a proxy ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

BY = "bench-party"
"""The header that names the caller where nobody signs."""


def signatures() -> None:
    """Nobody signs and nobody is proved; with that nonces and evidence go, too."""
    from hansa.federation import neighbours
    from hansa.federation.courier import Letter, Look
    from hansa.federation.exchange import Answer, Ask, Caller
    from hansa.federation.trust import gate
    from hansa.foundation.ids import PartyId
    from hansa.foundation.party import Actor

    class Named:
        def __init__(self, *, us: PartyId, **_: Any) -> None:
            self._us = us

        def present(self, _letter: Letter) -> tuple[Mapping[str, str], Look]:
            return {BY: self._us}, lambda reply: reply

    def admit(_gate: gate.FrontGate, ask: Ask) -> Caller:
        return Caller(Actor(PartyId(ask.headers[BY]), "partner"))

    def seal(_gate: gate.FrontGate, _ask: Ask, _caller: Caller | None, answer: Answer) -> Answer:
        return answer

    neighbours.Signed = Named  # type: ignore[assignment, misc]
    gate.FrontGate.admit = admit  # type: ignore[method-assign]
    gate.FrontGate.seal = seal  # type: ignore[method-assign]


def evidence() -> None:
    """Messages are signed and their nonces used up, and none is kept."""
    from hansa.federation.evidence import actions

    enter = actions.enter

    def enter_only(tx: Any, *, message: object, **rest: Any) -> bool:
        return enter(tx, message=None, **rest)

    actions.enter = enter_only
    actions.keep = lambda tx, *, messages: None  # noqa: ARG005


def row_security() -> None:
    """What a partner or customer asks for is done as the node's own work."""
    from hansa.foundation.database import Database

    Database.begin_for = lambda self, actor, *, us: self.begin  # type: ignore[method-assign] # noqa: ARG005


PROTECTIONS: Mapping[str, Callable[[], None]] = {
    "signatures": signatures,
    "evidence": evidence,
    "row security": row_security,
}
