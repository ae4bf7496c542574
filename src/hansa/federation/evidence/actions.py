"""What may be asked or done about evidence."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from hansa.federation import directory
from hansa.federation.evidence import store
from hansa.federation.evidence.model import (
    FILE_VERSION,
    File,
    FiledKey,
    FiledMessage,
    Kept,
    Message,
)
from hansa.federation.keys.ring import KeyRing
from hansa.federation.mandate import Mandate
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import OrderId, PartyId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

EXPIRED_A_TURN = 1000

LATELY = 20_000
"""So many messages are looked through for who was heard lately."""

KEPT = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""The methods of requests that are kept, with their answers; what only asks is not."""


def enter(
    tx: Transaction, *, party: PartyId, nonce: str, until: Instant, message: Message | None
) -> bool:
    """Uses up the nonce of a partner's request and keeps the request, in one statement.

    It is on the disk as soon as anything is that is committed after it, so a request that had an
    effect is evidence even if we die before it is answered. False when the nonce was used.
    """
    return store.enter(tx, party, nonce, until, message)


def keep(tx: Transaction, *, messages: Sequence[Message]) -> None:
    """Keeps messages that have been looked at, or made by us."""
    store.add(tx, messages)


def expire(tx: Transaction, *, now: Instant) -> int:
    """Forgets nonces whose requests would be late by now: a bounded number; returns how many."""
    return store.expire(tx, now, EXPIRED_A_TURN)


def of_trace(tx: Transaction, *, trace: TraceId) -> Sequence[Kept]:
    """All messages of one order, here, in the order in which they were kept."""
    return store.of_trace(tx, trace)


def newest(
    tx: Transaction,
    *,
    party: PartyId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Kept]:
    """The newest messages, the newest first; before: only those with a smaller number."""
    return store.newest(tx, party, before, limit)


def last_heard(tx: Transaction) -> Mapping[PartyId, Instant]:
    """When each party last sent us something signed, a request or an answer.

    Looked for among the newest LATELY messages only; who is not in it was silent in those.
    """
    return store.last_heard(tx, LATELY)


def file_of(
    tx: Transaction,
    *,
    us: PartyId,
    ring: KeyRing,
    order: OrderId,
    trace: TraceId,
    mandate: Mandate | None,
    now: Instant,
) -> File:
    """All that this node can show about an order: what was said, and the keys to prove it by."""
    kept = [one.message for one in store.of_trace(tx, trace)]
    parties = {one.party for one in kept}
    parties |= {link.party for link in mandate.links} if mandate else set()
    theirs = [key for party in sorted(parties) for key in _keys(tx, party)]
    ours = [
        FiledKey(us, one.id, ring.key(one).public, one.used_from, one.valid_to, None)
        for one in ring.generations("signing")
    ]
    return File(
        version=FILE_VERSION,
        node=us,
        order=order,
        trace=trace,
        exported_at=now,
        keys=(*ours, *theirs),
        messages=tuple(_filed(one) for one in kept),
        mandate=mandate,
    )


def _keys(tx: Transaction, party: PartyId) -> Iterator[FiledKey]:
    """The keys of a partner; none of a party further away, for which its neighbour vouches."""
    try:
        known = directory.partner(tx, party=party)
    except NotFound:
        return
    for key in known.keys:
        ended = [end for end in (key.revoked_at, known.revoked_at) if end is not None]
        yield FiledKey(
            party,
            key.kid,
            key.public_key,
            key.valid_from,
            key.valid_to,
            min(ended, default=None),
        )


def _filed(one: Message) -> FiledMessage:
    return FiledMessage(
        direction=one.direction,
        kind=one.kind,
        party=one.party,
        nonce=one.nonce,
        method=one.method,
        target=one.target,
        status=one.status,
        headers=one.headers,
        body=b64encode(one.body).decode(),
        at=one.at,
    )
