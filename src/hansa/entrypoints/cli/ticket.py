"""`hansa ticket`: what buyers report, and what our people do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    Customer,
    Key,
    NodeDir,
    acting_for,
    group,
    opened,
    who,
)

if TYPE_CHECKING:
    from hansa.federation.helpdesk import Ticket
    from hansa.lifecycle.assurance.model import KeptTicket

app = group("Trouble tickets: what buyers report, and what is done about it.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The ticket: tck_…")]


@app.command(
    "open", epilog='Example: hansa ticket open hld_0198… "No light" --for retailer --key t-1'
)
def open_ticket(
    holding: Annotated[str, typer.Argument(metavar="HOLDING", help="What it is about: hld_…")],
    description: Annotated[str, typer.Argument(metavar="TEXT", help="What is wrong.")],
    customer: Customer,
    key: Key,
    severity: Annotated[str, typer.Option(metavar="WORD", help="As critical or minor.")] = "major",
    kind: Annotated[str, typer.Option(metavar="WORD", help="As information.")] = "incident",
    priority: Annotated[str, typer.Option(metavar="WORD", help="Else by the severity.")] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Report for a customer that something is not as it was promised.

    It is passed on to the partners from whom we have what the customer holds.
    """
    from hansa.federation.helpdesk import TicketAsk
    from hansa.foundation.ids import BuyerKey, HoldingId

    ask = TicketAsk(description, severity, kind, HoldingId(holding), priority)
    with opened(node) as ours:
        front = acting_for(ours, customer, partners=True)
        _tell(front.open_ticket(ask=ask, key=BuyerKey(key)), as_json=as_json)


@app.command("list", epilog="Example: hansa ticket list --for retailer --state inProgress")
def list_tickets(
    buyer: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="Of this customer or partner only.")
    ] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="In this state only, as resolved.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List tickets, the newest first."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.federation.helpdesk import TicketState
    from hansa.foundation.party import Actor, party_id
    from hansa.lifecycle.assurance.actions import tickets as actions

    wanted = one_of(TicketState, state, option="state") if state else None
    with opened(node) as ours, ours.begin() as tx:
        actor = Actor(party_id(buyer), "customer") if buyer else Actor(ours.us.id, "operator")
        found = actions.tickets(tx, actor=actor, state=wanted, limit=limit).tickets
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Tickets",
        ("ticket", "buyer", "about", "kind", "priority", "state", "opened", "what"),
        [
            (
                one.id,
                one.buyer,
                one.ask.holding,
                one.ask.kind,
                one.ask.priority,
                one.state,
                one.opened_at,
                one.ask.name or one.ask.description[:60],
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa ticket show tck_0198…")
def show(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show a ticket: what happened with it, private notes too, and with whom we have opened it."""
    from hansa.foundation.ids import TicketId
    from hansa.lifecycle.assurance.actions import tickets as actions

    with opened(node) as ours, ours.begin() as tx:
        kept = actions.kept(tx, ticket_id=TicketId(id))
    if as_json:
        render.as_json(kept)
    else:
        _draw(kept)


@app.command(epilog='Example: hansa ticket note tck_0198… "Engineer booked" --private')
def note(
    id: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be known.")],
    private: Annotated[
        bool, typer.Option("--private", help="For our own people alone; it leaves this node never.")
    ] = False,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Your key of this note: same key, same note.")
    ] = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Write on a ticket. Its buyer and our suppliers read it, unless it is private."""
    from hansa.foundation.ids import BuyerKey, NoteId, TicketId
    from hansa.foundation.party import Actor
    from hansa.lifecycle.assurance.actions import tickets as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.note(
            tx,
            actor=Actor(ours.us.id, "operator"),
            ticket_id=TicketId(id),
            text=text,
            key=BuyerKey(key or ours.ids.new(NoteId)),
            private=private,
            by=who(by),
            ids=ours.ids,
            now=ours.clock.now(),
        )
    _tell(found, as_json=as_json)


@app.command(epilog='Example: hansa ticket move tck_0198… resolved --reason "card replaced"')
def move(
    id: Id,
    state: Annotated[str, typer.Argument(metavar="STATE", help="Where to: as inProgress.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; the buyer reads it.")] = "",
    customer: Annotated[
        str, typer.Option("--for", metavar="BUYER", help="As this buyer wishes: closed, cancelled.")
    ] = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Move a ticket on: we work on it and resolve it; its buyer closes, reopens or cancels it."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.federation.helpdesk import TicketState
    from hansa.foundation.ids import TicketId
    from hansa.foundation.party import Actor, party_id
    from hansa.lifecycle.assurance.actions import tickets as actions

    to = one_of(TicketState, state, option="state")
    with opened(node) as ours, ours.begin() as tx:
        actor = Actor(party_id(customer), "customer") if customer else None
        found = actions.move(
            tx,
            actor=actor or Actor(ours.us.id, "operator"),
            ticket_id=TicketId(id),
            state=to,
            reason=reason,
            by=who(by),
            ids=ours.ids,
            now=ours.clock.now(),
        )
    _tell(found, as_json=as_json)


def _tell(ticket: Ticket, *, as_json: bool) -> None:
    if as_json:
        render.as_json(ticket)
        return
    render.facts(
        f"Ticket {ticket.id} of {ticket.buyer}",
        {"state": ticket.state, "reason": ticket.reason, "about": ticket.ask.holding},
    )


def _draw(kept: KeptTicket) -> None:
    ask = kept.ask
    render.facts(
        f"Ticket {kept.id} of {kept.buyer}",
        {
            "state": kept.state,
            "about": ask.holding,
            "name": ask.name,
            "what": ask.description,
            "kind": ask.kind,
            "severity": ask.severity,
            "priority": ask.priority,
            "opened": kept.opened_at,
            "key": kept.key,
            "trace id": kept.trace,
        },
    )
    render.table(
        "What happened",
        ("at", "side", "by", "state", "words", "private"),
        [
            (
                one.at,
                one.side,
                one.author,
                one.state,
                one.text,
                "private" if one.private else "",
            )
            for one in kept.entries
        ],
    )
    render.table(
        "Opened with",
        ("supplier", "holding", "ticket", "state"),
        [(one.supplier, one.holding, one.theirs, one.state) for one in kept.relays],
    )
