"""How the conditions of several holdings become the condition of what stands on them; who may
do what with a ticket, and what a supplier is told of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from hansa.federation.contract import Condition
from hansa.federation.helpdesk import Note, Ticket, TicketAsk, TicketMove, TicketState
from hansa.federation.model import Partner
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, HoldingId, PartyId, TaskId
from hansa.foundation.readings import Check
from hansa.foundation.time import Instant
from hansa.lifecycle.assurance.model import TICKET_STATES, Entry, KeptTicket, S, Side

OUT_OF_SERVICE = Check("in service", "yes", "no", ok=False)


def combined(holding: HoldingId, below: Sequence[Condition], *, stands: bool) -> Condition:
    """The condition of an active holding: as bad as the worst that it stands on.

    stands: False when all it stood on has been ended. A holding is not ended because something
    below it is: then it is degraded. Checks of the same name become one, which shows the first
    that failed. measured only if all below are, and never when there is nothing below.
    """
    well = stands and all(one.state == "active" for one in below)
    gone = [OUT_OF_SERVICE for one in below if one.state == "ended"]
    if not stands:
        gone.append(OUT_OF_SERVICE)
    checks: dict[str, Check] = {}
    for check in (*gone, *(check for one in below for check in one.checks)):
        kept = checks.setdefault(check.check, check)
        if kept.ok and not check.ok:
            checks[check.check] = check
    return Condition(
        holding=holding,
        state="active" if well else "degraded",
        checks=tuple(checks.values()),
        measured=bool(below) and all(one.measured for one in below),
    )


# --- tickets: who may do what -------------------------------------------------------------------

WORD_MAX = 100
NAME_MAX = 200
TEXT_MAX = 4000

RESOLVED_FOR = timedelta(days=3)
"""How long a buyer may look whether what was resolved is so; then the ticket closes by itself."""

PRIORITIES = {"critical": "high", "major": "medium", "minor": "low"}
"""The priority of a ticket whose buyer leaves it to us, by the severity that the buyer sees."""

OVER = TICKET_STATES.ends

_BUYERS = frozenset(
    {
        (S.RESOLVED, S.CLOSED),
        (S.RESOLVED, S.IN_PROGRESS),
        (S.PENDING, S.IN_PROGRESS),
        *((state, S.CANCELLED) for state in (S.ACKNOWLEDGED, S.IN_PROGRESS, S.PENDING, S.HELD)),
    }
)
_ALSO_SELLERS = frozenset({(S.PENDING, S.IN_PROGRESS)})


def check_ask(ask: TicketAsk) -> None:
    """Raises Refused `ticket-invalid`, naming the field, for what cannot be reported."""
    for field, text, least, most in (
        ("description", ask.description, 1, TEXT_MAX),
        ("severity", ask.severity, 1, WORD_MAX),
        ("kind", ask.kind, 1, WORD_MAX),
        ("priority", ask.priority, 0, WORD_MAX),
        ("name", ask.name, 0, NAME_MAX),
    ):
        check_text(text, field, least=least, most=most)


def check_text(text: str, field: str, *, least: int = 1, most: int = TEXT_MAX) -> None:
    """Raises Refused `ticket-invalid` for text that is too short or too long."""
    if not least <= len(text.strip()) <= len(text) <= most:
        raise Refused(
            "ticket-invalid",
            f"The {field} of a ticket has {least} to {most} characters that say something.",
            field=field,
        )


def request(ask: TicketAsk) -> str:
    """The hash of what a key asked for."""
    return documents.fingerprint(documents.write(ask))


def priority(ask: TicketAsk) -> str:
    """As the buyer wishes, else by how severe it is."""
    return ask.priority or PRIORITIES.get(ask.severity.lower(), "medium")


def may(side: Side, now: TicketState, then: TicketState) -> bool:
    """Whether this side may move a ticket so."""
    move = (now, then)
    mine = move in _BUYERS if side == "buyer" else move not in _BUYERS or move in _ALSO_SELLERS
    return mine and TICKET_STATES.may(now, then)


def check_move(side: Side, now: TicketState, then: TicketState) -> None:
    """Raises Refused `state-move`, or `ticket-move-not-yours` where the other side may."""
    TICKET_STATES.check(now, then)
    if not may(side, now, then):
        other = "seller" if side == "buyer" else "buyer"
        raise Refused(
            "ticket-move-not-yours",
            f"The ticket is {now}; that it becomes {then} is for its {other} to say.",
            field="state",
        )


def resolved_until(moved_at: Instant) -> Instant:
    """When a ticket that was resolved at that moment closes by itself."""
    return moved_at + RESOLVED_FOR


# --- what others see ------------------------------------------------------------------------------


def shown(kept: KeptTicket, *, private: bool = False) -> Ticket:
    """A ticket as its buyer may see it; with `private`, as our own people do.

    Whatever comes from the seller's side is signed with the seller's name, whoever wrote it.
    """
    entries = [entry for entry in kept.entries if private or not entry.private]
    return Ticket(
        id=kept.id,
        seller=kept.seller,
        buyer=kept.buyer,
        key=kept.key,
        ask=kept.ask,
        opened_at=kept.opened_at,
        trace=kept.trace,
        moves=tuple(
            TicketMove(entry.state, entry.at, entry.text)
            for entry in entries
            if entry.state is not None
        ),
        notes=tuple(
            Note(
                entry.id,
                kept.buyer if entry.side == "buyer" else kept.seller,
                entry.text,
                entry.at,
                entry.private,
            )
            for entry in entries
            if entry.state is None
        ),
    )


# --- suppliers ------------------------------------------------------------------------------------


def untold(kept: KeptTicket, told: int) -> Sequence[Entry]:
    """What a supplier is still to be told: notes of ours and of the buyer's that are not
    private, what the buyer has moved, and that it is over.
    """
    return [
        entry
        for entry in kept.entries
        if entry.number > max(told, 1)
        and entry.source is None
        and not entry.private
        and (entry.state is None or entry.side == "buyer" or entry.state in OVER)
    ]


def behind(kept: KeptTicket) -> bool:
    """Whether a supplier does not know yet of all that has happened here."""
    return any(untold(kept, relay.told) for relay in kept.relays if not relay.refused)


def task_of(key: BuyerKey) -> TaskId:
    """The task that opened a supplier's ticket under this key of ours, `tsk_…` or `tsk_…/5`."""
    return TaskId(key.partition("/")[0])


