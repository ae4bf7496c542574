"""Trouble tickets: what buyers report, what both sides write, and the supplier's side of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import OPERATIONS, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.live import Live
from hansa.entrypoints.portal.pages import parties
from hansa.entrypoints.portal.pages.operations import lists
from hansa.federation.helpdesk import TicketAsk, TicketState
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, HoldingId, TicketId
from hansa.foundation.party import Actor
from hansa.foundation.people.actions import audit
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.assurance.actions import overview, tickets
from hansa.lifecycle.assurance.model import TICKET_STATES, Entry, KeptTicket, Relay

OPEN = frozenset(TicketState) - TICKET_STATES.ends
SEVERITIES = ("critical", "major", "minor")
KINDS = ("incident", "information", "maintenance")


@page("/tickets", roles=OPERATIONS)
def ticket_list(ask: Ask) -> Response:
    """Those that are open, if not asked for others."""
    turn = paging.turn(ask, lists.PAGE)
    state = ask.query.get("state", "open")
    states = {TicketState(state)} if state in set(TicketState) else None
    with ask.node.begin() as tx:
        found = overview.search(
            tx,
            buyer=lists.party(ask),
            states=OPEN if state == "open" else states,
            text=ask.sought(),
            offset=turn.offset,
            limit=turn.size,
        )
        names = parties.names(ask, tx, *(one.buyer for one in found.things))
    return ask.render(
        "operations/tickets.html",
        part="operations/_tickets.html",
        found=found,
        turn=turn,
        state=state,
        states=tuple(TicketState),
        name=lambda party: names.get(party, party),
    )


@page("/tickets/new", roles=OPERATIONS)
def ticket_new(ask: Ask) -> Response:
    return ask.render("operations/ticket_new.html", severities=SEVERITIES, kinds=KINDS)


@change("/tickets/new", roles=OPERATIONS, again=ticket_new)
def ticket_open(ask: Ask) -> Response:
    """For whoever has the holding. The same form again leads to the same ticket."""
    holding = ask.typed("holding").strip()
    asked = TicketAsk(
        description=ask.typed("description").strip(),
        severity=ask.typed("severity", "major"),
        kind=ask.typed("kind", "incident"),
        holding=HoldingId(holding) if holding else None,
        name=ask.typed("name").strip(),
    )
    if asked.holding is None:
        raise Refused("ticket-invalid", _("Name the holding that it is about."), field="holding")
    with ask.node.begin() as tx:
        made = tickets.open_ticket(
            tx,
            us=ask.node.us.id,
            actor=_us(ask),
            ask=asked,
            key=BuyerKey(ask.typed("key")),
            ids=ask.node.ids,
            now=ask.now,
        )
        if not audit.trail(tx, action="ticket-opened", subject=made.id, limit=1):
            ask.log(tx, "ticket-opened", subject=made.id, why=asked.name)
    return ask.back(f"/tickets/{made.id}", said=_("The ticket is open, and is passed on."))


@page("/tickets/{id}", roles=OPERATIONS)
def ticket(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        shown = _shown(tx, ask)
    kept: KeptTicket = shown["kept"]
    return ask.render(
        "operations/ticket.html",
        **shown,
        moves=overview.ours_to_make(kept),
        may_close=kept.state is TicketState.RESOLVED and not kept.by_partner,
    )


@change("/tickets/{id}/notes", roles=OPERATIONS, again=ticket)
def note(ask: Ask) -> Response:
    """A note of ours, private or for the buyer and our suppliers to read."""
    private = bool(ask.typed("private"))
    id = TicketId(ask.path["id"])
    with ask.node.begin() as tx:
        before = tickets.kept(tx, ticket_id=id).last
        tickets.note(
            tx,
            actor=_us(ask),
            ticket_id=id,
            text=ask.typed("note").strip(),
            key=BuyerKey(ask.typed("key")),
            private=private,
            by=ask.me.login,
            ids=ask.node.ids,
            now=ask.now,
        )
        _log_if_new(ask, tx, id, before, "ticket-noted", details={"private": private})
    return ask.back(f"/tickets/{id}", said=_("Written down."))


@change("/tickets/{id}/move", roles=OPERATIONS, again=ticket)
def move(ask: Ask) -> Response:
    """On to another state, with the reason that the buyer reads."""
    state = ask.typed("state")
    if state not in set(TicketState):
        raise Refused("malformed", _("Choose a state."), field="state")
    _moved(ask, _us(ask), TicketState(state), "ticket-moved")
    return ask.back(f"/tickets/{ask.path['id']}", said=_("Moved on; its buyer is told."))


@change("/tickets/{id}/close", roles=OPERATIONS, again=ticket)
def close(ask: Ask) -> Response:
    """What a customer has said to us. A partner closes its ticket itself."""
    with ask.node.begin() as tx:
        kept = tickets.kept(tx, ticket_id=TicketId(ask.path["id"]))
    if kept.by_partner:
        raise Refused("ticket-move-not-yours", _("This ticket's buyer closes it itself."))
    _moved(ask, Actor(kept.buyer, "customer"), TicketState.CLOSED, "ticket-closed-for")
    return ask.back(f"/tickets/{kept.id}", said=_("Closed, as its buyer wishes."))


# --- what is live ---------------------------------------------------------------------------------


def _live(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        shown = _shown(tx, ask)
    return ask.render("operations/_ticket.html", **shown)


live = Live("/tickets/{id}/live", OPERATIONS, _live, lambda tx, ids: overview.stamps(tx, ids=ids))


# --- inside ---------------------------------------------------------------------------------------


def _us(ask: Ask) -> Actor:
    return Actor(ask.node.us.id, "operator")


def _moved(ask: Ask, actor: Actor, state: TicketState, action: str) -> None:
    id, why = TicketId(ask.path["id"]), ask.why()
    with ask.node.begin() as tx:
        before = tickets.kept(tx, ticket_id=id).last
        tickets.move(
            tx,
            actor=actor,
            ticket_id=id,
            state=state,
            reason=why,
            by=ask.me.login,
            ids=ask.node.ids,
            now=ask.now,
        )
        _log_if_new(ask, tx, id, before, action, why=why, details={"state": state})


def _log_if_new(
    ask: Ask,
    tx: Transaction,
    id: TicketId,
    before: int,
    action: str,
    *,
    why: str = "",
    details: object = None,
) -> None:
    """The same form again changes nothing, and nothing is written of it."""
    if tickets.kept(tx, ticket_id=id).last != before:
        ask.log(tx, action, subject=id, why=why, details=details)


@dataclass(frozen=True)
class Line:
    """One line of a ticket's log. lasted: how long it was in the state that it came into there."""

    entry: Entry
    by: str
    lasted: timedelta | None


