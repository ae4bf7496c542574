"""Product Order v10: yes to a quote, the end of what an order brought, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import (
    Need,
    OrderState,
    Progress,
    Provided,
    Quote,
)
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import OrderLine, ShelfOrder
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import (
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
from hansa.federation.sonata.shapes.progress import BASE, QuotedItem, state_of, write_bare
from hansa.federation.tmf.shapes.common import read_document, write_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, QuoteId

MODIFY_DATE = f"{BASE}/modifyProductOrderItemRequestedDeliveryDate"


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
    mandate: Mandate | None = None


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
    items_of_it = frozenset(one["id"] for one in quoted)
    return Placing(QuoteId(quotes.pop()), items_of_it, key, _mandate(shape))


def _mandate(shape: Create) -> Mandate | None:
    given = shape.get("hansaMandate")
    mandate: Mandate | None = (
        None if given is None else read_document(Mandate, given, "hansaMandate")
    )
    return mandate


def _ceasing(shape: Create, items: Sequence[ItemCreate], key: BuyerKey | None) -> Ceasing:
    ended = [item.get("product", {}).get("id") for item in items]
    order = shape.get("hansaEnds")
    if order is None and None in ended:
        path = f"productOrderItem.{ended.index(None)}.product.id"
        raise unfit(path, "the product to be ended is expected", "missingProperty")
    products = frozenset(HoldingId(one) for one in ended if one is not None)
    return Ceasing(None if order is None else OrderId(order), products, key, _mandate(shape))


# --- answering --------------------------------------------------------------------------------


def write(kept: ShelfOrder, contact: Contact, products: Products) -> dict[str, Any]:
    """contact: for an order that was placed in another dialect."""
    body, order = asked(kept.extras), kept.order
    items = asked_items(body, "productOrderItem")
    items = {one.get("quoteItem", {}).get("id", name): one for name, one in items.items()}
    provided = {one.item: one for one in kept.progress.provided}
    shape = {
        "relatedContactInformation": [contact],
        **body,
        **write_bare(kept.progress),
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
