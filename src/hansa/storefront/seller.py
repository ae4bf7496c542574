"""This node as a Seller and as a Listener: what it is to those above and beside it.

Bound to one actor: a partner over the wire, an end customer, or this node's own staff acting
for a customer. Every call opens its own transactions; none is open while a seller is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hansa.federation import directory
from hansa.federation.bulk import Priced
from hansa.federation.contract import (
    Condition,
    Need,
    Offer,
    Order,
    Progress,
    Qualification,
    Quote,
    Seller,
    UsageRecord,
)
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
from hansa.federation.shelf import Extras
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    Ids,
    OrderId,
    PartyId,
    QuoteId,
    TicketId,
    TraceId,
)
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Clock, Period
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.assurance.actions import looking
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.clearing.actions import netting
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.qualification import actions as qualification
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.settlement.actions import disputes
from hansa.lifecycle.settlement.actions import hearing as settlement
from hansa.lifecycle.usage.actions import months as usage

BULK_PARTS = 4
"""Parts of a bulk need that are under way at the same time."""


class Storefront:
    """What this node sells to one buyer, and what that buyer may tell it.

    sellers: whom components are had from. usage_folder: where usage files are kept.
    hear_card: takes over a partner's renewed card; no guest may change whom we trust.
    """

    def __init__(
        self,
        *,
        us: Party,
        actor: Actor,
        begin: Begin,
        sellers: Callable[[PartyId], Seller],
        ids: Ids,
        clock: Clock,
        usage_folder: Path,
        hear_card: Callable[[PartyId, CardRenewed], None],
    ) -> None:
        self._us = us
        self._actor = actor
        self._begin = begin
        self._sellers = sellers
        self._ids = ids
        self._clock = clock
        self._usage_folder = usage_folder
        self._hear_card = hear_card

    # --- Seller ---------------------------------------------------------------------------------

    def offers(self) -> Sequence[Offer]:
        with self._begin() as tx:
            return catalogue.offers_for(
                tx, us=self._us.id, actor=self._actor, now=self._clock.now()
            )

    def qualify(self, need: Need) -> Qualification:
        return qualification.qualify(
            self._begin,
            us=self._us,
            actor=self._actor,
            buyer=self._buyer(),
            need=need,
            sellers=self._sellers,
            ids=self._ids,
            now=self._clock.now(),
        )

    def quote(self, need: Need, *, extras: Extras | None = None) -> Quote:
        """extras: what the client sent beside what we understand, kept beside the quote."""
        return quotes.quote(
            self._begin,
            us=self._us,
            actor=self._actor,
            buyer=self._buyer(),
            need=need,
            sellers=self._sellers,
            ids=self._ids,
            now=self._clock.now(),
            extras=extras,
        )

    def quote_in_bulk(self, need: Need, *, key: BuyerKey) -> Iterator[Priced]:
        """See `federation.bulk`: parts are asked for side by side, and answered in order."""
        with self._begin() as tx:
            count = quotes.begin_bulk(tx, buyer=self._actor.party, key=key, need=need)
        buyer = self._buyer()

        def part(position: int) -> Sequence[Priced]:
            return quotes.quote_part(
                self._begin,
                us=self._us,
                actor=self._actor,
                buyer=buyer,
                need=need,
                key=key,
                position=position,
                sellers=self._sellers,
                ids=self._ids,
                now=self._clock.now(),
            )

        return in_order(part, count, at_once=BULK_PARTS)

    def order(
        self,
        *,
        quote_id: QuoteId,
        key: BuyerKey,
        mandate: Mandate | None = None,
        outright: Need | None = None,
        extras: Extras | None = None,
    ) -> Order:
        """outright: what was asked for, if no price was asked first. extras: as in `quote`."""
        with self._begin() as tx:
            return orders.place(
                tx,
                us=self._us.id,
                actor=self._actor,
                quote_id=quote_id,
                key=key,
                ids=self._ids,
                now=self._clock.now(),
                outright=outright,
                extras=extras,
                mandate=mandate,
            )

    def cease(
        self,
        *,
        order_id: OrderId,
        key: BuyerKey,
        mandate: Mandate | None = None,
        extras: Extras | None = None,
    ) -> Order:
        """extras: as in `quote`."""
        with self._begin() as tx:
            return ending.cease(
                tx,
                us=self._us.id,
                actor=self._actor,
                order_id=order_id,
                key=key,
                ids=self._ids,
                now=self._clock.now(),
                extras=extras,
                mandate=mandate,
            )

    def progress(self, order_id: OrderId) -> Progress:
        with self._begin() as tx:
            return delivery.progress(tx, us=self._us.id, order_id=order_id, buyer=self._actor.party)

    def condition(self, holding_id: HoldingId) -> Condition:
        with self._begin() as tx:
            ref = self._held(tx, holding_id).ref
        return looking.condition(self._begin, us=self._us.id, ref=ref, sellers=self._sellers)

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        with self._begin() as tx:
            ref = self._held(tx, holding_id).ref
            return usage.records(
                tx, us=self._us.id, ref=ref, period=period, folder=self._usage_folder
            )

    # --- Helpdesk -------------------------------------------------------------------------------

    def open_ticket(
        self, *, ask: TicketAsk, key: BuyerKey, trace_id: TraceId | None = None
    ) -> Ticket:
        with self._begin() as tx:
            return assurance.open_ticket(
                tx,
                us=self._us.id,
                actor=self._actor,
                ask=ask,
                key=key,
                ids=self._ids,
                now=self._clock.now(),
                trace=trace_id,
            )

    def ticket(self, ticket_id: TicketId) -> Ticket:
        with self._begin() as tx:
            return assurance.ticket(tx, actor=self._actor, ticket_id=ticket_id)

    def tickets(
        self, *, state: TicketState | None = None, offset: int = 0, limit: int = 100
    ) -> Tickets:
        with self._begin() as tx:
            return assurance.tickets(tx, actor=self._actor, state=state, offset=offset, limit=limit)

    def note_ticket(self, *, ticket_id: TicketId, text: str, key: BuyerKey) -> Ticket:
        with self._begin() as tx:
            return assurance.note(
                tx,
                actor=self._actor,
                ticket_id=ticket_id,
                text=text,
                key=key,
                ids=self._ids,
                now=self._clock.now(),
            )

    def move_ticket(self, *, ticket_id: TicketId, state: TicketState, reason: str = "") -> Ticket:
        with self._begin() as tx:
            return assurance.move(
                tx,
                actor=self._actor,
                ticket_id=ticket_id,
                state=state,
                reason=reason,
                ids=self._ids,
                now=self._clock.now(),
            )

    # --- Listener -------------------------------------------------------------------------------

    def hear(self, notice: Notice) -> None:
        now, us, sender = self._clock.now(), self._us.id, self._actor.party
        if isinstance(notice, CardRenewed):
            self._hear_card(sender, notice)
            return
        with self._begin() as tx:
            match notice:
                case OrderMoved():
                    delivery.hear_order(tx, us=us, sender=sender, notice=notice, now=now)
                case TicketMoved():
                    assurance.hear_ticket(tx, us=us, sender=sender, notice=notice, now=now)
                case AgreementDrafted():
                    agreement.hear_draft(tx, us=us, sender=sender, notice=notice, now=now)
                case AgreementSigned():
                    agreement.hear_signature(tx, us=us, sender=sender, notice=notice, now=now)
                case AgreementMoved():
                    agreement.hear_move(tx, us=us, sender=sender, notice=notice, now=now)
                case StatementIssued():
                    settlement.hear_statement(tx, us=us, sender=sender, notice=notice, now=now)
                case StatementAnswered():
                    settlement.hear_answer(
                        tx, us=us, sender=sender, notice=notice, ids=self._ids, now=now
                    )
                case InvoiceIssued():
                    settlement.hear_invoice(
                        tx, us=us, sender=sender, notice=notice, ids=self._ids, now=now
                    )
                case DisputeRaised():
                    disputes.hear_raised(tx, us=us, sender=sender, notice=notice, now=now)
                case DisputeMoved():
                    disputes.hear_moved(tx, us=us, sender=sender, notice=notice, now=now)
                case _:
                    netting.hear(tx, sender=sender, notice=notice, now=now)

    # --- inside ---------------------------------------------------------------------------------

    def _buyer(self) -> Party:
        """The buyer as papers name it, for tax."""
        with self._begin() as tx:
            if self._actor.role == "partner":
                return directory.partner(tx, party=self._actor.party).party
            return agreement.customer(tx, party=self._actor.party).party

    def _held(self, tx: Transaction, holding_id: HoldingId) -> Holding:
        """A holding of this buyer's; any other looks as if it were not there."""
        ref = HoldingRef(self._us.id, holding_id)
        return inventory.get(tx, ref=ref, buyer=self._actor.party)


Answer = TypeVar("Answer")


def in_order(
    part: Callable[[int], Sequence[Answer]], count: int, *, at_once: int
) -> Iterator[Answer]:
    """The answers of parts 0 to count - 1, in order; a few parts are under way ahead.

    Where a part fails, what came before it has been given; those under way are waited for.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="bulk") as threads:
        ahead: deque[Future[Sequence[Answer]]] = deque()
        try:
            for position in range(count):
                ahead.append(threads.submit(part, position))
                if len(ahead) == at_once:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()
