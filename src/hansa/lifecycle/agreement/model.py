"""An agreement between operators (TMF651), its versions and states; and our end customers.

An agreement keeps its id, its parties and its lead for life. What it says is in its
versions: each is a document signed by all parties, and takes over from the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import AgreementDocument, AgreementItem, RevenueShare, Signature
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant, Period


class AgreementState(StrEnum):
    """draft: not signed by all. signed: by all, no country launched. live: in at least one
    country. suspended: no new orders for now. run-off: what is held goes on, no new orders
    ever again. ended: nothing.
    """

    DRAFT = "draft"
    SIGNED = "signed"
    LIVE = "live"
    SUSPENDED = "suspended"
    RUN_OFF = "run-off"
    ENDED = "ended"


AGREEMENT_STATES = StateGraph(
    thing="agreement",
    start=AgreementState.DRAFT,
    moves={
        AgreementState.DRAFT: frozenset({AgreementState.SIGNED, AgreementState.ENDED}),
        AgreementState.SIGNED: frozenset({AgreementState.LIVE, AgreementState.ENDED}),
        AgreementState.LIVE: frozenset(
            {AgreementState.SUSPENDED, AgreementState.RUN_OFF, AgreementState.ENDED}
        ),
        AgreementState.SUSPENDED: frozenset(
            {AgreementState.LIVE, AgreementState.RUN_OFF, AgreementState.ENDED}
        ),
        AgreementState.RUN_OFF: frozenset({AgreementState.ENDED}),
        AgreementState.ENDED: frozenset(),
    },
)


class CountryState(StrEnum):
    """planned: in the agreement. live: launched, once every gate was passed."""

    PLANNED = "planned"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class GatePassed:
    """What was shown at one gate of one country. by: who looked at it."""

    gate: str
    evidence: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Country:
    """One country that a version lists. live_since: None while planned."""

    code: str
    state: CountryState
    live_since: Instant | None
    gates: tuple[GatePassed, ...] = ()


@dataclass(frozen=True, slots=True)
class InForce:
    """How long a version is the one that counts: from `start` up to `end`, None for open."""

    start: Instant
    end: Instant | None

    def holds(self, at: Instant) -> bool:
        """Whether the version counts at this instant."""
        return self.start <= at and (self.end is None or at < self.end)

    def meets(self, period: Period) -> bool:
        """Whether the version counts in any part of the period."""
        return period.meet(self.start, self.end) is not None


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement as this node knows it.

    state: of the agreement as seen from this version; a version that not all have signed is
    a draft, whatever an earlier one is. in_force: None when this version never counts.
    """

    ref: AgreementRef
    document: AgreementDocument
    fingerprint: str
    state: AgreementState
    in_force: InForce | None
    signatures: tuple[Signature, ...]
    countries: tuple[Country, ...]

    @property
    def lead(self) -> PartyId:
        """The party that drafts the agreement and moves it."""
        return next(one.party for one in self.document.parties if one.role == "lead")

    @property
    def parties(self) -> tuple[PartyId, ...]:
        """Everyone who has to sign, in the order of the document."""
        return tuple(one.party for one in self.document.parties)

    @property
    def unsigned(self) -> tuple[PartyId, ...]:
        """The parties whose signature is still missing, in the order of the document."""
        signed = {one.party for one in self.signatures}
        return tuple(party for party in self.parties if party not in signed)

    @property
    def launched(self) -> tuple[str, ...]:
        """The countries that are live: ISO 3166-1 alpha-2, in order."""
        return tuple(one.code for one in self.countries if one.state is CountryState.LIVE)

    @property
    def title(self) -> str:
        """How refusals name it to a partner."""
        return f"agreement {self.document.name} ({self.ref.id} version {self.ref.version})"


@dataclass(frozen=True, slots=True)
class Listed:
    """An agreement in a list: the version in force, else the newest; newest: its number."""

    shown: Agreement
    newest: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one version stands, worked out from all signatures and moves that are known.

    live: the launched countries that it lists, and since when.
    """

    version: int
    state: AgreementState
    in_force: InForce | None
    live: Mapping[str, Instant]


@dataclass(frozen=True, slots=True)
class TradeTerms:
    """The item under which something may be traded. countries: those of it that are live."""

    ref: AgreementRef
    item: AgreementItem
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """A revenue share in force, and the agreement that says so."""

    ref: AgreementRef
    share: RevenueShare


@dataclass(frozen=True, slots=True)
class Customer:
    """An end customer of this node. It pays in its party's currency from this price list.

    credit_limit: the most it may owe, invoices and accepted orders together; None: no limit.
    """

    party: Party
    price_list: str
    credit_limit: Money | None
    registered_at: Instant
