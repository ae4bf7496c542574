"""Works on our own network: orders entered, devices brought there, and the result recorded.

What should be is entered in one transaction, the devices follow outside of any, and another
transaction records it. Whatever is killed in between, the same key goes on where it stopped:
devices are always brought to what should be *now*, so a step done twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hansa.drivers import rules, store
from hansa.drivers.actions import no_holding, no_quote
from hansa.drivers.contract import Driver, Intent
from hansa.drivers.model import Ask, KeptOrder, KeptQuote, Line, Service
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, Ids, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Clock
from hansa.foundation.transaction import Begin, Transaction


class Works:
    """The orders of one buyer on our own network. drivers: by family."""

    def __init__(
        self,
        *,
        begin: Begin,
        drivers: Mapping[str, Driver],
        ids: Ids,
        clock: Clock,
        buyer: PartyId,
    ) -> None:
        self._begin = begin
        self._drivers = drivers
        self._ids = ids
        self._clock = clock
        self._buyer = buyer

    def order(
        self,
        *,
        quote: QuoteId,
        key: BuyerKey,
        read: Callable[[Json], tuple[Sequence[Ask], TraceId]],
    ) -> KeptOrder:
        """Enters and carries out what a quote offered; the same key again goes on with it.

        read: what a kept quote's document asks for. Raises NotFound `quote-unknown`.
        """
        content = documents.fingerprint({"order": quote})
        entered: dict[HoldingId, Service] = {}
        with self._begin() as tx:
            order = self._answered(tx, key, content)
            if order is None:
                asks, trace = read(self._open_quote(tx, quote).document)
                order = self._new(quote, key, content, trace)
                self._put(tx, order)
                lines = []
                for position, ask in enumerate(asks):
                    line, service = self._enter(tx, order, position, ask)
                    entered[service.holding] = service
                    lines.append(line)
                order = replace(order, lines=tuple(lines))
        return self._carry_out(order, entered)

    def cease(self, *, order_id: OrderId, key: BuyerKey) -> KeptOrder:
        """Ends what the order brought, goes back on what it changed, cancels it if unfinished."""
        content = documents.fingerprint({"cease": order_id})
        with self._begin() as tx:
            order = self._answered(tx, key, content)
            if order is None:
                order = self._enter_cease(tx, order_id, key, content)
        return self._carry_out(order, {})

    def find(self, order_id: OrderId) -> KeptOrder:
        """The buyer's order. Raises NotFound `order-unknown`."""
        with self._begin() as tx:
            return self._find(tx, order_id)

    def driver(self, family: str) -> Driver:
        """Who makes the family here. Raises Refused `network-cannot` when nobody does."""
        driver = self._drivers.get(family)
        if driver is None:
            raise Refused(
                "network-cannot", f"This network has nothing that makes {family}.", field="offer"
            )
        return driver

    # --- entering -------------------------------------------------------------------------------

    def _find(self, tx: Transaction, order_id: OrderId, *, locked: bool = False) -> KeptOrder:
        order = store.order(tx, order_id=order_id, buyer=self._buyer, locked=locked)
        if order is None:
            raise NotFound("order-unknown", f"There is no order {order_id}.", field="order")
        return order

    def _answered(self, tx: Transaction, key: BuyerKey, content: str) -> KeptOrder | None:
        """The order that the key has brought already."""
        order = store.order_of_key(tx, buyer=self._buyer, key=key)
        if order is not None and order.content != content:
            raise Refused(
                "key-reused",
                "This key was used for another request; give a new request a new key.",
                field="key",
            )
        return order

    def _open_quote(self, tx: Transaction, quote_id: QuoteId) -> KeptQuote:
        found = store.quote_and_use(tx, quote_id=quote_id, buyer=self._buyer)
        if found is None:
            raise no_quote(quote_id)
        quote, used_by = found
        if self._clock.now() >= quote.valid_until:
            raise Refused(
                "quote-expired",
                f"The quote was good until {quote.valid_until:%Y-%m-%d %H:%M} UTC; "
                "ask for a new one.",
                field="quote",
            )
        if used_by is not None:
            raise Refused(
                "quote-used",
                f"Order {used_by} has used the quote; ask for a new one.",
                field="quote",
            )
        return quote

    def _new(self, quote: QuoteId, key: BuyerKey, content: str, trace: TraceId) -> KeptOrder:
        return KeptOrder(
            id=self._ids.new(OrderId),
            buyer=self._buyer,
            key=key,
            content=content,
            quote=quote,
            ceases=None,
            state="inProgress",
            reason="",
            trace=trace,
            placed_at=self._clock.now(),
            finished_at=None,
            lines=(),
        )

    def _put(self, tx: Transaction, order: KeptOrder) -> None:
        if not store.put_order(tx, order):
            raise TryLater(
                "order-busy", "The same order is being entered right now; ask again.", after_s=0.1
            )

    def _enter(
        self, tx: Transaction, order: KeptOrder, position: int, ask: Ask
    ) -> tuple[Line, Service]:
        holding = ask.holding or self._ids.new(HoldingId)
        product = store.product(tx, ask.offer)
        service = None
        if ask.holding:
            service = store.service(tx, holding=holding, buyer=self._buyer, locked=True)
        if product is None or (ask.holding and (service is None or service.intent is None)):
            raise no_holding(holding)
        if service is None:
            service = Service(holding, self._buyer, product.family, None, order.id, None, None)
        wanted = rules.intent(
            product,
            service=holding,
            site=ask.site,
            characteristics=ask.characteristics,
            quantity=ask.quantity,
        )
        return self._move(tx, order, position, ask.item, service, wanted, brought_by=order.id)

    def _enter_cease(
        self, tx: Transaction, order_id: OrderId, key: BuyerKey, content: str
    ) -> KeptOrder:
        target = self._find(tx, order_id, locked=True)
        order = replace(self._new(target.quote, key, content, target.trace), ceases=target.id)
        if target.state == "inProgress":
            now = self._clock.now()
            store.finish(tx, target.id, state="cancelled", now=now, since=None)
        self._put(tx, order)
        if target.state in ("inProgress", "completed"):
            for position, line in enumerate(target.lines):
                self._take_back(tx, order, position, line)
        return self._find(tx, order.id)

    def _take_back(self, tx: Transaction, order: KeptOrder, position: int, line: Line) -> None:
        """What was new should end, what was changed should be as before."""
        service = store.service(tx, holding=line.holding, buyer=self._buyer, locked=True)
        if service is None:
            raise no_holding(line.holding)
        if service.intent is None:
            gone = replace(line, wanted=None, before=None, since=service.ended)
            store.put_line(tx, order.id, position, gone, open=False)
            return
        if line.before is not None and service.brought_by != order.ceases:
            raise Refused(
                "order-superseded",
                f"Order {service.brought_by} has changed {line.holding} since; cease that first.",
                field="order",
            )
        back_to = line.before_order if line.before is not None else None
        self._move(
            tx, order, position, line.item, service, line.before, brought_by=back_to or order.id
        )

    def _move(
        self,
        tx: Transaction,
        order: KeptOrder,
        position: int,
        item: str,
        service: Service,
        wanted: Intent | None,
        *,
        brought_by: OrderId,
    ) -> tuple[Line, Service]:
        """Enters how a service should be from now on, and what it was before."""
        line = Line(
            item=item,
            holding=service.holding,
            wanted=wanted,
            before=service.intent,
            before_order=service.brought_by if service.intent is not None else None,
        )
        service = replace(service, intent=wanted, brought_by=brought_by)
        store.put_service(tx, service)
        if not store.put_line(tx, order.id, position, line, open=True):
            raise TryLater(
                "holding-busy",
                f"Another order is changing {service.holding}; ask again when it is done.",
                field="holding",
                after_s=1,
            )
        return line, service

    # --- bringing the devices there -------------------------------------------------------------

    def _carry_out(self, order: KeptOrder, known: Mapping[HoldingId, Service]) -> KeptOrder:
        """Goes on from wherever the order stands; a finished one is only reported.

        known: services of the order as they have just been entered or read.
        """
        if order.state != "inProgress":
            return order
        while order.state == "inProgress":
            if not order.reason:
                try:
                    known = self._bring(order, known)
                except Refused as why_not:
                    self._turn_back(order, why_not.words)
                    order = self.find(order.id)
                    continue
            else:
                self._converge(order)
            with self._begin() as tx:
                order, known = self._record(tx, order.id, known)
        if order.state == "cancelled":  # while we were at the devices
            self._converge(order)
        return order

    def _bring(
        self, order: KeptOrder, known: Mapping[HoldingId, Service]
    ) -> dict[HoldingId, Service]:
        """Makes each device of the order as its service should be, and says how that is."""
        brought = {}
        for line in order.lines:
            service = known.get(line.holding) or self._service(line.holding)
            self._apply(service)
            brought[line.holding] = service
        return brought

    def _apply(self, service: Service) -> None:
        driver = self.driver(service.family)
        if service.intent is None:
            driver.teardown(service.holding, now=self._clock.now())
        else:
            driver.apply(service.intent, now=self._clock.now())

    def _converge(self, order: KeptOrder) -> None:
        """Makes each device of the order as its service should be, however that changes."""
        for line in order.lines:
            service, done = self._service(line.holding), None
            while service != done:
                self._apply(service)
                service, done = self._service(line.holding), service

    def _service(self, holding: HoldingId) -> Service:
        with self._begin() as tx:
            service = store.service(tx, holding=holding, buyer=self._buyer)
        if service is None:
            raise no_holding(holding)
        return service

    def _turn_back(self, order: KeptOrder, reason: str) -> None:
        """The network refuses: every service of the order should be as it was before."""
        with self._begin() as tx:
            store.turn_back(tx, order.id, reason=reason)
            for line in order.lines:
                service = store.service(tx, holding=line.holding, buyer=self._buyer, locked=True)
                if service is not None and service.brought_by == order.id:
                    brought_by = line.before_order or order.id
                    store.put_service(
                        tx, replace(service, intent=line.before, brought_by=brought_by)
                    )

    def _record(
        self, tx: Transaction, order_id: OrderId, brought: Mapping[HoldingId, Service]
    ) -> tuple[KeptOrder, Mapping[HoldingId, Service]]:
        """Closes the order, once; what it brought or ended did so now.

        It stays open while a service should be otherwise than it was brought; then the services
        as they should be are returned with it.
        """
        order = self._find(tx, order_id, locked=True)
        if order.state != "inProgress":
            return order, {}
        now = self._clock.now()
        if order.reason:
            store.finish(tx, order.id, state="failed", now=now, since=None)
            return replace(order, state="failed", finished_at=now), {}
        services = {}
        for line in order.lines:
            service = store.service(tx, holding=line.holding, buyer=self._buyer, locked=True)
            if service is None:
                raise no_holding(line.holding)
            services[line.holding] = service
        if services != brought:
            return order, services
        store.finish(tx, order.id, state="completed", now=now, since=now)
        for line in order.lines:
            service = services[line.holding]
            if line.since is not None:
                continue
            if service.intent is not None:
                store.put_service(tx, replace(service, started=service.started or now))
            elif service.started is not None:
                store.put_service(tx, replace(service, ended=now))
        lines = tuple(replace(line, since=line.since or now) for line in order.lines)
        return replace(order, state="completed", finished_at=now, lines=lines), services
