"""Product Order v10: yes to a quote, the end of what an order brought, and how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import (
    TRAIL_MAX,
    Milestone,
    Need,
    Order,
    OrderState,
    Progress,
    Provided,
    Quote,
)
from hansa.federation.mandate import Mandate
from hansa.federation.papers import OrderMoved
from hansa.federation.shelf import OrderLine, ShelfOrder
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import (
    ROOT,
    Contact,
    Contacts,
    Duration,
    Id,
    Moment,
    Note,
    QualifiedItem,
    Relationship,
    Term,
    Text,
    Whole,
    asked,
    asked_items,
    checked,
    without_empty,
)
from hansa.federation.sonata.shapes.need import Asker, read_need, write_product
from hansa.federation.sonata.shapes.product import Products, ProductShape
from hansa.federation.tmf.shapes.common import href, read_document, read_instant, write_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Instant

BASE = f"{ROOT}/productOrderingManagement/v10"
ORDERS = f"{BASE}/productOrder"
MODIFY_DATE = f"{BASE}/modifyProductOrderItemRequestedDeliveryDate"
NOTICES = f"{ROOT}/productOrderingNotification/v10/listener"
MOVED = f"{NOTICES}/productOrderStateChangeEvent"

OURS: Mapping[str, OrderState] = {
    "acknowledged": OrderState.ACKNOWLEDGED,
    "assessingCancellation": OrderState.IN_PROGRESS,
    "cancelled": OrderState.CANCELLED,
    "completed": OrderState.COMPLETED,
    "failed": OrderState.FAILED,
    "held.assessingCharge": OrderState.HELD,
    "inProgress": OrderState.IN_PROGRESS,
    "partial": OrderState.FAILED,
    "pending.assessingModification": OrderState.IN_PROGRESS,
    "pendingCancellation": OrderState.IN_PROGRESS,
    "rejected": OrderState.FAILED,
}
"""What their states are to us. partial: an order of ours is completed whole or not at all."""

STATES = tuple(OURS)


@dataclass(frozen=True, slots=True)
class Placing:
    """Yes to these items of this quote. mandate: who asked for it, where the buyer says so."""

    quote: QuoteId
    items: frozenset[str]
    key: BuyerKey | None
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class Outright:
    """Wanted without having asked for a price."""

    need: Need
    key: BuyerKey | None


@dataclass(frozen=True, slots=True)
class Ceasing:
    """Ends what an order brought, or the products named, if there is no word of an order."""

    order: OrderId | None
    products: frozenset[HoldingId]
    key: BuyerKey | None


class QuotedItem(TypedDict):
    """An item of a quote."""

    id: Text
    quoteId: Id
    quoteHref: NotRequired[Text]


class Account(TypedDict):
    id: Text


class Coordination(TypedDict):
    itemId: Text
    coordinationDependency: Literal[
        "startToStart", "startToFinish", "finishToStart", "finishToFinish"
    ]
    coordinatedActionDelay: Duration


class ItemCreate(TypedDict):
    """MEFProductOrderItem_Create; hansaQuantity: one, if it does not say."""

    id: Text
    action: Literal["add", "modify", "delete"]
    product: NotRequired[ProductShape]
    quoteItem: NotRequired[QuotedItem]
    agreementName: NotRequired[Text]
    billingAccount: NotRequired[Account]
    coordinatedAction: NotRequired[list[Coordination]]
    endCustomerName: NotRequired[Text]
    expediteIndicator: NotRequired[bool]
    note: NotRequired[list[Note]]
    productOfferingQualificationItem: NotRequired[QualifiedItem]
    productOrderItemRelationship: NotRequired[list[Relationship]]
    relatedBuyerPON: NotRequired[Text]
    relatedContactInformation: NotRequired[list[Contact]]
    requestedCompletionDate: NotRequired[Moment]
    requestedItemTerm: NotRequired[Term]
    tspRestorationPriority: NotRequired[Text]
    hansaQuantity: NotRequired[Whole]


class Create(TypedDict):
    """ProductOrder_Create; externalId: the buyer's key. hansaEnds: the order that this one ends."""

    productOrderItem: Annotated[list[ItemCreate], Field(min_length=1)]
    relatedContactInformation: Contacts
    externalId: NotRequired[Id]
    projectId: NotRequired[Text]
    note: NotRequired[list[Note]]
    hansaEnds: NotRequired[Id]
    hansaMandate: NotRequired[Json]
    hansaCurrency: NotRequired[Text]
    hansaTrail: NotRequired[list[Id]]


