"""TMF622 Product Ordering v4.0: what any client may order, and orders as they stand.

What nodes tell each other of an order is in `shapes.order`; both are read by the same clients.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import NeedItem, OrderState
from hansa.federation.shelf import Cancellation, OrderLine, ShelfOrder
from hansa.federation.tmf.shapes import order as shapes
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    Ref,
    Text,
    checked,
    href,
    malformed,
    read_instant,
    related,
    write_agreement_ref,
    write_instant,
    write_money,
    write_product,
    write_terms,
)
from hansa.federation.tmf.shapes.wish import WishedItem, WishedProduct, read_items
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, QuoteId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant

CANCELS = f"{shapes.BASE}/cancelProductOrder"

NO_KEY = "none-"
"""How keys begin that a buyer has not given."""


@dataclass(frozen=True, slots=True)
class Yes:
    """Yes to this quote. items: which of its lines are named, each with where."""

    quote: QuoteId
    key: BuyerKey | None
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outright:
    """An order of these items, without a price asked first."""

    items: tuple[NeedItem, ...]
    currency: str | None
    key: BuyerKey | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of what an order brought, or of these products."""

    order: OrderId | None
    holdings: tuple[HoldingId, ...]
    key: BuyerKey | None


class QuoteItem(Extended):
    """An item of a quote."""

    id: Text
    quoteId: Id


class AnyItem(WishedItem):
    """One line of an order."""

    quoteItem: NotRequired[QuoteItem]


class AnyShape(Extended):
    """ProductOrder_Create of any client."""

    externalId: NotRequired[Id]
    quote: NotRequired[list[Ref]]
    productOrderItem: list[AnyItem]
    hansaCurrency: NotRequired[Text]


ITEMS = "productOrderItem"


def read_wish(value: Json) -> Yes | Outright | Ending:
    """What any client asks for; Refused `malformed` unless it is exactly one of the three."""
    shape = checked(AnyShape, value)
    key = BuyerKey(shape["externalId"]) if "externalId" in shape else None
    given = [
        (f"{ITEMS}.{index}", item)
        for index, item in enumerate(shape["productOrderItem"])
        if item.get("action") != "noChange"
    ]
    actions = {item.get("action") for _, item in given}
    if actions == {"delete"}:
        return _ending([(at, item) for at, item in given], key)
    if not actions or not actions <= {"add", "modify"}:
        raise malformed(ITEMS, "items are expected that all add or modify, or all delete")
    quotes = [ref["id"] for ref in shape.get("quote") or []]
    quotes += [item["quoteItem"]["quoteId"] for _, item in given if "quoteItem" in item]
    if len(set(quotes)) > 1:
        raise malformed("quote", "one quote is expected at most, to which this order says yes")
    if quotes:
        named = [
            (f"{at}.quoteItem.id", item["quoteItem"]["id"])
            for at, item in given
            if "quoteItem" in item
        ]
        return Yes(QuoteId(quotes[0]), key, tuple(named))
    items = read_items([item for _, item in given], ITEMS)
    return Outright(items, shape.get("hansaCurrency"), key)


def _ending(given: Sequence[tuple[str, AnyItem]], key: BuyerKey | None) -> Ending:
    orders: set[str] = set()
    holdings: list[HoldingId] = []
    for at, item in given:
        product = item.get("product") or WishedProduct()
        came_from = product.get("productOrderItem") or []
        if "id" in product:
            holdings.append(HoldingId(product["id"]))
        elif came_from:
            orders |= {one["productOrderId"] for one in came_from}
        else:
            raise malformed(f"{at}.product.id", "the product that is to end is expected")
    if len(orders) > 1 or (orders and holdings):
        raise malformed(ITEMS, "one order, or products, are expected to be ended")
    return Ending(OrderId(orders.pop()) if orders else None, tuple(holdings), key)


# --- an order as it stands ----------------------------------------------------------------------


