"""Quote v8: at this price, until then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import AgreementRef, Family, Need, Quote, QuoteLine
from hansa.federation.shelf import QuoteState, ShelfQuote
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes import place, product
from hansa.federation.sonata.shapes.common import (
    ROOT,
    AgreementShape,
    Contact,
    Duration,
    Id,
    Moment,
    Note,
    Price,
    QualifiedItem,
    Relationship,
    TaxShape,
    Term,
    Text,
    Whole,
    asked,
    asked_items,
    checked,
    read_tax,
    read_terms,
    without_empty,
    write_terms,
)
from hansa.federation.sonata.shapes.need import (
    Asker,
    read_need,
    read_offer,
    write_item,
    write_product,
)
from hansa.federation.sonata.shapes.product import Products, ProductShape
from hansa.federation.tmf.shapes.common import (
    MoneyShape,
    href,
    read_instant,
    read_money,
    write_instant,
    write_money,
)
from hansa.foundation.documents import Json
from hansa.foundation.ids import AgreementId, HoldingId, PartyId, QuoteId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant

BASE = f"{ROOT}/quoteManagement/v8"
QUOTES = f"{BASE}/quote"
CANCEL = f"{BASE}/cancelQuote"
REJECT = f"{BASE}/rejectQuote"

ORDERABLE = "approved.orderable"
STATES = (
    "accepted",
    "acknowledged",
    "answered",
    ORDERABLE,
    "approved.orderableAlternate",
    "cancelled",
    "unableToProvide",
    "declined",
    "expired",
    "inProgress",
    "inProgress.draft",
    "rejected",
)


class ItemCreate(TypedDict):
    """MEFQuoteItem_Create; hansaQuantity: one, if it does not say."""

    id: Text
    action: Literal["add", "modify", "delete"]
    product: NotRequired[ProductShape]
    note: NotRequired[list[Note]]
    agreementName: NotRequired[Text]
    dealReference: NotRequired[Text]
    requestedQuoteItemTerm: NotRequired[Term]
    requestedQuoteItemInstallationInterval: NotRequired[Duration]
    productOfferingQualificationItem: NotRequired[QualifiedItem]
    relatedContactInformation: NotRequired[list[Contact]]
    quoteItemRelationship: NotRequired[list[Relationship]]
    hansaQuantity: NotRequired[Whole]


class Create(TypedDict):
    """Quote_Create."""

    quoteItem: list[ItemCreate]
    buyerRequestedQuoteLevel: Literal["budgetary", "firm"]
    instantSyncQuote: bool
    description: NotRequired[Text]
    externalId: NotRequired[Text]
    projectId: NotRequired[Text]
    note: NotRequired[list[Note]]
    relatedContactInformation: NotRequired[list[Contact]]
    requestedQuoteCompletionDate: NotRequired[Moment]
    hansaCurrency: NotRequired[Text]
    hansaTrail: NotRequired[list[Id]]


class Act(TypedDict):
    """QuoteOperationData: cancel or reject this quote."""

    quoteId: Id
    reason: NotRequired[Text]


class Validity(TypedDict):
    startDateTime: NotRequired[Moment]
    endDateTime: NotRequired[Moment]


class Item(TypedDict):
    """QuoteItem; hansaCancellation: what cancelling it costs, tax apart."""

    id: Text
    action: Literal["add", "modify", "delete"]
    state: Text
    product: NotRequired[ProductShape]
    quoteItemPrice: NotRequired[list[Price]]
    hansaQuantity: NotRequired[Whole]
    hansaOfferName: NotRequired[Text]
    hansaFamily: NotRequired[Family]
    hansaTax: NotRequired[TaxShape]
    hansaCancellation: NotRequired[MoneyShape]


class Answered(TypedDict):
    """Quote; hansaAgreement: under which version of which agreement."""

    id: Id
    quoteDate: Moment
    quoteItem: Annotated[list[Item], Field(min_length=1)]
    state: NotRequired[Text]
    validFor: NotRequired[Validity]
    hansaCurrency: NotRequired[Text]
    hansaAgreement: NotRequired[AgreementShape]


# --- asking -----------------------------------------------------------------------------------


def write_need(need: Need, contact: Contact, products: Products) -> dict[str, Any]:
    return {
        "buyerRequestedQuoteLevel": "firm",
        "instantSyncQuote": True,
        "relatedContactInformation": [contact],
        "quoteItem": [write_item(item, products) for item in need.items],
        "hansaCurrency": need.currency,
        "hansaTrail": list(need.trail),
    }


def read_asked(value: Json, asker: Asker) -> Need:
    shape = checked(Create, value)
    return read_need(shape, shape["quoteItem"], "quoteItem", asker)


def read_act(value: Json) -> Act:
    return checked(Act, value)


# --- answering --------------------------------------------------------------------------------


def state_of(kept: ShelfQuote, now: Instant) -> str:
    if kept.state is QuoteState.APPROVED:
        return ORDERABLE if now < kept.quote.valid_until else "expired"
    return kept.state.value


def write(kept: ShelfQuote, *, now: Instant, products: Products) -> dict[str, Any]:
    body, quote, state = asked(kept.extras), kept.quote, state_of(kept, now)
    items = asked_items(body, "quoteItem")
    made_at = write_instant(quote.made_at)
    changed_at = quote.valid_until if state == "expired" else kept.changed_at
    change = {"state": state, "changeDate": write_instant(changed_at), "changeReason": kept.reason}
    shape = {
        "buyerRequestedQuoteLevel": "firm",
        "instantSyncQuote": True,
        **body,
        "id": quote.id,
        "href": href(QUOTES, quote.id),
        "state": state,
        "stateChange": [without_empty(change)],
        "quoteLevel": "firm",
        "quoteDate": made_at,
        "effectiveQuoteCompletionDate": made_at,
        "validFor": {"startDateTime": made_at, "endDateTime": write_instant(quote.valid_until)},
        "quoteItem": [
            {**items.get(line.item, {}), **_write_line(line, state, products)}
            for line in quote.lines
        ],
        "hansaCurrency": quote.currency,
    }
    if quote.agreement is not None:
        shape["hansaAgreement"] = {"id": quote.agreement.id, "version": quote.agreement.version}
    return shape


def _write_line(line: QuoteLine, state: str, products: Products) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": line.item,
        "action": "add" if line.holding is None else "modify",
        "state": state if state in ("rejected", ORDERABLE) else "answered",
        "product": write_product(line, products),
        "subjectToFeasibilityCheck": False,
        "quoteItemPrice": write_terms(line.terms, line.tax),
        "hansaQuantity": line.quantity,
        "hansaOfferName": line.offer_name,
        "hansaFamily": line.family,
        "hansaTax": {"code": line.tax.code, "legend": line.tax.legend},
    }
    if line.cancellation is not None:
        item["hansaCancellation"] = write_money(line.cancellation)
    return item


def write_found(kept: ShelfQuote, now: Instant) -> dict[str, Any]:
    """One of a list."""
    body = asked(kept.extras)
    made_at = write_instant(kept.quote.made_at)
    return without_empty(
        {
            "id": kept.quote.id,
            "state": state_of(kept, now),
            "quoteLevel": "firm",
            "externalId": body.get("externalId"),
            "projectId": body.get("projectId"),
            "quoteDate": made_at,
            "effectiveQuoteCompletionDate": made_at,
            "requestedQuoteCompletionDate": body.get("requestedQuoteCompletionDate"),
        }
    )


# --- reading an answer ------------------------------------------------------------------------


def read(value: Json, *, seller: PartyId, buyer: PartyId, currency: str | None = None) -> Quote:
    """currency: the one asked for, where the partner's own word for it is missing."""
    shape = checked(Answered, value)
    if "endDateTime" not in shape.get("validFor", {}):
        raise unfit("validFor.endDateTime", "until when it holds is expected", "missingProperty")
    agreement = shape.get("hansaAgreement")
    money = shape.get("hansaCurrency") or currency or _currency(shape)
    return Quote(
        id=QuoteId(shape["id"]),
        seller=seller,
        buyer=buyer,
        currency=money,
        lines=tuple(
            _read_line(item, f"quoteItem.{index}", money)
            for index, item in enumerate(shape["quoteItem"])
        ),
        made_at=read_instant(shape["quoteDate"], "quoteDate"),
        valid_until=read_instant(shape["validFor"]["endDateTime"], "validFor.endDateTime"),
        agreement=None
        if agreement is None
        else AgreementRef(AgreementId(agreement["id"]), agreement["version"]),
    )


