"""Shelf: what is kept between this node and one actor, to be found again.

Beside `Seller`, which trades, and `Listener`, which is told: every quote, order, holding, bill
and agreement of one actor, one by one and in lists, and the few things that are done to them
later on. A Shelf is bound to one actor. What belongs to somebody else looks as if it were not
there; the node's own staff (the role `operator`) finds everything.

Lists are newest first and come in pages. Dialects turn these values into their own shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, Protocol, TypeVar

from hansa.federation.contract import (
    AgreementRef,
    Characteristics,
    Family,
    Need,
    Offer,
    Order,
    OrderState,
    Progress,
    Qualification,
    Quote,
    QuoteLine,
    Tax,
    Terms,
    UsageRecord,
)
from hansa.federation.papers import AgreementDocument, Signature, StatementLine
from hansa.foundation.ids import (
    AgreementId,
    BillId,
    BillRequestId,
    BuyerKey,
    CancellationId,
    HoldingId,
    OfferCode,
    OrderId,
    PartyId,
    QualificationId,
    QuoteId,
    TraceId,
)
from hansa.foundation.money import Money
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period

PAGE = 100
"""How many things a page has unless asked otherwise."""

Thing = TypeVar("Thing")

Extras = Mapping[str, Any]
"""Whatever a client sent beside what we understand, as JSON values: kept, and given back."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Thing]):
    """Some of the things on a shelf, the newest first. total: how many there are in all."""

    things: Sequence[Thing]
    total: int


# --- what stands there --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShelfOffer:
    """Something on offer to this actor. since: when its price of now came into force."""

    offer: Offer
    since: Instant


QualificationKind = Literal["offering", "check", "query"]
"""Asked of offers as a whole, or of services: whether these can be had, or which can."""


@dataclass(frozen=True, slots=True)
class ShelfQualification:
    """What was asked and what was answered. Kept until it expires, then gone."""

    qualification: Qualification
    buyer: PartyId
    kind: QualificationKind
    need: Need
    made_at: Instant
    expires_at: Instant
    extras: Extras = field(default_factory=dict)


class QuoteState(StrEnum):
    """The life of a quote, by its TMF648 names.

    approved: priced, and open to be ordered until its time ends. accepted: ordered, or about
    to be. rejected: the buyer has said no. cancelled: the buyer has no more use for it.
    """

    APPROVED = "approved"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ShelfQuote:
    """A quote and what became of it. changed_at: since when it is in its state."""

    quote: Quote
    state: QuoteState
    changed_at: Instant
    trace: TraceId
    reason: str = ""
    extras: Extras = field(default_factory=dict)


LineAction = Literal["add", "modify", "delete"]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order. holding: what it changes, ends, or has become."""

    action: LineAction
    quoted: QuoteLine
    state: OrderState
    holding: HoldingId | None = None
    since: Instant | None = None


class CancellationState(StrEnum):
    """How far a cancellation is, by its TMF622 names."""

    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "inProgress"
    DONE = "done"
    TERMINATED_WITH_ERROR = "terminatedWithError"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The wish that an order shall not be. An order has one at most.

    charge: what it costs, tax apart, zero as a rule. waived: it is not owed after all, for the
    order came to its end before it could be taken back. by: the order that takes it back.
    wished_for: when the buyer wanted it; as soon as can be when it said nothing.
    effective_at: since when there is nothing left of it, once done.
    """

    id: CancellationId
    order: OrderId
    by: OrderId
    state: CancellationState
    asked_at: Instant
    charge: Money
    reason: str = ""
    wished_for: Instant | None = None
    effective_at: Instant | None = None
    waived: bool = False
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShelfOrder:
    """An order line by line, and how far it is.

    kind: `provide` for what a quote lists, `cease` to end what the order `ends` has brought.
    """

    order: Order
    kind: Literal["provide", "cease"]
    progress: Progress
    lines: tuple[OrderLine, ...]
    currency: str
    ended_at: Instant | None = None
    ends: OrderId | None = None
    agreement: AgreementRef | None = None
    cancellation: Cancellation | None = None
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShelfHolding:
    """What an actor has from us, as it is now, or was when it ended.

    order: the order that brought its terms of now. began_with: the one that brought itself.
    """

    id: HoldingId
    seller: PartyId
    buyer: PartyId
    item: str
    offer: OfferCode
    offer_name: str
    family: Family
    site: Site | None
    agreement: AgreementRef | None
    state: Literal["active", "terminated"]
    since: Instant
    until: Instant | None
    characteristics: Characteristics
    quantity: int
    terms: Terms
    tax: Tax
    order: OrderId
    began_with: OrderId


class BillStage(StrEnum):
    """The life of a bill, by its TMF678 names."""

    NEW = "new"
    ON_HOLD = "onHold"
    VALIDATED = "validated"
    SENT = "sent"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class ShelfBill:
    """A month between us and one party: a statement between nodes, a bill to a customer.

    id: the statement's where there is one, so that it is the one both know; else the bill's.
    number, issued_at: of the invoice, once there is one.
    """

    id: str
    kind_of: Literal["services", "revenue-share", "credit-note"]
    creditor: PartyId
    debtor: PartyId
    agreement: AgreementRef | None
    period: Period
    currency: str
    lines: tuple[StatementLine, ...]
    net: Money
    tax: Money
    state: BillStage
    made_at: Instant
    number: str = ""
    issued_at: Instant | None = None
    bill: BillId | None = None


