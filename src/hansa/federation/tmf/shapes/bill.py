"""TMF678 Customer Bill v4.0: a month between two parties, from statement to invoice.

A statement is a CustomerBill in state `new` with its applied rates; the answer moves it to
`validated` or `onHold`; the invoice moves it to `sent` and gives it its number. The official
file names no events; ours follow the pattern of the other APIs.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.papers import (
    Confirmation,
    Credit,
    Difference,
    InvoiceIssued,
    Signature,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementLine,
)
from hansa.federation.shelf import BillRequest, BillStage, ShelfBill
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    AgreementReference,
    Extended,
    Id,
    MoneyShape,
    Ref,
    RelatedParty,
    Text,
    TimePeriod,
    bounded,
    checked,
    href,
    malformed,
    read_agreement_ref,
    read_document,
    read_instant,
    read_money,
    read_party,
    read_period,
    related,
    write_agreement_ref,
    write_instant,
    write_money,
    write_period,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.ids import BillId, OfferCode, StatementId

BASE = "/tmf-api/customerBillManagement/v4"
BILLS = f"{BASE}/customerBill"
RATES = f"{BASE}/appliedCustomerBillingRate"
PACKED: Final = "application/zlib"
"""A part of a statement's lines: a JSON array, compressed by RFC 1950."""
ISSUED = f"{BASE}/listener/customerBillCreateEvent"
MOVED = f"{BASE}/listener/customerBillStateChangeEvent"
CHANGED = f"{BASE}/listener/customerBillAttributeValueChangeEvent"


class AppliedTax(TypedDict):
    """Tax of a line or of the whole."""

    taxAmount: MoneyShape


class RateCharacteristic(TypedDict):
    """offer, unit, or quantity as an exact decimal text."""

    name: Literal["offer", "quantity", "unit"]
    valueType: NotRequired[Text]
    value: Text


class RateShape(TypedDict):
    """AppliedCustomerBillingRate: one line; id: the key that both sides compute."""

    id: Id
    description: Text
    type: NotRequired[Text]
    isBilled: NotRequired[bool]
    bill: NotRequired[Ref]
    taxExcludedAmount: MoneyShape
    appliedTax: list[AppliedTax]
    characteristic: list[RateCharacteristic]


class LinesAttachment(TypedDict):
    """An AttachmentRefOrValue: a part of the lines, compressed; content: base64 of RFC 1950."""

    attachmentType: Literal["lines"]
    mimeType: Literal["application/zlib"]
    content: str


class BillShape(Extended):
    """CustomerBill; which attributes are there depends on its state."""

    id: Id
    href: NotRequired[Text]
    state: Literal["new", "onHold", "validated", "sent"]
    category: NotRequired[Literal["services", "revenue-share", "credit-note"]]
    billNo: NotRequired[Text]
    billDate: NotRequired[Text]
    billingPeriod: NotRequired[TimePeriod]
    relatedParty: NotRequired[list[RelatedParty]]
    taxExcludedAmount: NotRequired[MoneyShape]
    taxItem: NotRequired[list[AppliedTax]]
    hansaAgreement: NotRequired[AgreementReference]
    hansaCurrency: NotRequired[Text]
    hansaRate: NotRequired[list[RateShape]]
    billDocument: NotRequired[list[LinesAttachment]]
    hansaEvidence: NotRequired[Any]
    hansaReplaces: NotRequired[Id]
    hansaCredits: NotRequired[Any]
    hansaSignature: NotRequired[Any]
    hansaConfirmation: NotRequired[Any]
    hansaDifference: NotRequired[Any]
    hansaBill: NotRequired[Id]


class StatementBill(Extended):
    """CustomerBill in state new, complete."""

    id: Id
    state: Literal["new"]
    category: Literal["services", "revenue-share", "credit-note"]
    billingPeriod: TimePeriod
    relatedParty: list[RelatedParty]
    taxExcludedAmount: MoneyShape
    taxItem: list[AppliedTax]
    hansaAgreement: AgreementReference
    hansaCurrency: Text
    hansaRate: list[RateShape]
    billDocument: NotRequired[list[LinesAttachment]]
    hansaReplaces: NotRequired[Id]
    hansaCredits: NotRequired[Any]
    hansaEvidence: Any
    hansaSignature: Any


class BillPayload(TypedDict):
    """The bill that is new or has moved."""

    customerBill: BillShape