@dataclass(frozen=True)
class Beyond:
    """A supplier's side of a ticket. untold: how much it does not know yet. next_at: when it is
    asked again, words: why it has to be; both where it does not answer.
    """

    relay: Relay
    name: str
    untold: int
    tries: int
    words: str
    next_at: Instant | None


def _shown(tx: Transaction, ask: Ask) -> Mapping[str, Any]:
    """What the live part of a ticket's page is made of."""
    kept = tickets.kept(tx, ticket_id=TicketId(ask.path["id"]))
    plan = plans.of_subject(tx, subject=kept.id)
    names = parties.names(ask, tx, kept.buyer)
    tasks = {task.id: task for task in plan.tasks} if plan else {}
    return {
        "kept": kept,
        "lines": _lines(kept, ask, names),
        "beyond": [_beyond(kept, one, tasks.get(one.task), names) for one in kept.relays],
        "now": ask.now,
        "buyer": names.get(kept.buyer, kept.buyer),
        "closes_at": overview.closes_at(kept),
    }


def _lines(kept: KeptTicket, ask: Ask, names: Mapping[str, str]) -> Sequence[Line]:
    ends = [entry.at for entry in kept.entries if entry.state is not None][1:]
    if kept.state in OPEN:
        ends.append(ask.now)
    left = iter(ends)
    return [
        Line(
            entry,
            _author(entry, kept, names),
            None if entry.state is None or (end := next(left, None)) is None else end - entry.at,
        )
        for entry in kept.entries
    ]


def _author(entry: Entry, kept: KeptTicket, names: Mapping[str, str]) -> str:
    us = names[kept.seller]
    if entry.source or entry.author in names:
        return names.get(entry.source or entry.author, entry.source or entry.author)
    if entry.side == "buyer":
        return names.get(kept.buyer, kept.buyer)
    return f"{entry.author}, {us}" if entry.author else us


def _beyond(kept: KeptTicket, relay: Relay, task: Task | None, names: Mapping[str, str]) -> Beyond:
    fails = task is not None and bool(task.error)
    return Beyond(
        relay,
        names.get(relay.supplier, relay.supplier),
        overview.untold(kept, relay),
        task.attempt if task and fails else 0,
        task.error if task and fails else "",
        task.run_at if task and fails else None,
    )


pages = [ticket_list, ticket_new, ticket_open, ticket, note, move, close]