def key_of(task: TaskId, entry: Entry | None = None) -> BuyerKey:
    """Our key of a supplier's ticket; a second one is opened for the entry that needs it."""
    return BuyerKey(f"{task}/{entry.number}" if entry else task)


def told_as(entry: TicketState, theirs: TicketState) -> TicketState | None:
    """Where a supplier's ticket has to go when ours has gone there; None: nowhere."""
    if theirs in OVER:
        return None
    if entry in OVER:
        return S.CLOSED if theirs is S.RESOLVED else S.CANCELLED
    if entry is S.IN_PROGRESS and theirs in (S.RESOLVED, S.PENDING):
        return S.IN_PROGRESS
    return None


def reopens(entry: TicketState, theirs: TicketState) -> bool:
    """Whether a supplier needs a new ticket: ours goes on, and theirs is over."""
    return entry is S.IN_PROGRESS and theirs in OVER


def from_below(states: Sequence[TicketState]) -> TicketState | None:
    """What the states of suppliers' tickets make of ours; None: nothing, our people see to it.

    Resolved when all are that have not been turned away.
    """
    taken = {state for state in states if state not in (S.CANCELLED, S.REJECTED)}
    if not taken:
        return None
    if taken <= {S.RESOLVED, S.CLOSED}:
        return S.RESOLVED
    for state in (S.PENDING, S.IN_PROGRESS):
        if state in taken:
            return state
    if taken & {S.RESOLVED, S.CLOSED}:
        return S.IN_PROGRESS
    return S.HELD if S.HELD in taken else None


WITHHELD = "[name withheld]"
"""What a buyer reads where a supplier has named itself or another operator."""


def named(partners: Sequence[Partner], *, besides: PartyId) -> Sequence[str]:
    """Under which names partners may be told apart, but for one of them, the longest first."""
    others = [one.party for one in partners if one.party.id != besides]
    return sorted({name for one in others for name in (one.id, one.name) if name}, key=len)[::-1]


def without(names: Sequence[str], text: str) -> str:
    """A text without these names, however they are written; not where they are part of a word."""
    if not names:
        return text
    any_of = "|".join(re.escape(name) for name in names)
    return re.sub(rf"(?<![^\W_])(?:{any_of})(?![^\W_])", WITHHELD, text, flags=re.IGNORECASE)


def new_notes(kept: KeptTicket, theirs: Ticket, us: PartyId) -> Sequence[Note]:
    """What a supplier has written and we have not yet."""
    known = {entry.source_id for entry in kept.entries if entry.source == theirs.seller}
    return [
        note
        for note in theirs.notes
        if note.author != us and note.id not in known and not note.private
    ]
