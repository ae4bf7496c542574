"""What assurance does unasked: keeps suppliers' tickets in step with ours, and closes what was
resolved long enough ago.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hansa.federation.helpdesk import Helpdesk, Ticket
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, Ids, PartyId
from hansa.foundation.plan.model import Done, Handlers, Outcome, Outside, Retry, Task, Wait
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.assurance import rules
from hansa.lifecycle.assurance.actions import tickets as actions
from hansa.lifecycle.assurance.model import RELAY, Entry, KeptTicket, Relay, Relayed

log = logging.getLogger(__name__)

Helpdesks = Callable[[PartyId], Helpdesk]

CHECK_EVERY = timedelta(minutes=15)
"""A supplier tells what it does; should that get lost, it is asked at the latest then."""

WAIT_AT_MOST = timedelta(days=365)

PATIENCE = Retry(first_s=0.2, max_s=60.0, attempts=None)
"""A ticket is passed on however long its supplier is silent."""

CLOSED_A_TURN = 50


def run(tx: Transaction, *, ids: Ids, now: Instant) -> int:
    """Closes resolved tickets whose time is over; returns how many."""
    return actions.close_due(tx, ids=ids, now=now, limit=CLOSED_A_TURN)


def handlers(*, us: PartyId, begin: Begin, helpdesks: Helpdesks, ids: Ids) -> Handlers:
    """The handler of assurance's tasks. helpdesks: how a supplier's helpdesk is reached."""
    return {
        RELAY: Outside(
            call=partial(_call, begin, helpdesks), record=partial(_record, us, ids), retry=PATIENCE
        )
    }


def _call(begin: Begin, helpdesks: Helpdesks, task: Task, _now: Instant) -> Json:
    """Tells the supplier what it does not know yet, in order, and hears how its ticket stands."""
    with begin() as tx:
        kept, relay = actions.relayed(tx, task=task.id)
    told = kept.last
    untold = rules.untold(kept, relay.told)
    try:
        desk = helpdesks(relay.supplier)
        theirs = _theirs(desk, kept, relay, task, fresh=bool(untold))
    except (Refused, NotFound) as refusal:
        if relay.theirs is not None:
            raise
        return documents.write(Relayed(None, told, f"{refusal.code}: {refusal.words}"))
    for entry in untold:
        theirs = _tell(desk, theirs, entry, kept, relay)
    return documents.write(Relayed(_ended(desk, theirs, kept), told))


def _theirs(desk: Helpdesk, kept: KeptTicket, relay: Relay, task: Task, *, fresh: bool) -> Ticket:
    """The supplier's ticket: opened now, as it was just told, or as it is when asked."""
    if relay.theirs is None:
        return _opened(desk, kept, relay, rules.key_of(task.id))
    if task.message is not None and task.output is not None and not fresh:
        heard = documents.read(Ticket, task.message)
        known = documents.read(Relayed, task.output).ticket
        if known is not None and heard.id == relay.theirs and heard.length > known.length:
            return heard
    return desk.ticket(relay.theirs)


def _opened(desk: Helpdesk, kept: KeptTicket, relay: Relay, key: BuyerKey) -> Ticket:
    ask = replace(kept.ask, holding=relay.holding, extras={})
    return desk.open_ticket(ask=ask, key=key, trace_id=kept.trace)


def _tell(desk: Helpdesk, theirs: Ticket, entry: Entry, kept: KeptTicket, relay: Relay) -> Ticket:
    """Tells a supplier one thing; where it does not take it, how its ticket stands instead."""
    try:
        if entry.state is None:
            return desk.note_ticket(ticket_id=theirs.id, text=entry.text, key=BuyerKey(entry.id))
        if rules.reopens(entry.state, theirs.state):
            return _opened(desk, kept, relay, rules.key_of(relay.task, entry))
        wanted = None if entry.state in rules.OVER else rules.told_as(entry.state, theirs.state)
        if wanted is not None:
            return desk.move_ticket(ticket_id=theirs.id, state=wanted, reason=entry.text)
    except Refused as refusal:
        _note_refusal(kept, relay.supplier, refusal)
        return desk.ticket(theirs.id)
    return theirs


def _ended(desk: Helpdesk, theirs: Ticket, kept: KeptTicket) -> Ticket:
    """Has a supplier's ticket end when ours has."""
    if kept.state not in rules.OVER:
        return theirs
    wanted = rules.told_as(kept.state, theirs.state)
    if wanted is None:
        return theirs
    try:
        reason = rules.shown(kept).reason
        return desk.move_ticket(ticket_id=theirs.id, state=wanted, reason=reason)
    except Refused as refusal:  # it has moved meanwhile, or the supplier wants to go on
        _note_refusal(kept, theirs.seller, refusal)
        return desk.ticket(theirs.id)


def _note_refusal(kept: KeptTicket, supplier: PartyId, refusal: Refused) -> None:
    log.warning(
        "a supplier does not follow a ticket",
        extra={
            "trace": kept.trace,
            "ticket": kept.id,
            "partner": supplier,
            "reason": refusal.code,
            "words": refusal.words,
        },
    )


def _record(
    us: PartyId, ids: Ids, tx: Transaction, task: Task, answer: Json, now: Instant
) -> Outcome:
    known = documents.read(Relayed, answer)
    if actions.heard(tx, us=us, task=task.id, answer=known, ids=ids, now=now):
        return Done(answer)
    return Wait(now + CHECK_EVERY, now + WAIT_AT_MOST, answer)
