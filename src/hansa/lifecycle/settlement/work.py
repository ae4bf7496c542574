"""What settlement does unasked: states drafts, compares what it hears, shares revenue."""

from __future__ import annotations

import logging

from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import StatementState
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import Ids
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.actions import disputes, statements
from hansa.lifecycle.settlement.model import Held

log = logging.getLogger(__name__)


def run(
    tx: Transaction, *, us: Party, keys: KeyRing, ids: Ids, auto_confirm: bool, now: Instant
) -> int:
    """One bounded turn of all that follows; returns how many things moved.

    What may post to the ledger comes last, as the ledger asks.
    """
    return (
        state_drafts(tx, us=us, keys=keys, ids=ids, now=now)
        + disputes.run(tx, us=us, keys=keys, ids=ids, now=now)
        + share_revenue(tx, us=us, keys=keys, ids=ids, now=now)
        + compare_heard(tx, us=us, keys=keys, ids=ids, now=now, auto_confirm=auto_confirm)
    )


def state_drafts(
    tx: Transaction, *, us: Party, keys: KeyRing, ids: Ids, now: Instant, limit: int = 20
) -> int:
    """Makes statements of partners' draft bills and sends them; returns how many."""
    made = [
        statements.issue(tx, us=us, bill=bill, keys=keys, ids=ids, now=now)
        for bill in statements.unstated(tx, us=us, limit=limit)
    ]
    return sum(one is not None for one in made)


def compare_heard(
    tx: Transaction,
    *,
    us: Party,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
    auto_confirm: bool,
    limit: int = 20,
) -> int:
    """Compares what partners have stated, once our own side is ready; returns how many.

    auto_confirm: what does not differ is confirmed at once; without it, and wherever
    something differs, a person decides. A statement that cannot be compared yet says why.
    A turn ends with the first share of revenue that it confirms, for that posts an invoice.
    """
    done = 0
    heard = statements.find(tx, direction="heard", states=[StatementState.ISSUED], compared=False)
    for held in sorted(heard, key=lambda one: one.statement.kind_of == "revenue-share"):
        if done == limit:
            break
        try:
            compared = statements.compare(tx, us=us, statement=held.id, now=now)
        except (TryLater, NotFound, Refused) as error:
            statements.put_off(tx, statement=held.id, why=_why(error))
            continue
        done += 1
        if compared.unresolved:
            _tell_of(compared)
        elif auto_confirm and compared.state is StatementState.ISSUED:
            statements.confirm_compared(tx, us=us, held=compared, keys=keys, ids=ids, now=now)
            if held.statement.kind_of == "revenue-share":
                break
    return done


def share_revenue(tx: Transaction, *, us: Party, keys: KeyRing, ids: Ids, now: Instant) -> int:
    """States its share to each beneficiary of a month that is all invoiced; returns how many."""
    made = 0
    for agreement, period in statements.unshared(tx, us=us):
        try:
            made += len(
                statements.share(
                    tx, us=us, agreement=agreement, period=period, keys=keys, ids=ids, now=now
                )
            )
        except NotFound as error:
            log.debug(
                "revenue not shared yet",
                extra={"agreement": agreement, "period": period.name, "reason": error.code},
            )
    return made


def _why(error: HansaError) -> str:
    return f"{error.code}: {error.words}"


def _tell_of(held: Held) -> None:
    log.warning(
        "statement differs",
        extra={
            "statement": held.id,
            "partner": held.statement.creditor,
            "lines": len(held.unresolved),
        },
    )
