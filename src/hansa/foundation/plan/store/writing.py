"""How plans and tasks are changed; whoever calls this has locked the plan (see reading)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hansa.foundation.database import Jsonb, is_workers, one_row, run, savepoint, send
from hansa.foundation.documents import Json
from hansa.foundation.ids import PartyId, PlanId, TaskId, TraceId
from hansa.foundation.plan.model import CHANNEL, LEASE_LOCKS, PlanState, Step, Task, TaskState
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def insert(
    tx: Transaction,
    plan: PlanId,
    subject: str,
    kind: str,
    trace: TraceId,
    steps: Sequence[Step],
    now: Instant,
) -> None:
    """Writes a plan and all its tasks in one statement."""
    rows = [
        {
            "id": step.id,
            "position": position,
            "kind": step.kind,
            "undo": step.undo,
            "label": step.label or step.kind,
            "closing": step.closing,
            "after": list(step.after),
            "body": dict(step.body),
            "ready": not step.after and not step.closing,
        }
        for position, step in enumerate(steps)
    ]
    send(
        tx,
        """with made as (
               insert into plan (id, subject, kind, state, trace, made_at)
               values (%(plan)s, %(subject)s, %(kind)s, 'running', %(trace)s, %(now)s))
           insert into plan_task (id, plan, position, kind, undo, label, closing, after, missing,
                                  body, state, run_at)
           select id, %(plan)s, position, kind, undo, label, closing, after, cardinality(after),
                  body, case when ready then 'ready' else 'pending' end,
                  case when ready then %(now)s::timestamptz end
           from jsonb_to_recordset(%(rows)s) as step (id text, position integer, kind text,
               undo text, label text, closing boolean, after text[], body jsonb, ready boolean)""",
        {
            "plan": plan,
            "subject": subject,
            "kind": kind,
            "trace": trace,
            "now": now,
            "rows": Jsonb(rows),
        },
    )


def notify(tx: Transaction, what: str = "") -> None:
    """Wakes the workers of this node once the transaction commits.

    A worker that has made a task due looks for it itself; others hear of it by their timers.
    """
    if what or not is_workers(tx):
        send(tx, "select pg_notify(%s, %s)", (CHANNEL, what))


# --- one task moves -------------------------------------------------------------------------------


def move(
    tx: Transaction,
    task: Task,
    state: TaskState,
    *,
    run_at: Instant | None = None,
    output: Json = None,
    error: str = "",
    wait_until: Instant | None = None,
    failures: int = 0,
    finished_at: Instant | None = None,
) -> None:
    """Puts a task into a state; output None keeps what is recorded."""
    send(
        tx,
        """update plan_task set state = %s, run_at = %s, output = coalesce(%s, output), error = %s,
                  wait_until = %s, failures = %s, finished_at = %s, lease_owner = null,
                  attempt = %s
           where id = %s""",
        (
            state,
            run_at,
            None if output is None else Jsonb(output),
            error,
            wait_until,
            failures,
            finished_at,
            task.attempt,
            task.id,
        ),
    )


def finish(tx: Transaction, task: Task, output: Json, now: Instant) -> None:
    """Marks a task done; those that had only it to wait for are ready."""
    send(
        tx,
        """with done as (
               update plan_task set state = 'done', run_at = null, error = '', wait_until = null,
                      output = coalesce(%(output)s, output), failures = 0, lease_owner = null,
                      finished_at = %(now)s, attempt = %(attempt)s
               where id = %(task)s)
           update plan_task set missing = missing - 1,
                  state = case when missing = 1 and state = 'pending' then 'ready' else state end,
                  run_at = case when missing = 1 and state = 'pending'
                                then %(now)s::timestamptz else run_at end
           where plan = %(plan)s and %(task)s = any(after)""",
        {
            "task": task.id,
            "plan": task.plan,
            "output": None if output is None else Jsonb(output),
            "now": now,
            "attempt": task.attempt,
        },
    )


def lease(
    tx: Transaction,
    task: Task,
    state: TaskState,
    *,
    until: Instant,
    owner: int,
    failures: int,
    now: Instant,
) -> None:
    """Leases a task to a worker; its attempt, which is the next, fences the answer.

    Other workers are woken when another task of the plan is due as well.
    """
    send(
        tx,
        """with leased as (
               update plan_task set state = %(state)s, run_at = %(until)s, lease_owner = %(owner)s,
                      failures = %(failures)s, attempt = %(attempt)s
               where id = %(task)s)
           select pg_notify(%(channel)s, '') from (
               select from plan_task
               where plan = %(plan)s and id <> %(task)s and run_at <= %(now)s
               limit 1) as more""",
        {
            "state": state,
            "until": until,
            "owner": owner,
            "failures": failures,
            "attempt": task.attempt + 1,
            "task": task.id,
            "plan": task.plan,
            "channel": CHANNEL,
            "now": now,
        },
    )


def wake(tx: Transaction, task: TaskId, message: Json, now: Instant) -> bool:
    """Locks a task's plan and keeps a message for it; see `plan_wake` in the schema."""
    row = one_row(tx, "select plan_wake(%s, %s, %s) as woken", (task, Jsonb(message), now))
    return row is not None and bool(row["woken"])


