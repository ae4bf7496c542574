"""The papers that nodes sign and send each other; `hansa.federation.listener` hears them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from hansa.federation.contract import AgreementRef, Progress
from hansa.federation.helpdesk import Ticket
from hansa.federation.model import Card
from hansa.foundation.ids import (
    AgreementId,
    BillId,
    DisputeId,
    OfferCode,
    PartyId,
    RoundId,
    StatementId,
)
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period


@dataclass(frozen=True, slots=True)
class Signature:
    """Ed25519 (RFC 8032) over the ASCII hexadecimal SHA-256 of a paper; value: base64."""

    party: PartyId
    value: str
    at: Instant


# --- cards (TMF668 events) ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardRenewed:
    """The sender's card, with another key or certificate on it than before."""

    card: Card
    kind: Literal["card-renewed"] = "card-renewed"


# --- agreement (TMF651) -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgreementParty:
    """lead: drafts, launches and suspends. partner: buys or sells. member: shares revenue."""

    party: PartyId
    role: Literal["lead", "partner", "member"]


@dataclass(frozen=True, slots=True)
class AgreementItem:
    """seller sells these offers to buyer in these countries from this price list.

    credit_limit: the most the buyer may owe, invoices and accepted orders together; None: no limit.
    """

    seller: PartyId
    buyer: PartyId
    offers: tuple[OfferCode, ...]
    countries: tuple[str, ...]
    price_list: str
    currency: str
    credit_limit: Money | None = None


@dataclass(frozen=True, slots=True)
class Deduction:
    """A step of a waterfall: what is taken off revenue before it is shared.

    credits: the operator's credit notes; it says no more. Any other kind has either part_bp, in
    hundredths of a percent of what the steps before it have left, or an amount a month from each
    offer, of which no more is taken than is left.
    """

    kind: Literal["taxes", "credits", "refunds", "access", "bad-debt"]
    part_bp: int | None = None
    amount: Money | None = None


Waterfall = tuple[Deduction, ...]


@dataclass(frozen=True, slots=True)
class RevenueShare:
    """beneficiary gets share_bp (hundredths of a percent) of what operator invoices, tax apart.

    offers: whose revenue counts. currency: the share is paid in it. Converted at the
    reference rate of fx_source for the last day of the period. waterfall: what is taken off
    first, in this order; None: nothing is, and it is then no part of the text that is signed.
    """

    operator: PartyId
    beneficiary: PartyId
    share_bp: int
    offers: tuple[OfferCode, ...]
    currency: str
    fx_source: str
    waterfall: Annotated[Waterfall | None, Field(exclude_if=lambda value: value is None)] = None


NettingMode = Literal["gross", "bilateral", "multilateral"]
"""gross: each invoice is paid by itself. bilateral: what two owe each other is set off.
multilateral: what many owe each other is. The stricter is named first.
"""


@dataclass(frozen=True, slots=True)
class CountryNetting:
    """How far parties of a country may set off. source: the law or leave that says so."""

    country: str
    mode: NettingMode
    source: str


@dataclass(frozen=True, slots=True)
class NettingTerms:
    """How what is invoiced under an agreement is set off; bilaterally for countries not named.

    centre: the party that proposes multilateral netting. answer_h: how many hours the others
    have for each answer; who has not answered by then is left out.
    """

    centre: PartyId
    countries: tuple[CountryNetting, ...]
    answer_h: int = 48


@dataclass(frozen=True, slots=True)
class AgreementDocument:
    """The text that all parties sign: its fingerprint is what the signatures are over.

    gates: what must be shown before a country is launched, e.g. ("licence", "tax"). netting:
    None for bilateral netting only; it is then no part of the text that is signed.
    """

    id: AgreementId
    version: int
    name: str
    parties: tuple[AgreementParty, ...]
    valid_from: Instant
    valid_to: Instant | None
    items: tuple[AgreementItem, ...]
    shares: tuple[RevenueShare, ...] = ()
    gates: tuple[str, ...] = ()
    netting: Annotated[NettingTerms | None, Field(exclude_if=lambda value: value is None)] = None


@dataclass(frozen=True, slots=True)
class AgreementDrafted:
    """A party has drafted this; whoever hears it may read, then sign."""

    document: AgreementDocument
    kind: Literal["agreement-drafted"] = "agreement-drafted"


@dataclass(frozen=True, slots=True)
class AgreementSigned:
    """A party has signed this version."""

    agreement: AgreementRef
    fingerprint: str
    signature: Signature
    kind: Literal["agreement-signed"] = "agreement-signed"


AgreementAct = Literal["launch", "suspend", "resume", "run-off", "end"]


@dataclass(frozen=True, slots=True)
class AgreementMoved:
    """The lead has moved the agreement, or one country of it (launch only).

    evidence: what was shown at each gate, gate by gate, for a launch.
    signature: over the fingerprint of this notice with an empty signature value.
    """

    agreement: AgreementRef
    act: AgreementAct
    country: str
    evidence: Mapping[str, str]
    signature: Signature
    kind: Literal["agreement-moved"] = "agreement-moved"


# --- order (TMF622 events) --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderMoved:
    """An order of the listener's has moved; key is the listener's own, so it knows which."""

    progress: Progress
    kind: Literal["order-moved"] = "order-moved"


# --- assurance (TMF621 events) ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketMoved:
    """Something was added to a ticket of the listener's; this is the whole of it."""

    ticket: Ticket
    kind: Literal["ticket-moved"] = "ticket-moved"


