"""The tables of plans and tasks, and every line of SQL about them.

Whoever changes a task locks its plan first, so two workers never move one plan at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hansa.foundation.database import Jsonb, all_rows, one_row, run, savepoint
from hansa.foundation.documents import Json
from hansa.foundation.ids import PlanId, TaskId, TraceId
from hansa.foundation.plan.model import Plan, PlanState, Step, Task, TaskState
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

CHANNEL = "hansa_work"
"""The NOTIFY channel on which a commit says that there is something to do."""

LEASE_LOCKS = 7210
"""The advisory-lock class under which each living worker holds its own number."""

_DUE = """state in ('ready', 'leased', 'waiting', 'undo-ready', 'undo-leased', 'undo-waiting')
          and run_at <= %(now)s"""

_TASK = """t.id, t.plan, p.subject, t.kind, t.undo, t.body, t.output, t.message, t.heard,
           t.attempt, t.failures, p.trace, t.state, t.label, t.error, t.run_at, t.wait_until,
           t.finished_at, p.turned_back"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task whose plan this transaction has locked, with what only the engine needs."""

    task: Task
    undo: str | None
    heard: int
    failures: int
    wait_until: Instant | None
    turned_back: bool

    @property
    def handler(self) -> str:
        return self.undo if self.task.undoing and self.undo else self.task.kind


def _task(row: dict[str, Any]) -> Task:
    state = TaskState(row["state"])
    return Task(
        id=TaskId(row["id"]),
        plan=PlanId(row["plan"]),
        subject=row["subject"],
        kind=row["kind"],
        body=row["body"],
        output=row["output"],
        message=row["message"],
        attempt=row["attempt"],
        trace=TraceId(row["trace"]),
        undoing=state.value.startswith("undo"),
        state=state,
        label=row["label"],
        error=row["error"],
        run_at=row["run_at"],
        finished_at=row["finished_at"],
    )


def _claimed(row: dict[str, Any]) -> Claimed:
    return Claimed(
        task=_task(row),
        undo=row["undo"],
        heard=row["heard"],
        failures=row["failures"],
        wait_until=row["wait_until"],
        turned_back=row["turned_back"],
    )


