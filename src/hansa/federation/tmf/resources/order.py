"""TMF622: an order posted here is an order, and so is the wish to cancel one.

A node says yes to a quote, or ends an order, by one item that stands for everything; any other
client may also order offerings outright, or end products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hansa.federation.contract import OrderState
from hansa.federation.shelf import CancellationState, OrderLine, ShelfOrder
from hansa.federation.tmf.engine.model import Api, Found, Heard, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf622
from hansa.federation.tmf.shapes import order as shapes
from hansa.federation.tmf.shapes import ordered
from hansa.federation.tmf.shapes.common import SCHEMA, malformed
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.ids import CancellationId, OrderId

PRODUCT: Known = {"place": None, "productCharacteristic": None, ordered.ITEMS: None}

FOUND_MAX = 1000
"""How many are looked through for filters that only we know."""

KNOWN: Known = {
    "externalId": None,
    "state": None,
    "quote": None,
    "orderDate": None,
    "completionDate": None,
    ordered.ITEMS: {
        "id": None,
        "action": None,
        "state": None,
        "quantity": None,
        "productOffering": None,
        "product": PRODUCT,
        "itemPrice": None,
    },
    "hansaCurrency": None,
}

CANCEL_KNOWN: Known = {
    "productOrder": None,
    "cancellationReason": None,
    "requestedCancellationDate": None,
    "effectiveCancellationDate": None,
    "state": None,
}


# --- orders -------------------------------------------------------------------------------------


def _find(visit: Visit, window: Window) -> Found:
    state = window.filters.get("state")
    if state is not None and state not in {one.value for one in OrderState}:
        return Found([], 0)
    page = visit.seat.shelf.orders(
        state=None if state is None else OrderState(state),
        offset=window.offset,
        limit=min(window.limit, FOUND_MAX),
    )
    return Found([_written(one) for one in page.things], page.total)


def _get(visit: Visit, identity: str) -> Json:
    return _written(visit.seat.shelf.order(OrderId(identity)))


def _written(kept: ShelfOrder) -> Json:
    shape = ordered.in_its_items(ordered.write_kept(kept), kept.extras)
    return laid_over(shape, kept.extras)


def _create(visit: Visit, document: Mapping[str, Json]) -> Json:
    if _is_of_a_node(document):
        return _of_a_node(visit, document)
    wish = ordered.read_wish(needs.with_places(visit, document, ordered.ITEMS))
    extras = _extras(document)
    shelf = visit.seat.shelf
    with _worded():
        if isinstance(wish, ordered.Yes):
            _check_named(visit, wish)
            made = shelf.place_order(wish.quote, key=wish.key, extras=extras)
        elif isinstance(wish, ordered.Ending):
            made = shelf.end_order(_to_end(visit, wish), key=wish.key, extras=extras)
        else:
            need = needs.of_anyone(visit, wish.items, wish.currency)
            with needs.worded(need, ordered.ITEMS, document):
                made = shelf.order_outright(need, key=wish.key, extras=extras)
    act = "cease" if isinstance(wish, ordered.Ending) else "order"
    needs.note(visit, act, made.order.trace, order=made.order.id)
    needs.traced(visit, made.order.trace)
    return _written(made)


def _is_of_a_node(document: Mapping[str, Json]) -> bool:
    """Whether this says yes, or ends, as nodes do: by one item that stands for everything."""
    items = document[ordered.ITEMS]
    whole = len(items) == 1 and items[0]["id"] == shapes.WHOLE
    return whole and document.get("@schemaLocation") == SCHEMA


def _of_a_node(visit: Visit, document: Mapping[str, Json]) -> Json:
    """Yes to a quote (items that add or modify), or the end of an order (items that delete)."""
    seller = visit.seat.seller
    wish = shapes.read_ask(document)
    if isinstance(wish, shapes.Placing):
        made = seller.order(quote_id=wish.quote, key=wish.key, mandate=wish.mandate)
        needs.note(visit, "order", made.trace, order=made.id)
    else:
        made = seller.cease(order_id=wish.order, key=wish.key, mandate=wish.mandate)
        needs.note(visit, "cease", made.trace, order=made.id)
    needs.traced(visit, made.trace)
    return shapes.write(made, "add" if isinstance(wish, shapes.Placing) else "delete")


def _extras(document: Mapping[str, Json]) -> dict[str, Json]:
    """What was sent beside; a product that is to be added has no id before we give it one."""
    extras = leftover(document, KNOWN)
    adding = {item["id"] for item in document[ordered.ITEMS] if item["action"] == "add"}
    for entry in extras.get(ordered.ITEMS) or []:
        if entry["id"] in adding:
            entry.get("product", {}).pop("id", None)
    return extras


def _check_named(visit: Visit, wish: ordered.Yes) -> None:
    """The quote's lines that the order names are there; it says yes to all of them."""
    lines = {line.item for line in visit.seat.shelf.quote(wish.quote).quote.lines}
    for at, name in wish.items:
        if name not in lines:
            raise malformed(at, f"quote {wish.quote} has no item {name!r}")


