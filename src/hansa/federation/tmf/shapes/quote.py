"""TMF648 Quote v4.0: a Need to be priced, and its Quote."""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Family, Need, NeedItem, Quote, QuoteLine, Tax
from hansa.federation.shelf import QuoteState, ShelfQuote
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    AgreementReference,
    Extended,
    Id,
    MoneyShape,
    Price,
    Product,
    Ref,
    RelatedParty,
    Text,
    TimePeriod,
    Whole,
    checked,
    href,
    malformed,
    read_agreement_ref,
    read_characteristics,
    read_instant,
    read_money,
    read_parties,
    read_party,
    read_site,
    read_terms,
    related,
    write_agreement_ref,
    write_instant,
    write_money,
    write_product,
    write_terms,
)
from hansa.federation.tmf.shapes.wish import WishedItem, read_items
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId, OfferCode, QuoteId, TraceId
from hansa.foundation.money import Money

BASE = "/tmf-api/quoteManagement/v4"
QUOTES = f"{BASE}/quote"


class NeedItemShape(TypedDict):
    """One line of a need; action modify: product.id is already held."""

    id: Text
    action: Literal["add", "modify"]
    quantity: Whole
    productOffering: Ref
    product: Product


class NeedShape(Extended):
    """Quote_Create. The trace travels as `traceparent`, not here."""

    instantSyncQuote: NotRequired[bool]
    quoteItem: list[NeedItemShape]
    hansaCurrency: Text
    hansaTrail: list[Id]


class WishShape(Extended):
    """Quote_Create of any client."""

    quoteItem: list[WishedItem]
    hansaCurrency: NotRequired[Text]


class TaxShape(TypedDict):
    """Which tax rule applies; its rate stands beside each price."""

    code: Literal["standard", "reverse-charge", "exempt"]
    legend: Text


class ItemShape(Extended):
    """The locked price of one item; hansaCancellation: what cancelling it costs, tax apart."""

    id: Text
    action: Literal["add", "modify"]
    state: NotRequired[Text]
    quantity: Whole
    productOffering: Ref
    product: Product
    quoteItemPrice: list[Price]
    hansaFamily: Family
    hansaTax: TaxShape
    hansaCancellation: NotRequired[MoneyShape]


class QuoteShape(Extended):
    """Quote; state approved: priced and open to be ordered until validFor ends."""

    id: Id
    href: NotRequired[Text]
    state: NotRequired[Text]
    instantSyncQuote: NotRequired[bool]
    quoteDate: Text
    effectiveQuoteCompletionDate: NotRequired[Text]
    validFor: TimePeriod
    quoteItem: list[ItemShape]
    relatedParty: list[RelatedParty]
    agreement: NotRequired[list[AgreementReference]]
    hansaCurrency: Text
    hansaReason: NotRequired[Text]


def write_need(need: Need) -> NeedShape:
    return {
        "instantSyncQuote": True,
        "quoteItem": [
            {
                "id": item.id,
                "action": "add" if item.holding is None else "modify",
                "quantity": item.quantity,
                "productOffering": {"id": item.offer},
                "product": write_product(
                    site=item.site, characteristics=item.characteristics, holding=item.holding
                ),
            }
            for item in need.items
        ],
        "hansaCurrency": need.currency,
        "hansaTrail": list(need.trail),
        "@type": "HansaQuote",
        "@baseType": "Quote",
        "@schemaLocation": SCHEMA,
    }


def read_need(value: Json, trace: TraceId) -> Need:
    shape = checked(NeedShape, value)
    return Need(
        items=tuple(_read_need(item, index) for index, item in enumerate(shape["quoteItem"])),
        currency=shape["hansaCurrency"],
        trace=trace,
        trail=read_parties(shape["hansaTrail"]),
    )


def _read_need(item: NeedItemShape, index: int) -> NeedItem:
    field = f"quoteItem.{index}.product"
    return NeedItem(
        id=item["id"],
        offer=OfferCode(item["productOffering"]["id"]),
        site=read_site(item["product"], field),
        characteristics=read_characteristics(
            item["product"].get("productCharacteristic"), f"{field}.productCharacteristic"
        ),
        quantity=item["quantity"],
        holding=HoldingId(item["product"]["id"]) if "id" in item["product"] else None,
    )


def read_wish(value: Json) -> tuple[tuple[NeedItem, ...], str | None]:
    """The items that any client wants priced, and in which currency if it says so."""
    shape = checked(WishShape, value)
    return read_items(shape["quoteItem"], "quoteItem"), shape.get("hansaCurrency")