@dataclass(frozen=True, slots=True)
class BillRequest:
    """The wish to be shown a bill at once (TMF678 CustomerBillOnDemand), and which it was.

    bill: of a ShelfBill; empty when there is none yet.
    """

    id: BillRequestId
    buyer: PartyId
    asked_at: Instant
    bill: str
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShelfAgreement:
    """The version of an agreement that counts now, or else the newest one.

    state: draft, signed, live, suspended, run-off or ended. in_force_from, in_force_to: how
    long this version counts, both None if it never does. launched: the countries that are live.
    """

    document: AgreementDocument
    fingerprint: str
    state: str
    signatures: tuple[Signature, ...]
    launched: tuple[str, ...]
    in_force_from: Instant | None = None
    in_force_to: Instant | None = None


# --- the promise --------------------------------------------------------------------------------


class Shelf(Protocol):
    """What is kept between this node and one actor. Same errors for unknown and for another's."""

    # what is on offer

    def offers(self) -> Sequence[ShelfOffer]:
        """What this actor may have, with its own prices, by code."""
        ...

    # qualifications

    def qualify(
        self, need: Need, *, kind: QualificationKind = "offering", extras: Extras | None = None
    ) -> ShelfQualification:
        """As `Seller.qualify`, kept for a while."""
        ...

    def qualifications(
        self, *, kind: QualificationKind = "offering", offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfQualification]: ...

    def qualification(
        self, qualification_id: QualificationId, *, kind: QualificationKind = "offering"
    ) -> ShelfQualification:
        """Raises NotFound `qualification-unknown`."""
        ...

    # quotes

    def make_quote(self, need: Need, *, extras: Extras | None = None) -> ShelfQuote:
        """As `Seller.quote`, with what else the client sent kept beside it."""
        ...

    def quotes(
        self, *, state: QuoteState | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfQuote]: ...

    def quote(self, quote_id: QuoteId) -> ShelfQuote:
        """Raises NotFound `quote-unknown`."""
        ...

    def move_quote(self, quote_id: QuoteId, *, state: QuoteState, reason: str = "") -> ShelfQuote:
        """Accepts, rejects or cancels a quote; there already changes nothing.

        A quote that is rejected or cancelled cannot be ordered (Refused `quote-closed`).
        Raises NotFound `quote-unknown`; Refused `state-move` for any other move.
        """
        ...

    # orders

    def place_order(
        self, quote_id: QuoteId, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        """As `Seller.order`; without a key it is a new order whatever came before."""
        ...

    def order_outright(
        self, need: Need, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        """Quotes and orders in one go, for a client that asks for no price first.

        The same key with the same need gives the same order (Refused `key-reused` for another
        need), without a key it is a new order. Raises as `Seller.quote` and `Seller.order`.
        """
        ...

    def end_order(
        self, order_id: OrderId, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        """As `Seller.cease`; without a key it is a new order whatever came before."""
        ...

    def orders(
        self, *, state: OrderState | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfOrder]: ...

    def order(self, order_id: OrderId) -> ShelfOrder:
        """Raises NotFound `order-unknown`."""
        ...

    def cancel_order(
        self,
        order_id: OrderId,
        *,
        reason: str = "",
        wished_for: Instant | None = None,
        extras: Extras | None = None,
    ) -> Cancellation:
        """Has an order that is under way taken back; asked again gives the same cancellation.

        Raises NotFound `order-unknown`; Refused `order-not-cancellable` when it is over.
        """
        ...

    def cancellations(
        self,
        *,
        state: CancellationState | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> Page[Cancellation]: ...

    def cancellation(self, cancellation_id: CancellationId) -> Cancellation:
        """Raises NotFound `cancellation-unknown`."""
        ...

    # holdings and their usage

    def holdings(
        self,
        *,
        state: Literal["active", "terminated"] | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> Page[ShelfHolding]: ...

    def holding(self, holding_id: HoldingId) -> ShelfHolding:
        """Raises NotFound `holding-unknown`."""
        ...

    def usage(
        self, *, period: Period | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[UsageRecord]:
        """Usage of all that this actor holds, in time order.

        period None: the last month whose usage is all in; nothing before there is one.
        """
        ...

    def usage_record(self, record_id: str) -> UsageRecord:
        """Raises NotFound `usage-unknown`."""
        ...

    # bills

    def bills(
        self, *, state: BillStage | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfBill]:
        """Months between us and this actor, whichever of the two owes; withdrawn ones apart."""
        ...

    def bill(self, bill_id: str) -> ShelfBill:
        """Raises NotFound `bill-unknown`."""
        ...

    def request_bill(self, *, extras: Extras | None = None) -> BillRequest:
        """Asks for a bill at once: answered with the newest one, if there is any."""
        ...

    def bill_requests(self, *, offset: int = 0, limit: int = PAGE) -> Page[BillRequest]: ...

    def bill_request(self, request_id: BillRequestId) -> BillRequest:
        """Raises NotFound `bill-request-unknown`."""
        ...

    # agreements

    def agreements(self, *, offset: int = 0, limit: int = PAGE) -> Page[ShelfAgreement]: ...

    def agreement(self, agreement_id: AgreementId) -> ShelfAgreement:
        """Raises NotFound `agreement-unknown`."""
        ...
