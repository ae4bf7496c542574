"""What usage does unasked: collects each month that has ended, then closes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from hansa.federation import directory
from hansa.federation.contract import Seller
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import HoldingId, Ids, PartyId, PlanId, TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import (
    Done,
    Handlers,
    Inside,
    Outcome,
    Outside,
    Retry,
    Step,
    Task,
    Wait,
)
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.order.actions import ending
from hansa.lifecycle.usage.actions import months as actions
from hansa.lifecycle.usage.actions import trunks
from hansa.lifecycle.usage.model import CLOSE, COLLECT, UsageFile
from hansa.lifecycle.usage.rules import months as rules
from hansa.lifecycle.usage.store import months as store

Sellers = Callable[[PartyId], Seller]

ASK_AGAIN = timedelta(seconds=10)
"""How often a month asks whether all orders under way have been heard of."""

ASK_AT_MOST = timedelta(days=60)
CLOCKS_APART = timedelta(seconds=30)
"""How far a seller's clock may be behind ours."""


def run(tx: Transaction, *, us: PartyId, ids: Ids, now: Instant) -> int:
    """Opens the months that have ended, one plan each; returns how many plans it wrote.

    A month that a holding has joined since is collected once more for it.
    """
    opened = store.periods(tx)
    first = opened[0].start if opened else _begun(tx)
    if first is None:
        return 0
    written = 0
    for month in rules.months_due(first=first, opened=opened, now=now):
        if store.open_period(tx, month, now):
            _write(tx, month, actions.sources(tx, us=us, period=month), ids, now)
            written += 1
    for month in store.take_joined(tx):
        _write(tx, month, actions.missing(tx, us=us, period=month), ids, now)
        written += 1
    return written


def _begun(tx: Transaction) -> Instant | None:
    """Since when this node trades: a node that only shares revenue has months, but no holdings."""
    since = [partner.joined_at for partner in directory.partners(tx)]
    first = [inventory.earliest(tx), ending.first_charge(tx)]
    return min([*since, *(one for one in first if one is not None)], default=None)


def _write(
    tx: Transaction, month: Period, sources: Sequence[Holding], ids: Ids, now: Instant
) -> None:
    collect = [
        Step(
            id=ids.new(TaskId),
            kind=COLLECT,
            label=f"usage of {one.ref.id}",
            body={"seller": one.ref.seller, "holding": one.ref.id, "period": month.name},
        )
        for one in sources
    ]
    close = Step(
        id=ids.new(TaskId),
        kind=CLOSE,
        after=tuple(step.id for step in collect),
        label=f"close usage of {month.name}",
        body={"period": month.name},
    )
    plans.write(
        tx,
        plan_id=ids.new(PlanId),
        subject=f"usage/{month.name}",
        kind="usage",
        trace=ids.trace(),
        steps=[*collect, close],
        now=now,
    )


def handlers(
    *, us: PartyId, sellers: Sellers, folder: Path, late: timedelta = timedelta()
) -> Handlers:
    """The handlers of usage's tasks. folder: where usage files are kept. late: for how long a
    month stays open for what our own network's systems deliver after it, where there are any.
    """
    return {
        COLLECT: Outside(
            call=partial(_collect, sellers, folder),
            record=_record,
            retry=Retry(attempts=None),
        ),
        CLOSE: Inside(partial(_close, us, late)),
    }


def _collect(sellers: Sellers, folder: Path, task: Task, _now: Instant) -> Json:
    """Asks the seller and puts the answer on the disk, before the manifest names it."""
    holding, period = HoldingId(task.body["holding"]), Period.parse(task.body["period"])
    try:
        records = sellers(PartyId(task.body["seller"])).usage(holding_id=holding, period=period)
    except (Refused, NotFound) as refusal:
        raise HansaError(refusal.code, refusal.words, field=refusal.field) from refusal
    rules.check(records, holding=holding, period=period)
    sha256, path = store.keep(folder, period, rules.to_lines(records))
    return {"sha256": sha256, "path": path, "records": len(records)}


def _record(tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
    ref = HoldingRef(PartyId(task.body["seller"]), HoldingId(task.body["holding"]))
    file = UsageFile(
        holding=ref,
        period=Period.parse(task.body["period"]),
        sha256=answer["sha256"],
        records=answer["records"],
        path=answer["path"],
        learned_at=now,
        applied=True,
    )
    actions.enter(tx, file=file)
    return Done(answer)


def _close(us: PartyId, late: timedelta, tx: Transaction, task: Task, now: Instant) -> Outcome:
    """Closes the month, unless a holding has joined it since its plan was written.

    First it is known of everything that is on order whether it belongs to the month.
    """
    period = Period.parse(task.body["period"])
    if delivery.unheard(tx, since=period.end + CLOCKS_APART):
        return Wait(now + ASK_AGAIN, now + ASK_AT_MOST)
    if now < period.end + late and trunks.trunks(tx):
        return Wait(period.end + late, period.end + late + ASK_AT_MOST)
    joined = actions.missing(tx, us=us, period=period)
    if joined:
        store.note_joined(tx, period)
    else:
        actions.close(tx, period=period, now=now)
    return Done({"missing": [one.ref.id for one in joined]})
