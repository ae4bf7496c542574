"""Seller: what every node offers, and what every node calls. Start reading here.

Three keep this promise: our own network, a partner over the wire, and this node's storefront.
One suite (`tests/promises/`) holds all of them to it, alone and in chains. Dialects (TMF,
Sonata) translate these values; they never replace them.

Errors are `hansa.foundation.errors`: Refused with a reason code, NotFound, TryLater.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol

from hansa.federation.mandate import Mandate
from hansa.foundation.ids import (
    AgreementId,
    BuyerKey,
    HoldingId,
    OfferCode,
    OrderId,
    PartyId,
    QualificationId,
    QuoteId,
    TraceId,
)
from hansa.foundation.money import Money
from hansa.foundation.readings import Check, Reading
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period

Characteristics = Mapping[str, int | str]
Family = Literal["connectivity", "security", "voice", "broadband"]

TRAIL_MAX = 8
"""The longest chain of nodes that one request may pass through."""


# --- what usage costs: locked in a quote, so that both sides can compute the month ------------


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of a tiered price; up_to: the last unit it covers, None for all above."""

    up_to: int | None
    rate: Decimal


TierMode = Literal["graduated", "retroactive"]
"""graduated: each unit at its own tier's rate. retroactive: all units at the tier reached."""


@dataclass(frozen=True, slots=True)
class PercentileTariff:
    """Burstable data: max(commit, p95 in, p95 out) in Mbit/s x rate a month."""

    rate_per_mbps: Decimal
    commit_mbps: int
    kind: Literal["percentile"] = "percentile"


@dataclass(frozen=True, slots=True)
class VoiceBand:
    """One destination of a deck. prefix: E.164 digits without `+`, a string always.

    peak_per_min, offpeak_per_min: price of 60 billed seconds. first_s, next_s: increments.
    setup: price of an answered call before its seconds.
    """

    prefix: str
    destination: str
    peak_per_min: Decimal
    offpeak_per_min: Decimal
    first_s: int
    next_s: int
    setup: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class VoiceTariff:
    """Calls by longest prefix. Peak is Monday to Friday, from_h up to to_h in `zone` (IANA)."""

    bands: tuple[VoiceBand, ...]
    zone: str
    peak_from_h: int
    peak_to_h: int
    kind: Literal["voice"] = "voice"


@dataclass(frozen=True, slots=True)
class SeatTariff:
    """Seats a month: the peak day or the last day, priced in tiers."""

    basis: Literal["peak", "month-end"]
    tiers: tuple[Tier, ...]
    mode: TierMode
    kind: Literal["seats"] = "seats"


@dataclass(frozen=True, slots=True)
class VolumeTariff:
    """Gigabytes (10**9 octets, both directions) above an allowance, priced in tiers."""

    included_gb: int
    tiers: tuple[Tier, ...]
    mode: TierMode
    kind: Literal["volume"] = "volume"


@dataclass(frozen=True, slots=True)
class Conversion:
    """How charges in a deck's currency become the holding's: whose reference rates, of which day.

    usage: the day of each call. month-end: the last day of the month. average: the mean of the
    rates of all its days. On a day without a rate the last one before it holds.
    """

    source: str
    day: Literal["usage", "month-end", "average"] = "usage"


@dataclass(frozen=True, slots=True)
class DeckTariff:
    """Calls by the seller's deck (A-Z price list) of that name, as it is when they are answered.

    tiers: discounts on the month's turnover in major units, each rate a part of 1; commit: the
    least that a month comes to after them, shortfall being charged. commission_bp: what of each
    charge goes to whoever brought the traffic, in hundredths of a percent; told, not charged.
    conversion: for a deck in another currency than the holding's.
    """

    deck: str
    tiers: tuple[Tier, ...] = ()
    mode: TierMode = "graduated"
    commit: Decimal | None = None
    commission_bp: int = 0
    conversion: Conversion | None = None
    kind: Literal["deck"] = "deck"


Tariff = PercentileTariff | VoiceTariff | SeatTariff | VolumeTariff | DeckTariff


@dataclass(frozen=True, slots=True)
class Terms:
    """What one line costs, tax apart. All three in one currency; tariff rates are in it too."""

    one_off: Money
    monthly: Money
    tariff: Tariff | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    """How a line is taxed. rate_bp: hundredths of a percent. legend: printed on the paper."""

    code: Literal["standard", "reverse-charge", "exempt"]
    rate_bp: int
    legend: str = ""


@dataclass(frozen=True, slots=True)
class AgreementRef:
    """The version of an agreement that was in force when something was agreed under it."""

    id: AgreementId
    version: int


# --- what passes between a buyer and a seller -----------------------------------------------