class BillEvent(TypedDict):
    """CustomerBillCreateEvent or CustomerBillStateChangeEvent."""

    eventId: NotRequired[Text]
    eventType: NotRequired[Text]
    event: BillPayload


class StatementPayload(TypedDict):
    """The bill that is new."""

    customerBill: StatementBill


class StatementEvent(TypedDict):
    """CustomerBillCreateEvent."""

    event: StatementPayload


def write_kept(kept: ShelfBill, address: str) -> dict[str, Any]:
    """A month between two parties as it stands. address: of this node, for the way to its lines."""
    total = kept.net + kept.tax
    shape: dict[str, Any] = {
        "id": kept.id,
        "href": href(BILLS, kept.id),
        "state": kept.state.value,
        "category": kept.kind_of,
        "runType": "onCycle",
        "billDate": write_instant(kept.issued_at or kept.made_at),
        "lastUpdate": write_instant(kept.issued_at or kept.made_at),
        "billingPeriod": write_period(kept.period),
        "billingAccount": {"id": kept.debtor, "name": kept.debtor},
        "relatedParty": related(creditor=kept.creditor, debtor=kept.debtor),
        "taxExcludedAmount": write_money(kept.net),
        "taxIncludedAmount": write_money(total),
        "amountDue": write_money(total),
        "taxItem": [{"taxAmount": write_money(kept.tax)}],
        "billDocument": [
            {
                "id": kept.id,
                "name": kept.number or kept.id,
                "attachmentType": "lines",
                "mimeType": "application/json",
                "url": f"{address}{RATES}?bill.id={kept.id}",
            }
        ],
        "hansaCurrency": kept.currency,
        "@type": "HansaCustomerBill",
        "@baseType": "CustomerBill",
        "@schemaLocation": SCHEMA,
    }
    if kept.number:
        shape["billNo"] = kept.number
    if kept.agreement is not None:
        shape["hansaAgreement"] = write_agreement_ref(kept.agreement)
    if kept.bill is not None:
        shape["hansaBill"] = kept.bill
    return shape


BILLED = frozenset({BillStage.SENT, BillStage.SETTLED, BillStage.VALIDATED})


def write_rates(kept: ShelfBill) -> list[dict[str, Any]]:
    """The lines of a bill, each with an id of its own; hansaKey: the one both sides compute."""
    return [
        {
            **_write_line(line, StatementId(kept.id)),
            "id": f"{kept.id}.{number}",
            "href": href(RATES, f"{kept.id}.{number}"),
            "name": line.offer,
            "date": write_instant(kept.issued_at or kept.made_at),
            "isBilled": kept.state in BILLED,
            "bill": {"id": kept.id, "href": href(BILLS, kept.id)},
            "billingAccount": {"id": kept.debtor, "name": kept.debtor},
            "periodCoverage": write_period(kept.period),
            "taxIncludedAmount": write_money(line.net + line.tax),
            "hansaKey": line.key,
            "@type": "HansaAppliedCustomerBillingRate",
            "@baseType": "AppliedCustomerBillingRate",
            "@schemaLocation": SCHEMA,
        }
        for number, line in enumerate(kept.lines, start=1)
    ]


def write_request(asked: BillRequest) -> dict[str, Any]:
    """What came of the wish to be shown a bill at once."""
    shape: dict[str, Any] = {
        "id": asked.id,
        "state": "done" if asked.bill else "rejected",
        "lastUpdate": write_instant(asked.asked_at),
        "billingAccount": {"id": asked.buyer, "name": asked.buyer},
        "relatedParty": {
            "id": asked.buyer,
            "name": asked.buyer,
            "role": "debtor",
            "@referredType": "Organization",
        },
    }
    if asked.bill:
        shape["customerBill"] = {"id": asked.bill, "href": href(BILLS, asked.bill)}
    return shape


