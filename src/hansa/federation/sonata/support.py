"""What the two tell each other beside: events of a partner's, for us as its buyer."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hansa.federation.exchange import Answer, Ask, Caller, Handler
from hansa.federation.papers import OrderMoved, TicketMoved
from hansa.federation.sonata.desk import Desk, Serves, done
from hansa.federation.sonata.shapes import event, progress, ticket
from hansa.federation.tmf.engine.change import body
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.ids import TicketId

log = logging.getLogger(__name__)


class Support:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serves(self) -> Sequence[Serves]:
        moved = "productOrderStateChangeEvent", "productOrderItemStateChangeEvent"
        served = [
            self._serves("order-events", f"{progress.NOTICES}/{kind}", self.moved(kind))
            for kind in moved
        ]
        served += [
            self._serves("ticket-events", f"{ticket.NOTICES}/{kind}", self.ticket_moved(kind))
            for kind in (
                "troubleTicketAttributeValueChangeEvent",
                "troubleTicketStatusChangeEvent",
                "troubleTicketResolvedEvent",
                "troubleTicketInformationRequiredEvent",
            )
        ]
        for api, (listener, kinds) in event.HEARD.items():
            served += [self._serves(api, f"{listener}/{kind}", self.noted(kind)) for kind in kinds]
        return served

    def _serves(self, api: str, path: str, handle: Handler) -> Serves:
        return Serves(api, "POST", path, handle, event.Event, done=204)

    def moved(self, kind: str) -> Handler:
        """The handler of an event of an order of ours."""

        def hear(ask: Ask, caller: Caller) -> Answer:
            shape = self._desk.body(ask, "order-events", "ProductOrderEvent")
            event.read(shape, kind)
            found = progress.read_moved(shape)
            listener = self._desk.world.seat(caller.actor).listener
            if isinstance(found, OrderMoved):
                listener.hear(found)
            else:
                try:
                    moved = self._desk.partner(caller.actor.party).progress(found)
                except (TryLater, NotFound) as error:
                    log.info("event not followed", extra={"reason": error.code})
                else:
                    listener.hear(OrderMoved(moved))
            return done()

        hear.__doc__ = f"Told of a {kind}; what has become of the order is asked, if not told."
        return hear

    def ticket_moved(self, kind: str) -> Handler:
        """The handler of an event of a ticket of ours."""

        def hear(ask: Ask, caller: Caller) -> Answer:
            found = event.read(self._desk.body(ask, "ticket-events", "TroubleTicketEvent"), kind)
            try:
                moved = self._desk.partner(caller.actor.party).ticket(TicketId(found))
            except (TryLater, NotFound) as error:
                log.info("event not followed", extra={"reason": error.code})
            else:
                self._desk.world.seat(caller.actor).listener.hear(TicketMoved(moved))
            return done()

        hear.__doc__ = f"Told of a {kind}; what has become of the ticket is asked."
        return hear

    def noted(self, kind: str) -> Handler:
        """The handler of an event for which nobody waits."""

        def hear(ask: Ask, caller: Caller) -> Answer:
            identity = event.read(body(ask), kind)
            log.info(kind, extra={"partner": caller.actor.party, "about": identity})
            return done()

        hear.__doc__ = f"Told of a {kind}; taken note of."
        return hear
