"""What others may do about what is wrong with what is held.

A ticket's plan is always locked before the ticket, as the engine does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hansa.federation import directory, notices
from hansa.federation.helpdesk import Ticket, TicketAsk, Tickets, TicketState
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.papers import TicketMoved
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    Ids,
    NoteId,
    PartyId,
    PlanId,
    TaskId,
    TicketId,
    TraceId,
    check_key,
)
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Step
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.assurance import rules, store
from hansa.lifecycle.assurance.model import (
    RELAY,
    TICKET_STATES,
    TOPIC,
    Entry,
    KeptTicket,
    Relay,
    Relayed,
    S,
    Side,
)
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState

# --- what a buyer and our own people may do ------------------------------------------------------


def open_ticket(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    ask: TicketAsk,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
    trace: TraceId | None = None,
) -> Ticket:
    """Enters what a buyer reports, and has it passed on to whoever it is had from.

    The same key gives the same ticket. An operator opens it for whoever has the holding.
    Raises NotFound `holding-unknown`; Refused `ticket-invalid`, `key-invalid`, `key-reused`.
    """
    check_key(key)
    rules.check_ask(ask)
    holding = _held(tx, us=us, actor=actor, ask=ask)
    buyer = holding.buyer if holding else actor.party
    asked = rules.request(ask)
    if (before := _same_key(tx, buyer, key, asked)) is not None:
        return _shown(before, actor)
    opened = Entry(1, ids.new(NoteId), _side(actor), actor.party, S.ACKNOWLEDGED, "", now)
    kept = KeptTicket(
        id=ids.new(TicketId),
        seller=us,
        buyer=buyer,
        by_partner=_is_partner(tx, actor, buyer),
        key=key,
        ask=replace(ask, priority=rules.priority(ask)),
        state=S.ACKNOWLEDGED,
        moved_at=now,
        opened_at=now,
        trace=trace or ids.trace(),
        entries=(opened,),
        last=1,
    )
    if not store.add(tx, kept, asked):
        before = _same_key(tx, buyer, key, asked)
        assert before is not None
        return _shown(before, actor)
    _publish(tx, kept, "create", ids=ids, now=now)
    _pass_on(tx, kept, _suppliers(tx, us, holding), ids=ids, now=now)
    return _shown(kept, actor)


def kept(tx: Transaction, *, ticket_id: TicketId) -> KeptTicket:
    """One ticket with all that is kept of it, for our own people.

    Raises NotFound `ticket-unknown`.
    """
    return _find(tx, ticket_id, None)


def ticket(tx: Transaction, *, actor: Actor, ticket_id: TicketId) -> Ticket:
    """One ticket as this actor may see it. Raises NotFound `ticket-unknown`."""
    return _shown(_find(tx, ticket_id, _buyer(actor)), actor)


def tickets(
    tx: Transaction,
    *,
    actor: Actor,
    state: TicketState | None = None,
    open_only: bool = False,
    holding: HoldingId | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Tickets:
    """The tickets that this actor may see, the newest first; open_only: none that is over."""
    states = set(S) - rules.OVER if open_only else set(S)
    found, total = store.search(
        tx,
        buyer=_buyer(actor),
        holdings=None if holding is None else [holding],
        states=states if state is None else states & {state},
        text="",
        offset=offset,
        limit=limit,
    )
    return Tickets([_shown(one, actor) for one in found], total)


def note(
    tx: Transaction,
    *,
    actor: Actor,
    ticket_id: TicketId,
    text: str,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
    private: bool = False,
    by: str = "",
) -> Ticket:
    """Adds a note of the buyer's or, by the person `by`, of our own. Same key, same note.

    private: for our own people alone, also when the ticket has ended. Raises NotFound
    `ticket-unknown`; Refused `ticket-invalid`, `ticket-over`, `key-invalid`, `key-reused`.
    """
    check_key(key)
    rules.check_text(text, "note")
    side = _side(actor)
    if private and side == "buyer":
        raise Refused(
            "ticket-invalid", "A note that you send to your seller is not private.", field="private"
        )
    kept = _locked(tx, ticket_id, _buyer(actor), now)
    for entry in kept.entries:
        if (entry.side, entry.key) == (side, key):
            if (entry.text, entry.private) != (text, private):
                raise _reused(key)
            return _shown(kept, actor)
    if kept.state in rules.OVER and not private:
        raise Refused(
            "ticket-over",
            f"Ticket {ticket_id} is {kept.state}; open a new one and name it there.",
            field="ticket",
        )
    kept = _append(
        tx, kept, side=side, author=by or actor.party, text=text, private=private, key=key,
        ids=ids, now=now,
    )  # fmt: skip
    if side == "seller" and not private:
        _tell(tx, kept, ids=ids, now=now)
    return _shown(kept, actor)


def move(
    tx: Transaction,
    *,
    actor: Actor,
    ticket_id: TicketId,
    state: TicketState,
    reason: str,
    ids: Ids,
    now: Instant,
    by: str = "",
) -> Ticket:
    """Moves a ticket, as its buyer or as our own people may. Already there: nothing changes.

    Raises NotFound `ticket-unknown`; Refused `state-move`, `ticket-move-not-yours`.
    """
    rules.check_text(reason, "reason", least=0)
    side = _side(actor)
    kept = _locked(tx, ticket_id, _buyer(actor), now)
    if kept.state is state:
        return _shown(kept, actor)
    rules.check_move(side, kept.state, state)
    kept = _append(
        tx, kept, side=side, author=by or actor.party, state=state, text=reason, ids=ids, now=now
    )
    if side == "seller":
        _tell(tx, kept, ids=ids, now=now)
    return _shown(kept, actor)


def close_due(tx: Transaction, *, ids: Ids, now: Instant, limit: int) -> int:
    """Closes tickets whose buyer has left them resolved for long enough; returns how many."""
    due = store.resolved_before(tx, now - rules.RESOLVED_FOR, limit)
    for ticket_id in due:
        kept = _locked(tx, ticket_id, None, now)
        if kept.state is S.RESOLVED and now >= rules.resolved_until(kept.moved_at):
            words = f"The buyer has said nothing for {rules.RESOLVED_FOR.days} days."
            kept = _append(
                tx, kept, side="seller", author="", state=S.CLOSED, text=words, ids=ids, now=now
            )
            _tell(tx, kept, ids=ids, now=now)
    return len(due)


# --- what suppliers say ---------------------------------------------------------------------------


def hear_ticket(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: TicketMoved, now: Instant
) -> None:
    """A supplier says that something was added to a ticket of ours with it.

    Raises Refused `ticket-not-yours` when it is about none that we have opened with the sender.
    The same notice again changes nothing.
    """
    told = notice.ticket
    relay = store.relay(tx, rules.task_of(told.key))
    if relay is None or (relay.supplier, sender, us) != (sender, told.seller, told.buyer):
        raise Refused(
            "ticket-not-yours",
            f"{us} has opened no ticket with {sender} under that key.",
            field="key",
        )
    plans.wake(tx, task=relay.task, message=documents.write(told), now=now)


def relayed(tx: Transaction, *, task: TaskId) -> tuple[KeptTicket, Relay]:
    """Our ticket as it is, and what is known of the supplier's that this task sees through."""
    relay = store.relay(tx, task)
    if relay is None:
        raise NotFound("ticket-unknown", f"No ticket is passed on by task {task}.", field="task")
    return _find(tx, relay.ticket, None), relay