class StateChange(TypedDict):
    state: NotRequired[Text]
    changeDate: NotRequired[Moment]
    changeReason: NotRequired[Text]


class TerminationError(TypedDict):
    value: NotRequired[Text]


class ItemProduct(TypedDict):
    id: NotRequired[Id]


class Item(TypedDict):
    """ProductOrderItem; completionDate: since when its terms apply."""

    id: Text
    action: NotRequired[Text]
    state: NotRequired[Text]
    product: NotRequired[ItemProduct]
    quoteItem: NotRequired[QuotedItem]
    completionDate: NotRequired[Moment]
    terminationError: NotRequired[list[TerminationError]]


Depth = Annotated[int, Field(ge=0, le=TRAIL_MAX)]


class MilestoneShape(TypedDict):
    """One step of an order that its buyer may see; depth: how many sellers further down."""

    name: Text
    state: Text
    at: NotRequired[Moment]
    depth: NotRequired[Depth]


class OrderShape(TypedDict):
    """ProductOrder; hansaState: where Sonata has no word for our state."""

    id: Id
    state: Text
    productOrderItem: list[Item]
    externalId: NotRequired[Id]
    orderDate: NotRequired[Moment]
    completionDate: NotRequired[Moment]
    stateChange: NotRequired[list[StateChange]]
    hansaQuote: NotRequired[Id]
    hansaState: NotRequired[Text]
    hansaTrace: NotRequired[Text]
    hansaMilestone: NotRequired[list[MilestoneShape]]
    hansaHops: NotRequired[Whole]


# --- asking -----------------------------------------------------------------------------------


def write_placing(
    quote: Quote, key: BuyerKey, contact: Contact, products: Products
) -> dict[str, Any]:
    """All items of a quote, as they were quoted."""
    return {
        "externalId": key,
        "relatedContactInformation": [contact],
        "productOrderItem": [
            {
                "id": line.item,
                "action": "add" if line.holding is None else "modify",
                "product": write_product(line, products),
                "quoteItem": {"id": line.item, "quoteId": quote.id},
            }
            for line in quote.lines
        ],
    }


def write_ceasing(progress: Progress, key: BuyerKey, contact: Contact) -> dict[str, Any]:
    """The end of all that an order brought."""
    items: list[dict[str, Any]] = [
        {"id": one.item, "action": "delete", "product": {"id": one.holding}}
        for one in progress.provided
    ]
    return {
        "externalId": key,
        "relatedContactInformation": [contact],
        "productOrderItem": items or [{"id": "all", "action": "delete"}],
        "hansaEnds": progress.order,
    }


def read_asked(value: Json, asker: Asker) -> Placing | Outright | Ceasing:
    """What a buyer asks for; Unfit unless it is exactly one of the three."""
    shape = checked(Create, value)
    items = shape["productOrderItem"]
    key = BuyerKey(shape["externalId"]) if "externalId" in shape else None
    actions = {item["action"] for item in items}
    if actions == {"delete"}:
        return _ceasing(shape, items, key)
    if "delete" in actions:
        raise unfit("productOrderItem", "items that all add or modify, or all delete, are expected")
    quoted = [item["quoteItem"] for item in items if "quoteItem" in item]
    if not quoted:
        return Outright(read_need(shape, items, "productOrderItem", asker), key)
    quotes = {one["quoteId"] for one in quoted}
    if len(quotes) != 1 or len(quoted) != len(items):
        path = "productOrderItem.0.quoteItem"
        raise unfit(path, "items that are all of the same quote are expected")
    given = shape.get("hansaMandate")
    mandate = None if given is None else read_document(Mandate, given, "hansaMandate")
    return Placing(QuoteId(quotes.pop()), frozenset(one["id"] for one in quoted), key, mandate)


def _ceasing(shape: Create, items: Sequence[ItemCreate], key: BuyerKey | None) -> Ceasing:
    ended = [item.get("product", {}).get("id") for item in items]
    order = shape.get("hansaEnds")
    if order is None and None in ended:
        path = f"productOrderItem.{ended.index(None)}.product.id"
        raise unfit(path, "the product to be ended is expected", "missingProperty")
    products = frozenset(HoldingId(one) for one in ended if one is not None)
    return Ceasing(None if order is None else OrderId(order), products, key)


