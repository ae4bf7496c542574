"""What rating does unasked: rates each month whose usage is all in, its events first."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

from hansa.foundation.documents import Json
from hansa.foundation.extras import need
from hansa.foundation.ids import Ids, PartyId, PlanId, TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Done, Handlers, Outcome, Outside, Retry, Step, Task
from hansa.foundation.time import Clock, Instant, Period
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.rating.actions import measuring
from hansa.lifecycle.rating.actions import months as actions
from hansa.lifecycle.rating.model.events import RATE_EVENTS
from hansa.lifecycle.usage.actions import months as usage

MONTHS_BACK = 3
"""Late events are looked for in so many of the months that were rated last."""

LEASE = timedelta(hours=6)
"""The longest that a month's events may take to be rated; a worker that dies is noticed at once."""


def run(
    tx: Transaction, *, us: PartyId, ids: Ids, now: Instant, folder: Path, limit: int = 50
) -> int:
    """Rates at most `limit` holdings of the first month that is closed and not rated; has events
    rated before, and later ones after.

    Returns how many things it did, 0 when there was nothing. folder: where usage files are.
    """
    rated = actions.rated_periods(tx)
    for period in usage.closed_periods(tx):
        if period in rated:
            continue
        if not actions.events_wanted(tx, us=us, period=period):
            return _rated(tx, us=us, period=period, folder=folder, now=now, limit=limit)
        if actions.events_done(tx, period=period):
            return _rated(tx, us=us, period=period, folder=folder, now=now, limit=limit)
        return int(_begin(tx, period, "", ids, now))
    return sum(
        _begin(tx, period, f"/{late}", ids, now)
        for period in rated[-MONTHS_BACK:]
        for late in actions.late_deliveries(tx, period=period)[-1:]
    )


def _rated(
    tx: Transaction, *, us: PartyId, period: Period, folder: Path, now: Instant, limit: int
) -> int:
    left = actions.to_rate(tx, us=us, period=period)
    for holding in left[:limit]:
        actions.rate(tx, us=us, holding=holding, period=period, folder=folder, now=now)
    if len(left) <= limit:
        actions.close(tx, period=period, now=now)
    return len(left[:limit]) + 1


def _begin(tx: Transaction, period: Period, which: str, ids: Ids, now: Instant) -> bool:
    """Writes the plan that rates a month's events, once for each late delivery too."""
    subject = f"rating/{period.name}{which}"
    if plans.of_subject(tx, subject=subject) is not None:
        return False
    step = Step(
        id=ids.new(TaskId),
        kind=RATE_EVENTS,
        label=f"rate the events of {period.name}",
        body={"period": period.name, "late": which},
    )
    plans.write(
        tx,
        plan_id=ids.new(PlanId),
        subject=subject,
        kind="rating",
        trace=ids.trace(),
        steps=[step],
        now=now,
    )
    return True


def handlers(*, us: PartyId, begin: Begin, folder: Path, clock: Clock) -> Handlers:
    """The handlers of rating's tasks. folder: the node's."""
    return {
        RATE_EVENTS: Outside(
            call=partial(_rate_events, us, begin, folder, clock),
            record=partial(_record, us, folder),
            retry=Retry(attempts=None),
            lease=LEASE,
        )
    }


def _rate_events(
    us: PartyId, begin: Begin, folder: Path, clock: Clock, task: Task, _now: Instant
) -> Json:
    """Rates what is not rated yet: to be interrupted and called again at any moment."""
    month = Period.parse(task.body["period"])
    measured = measuring.run(begin, us=us, month=month, folder=folder, clock=clock)
    told = {"measured": measured.events, "charged": measured.charged}
    with begin() as tx:
        if not actions.calls_wanted(tx, us=us, period=month):
            return told
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import lines, runs

    done = runs.run(begin, us=us, month=month, folder=folder, clock=clock)
    with begin() as tx:  # added up here, so that nobody who rates a holding waits for it
        lines.merged_file(tx, month=month, folder=folder)
    return {"book": done.book, "events": done.events, "no_price": done.no_price, **told}


def _record(
    us: PartyId, folder: Path, tx: Transaction, task: Task, answer: Json, now: Instant
) -> Outcome:
    month = Period.parse(task.body["period"])
    if task.body["late"]:
        from hansa.lifecycle.rating.actions import adjusting

        adjusting.adjust(tx, us=us, month=month, folder=folder, why="late usage", now=now)
    else:
        actions.note_events(tx, period=month, now=now)
    return Done(answer)