def write_kept(kept: ShelfQuote) -> QuoteShape:
    """A quote and what became of it."""
    shape = write(kept.quote)
    shape["state"] = kept.state.value
    for item in shape["quoteItem"]:
        item["state"] = kept.state.value
    if kept.state is not QuoteState.APPROVED:
        shape["effectiveQuoteCompletionDate"] = write_instant(kept.changed_at)
    if kept.reason:
        shape["hansaReason"] = kept.reason
    return shape


def write(quote: Quote) -> QuoteShape:
    shape: QuoteShape = {
        "id": quote.id,
        "href": href(QUOTES, quote.id),
        "state": "approved",
        "instantSyncQuote": True,
        "quoteDate": write_instant(quote.made_at),
        "validFor": {
            "startDateTime": write_instant(quote.made_at),
            "endDateTime": write_instant(quote.valid_until),
        },
        "quoteItem": [write_line(line) for line in quote.lines],
        "relatedParty": related(seller=quote.seller, buyer=quote.buyer),
        "hansaCurrency": quote.currency,
        "@type": "HansaQuote",
        "@baseType": "Quote",
        "@schemaLocation": SCHEMA,
    }
    if quote.agreement is not None:
        shape["agreement"] = [write_agreement_ref(quote.agreement)]
    return shape


def write_line(line: QuoteLine) -> ItemShape:
    shape: ItemShape = {
        "id": line.item,
        "action": "add" if line.holding is None else "modify",
        "state": "approved",
        "quantity": line.quantity,
        "productOffering": {"id": line.offer, "name": line.offer_name},
        "product": write_product(
            site=line.site, characteristics=line.characteristics, holding=line.holding
        ),
        "quoteItemPrice": write_terms(line.terms, Decimal(line.tax.rate_bp).scaleb(-2)),
        "hansaFamily": line.family,
        "hansaTax": {"code": line.tax.code, "legend": line.tax.legend},
        "@type": "HansaQuoteItem",
        "@baseType": "QuoteItem",
        "@schemaLocation": SCHEMA,
    }
    if line.cancellation is not None:
        shape["hansaCancellation"] = write_money(line.cancellation)
    return shape


def read(value: Json) -> Quote:
    shape = checked(QuoteShape, value)
    agreements = shape.get("agreement") or []
    if len(agreements) > 1:
        raise malformed("agreement", "one agreement is expected at most")
    return Quote(
        id=QuoteId(shape["id"]),
        seller=read_party(shape["relatedParty"], "seller"),
        buyer=read_party(shape["relatedParty"], "buyer"),
        currency=shape["hansaCurrency"],
        lines=tuple(
            _read_line(item, index, shape["hansaCurrency"])
            for index, item in enumerate(shape["quoteItem"])
        ),
        made_at=read_instant(shape["quoteDate"], "quoteDate"),
        valid_until=read_instant(shape["validFor"].get("endDateTime", ""), "validFor.endDateTime"),
        agreement=read_agreement_ref(agreements[0]) if agreements else None,
    )


def _read_line(item: ItemShape, index: int, currency: str) -> QuoteLine:
    field = f"quoteItem.{index}"
    terms, percent = read_terms(item["quoteItemPrice"], f"{field}.quoteItemPrice")
    if terms.one_off.currency != currency:
        raise malformed(f"{field}.quoteItemPrice", f"prices in {currency} are expected")
    rate_bp = None if percent is None else percent.scaleb(2)
    if rate_bp is None or rate_bp != rate_bp.to_integral_value():
        raise malformed(f"{field}.quoteItemPrice", "a taxRate of at most two decimals is expected")
    return QuoteLine(
        item=item["id"],
        offer=OfferCode(item["productOffering"]["id"]),
        offer_name=item["productOffering"].get("name", ""),
        family=item["hansaFamily"],
        site=read_site(item["product"], f"{field}.product"),
        characteristics=read_characteristics(
            item["product"].get("productCharacteristic"), f"{field}.product.productCharacteristic"
        ),
        quantity=item["quantity"],
        terms=terms,
        tax=Tax(item["hansaTax"]["code"], int(rate_bp), item["hansaTax"]["legend"]),
        holding=HoldingId(item["product"]["id"]) if "id" in item["product"] else None,
        cancellation=_read_cancellation(item, field, currency),
    )


def _read_cancellation(item: ItemShape, field: str, currency: str) -> Money | None:
    if "hansaCancellation" not in item:
        return None
    amount = read_money(item["hansaCancellation"], f"{field}.hansaCancellation")
    if amount.currency != currency or amount.minor <= 0:
        raise malformed(f"{field}.hansaCancellation", f"an amount in {currency} is expected")
    return amount
