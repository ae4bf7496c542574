"""The tables of nonces and evidence and every line of SQL about them.

What is written here is on the disk no later than what the same process commits after it: the log
of the database has one order. So nothing here waits for the disk by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.evidence.model import Kept, Message
from hansa.foundation.database import Jsonb, all_rows, run, send
from hansa.foundation.ids import PartyId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_UNHURRIED = "select set_config('synchronous_commit', 'off', true)"

_ENTER = """
with fresh as (
    insert into federation_nonce (party, nonce, until) values (%s, %s, %s)
    on conflict do nothing returning party)
select from fresh
"""

_ENTER_AND_KEEP = """
with fresh as (
    insert into federation_nonce (party, nonce, until) values (%s, %s, %s)
    on conflict do nothing returning party)
insert into federation_evidence
    (direction, kind, party, nonce, method, target, status, headers, body, kid, trace, at)
select %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s from fresh
"""

_KEEP = """
insert into federation_evidence
    (direction, kind, party, nonce, method, target, status, headers, body, kid, trace, at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def enter(
    tx: Transaction, party: PartyId, nonce: str, until: Instant, message: Message | None
) -> bool:
    """Uses up a nonce and keeps the message that bears it; False when it has been used before."""
    send(tx, _UNHURRIED)
    if message is None:
        return run(tx, _ENTER, (party, nonce, until)) == 1
    return run(tx, _ENTER_AND_KEEP, (party, nonce, until, *_values(message))) == 1


def add(tx: Transaction, messages: Sequence[Message]) -> None:
    send(tx, _UNHURRIED)
    for message in messages:
        send(tx, _KEEP, _values(message))


def _values(message: Message) -> Sequence[Any]:
    return (
        *(message.direction, message.kind, message.party, message.nonce, message.method),
        *(message.target, message.status, Jsonb(dict(message.headers)), message.body),
        *(message.kid, message.trace or "", message.at),
    )


def expire(tx: Transaction, now: Instant, limit: int) -> int:
    """Removes nonces that are no longer needed; returns how many."""
    return run(
        tx,
        """delete from federation_nonce where (party, nonce) in
               (select party, nonce from federation_nonce where until < %s
                order by until limit %s for update skip locked)""",
        (now, limit),
    )


def of_trace(tx: Transaction, trace: TraceId) -> Sequence[Kept]:
    """Everything kept of one trace, the oldest first."""
    rows = all_rows(
        tx, "select * from federation_evidence where trace = %s order by number", (trace,)
    )
    return [_kept(row) for row in rows]


def newest(
    tx: Transaction, party: PartyId | None, before: int | None, limit: int
) -> Sequence[Kept]:
    rows = all_rows(
        tx,
        """select * from federation_evidence
           where (%(party)s::text is null or party = %(party)s)
             and (%(before)s::bigint is null or number < %(before)s)
           order by number desc limit %(limit)s""",
        {"party": party, "before": before, "limit": limit},
    )
    return [_kept(row) for row in rows]


def last_heard(tx: Transaction, lately: int) -> dict[PartyId, Instant]:
    rows = all_rows(
        tx,
        """select party, max(at) as at from federation_evidence
           where number > (select max(number) from federation_evidence) - %s
             and (direction, kind) in (('in', 'request'), ('out', 'answer'))
           group by party""",
        (lately,),
    )
    return {PartyId(row["party"]): row["at"] for row in rows}


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(
        row["number"],
        Message(
            direction=row["direction"],
            kind=row["kind"],
            party=PartyId(row["party"]),
            nonce=row["nonce"],
            method=row["method"],
            target=row["target"],
            status=row["status"],
            headers=row["headers"],
            body=bytes(row["body"]),
            kid=row["kid"],
            trace=TraceId(row["trace"]) if row["trace"] else None,
            at=row["at"],
        ),
    )