# --- answering --------------------------------------------------------------------------------


def state_of(state: OrderState) -> str:
    return "inProgress" if state is OrderState.HELD else state.value


def write(kept: ShelfOrder, contact: Contact, products: Products) -> dict[str, Any]:
    """contact: for an order that was placed in another dialect."""
    body, order = asked(kept.extras), kept.order
    items = asked_items(body, "productOrderItem")
    items = {one.get("quoteItem", {}).get("id", name): one for name, one in items.items()}
    provided = {one.item: one for one in kept.progress.provided}
    shape = {
        "relatedContactInformation": [contact],
        **body,
        **_write_progress(kept.progress),
        "externalId": order.key,
        "orderDate": write_instant(order.placed_at),
        "productOrderItem": [
            _write_line(
                line,
                kept,
                items.get(line.quoted.item, {}),
                provided.get(line.quoted.item),
                products,
            )
            for line in kept.lines
        ],
        "hansaQuote": order.quote,
        "hansaTrace": order.trace,
    }
    if kept.ended_at is not None:
        over = "completionDate" if order.state is OrderState.COMPLETED else "cancellationDate"
        shape[over] = write_instant(kept.ended_at)
    return shape


def _write_line(
    line: OrderLine,
    kept: ShelfOrder,
    given: Mapping[str, Any],
    provided: Provided | None,
    products: Products,
) -> dict[str, Any]:
    found = write_product(line.quoted, products)
    holding = provided.holding if provided is not None else line.holding
    item: dict[str, Any] = {
        **given,
        "id": line.quoted.item,
        "action": line.action,
        "state": line.state.value,
        "product": {**found, "id": holding} if holding is not None else found,
    }
    if kept.kind == "provide":
        item["quoteItem"] = {"id": line.quoted.item, "quoteId": kept.order.quote}
    if provided is not None:
        item["completionDate"] = write_instant(provided.since)
    return item


def _write_progress(progress: Progress) -> dict[str, Any]:
    """What a Progress says of its order, but the items."""
    change = {"state": state_of(progress.state), "changeReason": progress.reason}
    shape: dict[str, Any] = {
        "id": progress.order,
        "href": href(ORDERS, progress.order),
        "externalId": progress.key,
        "state": state_of(progress.state),
        "stateChange": [without_empty(change)],
        "hansaMilestone": [_write_milestone(step) for step in progress.milestones],
        "hansaHops": progress.hops,
    }
    if progress.state is OrderState.HELD:
        shape["hansaState"] = "held"
    return shape


def _write_milestone(step: Milestone) -> MilestoneShape:
    shape: MilestoneShape = {"name": step.name, "state": step.state}
    if step.at is not None:
        shape["at"] = write_instant(step.at)
    if step.depth:
        shape["depth"] = step.depth
    return shape


def write_progress(progress: Progress) -> dict[str, Any]:
    """An order as an event of ours carries it: only what has come of it."""
    return {
        **_write_progress(progress),
        "productOrderItem": [
            {
                "id": one.item,
                "state": "completed",
                "product": {"id": one.holding},
                "completionDate": write_instant(one.since),
            }
            for one in progress.provided
        ],
    }


def write_found(kept: ShelfOrder) -> dict[str, Any]:
    """One of a list."""
    over = None if kept.ended_at is None else write_instant(kept.ended_at)
    completed = kept.order.state is OrderState.COMPLETED
    return without_empty(
        {
            "id": kept.order.id,
            "state": state_of(kept.order.state),
            "externalId": kept.order.key,
            "projectId": asked(kept.extras).get("projectId"),
            "orderDate": write_instant(kept.order.placed_at),
            "completionDate": over if completed else None,
            "cancellationDate": None if completed else over,
        }
    )


# --- reading an answer ------------------------------------------------------------------------


def read(value: Json, *, seller: PartyId, buyer: PartyId, key: BuyerKey, now: Instant) -> Order:
    """key, now: where the partner's own words for them are missing."""
    shape = checked(OrderShape, value)
    return Order(
        id=OrderId(shape["id"]),
        seller=seller,
        buyer=buyer,
        key=BuyerKey(shape.get("externalId", key)),
        quote=QuoteId(shape.get("hansaQuote") or _quoted(shape)),
        state=_state(shape),
        placed_at=read_instant(shape["orderDate"], "orderDate") if "orderDate" in shape else now,
        trace=TraceId(shape.get("hansaTrace") or trace_of(shape["id"])),
    )


