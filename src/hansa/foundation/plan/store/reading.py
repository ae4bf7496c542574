"""Plans and tasks as they stand, and the lock that whoever changes one takes first.

The plan is always locked before a task of it is read to be changed, so that two workers never
move one plan at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.foundation.database import all_rows, one_row, send
from hansa.foundation.ids import PlanId, TaskId, TraceId
from hansa.foundation.plan.model import Backlog, Intervention, Plan, PlanState, Task, TaskState
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_TASK = """select t.id, t.plan, p.subject, t.kind, t.undo, t.body, t.output, t.message, t.heard,
                  t.attempt, t.failures, p.trace, t.state, t.label, t.error, t.run_at,
                  t.wait_until, t.finished_at, t.closing, p.turned_back, p.kind as plan_kind,
                  p.state as plan_state, p.made_at
           from plan_task t join plan p on p.id = t.plan"""


_STEP = """
    select p.id as plan_id, p.subject, p.trace, p.state as plan_state, p.turned_back, t.*,
           exists (select from plan_task o where o.run_at <= %(now)s and o.id <> t.id) as more,
           case when t.id is null then (
               select array_agg(distinct s.state) from plan_task s
               where s.plan = p.id and not s.closing) end as states,
           case when t.id is null then (
               select array_agg(distinct s.state) from plan_task s
               where s.plan = p.id and s.closing) end as closing_states,
           case when p.id is null then (
               select min(s.run_at) from plan_task s where s.run_at > %(now)s) end as next_at
    from (select) one left join plan p on p.id = {0} left join lateral (
        select * from plan_task d where d.plan = p.id and d.run_at <= %(now)s
        order by d.run_at, d.position limit 1) t on true"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task whose plan this transaction has locked, with what only the engine needs.

    late: the plan was turned back while this task was still on its way forward.
    """

    task: Task
    undo: str | None
    heard: int
    failures: int
    wait_until: Instant | None
    closing: bool
    turned_back: bool

    @property
    def handler(self) -> str:
        return self.undo if self.task.undoing and self.undo else self.task.kind

    @property
    def late(self) -> bool:
        return self.turned_back and not self.closing and not self.task.undoing


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a plan stands: the states in which its tasks are, closing ones apart."""

    state: PlanState
    turned_back: bool
    tasks: frozenset[TaskState]
    closing: frozenset[TaskState]


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next of a plan that this transaction has locked.

    task: what is due now. standing: only when nothing is. more: another task, of whatever plan,
    is due as well.
    """

    plan: PlanId
    task: Claimed | None
    standing: Standing | None
    more: bool


def _task(row: Mapping[str, Any]) -> Task:
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


def _step(row: Mapping[str, Any]) -> Step:
    standing = None
    if row["id"] is None:
        standing = Standing(
            state=PlanState(row["plan_state"]),
            turned_back=row["turned_back"],
            tasks=frozenset(map(TaskState, row["states"] or ())),
            closing=frozenset(map(TaskState, row["closing_states"] or ())),
        )
    return Step(
        plan=PlanId(row["plan_id"]),
        task=_claimed(row) if standing is None else None,
        standing=standing,
        more=row["more"],
    )


def _claimed(row: Mapping[str, Any]) -> Claimed:
    return Claimed(
        task=_task(row),
        undo=row["undo"],
        heard=row["heard"],
        failures=row["failures"],
        wait_until=row["wait_until"],
        closing=row["closing"],
        turned_back=row["turned_back"],
    )


# --- locks: always the plan first -----------------------------------------------------------------


def lock(tx: Transaction, plan: PlanId) -> bool:
    """Locks a plan; False when there is no such plan."""
    return one_row(tx, "select 1 from plan where id = %s for update", (plan,)) is not None


def lock_plan_of(tx: Transaction, task: TaskId) -> PlanId | None:
    row = one_row(
        tx,
        "select id from plan where id = (select plan from plan_task where id = %s) for update",
        (task,),
    )
    return PlanId(row["id"]) if row else None


def lock_due(tx: Transaction, now: Instant) -> Step | Instant | None:
    """Locks the plan whose task has been due longest and that nobody else holds, and reads it.

    When there is none: the moment at which the next task is due, if any is.
    """
    # Two statements, for the second has to see what was committed before the lock was given;
    # but one round trip, for the database itself remembers from one to the other which it was.
    send(
        tx,
        """select set_config('hansa.plan', coalesce((
               select p.id from plan_task t join plan p on p.id = t.plan where t.run_at <= %s
               order by t.run_at limit 1 for update of p skip locked), ''), true)""",
        (now,),
    )
    row = one_row(
        tx,
        _STEP.format("(select current_setting('hansa.plan'))"),
        {"now": now},
    )
    assert row is not None
    return row["next_at"] if row["plan_id"] is None else _step(row)


def next_step(tx: Transaction, plan: PlanId, now: Instant) -> Step:
    """What comes next of a plan that this transaction has locked."""
    row = one_row(tx, _STEP.format("%(plan)s"), {"plan": plan, "now": now})
    assert row is not None
    return _step(row)


def reclaim(tx: Transaction, plan: PlanId, task: TaskId) -> Claimed | None:
    """Locks the plan, then reads the task as it stands."""
    send(tx, "select from plan where id = %s for update", (plan,))
    return claimed(tx, task)


# --- reading --------------------------------------------------------------------------------------


def claimed(tx: Transaction, task: TaskId) -> Claimed | None:
    row = one_row(tx, _TASK + " where t.id = %s", (task,))
    return _claimed(row) if row else None


def standing(tx: Transaction, plan: PlanId) -> Standing:
    rows = all_rows(
        tx,
        """select distinct p.state as plan_state, p.turned_back, t.state, t.closing
           from plan p join plan_task t on t.plan = p.id where p.id = %s""",
        (plan,),
    )
    return Standing(
        state=PlanState(rows[0]["plan_state"]),
        turned_back=rows[0]["turned_back"],
        tasks=frozenset(TaskState(row["state"]) for row in rows if not row["closing"]),
        closing=frozenset(TaskState(row["state"]) for row in rows if row["closing"]),
    )


def of_subject(tx: Transaction, subject: str) -> Plan | None:
    """The newest plan about this subject."""
    newest = "(select id from plan where subject = %s order by made_at desc, id desc limit 1)"
    rows = all_rows(tx, f"{_TASK} where t.plan = {newest} order by t.position", (subject,))
    return next(iter(_plans(rows)), None)


def of_task(tx: Transaction, task: TaskId) -> Plan | None:
    its = "(select plan from plan_task where id = %s)"
    rows = all_rows(tx, f"{_TASK} where t.plan = {its} order by t.position", (task,))
    return next(iter(_plans(rows)), None)


_SOME_IN_STATE = """select id from plan where state = %s and kind <> all(%s)
                    order by made_at, id offset %s limit %s"""


def in_state(
    tx: Transaction, state: PlanState, besides: Collection[str], offset: int, limit: int | None
) -> list[Plan]:
    """Plans in a state but those of these kinds, the oldest first."""
    return _plans(
        all_rows(
            tx,
            f"{_TASK} where t.plan in ({_SOME_IN_STATE}) order by p.made_at, p.id, t.position",
            (state, list(besides), offset, limit),
        )
    )


def in_state_count(tx: Transaction, state: PlanState, besides: Collection[str]) -> int:
    row = one_row(
        tx,
        "select count(*) as n from plan where state = %s and kind <> all(%s)",
        (state, list(besides)),
    )
    return int(row["n"]) if row else 0


def held_subjects(tx: Transaction, kinds: Collection[str], limit: int) -> list[str]:
    rows = all_rows(
        tx,
        """select subject from plan where state = 'held' and kind = any(%s)
           order by made_at limit %s""",
        (list(kinds), limit),
    )
    return [row["subject"] for row in rows]


def began(tx: Transaction, plan: PlanId) -> dict[TaskId, Instant]:
    """Since when each task of a plan that was reached could be done."""
    rows = all_rows(
        tx,
        """select t.id, greatest(p.made_at, (select max(d.finished_at) from plan_task d
                                             where d.id = any(t.after))) as since
           from plan_task t join plan p on p.id = t.plan
           where p.id = %s and t.missing = 0""",
        (plan,),
    )
    return {TaskId(row["id"]): row["since"] for row in rows}


def stamps(tx: Transaction, subjects: Collection[str]) -> dict[str, str]:
    rows = all_rows(
        tx,
        """select p.subject, md5(string_agg(concat_ws('/', p.state, t.state, t.attempt, t.error,
                      t.heard, t.output, t.body), ' ' order by p.id, t.position)) as stamp
           from plan p join plan_task t on t.plan = p.id
           where p.subject = any(%s) group by p.subject""",
        (list(subjects),),
    )
    return {row["subject"]: row["stamp"] for row in rows}


def unended(tx: Transaction, kind: str) -> list[Plan]:
    """Every plan of a kind that has not ended, the oldest first."""
    sql = (
        _TASK
        + """ where p.ended_at is null and p.kind = %s
                      order by p.made_at, p.id, t.position"""
    )
    return _plans(all_rows(tx, sql, (kind,)))


def backlog(tx: Transaction, kind: str, before: Instant) -> Backlog:
    row = one_row(
        tx,
        """select count(*) filter (where state <> 'held') as going,
                  count(*) filter (where state <> 'held' and made_at <= %s) as overdue,
                  count(*) filter (where state = 'held') as held
           from plan where ended_at is null and kind = %s""",
        (before, kind),
    )
    assert row is not None
    return Backlog(**row)


def backlogs(tx: Transaction, kind: str, before: Instant, field: str) -> dict[str, Backlog]:
    """As backlog, by what the first task of each plan has in this field of its input."""
    rows = all_rows(
        tx,
        """select t.body ->> %s as whose,
                  count(*) filter (where p.state <> 'held') as going,
                  count(*) filter (where p.state <> 'held' and p.made_at <= %s) as overdue,
                  count(*) filter (where p.state = 'held') as held
           from plan p join plan_task t on t.plan = p.id and t.position = 0
           where p.ended_at is null and p.kind = %s group by whose""",
        (field, before, kind),
    )
    return {
        row["whose"]: Backlog(row["going"], row["overdue"], row["held"])
        for row in rows
        if row["whose"] is not None
    }


def _plans(rows: Sequence[Mapping[str, Any]]) -> list[Plan]:
    """The plans of these tasks, which are all tasks of each; in their order."""
    tasks: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        tasks[row["plan"]].append(row)
    return [
        Plan(
            id=PlanId(plan),
            subject=its[0]["subject"],
            kind=its[0]["plan_kind"],
            state=PlanState(its[0]["plan_state"]),
            trace=TraceId(its[0]["trace"]),
            made_at=its[0]["made_at"],
            tasks=tuple(map(_task, its)),
        )
        for plan, its in tasks.items()
    ]


def moving(tx: Transaction, kinds: Collection[str]) -> list[Task]:
    """Tasks of these kinds that have been tried and go on by themselves."""
    sql = _TASK + " where t.run_at is not null and t.attempt > 0 and t.kind = any(%s)"
    return [_task(row) for row in all_rows(tx, sql, (list(kinds),))]


def counts(tx: Transaction) -> dict[str, int]:
    rows = all_rows(
        tx,
        """select t.state, count(*) as n from plan_task t join plan p on p.id = t.plan
           where p.ended_at is null group by t.state""",
    )
    return {row["state"]: row["n"] for row in rows}


def open_plans(tx: Transaction) -> int:
    row = one_row(tx, "select count(*) as n from plan where ended_at is null")
    return int(row["n"]) if row else 0


def next_due(tx: Transaction) -> Instant | None:
    row = one_row(tx, "select min(run_at) as at from plan_task")
    return row["at"] if row else None


def interventions(tx: Transaction, plan: PlanId) -> list[Intervention]:
    rows = all_rows(
        tx,
        """select task, act, by_whom, why, before, at from plan_intervention
           where plan = %s order by id""",
        (plan,),
    )
    return [
        Intervention(
            task=None if row["task"] is None else TaskId(row["task"]),
            act=row["act"],
            by=row["by_whom"],
            why=row["why"],
            before=row["before"],
            at=row["at"],
        )
        for row in rows
    ]
