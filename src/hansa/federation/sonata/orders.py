"""What is ordered, taken back and held: product order, cancellation, charge, inventory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.shelf import Cancellation, Extras, Page, Shelf, ShelfOrder
from hansa.federation.sonata import errors
from hansa.federation.sonata.desk import (
    Desk,
    Serves,
    Test,
    among,
    answer,
    created,
    dates,
    everything,
    identity,
    kept,
    listed,
    listing,
    never,
    never_dates,
    short_trail,
    texts,
)
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes import cancellation, inventory, order, progress
from hansa.federation.sonata.shapes.common import asked
from hansa.federation.tmf.engine.model import Seat
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import CancellationId, HoldingId, OrderId
from hansa.foundation.time import Instant

log = logging.getLogger(__name__)


class Orders:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._products = desk.settings.products

    def serves(self) -> Sequence[Serves]:
        orders, cancels, charges = progress.ORDERS, cancellation.CANCELLATIONS, cancellation.CHARGES
        dates_, one, products = order.MODIFY_DATE, "{id}", inventory.PRODUCTS
        return [
            Serves("order", "POST", orders, self.order, order.Create, faults=True),
            Serves("order", "GET", orders, self.orders),
            Serves("order", "GET", f"{orders}/{one}", self.order_by_id),
            Serves("order", "PATCH", f"{orders}/{one}", self.change_order, conflicts=True),
            Serves("order", "POST", cancels, self.cancel, cancellation.Create, faults=True),
            Serves("order", "GET", cancels, self.cancellations),
            Serves("order", "GET", f"{cancels}/{one}", self.cancellation),
            Serves("order", "GET", charges, self.charges),
            Serves("order", "GET", f"{charges}/{one}", self.charge),
            Serves("order", "PATCH", f"{charges}/{one}", self.answer_charge, conflicts=True),
            Serves("order", "POST", dates_, self.change_date, faults=True),
            Serves("order", "GET", dates_, self.change_date),
            Serves("order", "GET", f"{dates_}/{one}", self.change_date),
            Serves("inventory", "GET", products, self.holdings, faults=True),
            Serves("inventory", "GET", f"{products}/{one}", self.holding),
        ]

    # --- orders ---------------------------------------------------------------------------------

    def order(self, ask: Ask, caller: Caller) -> Answer:
        """Yes to a quote, an order without one, or the end of what is held (items that delete)."""
        desk = self._desk
        seat = desk.found(ask, caller)
        body = desk.body(ask, "order", "ProductOrder_Create")
        wish, extras = order.read_asked(body, desk.asker(ask, caller, seat)), kept(body)
        match wish:
            case order.Placing():
                _whole(seat.shelf, wish)
                made = _placed(seat, wish, extras)
            case order.Outright():
                need = short_trail(wish.need)
                made = seat.shelf.order_outright(need, key=wish.key, extras=extras)
            case order.Ceasing():
                ended = wish.order or _brought(seat.shelf, wish)
                made = _ended_by(seat, ended, wish, extras)
        log.info(
            "order" if made.kind == "provide" else "cease",
            extra={
                "partner": caller.actor.party,
                "trace": made.order.trace,
                "order": made.order.id,
            },
        )
        return created(order.write(made, desk.contact(), self._products))

    def orders(self, ask: Ask, caller: Caller) -> Answer:
        """The caller's orders, the newest first."""
        shelf = self._desk.found(ask, caller).shelf
        return listed(
            ask,
            lambda offset, limit: shelf.orders(offset=offset, limit=limit),
            order.write_found,
            _ORDER_TESTS,
        )

    def order_by_id(self, ask: Ask, caller: Caller) -> Answer:
        """One order, and how far it is."""
        found = self._desk.found(ask, caller).shelf.order(OrderId(identity(ask)))
        return answer(order.write(found, self._desk.contact(), self._products))

    def change_order(self, ask: Ask, caller: Caller) -> Answer:
        """Not served: what an order says is not changed after it was placed."""
        self._desk.found(ask, caller).shelf.order(OrderId(identity(ask)))
        raise errors.not_served("A change of an order")

    def change_date(self, ask: Ask, caller: Caller) -> Answer:
        """Not served: an order is delivered as soon as can be."""
        self._desk.found(ask, caller)
        raise errors.not_served("A change of the delivery date")

    # --- cancellations --------------------------------------------------------------------------

    def cancel(self, ask: Ask, caller: Caller) -> Answer:
        """Takes back an order that is under way."""
        desk = self._desk
        shelf = desk.found(ask, caller).shelf
        body = desk.body(ask, "order", "CancelProductOrder_Create")
        wish = cancellation.read_asked(body)
        made = shelf.cancel_order(
            OrderId(wish["productOrder"]["productOrderId"]),
            reason=wish.get("cancellationReason", ""),
            extras=kept(body),
        )
        return created(cancellation.write(made, desk.contact()))

    def cancellations(self, ask: Ask, caller: Caller) -> Answer:
        """The orders that the caller has taken back."""
        shelf = self._desk.found(ask, caller).shelf
        return listed(
            ask,
            lambda offset, limit: shelf.cancellations(offset=offset, limit=limit),
            cancellation.write_found,
            _CANCELLATION_TESTS,
        )

    def cancellation(self, ask: Ask, caller: Caller) -> Answer:
        """One order taken back."""
        shelf = self._desk.found(ask, caller).shelf
        found = shelf.cancellation(CancellationId(identity(ask)))
        return answer(cancellation.write(found, self._desk.contact()))

    # --- charges --------------------------------------------------------------------------------

    def charges(self, ask: Ask, caller: Caller) -> Answer:
        """What the caller's cancellations cost, where they cost anything."""
        shelf = self._desk.found(ask, caller).shelf
        things, _ = everything(
            lambda offset, limit: shelf.cancellations(offset=offset, limit=limit)
        )
        dear = [one for one in things if one.charge.minor]
        return listed(
            ask,
            lambda offset, limit: Page(dear[offset : offset + limit], len(dear)),
            cancellation.write_charge_found,
            {
                **texts(productOrderId=lambda one: one.order),
                **never("productOrderItemId"),
                **dates("creationDate", lambda one: one.asked_at),
                **dates("responseDueDate", lambda one: one.asked_at),
            },
        )

    def charge(self, ask: Ask, caller: Caller) -> Answer:
        """What one of them costs."""
        return answer(cancellation.write_charge(self._charged(ask, caller)))

    def answer_charge(self, ask: Ask, caller: Caller) -> Answer:
        """No charge of ours waits for an answer: what it is was agreed on beforehand."""
        self._charged(ask, caller)
        raise Refused("state-move", "This charge was agreed on beforehand and waits for no answer.")

    def _charged(self, ask: Ask, caller: Caller) -> Cancellation:
        shelf = self._desk.found(ask, caller).shelf
        unknown = NotFound("order-charge-unknown", "There is no such charge.", field="id")
        try:
            found = shelf.cancellation(cancellation.of_charge(identity(ask)))
        except NotFound:
            raise unknown from None
        if not found.charge.minor or cancellation.charge_id(found) != identity(ask):
            raise unknown
        return found

    # --- what is held ---------------------------------------------------------------------------

    def holdings(self, ask: Ask, caller: Caller) -> Answer:
        """What the caller has from us."""
        shelf = self._desk.found(ask, caller).shelf
        return listed(
            ask,
            lambda offset, limit: shelf.holdings(offset=offset, limit=limit),
            inventory.write_found,
            _HOLDING_TESTS,
        )

    def holding(self, ask: Ask, caller: Caller) -> Answer:
        """One such thing, and whether it is as it was promised."""
        seat = self._desk.found(ask, caller)
        holding = HoldingId(identity(ask))
        found = seat.shelf.holding(holding)
        condition = seat.seller.condition(holding)
        return answer(inventory.write(found, condition, self._products))