def write_kept(kept: ShelfOrder) -> dict[str, Any]:
    """An order line by line, as its buyer may see it."""
    order, progress = kept.order, kept.progress
    shape: dict[str, Any] = {
        **shapes.write_progress(progress),
        "quote": [{"id": order.quote}],
        "orderDate": write_instant(order.placed_at),
        "relatedParty": related(seller=order.seller, buyer=order.buyer),
        "hansaTrace": order.trace,
        ITEMS: [_write_line(line, kept) for line in kept.lines],
    }
    if order.key.startswith(NO_KEY):
        del shape["externalId"]
    if kept.agreement is not None:
        shape["agreement"] = [write_agreement_ref(kept.agreement)]
    if kept.ended_at is not None and progress.state is OrderState.COMPLETED:
        shape["completionDate"] = write_instant(kept.ended_at)
    if kept.cancellation is not None:
        if kept.cancellation.effective_at is not None:
            shape["cancellationDate"] = write_instant(kept.cancellation.effective_at)
        if kept.cancellation.reason:
            shape["cancellationReason"] = kept.cancellation.reason
    return shape


def _write_line(line: OrderLine, kept: ShelfOrder) -> dict[str, Any]:
    quoted = line.quoted
    product: dict[str, Any] = dict(
        write_product(
            site=quoted.site, characteristics=quoted.characteristics, holding=line.holding
        )
    )
    if line.since is not None:
        ends = line.action == "delete"
        product["terminationDate" if ends else "startDate"] = write_instant(line.since)
    if kept.ends is not None:
        came_from = {"productOrderId": kept.ends, "orderItemId": quoted.item}
        product[ITEMS] = [came_from]
    prices = write_terms(quoted.terms)
    return {
        "id": quoted.item,
        "action": line.action,
        "state": line.state.value,
        "quantity": quoted.quantity,
        "productOffering": {"id": quoted.offer, "name": quoted.offer_name},
        "quoteItem": {"id": quoted.item, "quoteId": kept.order.quote},
        "product": product,
        "itemPrice": [price for price in prices if price["priceType"] != "usage"],
        "@type": "HansaProductOrderItem",
        "@baseType": "ProductOrderItem",
        "@schemaLocation": SCHEMA,
    }


def in_its_items(shape: dict[str, Any], extras: Mapping[str, Json]) -> dict[str, Any]:
    """The order with its items called as the client called them, where it said which is which."""
    for entry in extras.get(ITEMS) or []:
        for item in shape[ITEMS]:
            quoted = (entry.get("quoteItem") or {}).get("id")
            product = (entry.get("product") or {}).get("id")
            if quoted == item["id"] or (product and product == item["product"].get("id")):
                item["id"] = entry["id"]
                break
    return shape


# --- cancellations ------------------------------------------------------------------------------


class OrderRef(TypedDict):
    """A reference to an order."""

    id: Id


class CancelShape(Extended):
    """CancelProductOrder_Create."""

    productOrder: OrderRef
    cancellationReason: NotRequired[Text]
    requestedCancellationDate: NotRequired[Text]


def read_cancel(value: Json) -> tuple[OrderId, str, Instant | None]:
    """Which order, why, and when the client would have it gone."""
    shape = checked(CancelShape, value)
    when = shape.get("requestedCancellationDate")
    return (
        OrderId(shape["productOrder"]["id"]),
        shape.get("cancellationReason", ""),
        None if when is None else read_instant(when, "requestedCancellationDate"),
    )


def write_cancel(kept: Cancellation) -> dict[str, Any]:
    """A cancellation; hansaCharge: what it costs, tax apart."""
    charge = Money.zero(kept.charge.currency) if kept.waived else kept.charge
    shape: dict[str, Any] = {
        "id": kept.id,
        "href": href(CANCELS, kept.id),
        "state": kept.state.value,
        "productOrder": {"id": kept.order, "href": href(shapes.ORDERS, kept.order)},
        "hansaCharge": write_money(charge),
        "hansaOrder": kept.by,
        "hansaDate": write_instant(kept.asked_at),
        "@type": "HansaCancelProductOrder",
        "@baseType": "CancelProductOrder",
        "@schemaLocation": SCHEMA,
    }
    if kept.reason:
        shape["cancellationReason"] = kept.reason
    if kept.wished_for is not None:
        shape["requestedCancellationDate"] = write_instant(kept.wished_for)
    if kept.effective_at is not None:
        shape["effectiveCancellationDate"] = write_instant(kept.effective_at)
    return shape
