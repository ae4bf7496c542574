"""How a new key of ours travels: every partner is told of the new card, then the key is used.

The ring is changed by `hansa keys rotate`; what follows is worked out from how it stands, so
that it goes on after any death. A partner hears of it by a notice that is signed with a key it
knows. Until it has answered, what we send it is signed with that key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hansa.federation import directory, notices, store
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Distant, Notice
from hansa.federation.model import Dialect
from hansa.federation.papers import CardRenewed
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import Ids, PartyId, TraceId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def run(
    tx: Transaction,
    *,
    us: Party,
    at: tuple[str, Dialect],
    ring: KeyRing,
    ids: Ids,
    now: Instant,
) -> int:
    """Tells partners of a new edition of our card, and puts its keys to use when all have heard.

    at: our address and the dialect that is spoken to us there. Returns how many were told.
    """
    address, dialect = at
    newest = ring.generations()[-1]
    if newest.edition == 1:
        return 0
    told = store.untold(tx, newest.edition, before=newest.made_at)
    if told:
        card = directory.invite(ring, party=us, address=address, now=now, dialect=dialect)
        for party in told:
            store.tell(tx, party, newest.edition)
            notices.send(
                tx, ids=ids, to=party, notice=CardRenewed(card), trace=ids.trace(), now=now
            )
    elif newest.used_from > now and not store.deaf(tx, newest.edition):
        ring.take_over(newest.edition, now=now)
    return len(told)


class Renewing:
    """A listener that may have heard of our newest card although its answer was lost.

    party: whose it is. known: spoken to with keys that it has answered to know. renewed: with
    our newest ones. ready: whether it knows the key that signs our papers now.
    """

    def __init__(
        self, party: PartyId, known: Distant, renewed: Callable[[], Distant], *, ready: bool
    ) -> None:
        self._party = party
        self._known = known
        self._renewed = renewed
        self._ready = ready

    def hear(self, notice: Notice, *, trace_id: TraceId | None = None) -> None:
        """Raises TryLater `card-not-heard` for what our new card has to come before."""
        if not self._ready and not isinstance(notice, CardRenewed):
            raise TryLater(
                "card-not-heard",
                f"{self._party} has not answered to our new card yet, and would take no paper "
                "that is signed with the key on it. It is told of the card first.",
            )
        try:
            self._known.hear(notice, trace_id=trace_id)
        except TryLater:
            if not isinstance(notice, CardRenewed):
                raise
            self._renewed().hear(notice, trace_id=trace_id)


def waiting(tx: Transaction, *, ring: KeyRing) -> Sequence[PartyId]:
    """The partners that have not heard of our newest card yet."""
    return store.deaf(tx, ring.edition) if ring.edition > 1 else []
