"""Where papers and payments to a party go, and how many set off what they owe each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hansa.federation.papers import (
    NettingCalled,
    NettingLine,
    NettingNotice,
    NettingPlan,
    Signature,
)
from hansa.foundation.ids import PartyId, RoundId
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Particulars:
    """What papers say of a party beside its name, country and tax number; all may be empty.

    registration: the number under which it is registered as a company. endpoint: where
    electronic invoices reach it, `SCHEME:ID` with a scheme of the list EAS, as
    `0088:7300010000001`.
    """

    party: PartyId
    street: str = ""
    city: str = ""
    postcode: str = ""
    registration: str = ""
    endpoint: str = ""


# --- netting among many -------------------------------------------------------------------------

Lines = tuple[NettingLine, ...]


class RoundState(StrEnum):
    """A round at its centre. called: offers are awaited. proposed: signatures are.

    settled: all have signed. empty: nothing was left to net.
    """

    CALLED = "called"
    PROPOSED = "proposed"
    SETTLED = "settled"
    EMPTY = "empty"


class SeatState(StrEnum):
    """One party of a round, at its centre. out: it answered no, or not in time."""

    ASKED = "asked"
    OFFERED = "offered"
    SIGNED = "signed"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Seat:
    """What a party has said. lines: as it offered them. signature: of the current attempt."""

    party: PartyId
    state: SeatState
    lines: Lines = ()
    signature: Signature | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """A round as its centre holds it. until: when what is awaited counts no more."""

    call: NettingCalled
    state: RoundState
    until: Instant
    seats: tuple[Seat, ...]
    plan: NettingPlan | None = None

    @property
    def id(self) -> RoundId:
        return self.call.round


class PartState(StrEnum):
    """Our own part in a round. signed: bound until the centre settles, proposes anew or drops.

    refused: we have said no to the plan that is there.
    """

    OFFERED = "offered"
    PROPOSED = "proposed"
    REFUSED = "refused"
    SIGNED = "signed"
    SETTLED = "settled"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Part:
    """Our own part in a round. offered: what we may net; lines: what of it the plan nets."""

    call: NettingCalled
    centre: PartyId
    state: PartState
    attempt: int = 0
    offered: Lines = ()
    plan: NettingPlan | None = None
    lines: Lines = ()
    signature: Signature | None = None
    why: str = ""

    @property
    def id(self) -> RoundId:
        return self.call.round


@dataclass(frozen=True, slots=True)
class HeardLetter:
    """A notice about netting that was heard and is still to be dealt with."""

    id: int
    sender: PartyId
    notice: NettingNotice
