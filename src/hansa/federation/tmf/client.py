"""The partner's side of the dialect: another node as a Seller and a Listener.

Nothing that a partner answers is believed before it is looked at: sizes are bounded, shapes
are checked, and an answer must be about what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from hansa.federation import trace
from hansa.federation.contract import (
    Condition,
    Need,
    Offer,
    Order,
    Progress,
    Qualification,
    Quote,
    UsageRecord,
)
from hansa.federation.courier import Courier, nonsense
from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.helpdesk import Ticket, TicketAsk, Tickets, TicketState
from hansa.federation.listener import Notice
from hansa.federation.mandate import Mandate
from hansa.federation.papers import (
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    CardRenewed,
    InvoiceIssued,
    OrderMoved,
    StatementAnswered,
    StatementIssued,
    TicketMoved,
)
from hansa.federation.tmf import errors
from hansa.federation.tmf.shapes import (
    agreement,
    bill,
    catalogue,
    inventory,
    netting,
    order,
    partnership,
    qualification,
    quote,
    ticket,
    usage,
)
from hansa.federation.tmf.shapes.common import href, write_instant
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    OrderId,
    PartyId,
    QuoteId,
    TicketId,
    TraceId,
)
from hansa.foundation.time import Period

PAGE = 1000
PAGES_MAX = 10_000

Value = TypeVar("Value")


class TmfPartner:
    """A partner over the wire, bound to us as the buyer and the speaker.

    Beside the errors that the partner tells of, every call raises TryLater: `partner-silent`
    when it does not answer, `partner-nonsense` when its answer cannot be read or is about
    something else than was asked.
    """

    def __init__(self, *, us: PartyId, courier: Courier) -> None:
        self._us = us
        self._partner = courier.partner
        self._courier = courier

    # --- Seller ---------------------------------------------------------------------------------

    def offers(self) -> Sequence[Offer]:
        return list(self._pages(catalogue.OFFERINGS, {}, catalogue.read_all))

    def qualify(self, need: Need) -> Qualification:
        body = render(qualification.write_need(need))
        found = self._ask(
            "POST", qualification.QUALIFICATIONS, qualification.read, body, self._traced(need)
        )
        asked = [item.id for item in need.items]
        self._expect([line.item for line in found.lines] == asked, "other items than asked")
        return found

    def quote(self, need: Need) -> Quote:
        body = render(quote.write_need(need))
        found = self._ask("POST", quote.QUOTES, quote.read, body, self._traced(need))
        self._expect(found.seller == self._partner, "another seller")
        self._expect(found.buyer == self._us, "another buyer")
        self._expect(found.currency == need.currency, "another currency than asked")
        asked = {item.id for item in need.items}
        self._expect({line.item for line in found.lines} == asked, "other items than asked")
        return found

    def order(self, *, quote_id: QuoteId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        placing = order.write_placing(order.Placing(quote_id, key, mandate))
        found = self._order(placing, key, mandate)
        self._expect(found.quote == quote_id, "another quote")
        return found

    def cease(self, *, order_id: OrderId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        ceasing = order.write_ceasing(order.Ceasing(order_id, key, mandate))
        return self._order(ceasing, key, mandate)

    def _order(self, ask: Mapping[str, Any], key: BuyerKey, mandate: Mandate | None) -> Order:
        traced = trace.write(mandate.links[-1].trace, by=self._us) if mandate else None
        found = self._ask("POST", order.ORDERS, order.read, render(ask), traced)
        self._expect(found.seller == self._partner, "another seller")
        self._expect(found.buyer == self._us, "another buyer")
        self._expect(found.key == key, "another key")
        return found

    def progress(self, order_id: OrderId) -> Progress:
        found = self._ask("GET", href(order.ORDERS, order_id), order.read_progress)
        self._expect(found.order == order_id, "another order")
        return found

    def condition(self, holding_id: HoldingId) -> Condition:
        found = self._ask("GET", href(inventory.PRODUCTS, holding_id), inventory.read)
        self._expect(found.holding == holding_id, "another holding")
        return found

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        query = {"product.id": str(holding_id)}
        if period == Period.month_of(period.start):
            query["period"] = period.name
        else:
            query["usageDate.gte"] = write_instant(period.start)
            query["usageDate.lt"] = write_instant(period.end)
        records = list(self._pages(usage.USAGES, query, usage.read_all))
        self._expect(all(one.holding == holding_id for one in records), "another holding")
        self._expect(len({one.id for one in records}) == len(records), "a record twice")
        return records

    # --- Helpdesk -------------------------------------------------------------------------------

    def open_ticket(
        self, *, ask: TicketAsk, key: BuyerKey, trace_id: TraceId | None = None
    ) -> Ticket:
        body = render(ticket.write_opening(ask, key))
        traced = trace.write(trace_id, by=self._us) if trace_id else None
        found = self._ticket(self._ask("POST", ticket.TICKETS, ticket.read, body, traced))
        self._expect(found.key == key, "another key")
        self._expect(found.ask.holding == ask.holding, "another holding")
        return found

    def ticket(self, ticket_id: TicketId) -> Ticket:
        return self._its_ticket("GET", ticket_id)

    def tickets(
        self, *, state: TicketState | None = None, offset: int = 0, limit: int = 100
    ) -> Tickets:
        query: dict[str, str | int] = {"offset": offset, "limit": limit}
        if state is not None:
            query["status"] = state.value
        headers, body = self._call("GET", f"{ticket.TICKETS}?{urlencode(query)}")
        found = self._read(ticket.read_all, body)
        return Tickets([self._ticket(one) for one in found], self._total(headers))

    def note_ticket(self, *, ticket_id: TicketId, text: str, key: BuyerKey) -> Ticket:
        return self._its_ticket("PATCH", ticket_id, render(ticket.write_note(text, key)))

    def move_ticket(self, *, ticket_id: TicketId, state: TicketState, reason: str = "") -> Ticket:
        return self._its_ticket("PATCH", ticket_id, render(ticket.write_move(state, reason)))

    def _its_ticket(self, method: str, ticket_id: TicketId, body: bytes | None = None) -> Ticket:
        path = href(ticket.TICKETS, ticket_id)
        found = self._ticket(self._ask(method, path, ticket.read, body))
        self._expect(found.id == ticket_id, "another ticket")
        return found

    def _ticket(self, found: Ticket) -> Ticket:
        self._expect(found.seller == self._partner, "another seller")
        self._expect(found.buyer == self._us, "another buyer")
        return found

    # --- Listener -------------------------------------------------------------------------------

    def hear(self, notice: Notice, *, trace_id: TraceId | None = None) -> None:
        path, shape = _told(notice)
        traced = trace.write(trace_id, by=self._us) if trace_id else None
        self._call("POST", path, render(shape), traced)

    # --- inside ---------------------------------------------------------------------------------

    def _traced(self, need: Need) -> str:
        return trace.write(need.trace, by=self._us)

    def _pages(
        self, path: str, query: Mapping[str, str], read: Callable[[Json], Sequence[Value]]
    ) -> Iterator[Value]:
        """Every record of a list, page by page; a list that changes meanwhile is not taken."""
        taken = 0
        total: int | None = None
        for _ in range(PAGES_MAX):
            asked = urlencode({**query, "offset": taken, "limit": PAGE})
            headers, body = self._call("GET", f"{path}?{asked}")
            page = self._read(read, body)
            count = self._total(headers)
            self._expect(total in (None, count), "a total that changes")
            total = count
            taken += len(page)
            self._expect(taken <= total and (bool(page) or taken == total), "not all there is")
            yield from page
            if taken == total:
                return
        self._expect(False, "more pages than can be")

    def _total(self, headers: Mapping[str, str]) -> int:
        """How long a list is that was given page by page."""
        count = headers.get("x-total-count", "")
        self._expect(count.isascii() and count.isdigit() and len(count) < 12, "no total")
        return int(count)

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Json], Value],
        body: bytes | None = None,
        traceparent: str | None = None,
    ) -> Value:
        return self._read(read, self._call(method, path, body, traceparent)[1])

    def _read(self, read: Callable[[Json], Value], body: bytes) -> Value:
        try:
            return read(parse(body))
        except Refused as error:
            raise nonsense(self._partner, error.words[: errors.WORDS_MAX]) from None

    def _expect(self, so: bool, otherwise: str) -> None:
        if not so:
            raise nonsense(self._partner, f"it is about {otherwise}")

    def _call(
        self, method: str, path: str, body: bytes | None = None, traceparent: str | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        """The headers and the body of a good answer, else the error that was told."""
        headers = {} if traceparent is None else {trace.HEADER: traceparent}
        reply = self._courier.send(method, path, body, headers)
        if 200 <= reply.status < 300:
            return reply.headers, reply.body
        if reply.status < 400:
            raise nonsense(self._partner, f"HTTP {reply.status}")
        raise errors.read(reply.status, reply.body, self._partner)


def _told(notice: Notice) -> tuple[str, Mapping[str, Any]]:
    """Where a notice goes, and what it looks like; the event's id is the notice's fingerprint."""
    event = documents.fingerprint(documents.write(notice))[:32]
    shape: Mapping[str, Any]
    match notice:
        case CardRenewed():
            path, shape = partnership.CHANGED, partnership.write_renewed(notice, event)
        case OrderMoved():
            path, shape = order.MOVED, order.write_moved(notice, event)
        case TicketMoved():
            path, shape = ticket.MOVED, ticket.write_moved(notice, event)
        case AgreementDrafted():
            path, shape = agreement.AGREEMENTS, agreement.write(notice)
        case AgreementSigned():
            path, shape = agreement.SIGNED, agreement.write_signed(notice, event)
        case AgreementMoved():
            path, shape = agreement.MOVED, agreement.write_moved(notice, event)
        case StatementIssued():
            path, shape = bill.ISSUED, bill.write_issued(notice, event)
        case StatementAnswered():
            path, shape = bill.MOVED, bill.write_answered(notice, event)
        case InvoiceIssued():
            path, shape = bill.MOVED, bill.write_invoiced(notice, event)
        case DisputeRaised() | DisputeMoved():
            path, shape = bill.CHANGED, bill.write_dispute(notice, event)
        case _:
            path, shape = netting.TOLD, netting.write(notice, event)
    return path, shape