def is_orderable(value: Json) -> bool:
    return checked(Answered, value).get("state") == ORDERABLE


def _currency(shape: Mapping[str, Any]) -> str:
    for item in shape["quoteItem"]:
        for price in item.get("quoteItemPrice") or ():
            if "price" in price:
                unit: str = price["price"]["dutyFreeAmount"]["unit"]
                return unit
    raise unfit("quoteItem.0.quoteItemPrice", "a price is expected", "missingProperty")


def _read_line(item: Item, field: str, currency: str) -> QuoteLine:
    found: Mapping[str, Any] = item.get("product", {})
    terms, percent = read_terms(item.get("quoteItemPrice", []), currency, f"{field}.quoteItemPrice")
    offer = read_offer(found, f"{field}.product")
    return QuoteLine(
        item=item["id"],
        offer=offer,
        offer_name=item.get("hansaOfferName", offer),
        family=item.get("hansaFamily", "connectivity"),
        site=place.read_one(found.get("place") or [], f"{field}.product", lambda _: None),
        characteristics=product.read(
            found.get("productConfiguration"), f"{field}.product.productConfiguration"
        ),
        quantity=item.get("hansaQuantity", 1),
        terms=terms,
        tax=read_tax(percent, item.get("hansaTax"), f"{field}.quoteItemPrice"),
        holding=HoldingId(found["id"]) if "id" in found else None,
        cancellation=_read_cancellation(item, f"{field}.hansaCancellation", currency),
    )


def _read_cancellation(item: Item, field: str, currency: str) -> Money | None:
    if "hansaCancellation" not in item:
        return None
    amount = read_money(item["hansaCancellation"], field)
    if amount.currency != currency or amount.minor <= 0:
        raise unfit(field, f"an amount in {currency} is expected")
    return amount