def trace_of(order: str) -> TraceId:
    """A trace for an order of a partner that knows of none, always the same."""
    return TraceId(hashlib.sha256(order.encode()).hexdigest()[:32])


def _quoted(shape: OrderShape) -> str:
    quotes = [item["quoteItem"]["quoteId"] for item in shape["productOrderItem"] if _has(item)]
    return quotes[0] if quotes else ""


def _has(item: Item) -> bool:
    return "quoteItem" in item


def read_progress(value: Json, *, key: BuyerKey | None = None) -> Progress:
    """key: where the partner does not give ours back."""
    shape = checked(OrderShape, value)
    state = _state(shape)
    done = state is OrderState.COMPLETED
    external = shape.get("externalId", key)
    if external is None:
        raise unfit("externalId", "the buyer's own key is expected", "missingProperty")
    return Progress(
        order=OrderId(shape["id"]),
        key=BuyerKey(external),
        state=state,
        milestones=tuple(
            Milestone(
                name=step["name"],
                state=step["state"],
                at=read_instant(step["at"], f"hansaMilestone.{index}.at") if "at" in step else None,
                depth=step.get("depth", 0),
            )
            for index, step in enumerate(shape.get("hansaMilestone") or [])
        ),
        provided=tuple(
            _provided(item, f"productOrderItem.{index}", shape)
            for index, item in enumerate(shape["productOrderItem"])
            if "completionDate" in item or (done and not _was_nothing(item))
        ),
        hops=shape.get("hansaHops", 1),
        reason=_reason(shape),
    )


def _was_nothing(item: Item) -> bool:
    """The end of what had not come to be: an order taken back before it was completed."""
    return item.get("action") == "delete" and "id" not in item.get("product", {})


def _provided(item: Item, field: str, shape: OrderShape) -> Provided:
    if "id" not in item.get("product", {}):
        raise unfit(f"{field}.product.id", "what the item became is expected", "missingProperty")
    at = item.get("completionDate", shape.get("completionDate"))
    if at is None:
        raise unfit(f"{field}.completionDate", "since when is expected", "missingProperty")
    return Provided(
        item=item["id"],
        holding=HoldingId(item["product"]["id"]),
        since=read_instant(at, f"{field}.completionDate"),
    )


def _state(shape: OrderShape) -> OrderState:
    if shape.get("hansaState") == "held":
        return OrderState.HELD
    if shape["state"] not in OURS:
        raise unfit("state", f"{shape['state'][:40]!r} is no state of an order")
    return OURS[shape["state"]]


def _reason(shape: OrderShape) -> str:
    """Why it is in its state, in the partner's own words."""
    changes = [change for change in shape.get("stateChange") or [] if change.get("changeReason")]
    if changes:
        return max(changes, key=lambda change: change.get("changeDate", ""))["changeReason"]
    errors = [
        error["value"]
        for item in shape["productOrderItem"]
        for error in item.get("terminationError") or []
        if error.get("value")
    ]
    return "; ".join(errors)


# --- events -----------------------------------------------------------------------------------


class Payload(TypedDict):
    """hansaOrder: the order itself, so that nobody has to ask for it."""

    id: Id
    sellerId: NotRequired[Text]
    buyerId: NotRequired[Text]
    orderItemId: NotRequired[Text]
    hansaOrder: NotRequired[dict[str, Any]]


class Event(TypedDict):
    """ProductOrderEvent."""

    eventId: Text
    eventTime: Moment
    eventType: Text
    event: Payload


def write_moved(
    notice: OrderMoved, *, event: str, at: Instant, seller: PartyId, buyer: PartyId
) -> dict[str, Any]:
    return {
        "eventId": event,
        "eventTime": write_instant(at),
        "eventType": "productOrderStateChangeEvent",
        "event": {
            "id": notice.progress.order,
            "href": href(ORDERS, notice.progress.order),
            "sellerId": seller,
            "buyerId": buyer,
            "hansaOrder": write_progress(notice.progress),
        },
    }


def read_moved(value: Json) -> OrderMoved | OrderId:
    """What has moved; only its id, where the partner says no more."""
    event = checked(Event, value)["event"]
    if "hansaOrder" not in event:
        return OrderId(event["id"])
    return OrderMoved(read_progress(event["hansaOrder"]))
