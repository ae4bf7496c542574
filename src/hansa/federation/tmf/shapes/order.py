"""TMF622 Product Ordering v4.0: yes to a quote, the end of an order, and how far it is.

An order says yes to a whole quote, so what is sent has one item that stands for all of it; an
order that ends another names it at the product of its one item. Items that name a product
tell what an order line became.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import (
    TRAIL_MAX,
    Charged,
    Milestone,
    Order,
    OrderKind,
    OrderState,
    Progress,
    Provided,
)
from hansa.federation.mandate import Mandate
from hansa.federation.papers import OrderMoved
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    MoneyShape,
    Ref,
    RelatedParty,
    Text,
    Whole,
    checked,
    href,
    malformed,
    read_document,
    read_instant,
    read_money,
    read_party,
    related,
    write_instant,
    write_money,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, QuoteId, TraceId

BASE = "/tmf-api/productOrderingManagement/v4"
ORDERS = f"{BASE}/productOrder"
MOVED = f"{BASE}/listener/productOrderStateChangeEvent"

WHOLE = "all"
"""The id of the item that stands for everything in the order."""

Action = Literal["add", "modify", "delete", "noChange"]

ACTION: Mapping[OrderKind, Action] = {"provide": "add", "cease": "delete"}
SINCE: tuple[Literal["startDate", "terminationDate"], ...] = ("startDate", "terminationDate")


@dataclass(frozen=True, slots=True)
class Placing:
    """What a buyer asks: yes to this quote."""

    quote: QuoteId
    key: BuyerKey
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class Ceasing:
    """What a buyer asks: end what this order brought."""

    order: OrderId
    key: BuyerKey
    mandate: Mandate | None = None


class RelatedOrderItem(TypedDict):
    """The order from which a product came."""

    productOrderId: Id
    orderItemId: NotRequired[Text]
    orderItemAction: NotRequired[Text]


class ItemProduct(TypedDict):
    """id: the product that an item became; startDate: since when its terms apply.
    terminationDate: when it ended, of an item that deletes.
    """

    id: NotRequired[Id]
    startDate: NotRequired[Text]
    terminationDate: NotRequired[Text]
    productOrderItem: NotRequired[list[RelatedOrderItem]]


class QuoteItemRef(TypedDict):
    """An item of a quote."""

    id: Text
    quoteId: Id


class Item(Extended):
    """One item of an order."""

    id: Text
    action: Action
    state: NotRequired[Text]
    quoteItem: NotRequired[QuoteItemRef]
    product: NotRequired[ItemProduct]


class AskShape(Extended):
    """ProductOrder_Create; externalId: the buyer's key."""

    externalId: Id
    quote: NotRequired[list[Ref]]
    productOrderItem: list[Item]
    hansaMandate: NotRequired[Json]


Depth = Annotated[int, Field(ge=0, le=TRAIL_MAX)]


class MilestoneShape(TypedDict):
    """One step of an order that its buyer may see; depth: how many sellers further down."""

    name: Text
    state: Text
    at: NotRequired[Text]
    depth: NotRequired[Depth]


class OrderShape(Extended):
    """ProductOrder: as answer to a POST with quote, orderDate and parties, else with progress.

    hansaCharge: what it costs, tax apart, that the order was cancelled on cancellationDate.
    """

    id: Id
    href: NotRequired[Text]
    externalId: Id
    state: Text
    productOrderItem: list[Item]
    quote: NotRequired[list[Ref]]
    orderDate: NotRequired[Text]
    relatedParty: NotRequired[list[RelatedParty]]
    hansaTrace: NotRequired[Text]
    hansaMilestone: NotRequired[list[MilestoneShape]]
    hansaHops: NotRequired[Whole]
    hansaReason: NotRequired[Text]
    cancellationDate: NotRequired[Text]
    hansaCharge: NotRequired[MoneyShape]


class MovedPayload(TypedDict):
    """The resource that has moved."""

    productOrder: OrderShape


class MovedEvent(TypedDict):
    """ProductOrderStateChangeEvent."""

    eventId: NotRequired[Text]
    eventType: NotRequired[Text]
    event: MovedPayload


