"""The partner's side of the dialect: another operator as a Seller, a Listener and a Helpdesk.

Gaps, in the three words of the house. Never: usage, agreements and statements have no API in
Sonata; a partner that runs a node of ours is asked and told of them in the TM Forum dialect,
any other has none. Not yet by us: offers of a partner whose catalogue is not of our make come
from `sonata.offers`; a quote that is not ready at once is asked for anew. Not yet by them: a
partner of another make ends all that an order brought, and takes back no single change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from hansa.federation import trace
from hansa.federation.contract import (
    Condition,
    Need,
    Offer,
    Order,
    OrderState,
    Progress,
    Qualification,
    Quote,
    UsageRecord,
)
from hansa.federation.courier import Courier, nonsense
from hansa.federation.helpdesk import Ticket, TicketAsk, Tickets, TicketState
from hansa.federation.listener import Notice
from hansa.federation.mandate import Mandate
from hansa.federation.papers import OrderMoved
from hansa.federation.sonata import errors
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.sonata.shapes import (
    cancellation,
    catalogue,
    inventory,
    order,
    progress,
    qualification,
    quote,
    ticket,
)
from hansa.federation.sonata.shapes.common import write_contact
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.tmf.shapes.common import href, write_instant
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId, TicketId, TraceId
from hansa.foundation.time import Clock, Period

PAGE = 1000
PAGES_MAX = 100

CANCELLED = "cancellation/"
"""Before the id of a cancellation, where it stands for the order that takes another back."""

Value = TypeVar("Value")


class SonataPartner:
    """A partner over the wire, bound to us as the buyer and the speaker.

    node: the same partner in the TM Forum dialect where it runs a node of ours, None where it
    does not. Beside the errors that the partner tells of, every call raises TryLater:
    `partner-silent` when it does not answer, `partner-nonsense` when its answer cannot be read
    or is about something else than was asked.
    """

    def __init__(
        self,
        *,
        us: PartyId,
        courier: Courier,
        settings: SonataSettings,
        clock: Clock,
        node: TmfPartner | None,
    ) -> None:
        self._us = us
        self._partner = courier.partner
        self._courier = courier
        self._settings = settings
        self._clock = clock
        self._node = node
        self._contact = write_contact(settings.contact, party=us, role="buyerContact")

    # --- Seller ---------------------------------------------------------------------------------

    def offers(self) -> Sequence[Offer]:
        known = self._settings.offers.get(self._partner)
        if known is not None:
            return known
        found: list[Offer] = []
        for _ in range(PAGES_MAX):
            query = {"offset": str(len(found)), "limit": str(PAGE)}
            page = self._ask("GET", catalogue.OFFERINGS, catalogue.read_all, query=query)
            found += page
            if len(page) < PAGE:
                return found
        raise nonsense(self._partner, "more offers than can be")

    def qualify(self, need: Need) -> Qualification:
        _something(need)
        body = qualification.write_need(need, self._contact, self._settings.products)
        found = self._ask(
            "POST", qualification.QUALIFICATIONS, qualification.read, body, traced=need.trace
        )
        asked = [item.id for item in need.items]
        self._expect([line.item for line in found.lines] == asked, "other items than asked")
        return found

    def quote(self, need: Need) -> Quote:
        _something(need)
        body = quote.write_need(need, self._contact, self._settings.products)

        def read(value: Json) -> Quote:
            if not quote.is_orderable(value):
                raise TryLater(
                    "partner-deferred",
                    f"{self._partner} has no price yet; it can be asked for again later.",
                )
            return self._quote(value, need.currency)

        found = self._ask("POST", quote.QUOTES, read, body, traced=need.trace)
        self._expect(found.currency == need.currency, "another currency than asked")
        asked = [item.id for item in need.items]
        self._expect(sorted(line.item for line in found.lines) == sorted(asked), "other items")
        return found

    def order(self, *, quote_id: QuoteId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        """An order says again what was quoted, so the quote is fetched before."""
        quoted = self._ask("GET", href(quote.QUOTES, quote_id), self._quote)
        self._expect(quoted.id == quote_id, "another quote")
        body = order.write_placing(quoted, key, self._contact, self._settings.products)
        found = self._order(body, key, mandate)
        self._expect(found.quote == quote_id, "another quote")
        return found

    def cease(self, *, order_id: OrderId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        known = self.progress(order_id)
        if self._node is None and known.state is not OrderState.COMPLETED:
            return self._cancel(known, key)
        return self._order(order.write_ceasing(known, key, self._contact), key, mandate)

    def progress(self, order_id: OrderId) -> Progress:
        if order_id.startswith(CANCELLED):
            return self._cancellation(order_id)
        found = self._ask("GET", href(progress.ORDERS, order_id), progress.read_progress)
        self._expect(found.order == order_id, "another order")
        return found

    def condition(self, holding_id: HoldingId) -> Condition:
        found = self._ask("GET", href(inventory.PRODUCTS, holding_id), inventory.read)
        self._expect(found.holding == holding_id, "another holding")
        return found

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        if self._node is None:
            return ()
        return self._node.usage(holding_id=holding_id, period=period)

    # --- Listener -------------------------------------------------------------------------------

    def hear(self, notice: Notice, *, trace_id: TraceId | None = None) -> None:
        if isinstance(notice, OrderMoved):
            event = documents.fingerprint(documents.write(notice))[:32]
            shape = progress.write_moved(
                notice, event=event, at=self._clock.now(), seller=self._us, buyer=self._partner
            )
            self._call("POST", progress.MOVED, shape, parties=False, traced=trace_id)
        elif self._node is not None:
            self._node.hear(notice, trace_id=trace_id)
        else:
            raise errors.not_served(f"A notice of the kind {notice.kind}")

    # --- Helpdesk -------------------------------------------------------------------------------

    def open_ticket(
        self, *, ask: TicketAsk, key: BuyerKey, trace_id: TraceId | None = None
    ) -> Ticket:
        if self._node is not None:
            return self._node.open_ticket(ask=ask, key=key, trace_id=trace_id)
        if ask.holding is None:
            raise errors.not_served("A ticket that is about no product")
        body = ticket.write_opening(ask, ask.holding, key, self._contact)
        return self._ask("POST", ticket.TICKETS, self._ticket, body, traced=trace_id)

    def ticket(self, ticket_id: TicketId) -> Ticket:
        if self._node is not None:
            return self._node.ticket(ticket_id)
        found = self._ask("GET", href(ticket.TICKETS, ticket_id), self._ticket)
        self._expect(found.id == ticket_id, "another ticket")
        return found

    def tickets(
        self, *, state: TicketState | None = None, offset: int = 0, limit: int = 100
    ) -> Tickets:
        if self._node is not None:
            return self._node.tickets(state=state, offset=offset, limit=limit)
        query = {"offset": str(offset), "limit": str(limit)}
        if state is not None:
            query["status"] = ticket.STATES[state]
        found = self._ask("GET", ticket.TICKETS, ticket.read_found, query=query)
        return Tickets([self.ticket(one) for one in found[:limit]], offset + len(found))

    def note_ticket(self, *, ticket_id: TicketId, text: str, key: BuyerKey) -> Ticket:
        if self._node is not None:
            return self._node.note_ticket(ticket_id=ticket_id, text=text, key=key)
        at = write_instant(self._clock.now())
        body = ticket.write_note(text, key, self._us, at)
        return self._ask("PATCH", href(ticket.TICKETS, ticket_id), self._ticket, body)

    def move_ticket(self, *, ticket_id: TicketId, state: TicketState, reason: str = "") -> Ticket:
        if self._node is not None:
            return self._node.move_ticket(ticket_id=ticket_id, state=state, reason=reason)
        acts = {TicketState.CANCELLED: "cancel", TicketState.CLOSED: "close"}
        path = f"{href(ticket.TICKETS, ticket_id)}/{acts.get(state, 'reopen')}"
        self._call("POST", path, None if state in acts else {"reason": reason})
        return self.ticket(ticket_id)

    # --- inside ---------------------------------------------------------------------------------

    def _ticket(self, value: Json) -> Ticket:
        return ticket.read(value, seller=self._partner, buyer=self._us)

    def _quote(self, value: Json, currency: str | None = None) -> Quote:
        return quote.read(value, seller=self._partner, buyer=self._us, currency=currency)

    def _order(self, body: dict[str, Any], key: BuyerKey, mandate: Mandate | None) -> Order:
        """mandate: shown to a node of ours; others have no place for it."""
        now = self._clock.now()
        traced = mandate.links[-1].trace if mandate else None
        if mandate is not None and self._node is not None:
            body["hansaMandate"] = documents.write(mandate)

        def read(value: Json) -> Order:
            return progress.read(value, seller=self._partner, buyer=self._us, key=key, now=now)

        found = self._ask("POST", progress.ORDERS, read, body, traced=traced)
        self._expect(found.key == key, "another key")
        return found

    def _cancel(self, known: Progress, key: BuyerKey) -> Order:
        """Takes back an order that a partner of another make has not completed."""
        body = cancellation.write_asked(known.order, self._contact)
        found = self._ask("POST", cancellation.CANCELLATIONS, cancellation.read, body)
        taken = found["productOrder"]["productOrderId"] == known.order
        self._expect(taken, "another order")
        return Order(
            id=OrderId(f"{CANCELLED}{found['id']}/{key}"),
            seller=self._partner,
            buyer=self._us,
            key=key,
            quote=QuoteId(""),
            state=OrderState.ACKNOWLEDGED,
            placed_at=self._clock.now(),
            trace=progress.trace_of(found["id"]),
        )

    def _cancellation(self, order_id: OrderId) -> Progress:
        identity, _, key = order_id.removeprefix(CANCELLED).partition("/")
        found = self._ask("GET", href(cancellation.CANCELLATIONS, identity), cancellation.read)
        self._expect(found["id"] == identity, "another cancellation")
        state = {
            "done": OrderState.COMPLETED,
            "done.declined": OrderState.FAILED,
            "rejected": OrderState.FAILED,
            "inProgress.assessingCharge": OrderState.HELD,
        }.get(found["state"], OrderState.IN_PROGRESS)
        reason = found.get("cancellationDeniedReason", "")
        return Progress(order_id, BuyerKey(key), state, reason=reason)

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Json], Value],
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        traced: TraceId | None = None,
    ) -> Value:
        answer = self._call(method, path, body, query=query, traced=traced)
        try:
            return read(parse(answer))
        except Refused as error:
            raise nonsense(self._partner, error.words[: errors.WORDS_MAX]) from None

    def _expect(self, so: bool, otherwise: str) -> None:
        if not so:
            raise nonsense(self._partner, f"it is about {otherwise}")

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        traced: TraceId | None = None,
        parties: bool = True,
    ) -> bytes:
        """The body of a good answer, else the error that was told."""
        named = {"buyerId": self._us, "sellerId": self._partner} if parties else {}
        asked = urlencode({**named, **(query or {})})
        headers = {"accept": errors.MEDIA_TYPE}
        if traced is not None:
            headers[trace.HEADER] = trace.write(traced, by=self._us)
        reply = self._courier.send(
            method,
            f"{path}?{asked}" if asked else path,
            None if body is None else render(body),
            headers,
            media_type=errors.MEDIA_TYPE,
        )
        if 200 <= reply.status < 300:
            return reply.body
        if reply.status < 400:
            raise nonsense(self._partner, f"HTTP {reply.status}")
        raise errors.read(reply.status, reply.body, self._partner)


def _something(need: Need) -> None:
    """Sonata has no request for nothing, so it is refused before it is sent."""
    if not need.items:
        raise Refused("need-empty", "Ask for at least one item.", field="items")