def heard(
    tx: Transaction, *, us: PartyId, task: TaskId, answer: Relayed, ids: Ids, now: Instant
) -> bool:
    """Takes over what a supplier's ticket says; the plan is locked. True when both are over.

    A state is taken over only when every supplier knows of all that has happened here, so that
    what one said before it was told does not undo what the buyer did meanwhile.
    """
    _, relay = relayed(tx, task=task)
    kept = store.get(tx, relay.ticket, lock=True)
    assert kept is not None
    theirs, before = answer.ticket, len(_public(kept))
    state = theirs.state if theirs else S.REJECTED
    store.set_relay(tx, task, theirs=theirs.id if theirs else None, state=state, told=answer.told)
    if theirs is not None:
        for found in rules.new_notes(kept, theirs, us):
            kept = _take(
                tx, kept, relay, found.text, ids=ids, now=now, source=relay.supplier,
                source_id=found.id,
            )  # fmt: skip
    if state in (S.REJECTED, S.CANCELLED) and state is not relay.state:
        words = answer.words or (theirs.reason if theirs else "")
        kept = _append(
            tx, kept, side="seller", author="", private=True, ids=ids, now=now,
            text=f"{relay.supplier} has {state} this: {words or 'it says no more'}",
        )  # fmt: skip
    kept = replace(kept, relays=_find(tx, kept.id, None).relays)
    wanted = rules.from_below([one.state for one in kept.relays if one.state])
    if wanted and not rules.behind(kept) and rules.may("seller", kept.state, wanted):
        reason = theirs.reason if theirs else ""
        kept = _take(tx, kept, relay, reason, ids=ids, now=now, state=wanted)
    if len(_public(kept)) > before:
        _tell(tx, kept, ids=ids, now=now)
    told = not rules.untold(kept, answer.told)
    return theirs is None or (state in rules.OVER and kept.state in rules.OVER and told)


def _take(tx: Transaction, kept: KeptTicket, relay: Relay, text: str, **what: Any) -> KeptTicket:
    """Adds what a supplier says: without partners' names, and as it was for our own people."""
    plain = rules.without(rules.named(directory.partners(tx), besides=kept.buyer), text)
    said = partial(_append, tx, side="seller", author=relay.supplier)
    kept = said(kept, text=plain, **what)
    if plain == text:
        return kept
    return said(kept, text=text, private=True, ids=what["ids"], now=what["now"])


# --- inside -----------------------------------------------------------------------------------


def _side(actor: Actor) -> Side:
    return "seller" if actor.role == "operator" else "buyer"


def _shown(kept: KeptTicket, actor: Actor) -> Ticket:
    return rules.shown(kept, private=actor.role == "operator")