@dataclass(frozen=True, slots=True)
class CharacteristicSpec:
    """One thing a buyer chooses. For a whole number: its bounds, both allowed.

    default: used if absent.
    """

    name: str
    unit: str
    minimum: int
    maximum: int
    default: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Something on offer to this buyer (TMF620 ProductOffering).

    per: a line of it is for one site, or for the order as a whole. countries: where this
    buyer may have it now. terms: the list price, None where the price is found by quote.
    """

    code: OfferCode
    name: str
    family: Family
    per: Literal["site", "order"]
    countries: tuple[str, ...]
    characteristics: tuple[CharacteristicSpec, ...]
    currency: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class NeedItem:
    """One line of a need. id: the buyer's own name for the line, unique in the need.

    quantity: at least 1. holding: given when this line changes something already held.
    """

    id: str
    offer: OfferCode
    site: Site | None = None
    characteristics: Characteristics = field(default_factory=dict)
    quantity: int = 1
    holding: HoldingId | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a buyer wants, in the currency it wants to pay in.

    trail: the nodes this request has passed, the first asker first, at most TRAIL_MAX; a
    node that finds itself in it refuses. trace: the same at every hop.
    """

    items: tuple[NeedItem, ...]
    currency: str
    trace: TraceId
    trail: tuple[PartyId, ...] = ()


@dataclass(frozen=True, slots=True)
class QualificationLine:
    """Whether one item can be had; reason and words say why not, both empty when it can."""

    item: str
    feasible: bool
    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Qualification:
    """The answer to `qualify`, one line an item, in the order asked (TMF679)."""

    id: QualificationId
    lines: tuple[QualificationLine, ...]


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """The price of one item, locked. tax applies to all three parts of the terms.

    cancellation: owed, tax apart, when the buyer takes the order back once work on it has begun;
    None: nothing is.
    """

    item: str
    offer: OfferCode
    offer_name: str
    family: Family
    site: Site | None
    characteristics: Characteristics
    quantity: int
    terms: Terms
    tax: Tax
    holding: HoldingId | None = None
    cancellation: Money | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A price until then (TMF648). Terms of a line are for its whole quantity."""

    id: QuoteId
    seller: PartyId
    buyer: PartyId
    currency: str
    lines: tuple[QuoteLine, ...]
    made_at: Instant
    valid_until: Instant
    agreement: AgreementRef | None = None


class OrderState(StrEnum):
    """The life of an order, by its TMF622 names."""

    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "inProgress"
    HELD = "held"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """A yes, as its seller knows it. key: the buyer's; the same key always gives this order."""

    id: OrderId
    seller: PartyId
    buyer: PartyId
    key: BuyerKey
    quote: QuoteId
    state: OrderState
    placed_at: Instant
    trace: TraceId


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of an order as its buyer may see it: no supplier's name, no price.

    depth: 0 for a step of the seller itself, 1 for one of its supplier's, and so on.
    """

    name: str
    state: str
    at: Instant | None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Provided:
    """What an order line became: the holding the buyer now has.

    since: when its new terms began, or, of a cease, when it ended; both sides bill by it.
    """

    item: str
    holding: HoldingId
    since: Instant


@dataclass(frozen=True, slots=True)
class Charged:
    """What it costs that an order was cancelled as its buyer wished: tax apart, owed since `at`."""

    amount: Money
    at: Instant


OrderKind = Literal["provide", "cease"]
"""provide: for what a quote lists. cease: to end what another order has brought."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order is.

    hops: sales in the chain from this one downwards, 1 when the seller delivers it all.
    provided: one for each item, once completed. reason: why it failed or is held, for the buyer.
    charged: once cancelled, if that costs anything.
    """

    order: OrderId
    key: BuyerKey
    state: OrderState
    milestones: tuple[Milestone, ...] = ()
    provided: tuple[Provided, ...] = ()
    hops: int = 1
    reason: str = ""
    kind: OrderKind = "provide"
    charged: Charged | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Is it as promised? measured: False when the network below is only imagined."""

    holding: HoldingId
    state: Literal["active", "degraded", "ended"]
    checks: tuple[Check, ...]
    measured: bool


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One reading of one holding. id: given where it was read, kept at every hop.

    measured: whether a device was read; False for a network that is only imagined, None where
    nobody has told.
    """

    id: str
    holding: HoldingId
    reading: Reading
    measured: bool | None = None


class Seller(Protocol):
    """Anyone a service can be bought from: our own network, a partner, or this node itself.

    A Seller is bound to one buyer. Each call may be repeated: those that change something
    carry the buyer's key, and the same key with the same content gives the first answer
    (Refused `key-reused` for other content).
    """

    def offers(self) -> Sequence[Offer]:
        """What this buyer may have, with its own prices."""
        ...

    def qualify(self, need: Need) -> Qualification:
        """Can it be had there? Nothing is promised or kept by asking."""
        ...

    def quote(self, need: Need) -> Quote:
        """A price for all of it, locked until `valid_until`, or Refused naming the item."""
        ...

    def order(self, *, quote_id: QuoteId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        """Yes to a quote. Returns at once; the work goes on.

        mandate: who asked for it, from the first buyer to this one, by their signatures. One node
        does not take another's order without (Refused `mandate-missing`).
        """
        ...

    def cease(self, *, order_id: OrderId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        """Ends what that order brought: a new service ends, a change goes back to what was
        before it, an order still in progress is cancelled, at the price that its quote names
        for that. Returns the order that does it. mandate: as in `order`, over the end of it.
        """
        ...

    def progress(self, order_id: OrderId) -> Progress:
        """How far it is, as this buyer may see it."""
        ...

    def condition(self, holding_id: HoldingId) -> Condition:
        """Is what this buyer holds as it was promised?"""
        ...

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        """All usage of the holding in the period, in time order.

        Raises TryLater `usage-not-ready` while the seller itself still waits for some of it.
        """
        ...
