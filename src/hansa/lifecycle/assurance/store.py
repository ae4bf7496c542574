"""The tables of tickets and every line of SQL about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hansa.federation.helpdesk import TicketAsk, TicketState
from hansa.federation.wire import parse, render
from hansa.foundation.database import all_rows, one_row, run, some_rows
from hansa.foundation.ids import BuyerKey, HoldingId, NoteId, PartyId, TaskId, TicketId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.assurance.model import Entry, KeptTicket, Relay


def add(tx: Transaction, kept: KeptTicket, request: str) -> bool:
    """Enters a new ticket with its entries; False when the buyer's key has been used before."""
    ask = kept.ask
    added = run(
        tx,
        """insert into assurance_ticket (id, seller, buyer, by_partner, key, request, holding, name,
               description, severity, kind, priority, extras, state, moved_at, opened_at, entries,
               trace)
           values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) on conflict do nothing""",
        (
            kept.id,
            kept.seller,
            kept.buyer,
            kept.by_partner,
            kept.key,
            request,
            ask.holding,
            ask.name,
            ask.description,
            ask.severity,
            ask.kind,
            ask.priority,
            render(ask.extras).decode() if ask.extras else "",
            kept.state,
            kept.moved_at,
            kept.opened_at,
            kept.last,
            kept.trace,
        ),
    )
    if added:
        for entry in kept.entries:
            _insert_entry(tx, kept.id, entry)
    return added == 1


def append(tx: Transaction, ticket: TicketId, entry: Entry) -> None:
    """Adds a line to the log of a ticket that is locked, and moves the ticket if it says so."""
    run(
        tx,
        """update assurance_ticket set entries = %(number)s,
               state = coalesce(%(state)s, state),
               moved_at = case when %(state)s::text is null then moved_at else %(at)s end
           where id = %(ticket)s""",
        {"number": entry.number, "state": entry.state, "at": entry.at, "ticket": ticket},
    )
    _insert_entry(tx, ticket, entry)


def _insert_entry(tx: Transaction, ticket: TicketId, entry: Entry) -> None:
    run(
        tx,
        """insert into assurance_entry (ticket, number, id, side, author, state, text, private,
               key, source, source_id, at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            ticket,
            entry.number,
            entry.id,
            entry.side,
            entry.author,
            entry.state,
            entry.text,
            entry.private,
            entry.key,
            entry.source,
            entry.source_id,
            entry.at,
        ),
    )


_PLAIN = "select * from assurance_ticket where id = %s"
_LOCKED = "select * from assurance_ticket where id = %s for update"


def get(tx: Transaction, ticket: TicketId, *, lock: bool = False) -> KeptTicket | None:
    row = one_row(tx, _LOCKED if lock else _PLAIN, (ticket,))
    return _tickets(tx, [row])[0] if row else None


def by_key(tx: Transaction, buyer: PartyId, key: BuyerKey) -> tuple[KeptTicket, str] | None:
    """The ticket that this key opened, and the hash of what it asked for then."""
    row = one_row(tx, "select * from assurance_ticket where buyer = %s and key = %s", (buyer, key))
    return (_tickets(tx, [row])[0], row["request"]) if row else None


_TICKETS = "select * from assurance_ticket"
_FITS = """where (%(buyer)s::text is null or buyer = %(buyer)s)
             and (%(holdings)s::text[] is null or holding = any(%(holdings)s))
             and (%(states)s::text[] is null or state = any(%(states)s))
             and (%(text)s = '' or position(%(text)s in lower(
                  concat_ws(' ', id, buyer, key, holding, name, description, trace))) > 0)"""


def search(
    tx: Transaction,
    *,
    buyer: PartyId | None,
    holdings: Sequence[HoldingId] | None,
    states: Collection[TicketState] | None,
    text: str,
    offset: int,
    limit: int,
) -> tuple[Sequence[KeptTicket], int]:
    """Some tickets with these words about them, the newest first, and how many there are."""
    asked = {
        "buyer": buyer,
        "holdings": None if holdings is None else list(holdings),
        "states": None if states is None else [str(state) for state in states],
        "text": text.lower(),
    }
    sql, newest = f"{_TICKETS} {_FITS}", "opened_at desc, id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return _tickets(tx, rows), total


def stamps(tx: Transaction, tickets: Collection[str]) -> dict[str, str]:
    rows = all_rows(
        tx,
        """select t.id, concat_ws('/', t.entries, t.state, string_agg(
                      concat_ws('/', r.theirs, r.state, r.told), ' ' order by r.task)) as stamp
           from assurance_ticket t left join assurance_relay r on r.ticket = t.id
           where t.id = any(%s) group by t.id""",
        (list(tickets),),
    )
    return {row["id"]: row["stamp"] for row in rows}


def resolved_before(tx: Transaction, moment: Instant, limit: int) -> Sequence[TicketId]:
    """Tickets that were resolved then or before, and are so still."""
    rows = all_rows(
        tx,
        """select id from assurance_ticket where state = 'resolved' and moved_at <= %s
           order by moved_at limit %s""",
        (moment, limit),
    )
    return [TicketId(row["id"]) for row in rows]


# --- relays -----------------------------------------------------------------------------------


def add_relay(tx: Transaction, relay: Relay) -> None:
    run(
        tx,
        """insert into assurance_relay (task, ticket, supplier, holding, theirs, state, told)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            relay.task,
            relay.ticket,
            relay.supplier,
            relay.holding,
            relay.theirs,
            relay.state,
            relay.told,
        ),
    )


