"""Rounds at their centre, our own parts in rounds, and the notices between the two."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from pydantic import Field

from hansa.federation.papers import NettingCalled, NettingNotice, NettingPlan, Signature
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import PartyId, RoundId, StatementId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.model import (
    HeardLetter,
    Lines,
    Part,
    PartState,
    Round,
    RoundState,
    Seat,
    SeatState,
)

_NOTICE: Any = Annotated[NettingNotice, Field(discriminator="kind")]


# --- what was heard -----------------------------------------------------------------------------


def keep_letter(tx: Transaction, sender: PartyId, notice: NettingNotice, now: Instant) -> None:
    """Keeps a notice for later; heard again changes nothing."""
    document = documents.write(notice)
    run(
        tx,
        """insert into clearing_letter (sender, fingerprint, notice, at)
           values (%s, %s, %s, %s) on conflict do nothing""",
        (sender, documents.fingerprint(document), Jsonb(document), now),
    )


def letters(tx: Transaction, limit: int) -> list[HeardLetter]:
    """Notices that wait, in order, locked; those that settle a round last."""
    rows = all_rows(
        tx,
        """select id, sender, notice from clearing_letter where not done
           order by (notice ->> 'kind') = 'netting-settled', id limit %s
           for update skip locked""",
        (limit,),
    )
    return [
        HeardLetter(row["id"], PartyId(row["sender"]), documents.read(_NOTICE, row["notice"]))
        for row in rows
    ]


def done_with(tx: Transaction, letter: int, why: str = "") -> None:
    run(tx, "update clearing_letter set done = true, why = %s where id = %s", (why, letter))


# --- rounds at their centre ---------------------------------------------------------------------


LOCK = 0x726F756E64
"""The advisory lock under which rounds are called (`round` in ASCII)."""


def lock_rounds(tx: Transaction) -> None:
    """Nobody else calls a round until the end of tx."""
    run(tx, "select pg_advisory_xact_lock(%s)", (LOCK,))


def insert_round(tx: Transaction, round: Round) -> None:
    run(
        tx,
        "insert into clearing_round (id, call, state, until) values (%s, %s, %s, %s)",
        (round.id, Jsonb(documents.write(round.call)), round.state, round.until),
    )
    for seat in round.seats:
        run(
            tx,
            "insert into clearing_seat (round, party, state) values (%s, %s, %s)",
            (round.id, seat.party, seat.state),
        )


def update_round(tx: Transaction, round: Round) -> None:
    run(
        tx,
        "update clearing_round set state = %s, until = %s, plan = %s where id = %s",
        (round.state, round.until, _optional(round.plan), round.id),
    )
    for seat in round.seats:
        run(
            tx,
            """update clearing_seat set state = %s, lines = %s, signature = %s, why = %s
               where round = %s and party = %s""",
            (
                seat.state,
                Jsonb(documents.write(seat.lines, Lines)),
                _optional(seat.signature),
                seat.why,
                round.id,
                seat.party,
            ),
        )


def round_of(tx: Transaction, id: RoundId) -> Round | None:
    """Locked."""
    row = one_row(tx, "select * from clearing_round where id = %s for update", (id,))
    return _round(tx, row) if row else None


def rounds(tx: Transaction, states: Collection[RoundState] | None = None) -> Sequence[Round]:
    """In order of their ids."""
    rows = all_rows(
        tx,
        """select * from clearing_round
           where %(states)s::text[] is null or state = any(%(states)s) order by id""",
        {"states": [str(one) for one in states] if states is not None else None},
    )
    return [_round(tx, row) for row in rows]


def _round(tx: Transaction, row: dict[str, Any]) -> Round:
    seats = all_rows(
        tx, "select * from clearing_seat where round = %s order by party", (row["id"],)
    )
    return Round(
        call=documents.read(NettingCalled, row["call"]),
        state=RoundState(row["state"]),
        until=row["until"],
        plan=documents.read(NettingPlan, row["plan"]) if row["plan"] else None,
        seats=tuple(
            Seat(
                party=PartyId(seat["party"]),
                state=SeatState(seat["state"]),
                lines=documents.read(Lines, seat["lines"]),
                signature=_signature(seat["signature"]),
                why=seat["why"],
            )
            for seat in seats
        ),
    )


# --- our own parts ------------------------------------------------------------------------------


def insert_part(tx: Transaction, part: Part) -> bool:
    """False when we have a part in that round already."""
    return (
        run(
            tx,
            """insert into clearing_part (round, centre, call, state, attempt, offered)
               values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
            (
                part.id,
                part.centre,
                Jsonb(documents.write(part.call)),
                part.state,
                part.attempt,
                Jsonb(documents.write(part.offered, Lines)),
            ),
        )
        == 1
    )


def update_part(tx: Transaction, part: Part) -> None:
    run(
        tx,
        """update clearing_part set state = %s, attempt = %s, plan = %s, lines = %s,
               signature = %s, why = %s where round = %s""",
        (
            part.state,
            part.attempt,
            _optional(part.plan),
            Jsonb(documents.write(part.lines, Lines)),
            _optional(part.signature),
            part.why,
            part.id,
        ),
    )


def part_of(tx: Transaction, id: RoundId) -> Part | None:
    """Locked."""
    row = one_row(tx, "select * from clearing_part where round = %s for update", (id,))
    return _part(row) if row else None


def parts(tx: Transaction, states: Collection[PartState] | None = None) -> Sequence[Part]:
    """In order of their rounds."""
    rows = all_rows(
        tx,
        """select * from clearing_part
           where %(states)s::text[] is null or state = any(%(states)s) order by round""",
        {"states": [str(one) for one in states] if states is not None else None},
    )
    return [_part(row) for row in rows]


def _part(row: dict[str, Any]) -> Part:
    return Part(
        call=documents.read(NettingCalled, row["call"]),
        centre=PartyId(row["centre"]),
        state=PartState(row["state"]),
        attempt=row["attempt"],
        offered=documents.read(Lines, row["offered"]),
        plan=documents.read(NettingPlan, row["plan"]) if row["plan"] else None,
        lines=documents.read(Lines, row["lines"]),
        signature=_signature(row["signature"]),
        why=row["why"],
    )


def _signature(value: Any) -> Signature | None:
    return documents.read(Signature, value) if value else None


def _optional(thing: object | None) -> Jsonb | None:
    return None if thing is None else Jsonb(documents.write(thing))


# --- what is bound ------------------------------------------------------------------------------


def claim(tx: Transaction, holder: str, statements: Collection[StatementId]) -> bool:
    """Binds statements to a round or a payment; False, with none bound, when one is already."""
    taken = run(
        tx,
        """insert into clearing_claim (statement, holder)
           select one, %(holder)s from unnest(%(statements)s::text[]) as one
           where not exists (
               select from clearing_claim
               where statement = any(%(statements)s) and holder <> %(holder)s)
           on conflict do nothing""",
        {"holder": holder, "statements": list(statements)},
    )
    return taken == len(statements)


def release(tx: Transaction, holder: str) -> None:
    run(tx, "delete from clearing_claim where holder = %s", (holder,))


def claimed(tx: Transaction) -> set[StatementId]:
    """The statements that are bound to something."""
    return {
        StatementId(row["statement"])
        for row in all_rows(tx, "select statement from clearing_claim")
    }