def _buyer(actor: Actor) -> PartyId | None:
    """Whose tickets this actor may see; None: everybody's."""
    return None if actor.role == "operator" else actor.party


def _is_partner(tx: Transaction, actor: Actor, buyer: PartyId) -> bool:
    if actor.role != "operator":
        return actor.role == "partner"
    return any(one.party.id == buyer for one in directory.partners(tx))


def _held(tx: Transaction, *, us: PartyId, actor: Actor, ask: TicketAsk) -> Holding | None:
    if ask.holding is None:
        return None
    return inventory.get(tx, ref=HoldingRef(us, ask.holding), buyer=_buyer(actor))


def _suppliers(tx: Transaction, us: PartyId, holding: Holding | None) -> Sequence[HoldingRef]:
    """What a holding stands on today that we have from others."""
    if holding is None or holding.state is HoldingState.TERMINATED:
        return ()
    return [
        lower.ref
        for _, lower in inventory.below(tx, ref=holding.ref)
        if lower.state is HoldingState.ACTIVE and lower.ref.seller != us
    ]


def _pass_on(
    tx: Transaction, kept: KeptTicket, lower: Sequence[HoldingRef], *, ids: Ids, now: Instant
) -> None:
    """Plans how a ticket reaches the suppliers of what its holding stands on."""
    relays = [Relay(ids.new(TaskId), kept.id, ref.seller, ref.id, None, None, 1) for ref in lower]
    steps = [
        Step(
            id=relay.task,
            kind=RELAY,
            body={"seller": relay.supplier, "buyer": kept.buyer},
            label=f"ticket with {relay.supplier}",
        )
        for relay in relays
    ]
    for relay in relays:
        store.add_relay(tx, relay)
    if steps:
        plans.write(
            tx,
            plan_id=ids.new(PlanId),
            subject=kept.id,
            kind="ticket",
            trace=kept.trace,
            steps=steps,
            now=now,
        )


def _same_key(tx: Transaction, buyer: PartyId, key: BuyerKey, asked: str) -> KeptTicket | None:
    found = store.by_key(tx, buyer, key)
    if found is None:
        return None
    kept, asked_before = found
    if asked_before != asked:
        raise _reused(key)
    return kept


def _reused(key: BuyerKey) -> Refused:
    return Refused(
        "key-reused", f"Key {key!r} was used for another request; use a new key.", field="key"
    )


def _find(tx: Transaction, ticket_id: TicketId, buyer: PartyId | None) -> KeptTicket:
    kept = store.get(tx, ticket_id)
    if kept is None or (buyer is not None and kept.buyer != buyer):
        raise NotFound(
            "ticket-unknown", f"You have no ticket {ticket_id}; list your tickets.", field="ticket"
        )
    return kept


def _locked(
    tx: Transaction, ticket_id: TicketId, buyer: PartyId | None, now: Instant
) -> KeptTicket:
    """A ticket to which something is about to be added: its relays are woken, and it is ours."""
    _find(tx, ticket_id, buyer)
    for task in store.tasks(tx, ticket_id):
        plans.wake(tx, task=task, message=None, now=now)
    kept = store.get(tx, ticket_id, lock=True)
    assert kept is not None
    return kept


def _append(
    tx: Transaction,
    kept: KeptTicket,
    *,
    side: Side,
    author: str,
    text: str,
    ids: Ids,
    now: Instant,
    state: TicketState | None = None,
    private: bool = False,
    key: BuyerKey | None = None,
    source: PartyId | None = None,
    source_id: str | None = None,
) -> KeptTicket:
    """Adds a line to the log of a locked ticket."""
    if state is not None:
        TICKET_STATES.check(kept.state, state)
    entry = Entry(
        number=kept.last + 1,
        id=ids.new(NoteId),
        side=side,
        author=author,
        state=state,
        text=text,
        at=max(now, kept.entries[-1].at),  # two clocks of ours may differ a little
        private=private,
        key=key,
        source=source,
        source_id=source_id,
    )
    store.append(tx, kept.id, entry)
    kept = replace(kept, entries=(*kept.entries, entry), last=entry.number)
    if not private:
        _publish(tx, kept, "attribute" if state is None else "state", ids=ids, now=now)
    return kept if state is None else replace(kept, state=state, moved_at=entry.at)


def _publish(tx: Transaction, kept: KeptTicket, change: Change, *, ids: Ids, now: Instant) -> None:
    """Has whoever has subscribed told of what happened with a ticket."""
    hub.publish(
        tx,
        ids=ids,
        topic=TOPIC,
        thing=kept.id,
        change=change,
        party=kept.buyer,
        now=now,
        trace=kept.trace,
    )


def _public(kept: KeptTicket) -> Sequence[Entry]:
    return [entry for entry in kept.entries if not entry.private]


def _tell(tx: Transaction, kept: KeptTicket, *, ids: Ids, now: Instant) -> None:
    """Tells the buyer, if it is another node, how its ticket stands."""
    if kept.by_partner:
        notice = TicketMoved(rules.shown(kept))
        notices.send(tx, ids=ids, to=kept.buyer, notice=notice, trace=kept.trace, now=now)