def set_relay(
    tx: Transaction, task: TaskId, *, theirs: TicketId | None, state: TicketState, told: int
) -> None:
    run(
        tx,
        "update assurance_relay set theirs = %s, state = %s, told = %s where task = %s",
        (theirs, state, told, task),
    )


def relay(tx: Transaction, task: TaskId) -> Relay | None:
    row = one_row(tx, "select * from assurance_relay where task = %s", (task,))
    return _relay(row) if row else None


def tasks(tx: Transaction, ticket: TicketId) -> Sequence[TaskId]:
    """The tasks of a ticket's relays, always in the same order."""
    rows = all_rows(
        tx, "select task from assurance_relay where ticket = %s order by task", (ticket,)
    )
    return [TaskId(row["task"]) for row in rows]


def _relay(row: Mapping[str, Any]) -> Relay:
    return Relay(
        task=TaskId(row["task"]),
        ticket=TicketId(row["ticket"]),
        supplier=PartyId(row["supplier"]),
        holding=HoldingId(row["holding"]),
        theirs=TicketId(row["theirs"]) if row["theirs"] else None,
        state=TicketState(row["state"]) if row["state"] else None,
        told=row["told"],
    )


# --- rows as tickets ----------------------------------------------------------------------------


def _tickets(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[KeptTicket]:
    """The tickets of these rows, in their order, with their entries and relays."""
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    entries: dict[str, list[Entry]] = defaultdict(list)
    for row in all_rows(
        tx, "select * from assurance_entry where ticket = any(%s) order by ticket, number", (ids,)
    ):
        entries[row["ticket"]].append(_entry(row))
    relays: dict[str, list[Relay]] = defaultdict(list)
    for row in all_rows(
        tx, "select * from assurance_relay where ticket = any(%s) order by task", (ids,)
    ):
        relays[row["ticket"]].append(_relay(row))
    return [_kept(row, tuple(entries[row["id"]]), tuple(relays[row["id"]])) for row in rows]


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        number=row["number"],
        id=NoteId(row["id"]),
        side=row["side"],
        author=row["author"],
        state=TicketState(row["state"]) if row["state"] else None,
        text=row["text"],
        at=row["at"],
        private=row["private"],
        key=BuyerKey(row["key"]) if row["key"] else None,
        source=PartyId(row["source"]) if row["source"] else None,
        source_id=row["source_id"],
    )


def _kept(
    row: Mapping[str, Any], entries: tuple[Entry, ...], relays: tuple[Relay, ...]
) -> KeptTicket:
    return KeptTicket(
        id=TicketId(row["id"]),
        seller=PartyId(row["seller"]),
        buyer=PartyId(row["buyer"]),
        by_partner=row["by_partner"],
        key=BuyerKey(row["key"]),
        ask=TicketAsk(
            description=row["description"],
            severity=row["severity"],
            kind=row["kind"],
            holding=HoldingId(row["holding"]) if row["holding"] else None,
            priority=row["priority"],
            name=row["name"],
            extras=parse(row["extras"].encode()) if row["extras"] else {},
        ),
        state=TicketState(row["state"]),
        moved_at=row["moved_at"],
        opened_at=row["opened_at"],
        trace=TraceId(row["trace"]),
        entries=entries,
        last=row["entries"],
        relays=relays,
    )