def _to_end(visit: Visit, wish: ordered.Ending) -> OrderId:
    """The order to end; of products, the one that brought them, which ends as a whole."""
    if wish.order is not None:
        return wish.order
    shelf = visit.seat.shelf
    orders = {shelf.holding(holding).began_with for holding in wish.holdings}
    if len(orders) > 1:
        raise malformed(ordered.ITEMS, "products of one order are expected; end others apart")
    order = orders.pop()
    left = [one for one in shelf.order(order).lines if _is_left(one, wish)]
    if left:
        raise Refused(
            "order-in-part",
            f"What order {order} brought ends together: name {left[0].holding} too.",
            field=ordered.ITEMS,
        )
    return order


def _is_left(line: OrderLine, wish: ordered.Ending) -> bool:
    return line.action == "add" and line.holding not in wish.holdings


@contextmanager
def _worded() -> Iterator[None]:
    """What is refused names attributes of an order, not arguments of ours."""
    names = {"key": "externalId", "order": ordered.ITEMS, "holding": f"{ordered.ITEMS}.product.id"}
    try:
        yield
    except HansaError as error:
        error.field = names.get(error.field or "", error.field)
        raise


def _patch(visit: Visit, identity: str, _wanted: Json, patch: Mapping[str, Json]) -> Json:
    """Cancels an order: its state is all that a buyer may change, and this is the one way."""
    before = _get(visit, identity)
    for name, value in patch.items():
        if name not in ("state", "cancellationReason") and value != before.get(name):
            raise malformed(name, "it cannot be changed, an order can only be cancelled")
    if patch.get("state", before["state"]) == before["state"]:
        return before
    if patch["state"] != OrderState.CANCELLED:
        raise malformed("state", "an order can be made cancelled, all else comes by itself")
    reason = patch.get("cancellationReason") or ""
    visit.seat.shelf.cancel_order(OrderId(identity), reason=reason)
    return _get(visit, identity)


# --- cancellations ------------------------------------------------------------------------------


def _find_cancels(visit: Visit, window: Window) -> Found:
    state = window.filters.get("state")
    if state is not None and state not in {one.value for one in CancellationState}:
        return Found([], 0)
    page = visit.seat.shelf.cancellations(
        state=None if state is None else CancellationState(state),
        offset=window.offset,
        limit=min(window.limit, FOUND_MAX),
    )
    found = [laid_over(ordered.write_cancel(one), one.extras) for one in page.things]
    return Found(found, page.total)


def _get_cancel(visit: Visit, identity: str) -> Json:
    found = visit.seat.shelf.cancellation(CancellationId(identity))
    return laid_over(ordered.write_cancel(found), found.extras)


def _cancel(visit: Visit, document: Mapping[str, Json]) -> Json:
    order, reason, wished_for = ordered.read_cancel(document)
    made = visit.seat.shelf.cancel_order(
        order, reason=reason, wished_for=wished_for, extras=leftover(document, CANCEL_KNOWN)
    )
    needs.note(visit, "cancel", visit.trace, order=order, cancellation=made.id)
    return laid_over(ordered.write_cancel(made), made.extras)


def _moved(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_moved(body))


API = Api(
    number=622,
    title="Product Ordering Management",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf622.TABLE),
    resources=(
        Resource(
            path="productOrder",
            type="ProductOrder",
            source=Source(find=windowed(_find, ("state",)), get=_get, create=_create, patch=_patch),
            mandatory=("productOrderItem",),
            events=("Create", "StateChange"),
        ),
        Resource(
            path="cancelProductOrder",
            type="CancelProductOrder",
            source=Source(
                find=windowed(_find_cancels, ("state",)), get=_get_cancel, create=_cancel
            ),
            mandatory=("productOrder.id",),
            events=("Create", "StateChange"),
        ),
    ),
    heard=(Heard("productOrderStateChangeEvent", _moved),),
)