def write_issued(notice: StatementIssued, event_id: str) -> BillEvent:
    statement = notice.statement
    shape: BillShape = {
        "id": statement.id,
        "href": href(BILLS, statement.id),
        "state": "new",
        "category": statement.kind_of,
        "billingPeriod": write_period(statement.period),
        "relatedParty": related(creditor=statement.creditor, debtor=statement.debtor),
        "taxExcludedAmount": write_money(statement.net),
        "taxItem": [{"taxAmount": write_money(statement.tax)}],
        "hansaAgreement": write_agreement_ref(statement.agreement),
        "hansaCurrency": statement.currency,
        "hansaRate": [_write_line(line, statement.id) for line in statement.lines],
        "hansaEvidence": [documents.write(one) for one in statement.evidence],
        "hansaSignature": documents.write(notice.signature),
        "@type": "HansaCustomerBill",
        "@baseType": "CustomerBill",
        "@schemaLocation": SCHEMA,
    }
    if statement.replaces is not None:
        shape["hansaReplaces"] = statement.replaces
    if statement.credits is not None:
        shape["hansaCredits"] = documents.write(statement.credits)
    if notice.parts:
        shape["billDocument"] = [
            {"attachmentType": "lines", "mimeType": PACKED, "content": part}
            for part in notice.parts
        ]
    return _event("CustomerBillCreateEvent", shape, event_id)


def _event(kind: str, shape: BillShape, event_id: str) -> BillEvent:
    return {"eventId": event_id, "eventType": kind, "event": {"customerBill": shape}}


def _write_line(line: StatementLine, statement: StatementId) -> RateShape:
    return {
        "id": line.key,
        "description": line.description,
        "type": "appliedBillingCharge",
        "isBilled": True,
        "bill": {"id": statement},
        "taxExcludedAmount": write_money(line.net),
        "appliedTax": [{"taxAmount": write_money(line.tax)}],
        "characteristic": [
            {"name": "offer", "valueType": "string", "value": line.offer},
            {"name": "quantity", "valueType": "decimal", "value": str(line.quantity)},
            {"name": "unit", "valueType": "string", "value": line.unit},
        ],
    }


def read_issued(value: Json) -> StatementIssued:
    shape = checked(StatementEvent, value)["event"]["customerBill"]
    at = "event.customerBill"
    if len(shape["taxItem"]) != 1:
        raise malformed(f"{at}.taxItem", "one tax item is expected")
    statement = Statement(
        id=StatementId(shape["id"]),
        kind_of=shape["category"],
        agreement=read_agreement_ref(shape["hansaAgreement"]),
        creditor=read_party(shape["relatedParty"], "creditor"),
        debtor=read_party(shape["relatedParty"], "debtor"),
        period=read_period(shape["billingPeriod"], f"{at}.billingPeriod"),
        currency=shape["hansaCurrency"],
        lines=tuple(
            _read_line(rate, f"{at}.hansaRate.{index}")
            for index, rate in enumerate(shape["hansaRate"])
        ),
        net=read_money(shape["taxExcludedAmount"], f"{at}.taxExcludedAmount"),
        tax=read_money(shape["taxItem"][0]["taxAmount"], f"{at}.taxItem.0.taxAmount"),
        evidence=read_document(
            tuple[Confirmation, ...], shape["hansaEvidence"], f"{at}.hansaEvidence"
        ),
        replaces=StatementId(shape["hansaReplaces"]) if "hansaReplaces" in shape else None,
        credits=read_document(Credit, shape["hansaCredits"], f"{at}.hansaCredits")
        if "hansaCredits" in shape
        else None,
    )
    signature = read_document(Signature, shape["hansaSignature"], f"{at}.hansaSignature")
    parts = tuple(part["content"] for part in shape.get("billDocument", ()))
    return StatementIssued(statement=statement, signature=signature, parts=parts)


def _read_line(rate: RateShape, field: str) -> StatementLine:
    facts = {fact["name"]: fact["value"] for fact in rate["characteristic"]}
    if len(facts) != 3 or len(rate["appliedTax"]) != 1:
        raise malformed(field, "an offer, a quantity, a unit and one tax are expected")
    return StatementLine(
        key=rate["id"],
        offer=OfferCode(facts["offer"]),
        description=rate["description"],
        quantity=_quantity(facts["quantity"], f"{field}.characteristic"),
        unit=facts["unit"],
        net=read_money(rate["taxExcludedAmount"], f"{field}.taxExcludedAmount"),
        tax=read_money(rate["appliedTax"][0]["taxAmount"], f"{field}.appliedTax"),
    )


def _quantity(text: str, field: str) -> Decimal:
    try:
        quantity = Decimal(text)
    except InvalidOperation:
        raise malformed(field, f"the quantity {text[:40]!r} is no number") from None
    bounded(quantity, field)
    return quantity