def write_placing(placing: Placing) -> AskShape:
    shape: AskShape = {
        "externalId": placing.key,
        "quote": [{"id": placing.quote}],
        "productOrderItem": [
            {
                "id": WHOLE,
                "action": "add",
                "quoteItem": {"id": WHOLE, "quoteId": placing.quote},
                "@type": "HansaProductOrderItem",
                "@baseType": "ProductOrderItem",
                "@schemaLocation": SCHEMA,
            }
        ],
        "@type": "HansaProductOrder",
        "@baseType": "ProductOrder",
        "@schemaLocation": SCHEMA,
    }
    if placing.mandate is not None:
        shape["hansaMandate"] = documents.write(placing.mandate)
    return shape


def write_ceasing(ceasing: Ceasing) -> AskShape:
    shape: AskShape = {
        "externalId": ceasing.key,
        "productOrderItem": [
            {
                "id": WHOLE,
                "action": "delete",
                "product": {
                    "productOrderItem": [{"productOrderId": ceasing.order, "orderItemId": WHOLE}]
                },
                "@type": "HansaProductOrderItem",
                "@baseType": "ProductOrderItem",
                "@schemaLocation": SCHEMA,
            }
        ],
        "@type": "HansaProductOrder",
        "@baseType": "ProductOrder",
        "@schemaLocation": SCHEMA,
    }
    if ceasing.mandate is not None:
        shape["hansaMandate"] = documents.write(ceasing.mandate)
    return shape


def read_ask(value: Json) -> Placing | Ceasing:
    """What a buyer asks for; Refused `malformed` unless it is exactly one of the two."""
    shape = checked(AskShape, value)
    key = BuyerKey(shape["externalId"])
    actions = {item["action"] for item in shape["productOrderItem"]}
    if actions in ({"add"}, {"modify"}, {"add", "modify"}):
        return Placing(_quoted(shape), key, _mandate(shape))
    if actions == {"delete"}:
        return Ceasing(_ended(shape), key, _mandate(shape))
    raise malformed("productOrderItem", "items are expected that all add or modify, or all delete")


def _mandate(shape: AskShape) -> Mandate | None:
    given = shape.get("hansaMandate")
    mandate: Mandate | None = (
        None if given is None else read_document(Mandate, given, "hansaMandate")
    )
    return mandate


def _quoted(shape: AskShape) -> QuoteId:
    quotes = {ref["id"] for ref in shape.get("quote") or []}
    quotes |= {
        item["quoteItem"]["quoteId"] for item in shape["productOrderItem"] if "quoteItem" in item
    }
    if len(quotes) != 1:
        raise malformed("quote", "one quote is expected, to which this order says yes")
    return QuoteId(quotes.pop())


def _ended(shape: AskShape) -> OrderId:
    orders = {
        related_item["productOrderId"]
        for item in shape["productOrderItem"]
        for related_item in item.get("product", {}).get("productOrderItem") or []
    }
    if len(orders) != 1:
        raise malformed(
            "productOrderItem.0.product.productOrderItem", "the one order to be ended is expected"
        )
    return OrderId(orders.pop())


def write(order: Order, action: Action) -> OrderShape:
    """An order as its seller has just entered it; action: add, or delete for a cease."""
    return {
        "id": order.id,
        "href": href(ORDERS, order.id),
        "externalId": order.key,
        "state": order.state.value,
        "quote": [{"id": order.quote}],
        "orderDate": write_instant(order.placed_at),
        "relatedParty": related(seller=order.seller, buyer=order.buyer),
        "productOrderItem": [_whole(action)],
        "hansaTrace": order.trace,
        "@type": "HansaProductOrder",
        "@baseType": "ProductOrder",
        "@schemaLocation": SCHEMA,
    }


def _whole(action: Action) -> Item:
    return {
        "id": WHOLE,
        "action": action,
        "@type": "HansaProductOrderItem",
        "@baseType": "ProductOrderItem",
        "@schemaLocation": SCHEMA,
    }