def insert(
    tx: Transaction,
    plan: PlanId,
    subject: str,
    kind: str,
    trace: TraceId,
    steps: Sequence[Step],
    now: Instant,
) -> None:
    run(
        tx,
        "insert into plan (id, subject, kind, state, trace, made_at) values (%s,%s,%s,%s,%s,%s)",
        (plan, subject, kind, PlanState.RUNNING, trace, now),
    )
    for position, step in enumerate(steps):
        ready = not step.after and not step.closing
        run(
            tx,
            """insert into plan_task (id, plan, position, kind, undo, label, closing, after,
                                      missing, state, body, run_at)
               values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
            (
                step.id,
                plan,
                position,
                step.kind,
                step.undo,
                step.label or step.kind,
                step.closing,
                list(step.after),
                len(step.after),
                TaskState.READY if ready else TaskState.PENDING,
                Jsonb(dict(step.body)),
                now if ready else None,
            ),
        )


def notify(tx: Transaction) -> None:
    """Wakes the workers of this node once the transaction commits."""
    run(tx, "select pg_notify(%s, '')", (CHANNEL,))


def lock(tx: Transaction, plan: PlanId) -> PlanState | None:
    row = one_row(tx, "select state from plan where id = %s for update", (plan,))
    return PlanState(row["state"]) if row else None


def lock_due_plan(tx: Transaction, now: Instant) -> PlanId | None:
    """Locks the plan whose task has been due longest and that nobody else holds."""
    row = one_row(
        tx,
        f"""select p.id from plan_task t join plan p on p.id = t.plan
            where {_DUE.replace("state in", "t.state in")}
            order by t.run_at limit 1 for update of p skip locked""",  # noqa: S608
        {"now": now},
    )
    return PlanId(row["id"]) if row else None


def due(tx: Transaction, plan: PlanId, now: Instant) -> Claimed | None:
    """The next due task of a plan that this transaction has locked."""
    row = one_row(
        tx,
        f"""select {_TASK} from plan_task t join plan p on p.id = t.plan
            where t.plan = %(plan)s and {_DUE.replace("state in", "t.state in")}
            order by t.run_at, t.position limit 1""",  # noqa: S608
        {"plan": plan, "now": now},
    )
    return _claimed(row) if row else None


def claimed(tx: Transaction, task: TaskId) -> Claimed | None:
    row = one_row(
        tx,
        f"select {_TASK} from plan_task t join plan p on p.id = t.plan where t.id = %s",  # noqa: S608
        (task,),
    )
    return _claimed(row) if row else None


def plan_of(tx: Transaction, task: TaskId) -> PlanId | None:
    row = one_row(tx, "select plan from plan_task where id = %s", (task,))
    return PlanId(row["plan"]) if row else None


def move(
    tx: Transaction,
    task: TaskId,
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
    run(
        tx,
        """update plan_task set state = %s, run_at = %s, output = coalesce(%s, output), error = %s,
                  wait_until = %s, failures = %s, finished_at = %s, lease_owner = null
           where id = %s""",
        (
            state,
            run_at,
            None if output is None else Jsonb(output),
            error,
            wait_until,
            failures,
            finished_at,
            task,
        ),
    )


def lease(tx: Transaction, task: TaskId, state: TaskState, until: Instant, owner: int) -> int:
    """Leases a task to a worker; returns the attempt that fences its answer."""
    row = one_row(
        tx,
        """update plan_task set state = %s, run_at = %s, lease_owner = %s, attempt = attempt + 1
           where id = %s returning attempt""",
        (state, until, owner, task),
    )
    assert row is not None
    return int(row["attempt"])


def release_successors(tx: Transaction, plan: PlanId, task: TaskId, now: Instant) -> None:
    run(
        tx,
        """update plan_task set missing = missing - 1,
                  state = case when missing = 1 and state = 'pending' then 'ready' else state end,
                  run_at = case when missing = 1 and state = 'pending' then %s else run_at end
           where plan = %s and %s = any(after)""",
        (now, plan, task),
    )


def turn_back(tx: Transaction, plan: PlanId) -> None:
    """What has not begun is skipped; what has begun and can be undone waits for its turn."""
    run(tx, "update plan set turned_back = true where id = %s", (plan,))
    run(
        tx,
        """update plan_task set run_at = null, state = case
               when state = 'pending' or state = 'ready' and attempt = 0 then 'skipped'
               when undo is null then case when state = 'done' then 'done' else 'skipped' end
               else 'undo-pending' end
           where plan = %s and not closing
             and state in ('pending', 'ready', 'waiting', 'done', 'held')""",
        (plan,),
    )


def is_turned_back(tx: Transaction, plan: PlanId) -> bool:
    row = one_row(tx, "select turned_back from plan where id = %s", (plan,))
    return row is not None and row["turned_back"]


def release_undo(tx: Transaction, plan: PlanId, now: Instant) -> None:
    """A task may be undone once nothing that came after it still stands."""
    run(
        tx,
        """update plan_task t set state = 'undo-ready', run_at = %s, failures = 0
           where t.plan = %s and t.state = 'undo-pending' and not exists (
               select 1 from plan_task later where later.plan = t.plan and t.id = any(later.after)
               and (later.state like 'undo-%%' or later.state = 'leased'))""",
        (now, plan),
    )


def open_tasks(tx: Transaction, plan: PlanId) -> dict[str, int]:
    """How many tasks, closing ones apart, are in each state; `closing` counts those to come."""
    rows = all_rows(
        tx,
        """select case when closing then 'closing' else state end as state, count(*) as n
           from plan_task where plan = %s
             and not (closing and state in ('done', 'skipped')) group by 1""",
        (plan,),
    )
    return {row["state"]: row["n"] for row in rows}


def start_closing(tx: Transaction, plan: PlanId, now: Instant) -> None:
    run(
        tx,
        """update plan_task set state = 'ready', run_at = %s
           where plan = %s and closing and state = 'pending'""",
        (now, plan),
    )


def skip_closing(tx: Transaction, plan: PlanId) -> None:
    run(
        tx,
        "update plan_task set state = 'skipped' where plan = %s and closing",
        (plan,),
    )


def set_plan(tx: Transaction, plan: PlanId, state: PlanState, ended_at: Instant | None) -> None:
    run(
        tx,
        "update plan set state = %s, ended_at = %s where id = %s",
        (state, ended_at, plan),
    )


def hear(tx: Transaction, task: TaskId, message: Json, now: Instant) -> None:
    run(
        tx,
        """update plan_task set message = %s, heard = heard + 1,
                  state = case state when 'waiting' then 'ready'
                                     when 'undo-waiting' then 'undo-ready' else state end,
                  run_at = case when state in ('waiting', 'undo-waiting') then %s else run_at end
           where id = %s""",
        (Jsonb(message), now, task),
    )


def set_body(tx: Transaction, task: TaskId, body: Json) -> None:
    run(tx, "update plan_task set body = %s where id = %s", (Jsonb(body), task))


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
    run(
        tx,
        """insert into plan_intervention (plan, task, act, by_whom, why, before, at)
           values (%s,%s,%s,%s,%s,%s,%s)""",
        (plan, task, act, by, why, None if before is None else Jsonb(before), now),
    )


def free_dead_leases(tx: Transaction, now: Instant) -> int:
    """Makes due at once every leased task whose worker is gone; returns how many."""
    return run(
        tx,
        """update plan_task set run_at = %s
           where state in ('leased', 'undo-leased') and run_at > %s and lease_owner not in (
               select objid::integer from pg_locks
               where locktype = 'advisory' and classid = %s and granted)""",
        (now, now, LEASE_LOCKS),
    )


def plans(tx: Transaction, where: str, params: Sequence[Any]) -> Iterator[Plan]:
    """Plans with their tasks; `where` is one of this module's callers' fixed conditions."""
    for row in all_rows(tx, f"select * from plan where {where} order by made_at", params):  # noqa: S608
        tasks = all_rows(
            tx,
            f"""select {_TASK} from plan_task t join plan p on p.id = t.plan
                where t.plan = %s order by t.position""",  # noqa: S608
            (row["id"],),
        )
        yield Plan(
            id=PlanId(row["id"]),
            subject=row["subject"],
            kind=row["kind"],
            state=PlanState(row["state"]),
            trace=TraceId(row["trace"]),
            tasks=tuple(_task(task) for task in tasks),
        )


@contextmanager
def attempt(tx: Transaction) -> Iterator[None]:
    """A savepoint: what the block wrote is rolled back when it raises."""
    with savepoint(tx):
        yield


def counts(tx: Transaction) -> dict[str, int]:
    rows = all_rows(
        tx,
        """select t.state, count(*) as n from plan_task t join plan p on p.id = t.plan
           where p.ended_at is null group by t.state""",
    )
    return {row["state"]: row["n"] for row in rows}


def next_due(tx: Transaction) -> Instant | None:
    row = one_row(
        tx,
        """select min(run_at) as at from plan_task
           where state in ('ready', 'leased', 'waiting', 'undo-ready', 'undo-leased',
                           'undo-waiting')""",
    )
    return row["at"] if row else None
