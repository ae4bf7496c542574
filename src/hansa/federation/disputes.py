"""The papers of disputes about invoices: what is claimed, and what either side does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.federation.papers import Difference, Signature
from hansa.foundation.ids import DisputeId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant

DisputeCause = Literal[
    "rate", "dial-code", "commit", "reverse-charge",
    "volume", "time-zone", "midnight", "double-count", "duration", "negative", "recovery",
    "fraud",
]  # fmt: skip
"""ITU-T D.170 Supplement 1, and fraud. The first line is about prices, the second about volume."""

Silence = Literal["escalate", "accept", "reject"]


@dataclass(frozen=True, slots=True)
class DisputeTerms:
    """By what a dispute goes; both sides must go by the same.

    Thresholds as the GSC advises carriers: a price within raise_days of the invoice, however
    small; volume not below volume_bp (hundredths of a percent) of the invoice nor below
    volume_least, unless it repeats for more than repeats_months. volume_least: whole units of
    volume_currency. Clocks are the habit of the trade: bd are business days, Monday to Friday.
    silence: what it means when the other side has not answered in time.
    """

    raise_days: int = 30
    acknowledge_bd: int = 2
    answer_bd: int = 10
    sample_bd: int = 5
    second_level_days: int = 30
    third_level_days: int = 60
    expert_days: int = 90
    volume_bp: int = 100
    volume_least: int = 1000
    volume_currency: str = "USD"
    repeats_months: int = 3
    silence: Silence = "escalate"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that shows something. content: the whole of it where it is short, else empty: then
    it is handed over beside, and known by its digest.
    """

    name: str
    sha256: str
    size: int
    content: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """One side says that lines of an invoice are too high. number: of the invoice.

    lines: theirs is the net that the invoice says, ours what the raiser says it should be.
    netted: the raiser had netted what it disputes before; then neither side holds it out.
    """

    id: DisputeId
    statement: StatementId
    number: str
    raiser: PartyId
    cause: DisputeCause
    lines: tuple[Difference, ...]
    words: str
    evidence: tuple[Evidence, ...]
    terms: DisputeTerms
    raised_at: Instant
    netted: bool = False


@dataclass(frozen=True, slots=True)
class DisputeRaised:
    """Please look at this, and answer before the clock runs out."""

    dispute: Dispute
    signature: Signature
    kind: Literal["dispute-raised"] = "dispute-raised"


@dataclass(frozen=True, slots=True)
class LineCredit:
    """By how much the net of one line is to be lowered; above zero."""

    key: str
    net: Money


DisputeAct = Literal["acknowledge", "offer", "accept", "reject", "withdraw"]


@dataclass(frozen=True, slots=True)
class DisputeMoved:
    """The sender has done something about a dispute. place: its own how-manyth act, from 1.

    credits: of an offer and of an acceptance. signature: over the fingerprint of this notice
    with an empty signature value.
    """

    dispute: DisputeId
    statement: StatementId
    place: int
    act: DisputeAct
    credits: tuple[LineCredit, ...]
    reason: str
    signature: Signature
    kind: Literal["dispute-moved"] = "dispute-moved"