def read(value: Json) -> Order:
    shape = checked(OrderShape, value)
    quotes = shape.get("quote") or []
    if len(quotes) != 1:
        raise malformed("quote", "one quote is expected")
    return Order(
        id=OrderId(shape["id"]),
        seller=read_party(shape.get("relatedParty") or [], "seller"),
        buyer=read_party(shape.get("relatedParty") or [], "buyer"),
        key=BuyerKey(shape["externalId"]),
        quote=QuoteId(quotes[0]["id"]),
        state=_state(shape),
        placed_at=read_instant(shape.get("orderDate", ""), "orderDate"),
        trace=TraceId(shape.get("hansaTrace", "")),
    )


def write_progress(progress: Progress) -> OrderShape:
    """How far an order is. The action of an item is that of the order; here it reads `add`."""
    shape: OrderShape = {
        "id": progress.order,
        "href": href(ORDERS, progress.order),
        "externalId": progress.key,
        "state": progress.state.value,
        "productOrderItem": [
            {
                "id": one.item,
                "action": ACTION[progress.kind],
                "state": "completed",
                "product": _write_provided(one, progress.kind),
            }
            for one in progress.provided
        ]
        or [_whole(ACTION[progress.kind])],
        "hansaMilestone": [write_milestone(step) for step in progress.milestones],
        "hansaHops": progress.hops,
        "@type": "HansaProductOrder",
        "@baseType": "ProductOrder",
        "@schemaLocation": SCHEMA,
    }
    if progress.reason:
        shape["hansaReason"] = progress.reason
    if progress.charged is not None:
        shape["hansaCharge"] = write_money(progress.charged.amount)
        shape["cancellationDate"] = write_instant(progress.charged.at)
    return shape


def _write_provided(one: Provided, kind: OrderKind) -> ItemProduct:
    if kind == "cease":
        return {"id": one.holding, "terminationDate": write_instant(one.since)}
    return {"id": one.holding, "startDate": write_instant(one.since)}


def write_milestone(step: Milestone) -> MilestoneShape:
    shape: MilestoneShape = {"name": step.name, "state": step.state}
    if step.at is not None:
        shape["at"] = write_instant(step.at)
    if step.depth:
        shape["depth"] = step.depth
    return shape


def read_milestones(steps: Sequence[MilestoneShape]) -> tuple[Milestone, ...]:
    return tuple(
        Milestone(
            name=step["name"],
            state=step["state"],
            at=read_instant(step["at"], f"hansaMilestone.{index}.at") if "at" in step else None,
            depth=step.get("depth", 0),
        )
        for index, step in enumerate(steps)
    )


def read_progress(value: Json) -> Progress:
    return _progress(checked(OrderShape, value))


def _progress(shape: OrderShape) -> Progress:
    ends = any(item["action"] == "delete" for item in shape["productOrderItem"])
    return Progress(
        order=OrderId(shape["id"]),
        key=BuyerKey(shape["externalId"]),
        state=_state(shape),
        milestones=read_milestones(shape.get("hansaMilestone") or []),
        provided=tuple(
            Provided(
                item=item["id"],
                holding=HoldingId(item["product"]["id"]),
                since=read_instant(since, f"productOrderItem.{index}.product.{name}"),
            )
            for index, item in enumerate(shape["productOrderItem"])
            for name in SINCE
            if "id" in item.get("product", {}) and (since := item["product"].get(name))
        ),
        hops=shape.get("hansaHops", 1),
        reason=shape.get("hansaReason", ""),
        kind="cease" if ends else "provide",
        charged=_charged(shape),
    )


def _charged(shape: OrderShape) -> Charged | None:
    if "hansaCharge" not in shape:
        return None
    return Charged(
        read_money(shape["hansaCharge"], "hansaCharge"),
        read_instant(shape.get("cancellationDate", ""), "cancellationDate"),
    )


def _state(shape: OrderShape) -> OrderState:
    try:
        return OrderState(shape["state"])
    except ValueError:
        raise malformed("state", f"{shape['state'][:40]!r} is no state of an order here") from None


def write_moved(notice: OrderMoved, event_id: str) -> MovedEvent:
    return {
        "eventId": event_id,
        "eventType": "ProductOrderStateChangeEvent",
        "event": {"productOrder": write_progress(notice.progress)},
    }


def read_moved(value: Json) -> OrderMoved:
    return OrderMoved(_progress(checked(MovedEvent, value)["event"]["productOrder"]))