def _placed(seat: Seat, wish: order.Placing, extras: Extras) -> ShelfOrder:
    """With the mandate of a node of ours, which sends nothing that has to be given back."""
    if wish.mandate is None or wish.key is None:
        return seat.shelf.place_order(wish.quote, key=wish.key, extras=extras)
    made = seat.seller.order(quote_id=wish.quote, key=wish.key, mandate=wish.mandate)
    return seat.shelf.order(made.id)


def _ended_by(seat: Seat, order_id: OrderId, wish: order.Ceasing, extras: Extras) -> ShelfOrder:
    """As `_placed`, of what ends another order."""
    if wish.mandate is None or wish.key is None:
        return seat.shelf.end_order(order_id, key=wish.key, extras=extras)
    made = seat.seller.cease(order_id=order_id, key=wish.key, mandate=wish.mandate)
    return seat.shelf.order(made.id)


def _whole(shelf: Shelf, wish: order.Placing) -> None:
    """A quote is taken whole or not at all."""
    quoted = {line.item for line in shelf.quote(wish.quote).quote.lines}
    if quoted != wish.items:
        raise unfit("productOrderItem", f"all items of the quote are expected: {sorted(quoted)}")


def _brought(shelf: Shelf, wish: order.Ceasing) -> OrderId:
    """The one order that brought all of these products, and nothing else."""
    orders = {shelf.holding(one).began_with for one in wish.products}
    for one in orders if len(orders) == 1 else ():
        brought = {provided.holding for provided in shelf.order(one).progress.provided}
        if brought == wish.products:
            return one
    raise unfit(
        "productOrderItem",
        "products are ended together that were ordered together, and no others beside them",
    )


def _ended(state: str) -> Callable[[ShelfOrder], Instant | None]:
    """When an order ended so."""
    return lambda one: one.ended_at if progress.state_of(one.order.state) == state else None


_ORDER_TESTS: Mapping[str, Test] = {
    "state": among(progress.STATES, "state", lambda one: progress.state_of(one.order.state)),
    **texts(
        externalId=lambda one: one.order.key,
        projectId=lambda one: asked(one.extras).get("projectId"),
    ),
    **dates("orderDate", lambda one: one.order.placed_at),
    **dates("completionDate", _ended("completed")),
    **dates("cancellationDate", _ended("cancelled")),
    **never_dates("itemRequestedCompletionDate", "itemExpectedCompletionDate"),
}

_CANCELLATION_TESTS: Mapping[str, Test] = {
    "state": among(
        ("acknowledged", "done", "done.declined", "inProgress.assessingCharge", "rejected"),
        "state",
        lambda one: cancellation.STATES[one.state],
    ),
    "cancellationReasonType": among(
        ("technical", "commercial"),
        "cancellationReasonType",
        lambda one: asked(one.extras).get("cancellationReasonType", "commercial"),
    ),
    **texts(productOrderId=lambda one: one.order),
}

_HOLDING_TESTS: Mapping[str, Test] = {
    "status": among(tuple(inventory.STATES), "status", inventory.status_of),
    **texts(
        productOfferingId=lambda one: one.offer,
        geographicalSiteId=lambda one: None if one.site is None else inventory.site_id(one.site),
    ),
    "productOrderId": listing(lambda one: (one.order, one.began_with)),
    **dates("startDate", lambda one: one.since),
    **dates("lastUpdateDate", lambda one: one.until or one.since),
    **never("productSpecificationId", "externalId", "relatedProductId", "billingAccountId"),
}