# --- settlement (TMF678) ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line that both sides can compute. key: `HOLDING/what` or `ORDER/what`, the same on both
    sides.

    quantity: exact decimal. net: rounded once here. tax: of this line, rounded once.
    """

    key: str
    offer: OfferCode
    description: str
    quantity: Decimal
    unit: str
    net: Money
    tax: Money


class StatementState(StrEnum):
    """The life of a statement on either side."""

    ISSUED = "issued"
    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    INVOICED = "invoiced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a confirmation signs: totals and a hash of the lines, fit to be shown to a third
    party that shares the revenue but may not see the prices. credits: of a credit note only, the
    statement of which it takes back a part.
    """

    statement: StatementId
    creditor: PartyId
    debtor: PartyId
    agreement: AgreementRef
    period: Period
    currency: str
    net_by_offer: Mapping[str, int]
    net: Money
    tax: Money
    lines_fingerprint: str
    credits: Annotated[StatementId | None, Field(exclude_if=lambda value: value is None)] = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A debtor's or creditor's signature over the fingerprint of a summary."""

    summary: Summary
    signature: Signature


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note takes back: part of this statement's invoice, after this dispute."""

    statement: StatementId
    number: str
    dispute: DisputeId


StatementKind = Literal["services", "revenue-share", "credit-note"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One month between two parties, before it is an invoice.

    kind_of: `services`, issued by the creditor; `revenue-share`, issued by the operating
    party (the debtor) with the buyers' confirmations as evidence of the base; `credit-note`,
    issued by the creditor, with lines below zero. replaces: the statement that this one
    corrects, which is withdrawn with it. credits: of a credit note only, what it takes back.
    """

    id: StatementId
    kind_of: StatementKind
    agreement: AgreementRef
    creditor: PartyId
    debtor: PartyId
    period: Period
    currency: str
    lines: tuple[StatementLine, ...]
    net: Money
    tax: Money
    evidence: tuple[Confirmation, ...] = ()
    replaces: StatementId | None = None
    credits: Annotated[Credit | None, Field(exclude_if=lambda value: value is None)] = None


@dataclass(frozen=True, slots=True)
class StatementIssued:
    """Please compare with your own books, then confirm or dispute.

    parts: the statement's lines, when they are too many to be written out; it has none of them
    itself then (see `hansa.federation.packed`).
    """

    statement: Statement
    signature: Signature
    parts: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()
    kind: Literal["statement-issued"] = "statement-issued"


@dataclass(frozen=True, slots=True)
class Difference:
    """One line on which two books differ; None where a side has no such line. Net amounts."""

    key: str
    description: str
    theirs: Money | None
    ours: Money | None


@dataclass(frozen=True, slots=True)
class StatementAnswered:
    """The receiver's answer: its signed confirmation, or the lines on which it differs."""

    statement: StatementId
    confirmation: Confirmation | None
    differences: tuple[Difference, ...]
    kind: Literal["statement-answered"] = "statement-answered"


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """A confirmed statement has become a final invoice of the creditor, with its number."""

    statement: StatementId
    bill: BillId
    number: str
    issued_at: Instant
    kind: Literal["invoice-issued"] = "invoice-issued"


# --- netting among many -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NettingLine:
    """One invoice as both its parties know it. amount: tax included."""

    statement: StatementId
    creditor: PartyId
    debtor: PartyId
    amount: Money


@dataclass(frozen=True, slots=True)
class NettingPayment:
    """Who pays whom once all is set off."""

    payer: PartyId
    payee: PartyId
    amount: Money


@dataclass(frozen=True, slots=True)
class NettingPlan:
    """What all that take part sign, or nobody posts: positions add up to zero.

    positions: what each party is owed, in minor units, negative when it owes. lines: for each
    party the fingerprint of its own lines, which it alone is sent. attempt: counts from 1;
    a later one takes the place of all before it. sign_by: a later signature does not count.
    """

    round: RoundId
    attempt: int
    centre: PartyId
    agreement: AgreementRef
    period: Period
    currency: str
    positions: Mapping[PartyId, int]
    lines: Mapping[PartyId, str]
    payments: tuple[NettingPayment, ...]
    sign_by: Instant


@dataclass(frozen=True, slots=True)
class NettingCalled:
    """The centre asks: which invoices of the period may be netted among many?"""

    round: RoundId
    agreement: AgreementRef
    period: Period
    currency: str
    answer_by: Instant
    kind: Literal["netting-called"] = "netting-called"


@dataclass(frozen=True, slots=True)
class NettingOffered:
    """To the centre: these, which are invoiced, in no dispute and not paid."""

    round: RoundId
    lines: tuple[NettingLine, ...]
    kind: Literal["netting-offered"] = "netting-offered"


@dataclass(frozen=True, slots=True)
class NettingProposed:
    """The centre proposes a plan. lines: the listener's own of it."""

    plan: NettingPlan
    lines: tuple[NettingLine, ...]
    kind: Literal["netting-proposed"] = "netting-proposed"


@dataclass(frozen=True, slots=True)
class NettingAnswered:
    """To the centre: our signature over the plan's fingerprint; None with the reason why not."""

    round: RoundId
    attempt: int
    signature: Signature | None
    why: str = ""
    kind: Literal["netting-answered"] = "netting-answered"


@dataclass(frozen=True, slots=True)
class NettingSettled:
    """All have signed, here is the proof: everyone posts its part now."""

    plan: NettingPlan
    signatures: tuple[Signature, ...]
    kind: Literal["netting-settled"] = "netting-settled"


@dataclass(frozen=True, slots=True)
class NettingDropped:
    """The listener has no part in the round any more, up to this attempt or any before it."""

    round: RoundId
    attempt: int
    why: str
    kind: Literal["netting-dropped"] = "netting-dropped"


NettingNotice = (
    NettingCalled
    | NettingOffered
    | NettingProposed
    | NettingAnswered
    | NettingSettled
    | NettingDropped
)