def write_answered(notice: StatementAnswered, event_id: str) -> BillEvent:
    shape: BillShape = {
        "id": notice.statement,
        "href": href(BILLS, notice.statement),
        "state": "onHold" if notice.confirmation is None else "validated",
        "hansaDifference": [documents.write(one) for one in notice.differences],
        "@type": "HansaCustomerBill",
        "@baseType": "CustomerBill",
        "@schemaLocation": SCHEMA,
    }
    if notice.confirmation is not None:
        shape["hansaConfirmation"] = documents.write(notice.confirmation)
    return _event("CustomerBillStateChangeEvent", shape, event_id)


def write_invoiced(notice: InvoiceIssued, event_id: str) -> BillEvent:
    shape: BillShape = {
        "id": notice.statement,
        "href": href(BILLS, notice.statement),
        "state": "sent",
        "billNo": notice.number,
        "billDate": write_instant(notice.issued_at),
        "hansaBill": notice.bill,
        "@type": "HansaCustomerBill",
        "@baseType": "CustomerBill",
        "@schemaLocation": SCHEMA,
    }
    return _event("CustomerBillStateChangeEvent", shape, event_id)


def read_moved(value: Json) -> StatementAnswered | InvoiceIssued:
    """`validated` and `onHold` are answers to a statement, `sent` is its invoice."""
    shape = checked(BillEvent, value)["event"]["customerBill"]
    at = "event.customerBill"
    if shape["state"] == "new":
        raise malformed(f"{at}.state", "validated, onHold or sent is expected")
    if shape["state"] == "sent":
        if "hansaBill" not in shape:
            raise malformed(f"{at}.hansaBill", "the id of the invoice is expected")
        return InvoiceIssued(
            statement=StatementId(shape["id"]),
            bill=BillId(shape["hansaBill"]),
            number=shape.get("billNo", ""),
            issued_at=read_instant(shape.get("billDate", ""), f"{at}.billDate"),
        )
    confirmation = None
    if shape["state"] == "validated":
        confirmation = read_document(
            Confirmation, shape.get("hansaConfirmation"), f"{at}.hansaConfirmation"
        )
    return StatementAnswered(
        statement=StatementId(shape["id"]),
        confirmation=confirmation,
        differences=read_document(
            tuple[Difference, ...], shape.get("hansaDifference", []), f"{at}.hansaDifference"
        ),
    )


class DisputedBill(Extended):
    """CustomerBill of which something is disputed: what was raised, or what was done about it."""

    id: Id
    state: Literal["sent"]
    hansaDispute: NotRequired[Any]
    hansaDisputeMove: NotRequired[Any]


class DisputePayload(TypedDict):
    """The bill that is disputed."""

    customerBill: DisputedBill


class DisputeEvent(TypedDict):
    """CustomerBillAttributeValueChangeEvent."""

    eventId: NotRequired[Text]
    eventType: NotRequired[Text]
    event: DisputePayload


def write_dispute(notice: DisputeRaised | DisputeMoved, event_id: str) -> DisputeEvent:
    shape: DisputedBill = {
        "id": _about(notice),
        "state": "sent",
        "@type": "HansaCustomerBill",
        "@baseType": "CustomerBill",
        "@schemaLocation": SCHEMA,
    }
    document = documents.write(notice)
    if isinstance(notice, DisputeRaised):
        shape["hansaDispute"] = document
    else:
        shape["hansaDisputeMove"] = document
    kind = "CustomerBillAttributeValueChangeEvent"
    return {"eventId": event_id, "eventType": kind, "event": {"customerBill": shape}}


def _about(notice: DisputeRaised | DisputeMoved) -> StatementId:
    if isinstance(notice, DisputeRaised):
        return notice.dispute.statement
    return notice.statement


def read_dispute(value: Json) -> DisputeRaised | DisputeMoved:
    """What was raised has `hansaDispute`, what was done about it `hansaDisputeMove`."""
    shape = checked(DisputeEvent, value)["event"]["customerBill"]
    at = "event.customerBill"
    notice: DisputeRaised | DisputeMoved
    if "hansaDispute" in shape:
        notice = read_document(DisputeRaised, shape["hansaDispute"], f"{at}.hansaDispute")
    elif "hansaDisputeMove" in shape:
        notice = read_document(DisputeMoved, shape["hansaDisputeMove"], f"{at}.hansaDisputeMove")
    else:
        raise malformed(at, "a dispute or what was done about one is expected")
    if _about(notice) != shape["id"]:
        raise malformed(f"{at}.id", "the dispute is about another bill")
    return notice
