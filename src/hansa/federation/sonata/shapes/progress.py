"""How far a product order is (v10): what its seller tells, asked or unasked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import (
    TRAIL_MAX,
    Charged,
    Order,
    OrderKind,
    OrderState,
    Progress,
    Provided,
)
from hansa.federation.papers import OrderMoved
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import (
    ROOT,
    Id,
    Moment,
    Text,
    Whole,
    checked,
    without_empty,
)
from hansa.federation.tmf.shapes.common import (
    MoneyShape,
    href,
    read_instant,
    read_money,
    write_instant,
    write_money,
)
from hansa.federation.tmf.shapes.order import read_milestones, write_milestone
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Instant

BASE = f"{ROOT}/productOrderingManagement/v10"
ORDERS = f"{BASE}/productOrder"
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


class QuotedItem(TypedDict):
    """An item of a quote."""

    id: Text
    quoteId: Id
    quoteHref: NotRequired[Text]


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
    """ProductOrder; hansaState: where Sonata has no word for our state. hansaCharge: what it costs,
    tax apart, that the order was cancelled on cancellationDate.
    """

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
    hansaKind: NotRequired[Text]
    cancellationDate: NotRequired[Moment]
    hansaCharge: NotRequired[MoneyShape]


# --- telling ----------------------------------------------------------------------------------


def state_of(state: OrderState) -> str:
    return "inProgress" if state is OrderState.HELD else state.value


def write_bare(progress: Progress) -> dict[str, Any]:
    """What a Progress says of its order, but the items."""
    change = {"state": state_of(progress.state), "changeReason": progress.reason}
    shape: dict[str, Any] = {
        "id": progress.order,
        "href": href(ORDERS, progress.order),
        "externalId": progress.key,
        "state": state_of(progress.state),
        "stateChange": [without_empty(change)],
        "hansaMilestone": [write_milestone(step) for step in progress.milestones],
        "hansaHops": progress.hops,
        "hansaKind": progress.kind,
    }
    if progress.state is OrderState.HELD:
        shape["hansaState"] = "held"
    if progress.charged is not None:
        shape["hansaCharge"] = write_money(progress.charged.amount)
        shape["cancellationDate"] = write_instant(progress.charged.at)
    return shape


def write_progress(progress: Progress) -> dict[str, Any]:
    """An order as an event of ours carries it: only what has come of it."""
    return {
        **write_bare(progress),
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
        milestones=read_milestones(shape.get("hansaMilestone") or []),
        provided=tuple(
            _provided(item, f"productOrderItem.{index}", shape)
            for index, item in enumerate(shape["productOrderItem"])
            if "completionDate" in item or (done and not _was_nothing(item))
        ),
        hops=shape.get("hansaHops", 1),
        reason=_reason(shape),
        kind=_kind(shape),
        charged=_charged(shape),
    )


def _charged(shape: OrderShape) -> Charged | None:
    if "hansaCharge" not in shape:
        return None
    if "cancellationDate" not in shape:
        raise unfit("cancellationDate", "since when it is owed is expected", "missingProperty")
    return Charged(
        read_money(shape["hansaCharge"], "hansaCharge"),
        read_instant(shape["cancellationDate"], "cancellationDate"),
    )


def _kind(shape: OrderShape) -> OrderKind:
    actions = {item.get("action") for item in shape["productOrderItem"]}
    return "cease" if shape.get("hansaKind") == "cease" or actions == {"delete"} else "provide"


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