def told(tx: Transaction, task: TaskId, seller: PartyId, message: Json, now: Instant) -> bool:
    """As `wake`, of a task that asks this seller; False if none does."""
    row = one_row(
        tx,
        "select plan_told(%s, %s, %s, %s) as heard",
        (task, seller, Jsonb(message), now),
    )
    return row is not None and bool(row["heard"])


def set_body(tx: Transaction, task: TaskId, body: Json) -> None:
    send(tx, "update plan_task set body = %s where id = %s", (Jsonb(body), task))


# --- the plan moves -------------------------------------------------------------------------------


def set_plan(tx: Transaction, plan: PlanId, state: PlanState) -> None:
    send(tx, "update plan set state = %s where id = %s", (state, plan))


def end_plan(tx: Transaction, plan: PlanId, state: PlanState, now: Instant) -> None:
    """Ends a plan; closing tasks that did not run never will."""
    send(
        tx,
        """with skipped as (
               update plan_task set state = 'skipped'
               where plan = %(plan)s and closing and state = 'pending')
           update plan set state = %(state)s, ended_at = %(now)s where id = %(plan)s""",
        {"plan": plan, "state": state, "now": now},
    )


def turn_back(tx: Transaction, plan: PlanId) -> None:
    """What has not begun is skipped; what has begun and can be undone waits for its turn.

    A leased task stays as it is: whoever holds its lease, or takes it over, joins it later.
    """
    send(
        tx,
        """with turned as (
               update plan set state = 'undoing', turned_back = true where id = %(plan)s)
           update plan_task set run_at = null, wait_until = null, message = null, failures = 0,
                  state = case
                      when state = 'done' and undo is null then 'done'
                      when state = 'pending' or attempt = 0 or undo is null then 'skipped'
                      else 'undo-pending' end
           where plan = %(plan)s and not closing
             and state in ('pending', 'ready', 'waiting', 'done', 'held')""",
        {"plan": plan},
    )


def join_way_back(tx: Transaction, task: Task, *, done: bool, output: Json, now: Instant) -> None:
    """A task that was still being done when its plan was turned back waits to be undone."""
    send(
        tx,
        """update plan_task set run_at = null, wait_until = null, message = null, failures = 0,
                  error = '', lease_owner = null, output = coalesce(%(output)s, output),
                  finished_at = case when %(done)s then %(now)s::timestamptz end,
                  state = case when undo is not null then 'undo-pending'
                               when %(done)s then 'done' else 'skipped' end
           where id = %(task)s""",
        {
            "task": task.id,
            "output": None if output is None else Jsonb(output),
            "done": done,
            "now": now,
        },
    )


def release_undo(tx: Transaction, plan: PlanId, now: Instant) -> None:
    """A task may be undone once nothing that came after it, however far, still stands."""
    send(
        tx,
        """with recursive later (first, id) as (
               select b.id, a.id from plan_task b join plan_task a
                 on a.plan = b.plan and b.id = any(a.after)
               where b.plan = %(plan)s and b.state = 'undo-pending'
               union
               select l.first, a.id from later l join plan_task a
                 on a.plan = %(plan)s and l.id = any(a.after))
           update plan_task t set state = 'undo-ready', run_at = %(now)s
           where t.plan = %(plan)s and t.state = 'undo-pending' and not exists (
               select from later l join plan_task a on a.id = l.id
               where l.first = t.id and (a.state like 'undo-%%' or a.state = 'leased'))""",
        {"plan": plan, "now": now},
    )


def start_closing(tx: Transaction, plan: PlanId, now: Instant) -> int:
    """Sets the closing tasks going that wait for no other; returns how many."""
    return run(
        tx,
        """update plan_task set state = 'ready', run_at = %s
           where plan = %s and closing and state = 'pending' and missing = 0""",
        (now, plan),
    )


# --- workers and people ---------------------------------------------------------------------------


def free_dead_leases(tx: Transaction, now: Instant) -> int:
    """Makes due at once every leased task whose worker is gone; returns how many.

    Plans that somebody has locked are passed over: they are being seen to.
    """
    return run(
        tx,
        """with dead as (
               select id, plan from plan_task
               where state in ('leased', 'undo-leased') and run_at > %(now)s
                 and lease_owner not in (
                     select objid::bigint from pg_locks
                     where locktype = 'advisory' and classid = %(class)s and objsubid = 2
                       and granted and database = (
                           select oid from pg_database where datname = current_database()))),
           locked as (
               select id from plan where id in (select plan from dead)
               order by id for update skip locked)
           update plan_task t set run_at = %(now)s from dead, locked
           where t.id = dead.id and dead.plan = locked.id
             and t.state in ('leased', 'undo-leased')""",
        {"now": now, "class": LEASE_LOCKS},
    )


def note_intervention(
    tx: Transaction,
    plan: PlanId,
    task: TaskId | None,
    act: str,
    by: str,
    why: str,
    before: Json,
    now: Instant,
) -> None:
    send(
        tx,
        """insert into plan_intervention (plan, task, act, by_whom, why, before, at)
           values (%s,%s,%s,%s,%s,%s,%s)""",
        (plan, task, act, by, why, None if before is None else Jsonb(before), now),
    )


@contextmanager
def tentative(tx: Transaction) -> Iterator[None]:
    """A savepoint: what the block wrote is rolled back when it raises."""
    with savepoint(tx):
        yield
