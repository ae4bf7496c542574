"""A small world in which plans run: a partner outside, effects inside, outcomes by script."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from hansa.foundation.database import Database, all_rows, run
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import Ids, PlanId, TaskId, TraceId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import (
    Done,
    Handlers,
    Inside,
    Outcome,
    Outside,
    Plan,
    Retry,
    Step,
    Task,
    Wait,
)
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Begin, Transaction

LEASE = timedelta(seconds=30)
CHECK = timedelta(minutes=1)
EXPIRY = timedelta(hours=1)

REFUSED = Refused("no", "The partner will not do it.")
LATER = TryLater("silent", "The partner does not answer; ask again.")
SURPRISE = RuntimeError("nobody foresaw this")
WAIT = "wait"

Turn = Exception | str
"""What one run of a task does instead of being done: raise, or wait for a message."""


class Partner:
    """Somebody outside who does a thing once for each key, and takes it back once."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.did: Counter[str] = Counter()
        self.took_back: Counter[str] = Counter()
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    def do(self, key: str) -> None:
        with self._lock:
            self.calls[key] += 1
            if key in self._refused:
                raise REFUSED
            if not self.did[key]:
                self.did[key] += 1

    def take_back(self, key: str) -> None:
        """After this the key never does anything again."""
        with self._lock:
            self.calls[key] += 1
            if not self.did[key]:
                self.did[key] = self.took_back[key] = 1
            elif not self.took_back[key]:
                self.took_back[key] += 1

    def refuse(self, key: str) -> None:
        """Nothing of this stands, whatever was begun; asked again, it is refused again."""
        with self._lock:
            self.calls[key] += 1
            self._refused.add(key)
            self.did[key] = self.took_back[key] = 1

    def standing(self) -> set[str]:
        return {key for key in self.did if self.did[key] > self.took_back[key]}


class StepSpec(NamedTuple):
    """A step by its label. outside: done by the partner. undo: whether it can be taken back."""

    label: str
    after: tuple[str, ...] = ()
    outside: bool = False
    undo: bool = True
    closing: bool = False


def inside(label: str, *after: str, undo: bool = True, closing: bool = False) -> StepSpec:
    return StepSpec(label, after, undo=undo, closing=closing)


def outside(label: str, *after: str, undo: bool = True, closing: bool = False) -> StepSpec:
    return StepSpec(label, after, outside=True, undo=undo, closing=closing)


@dataclass
class Stage:
    """script: the turns of a task's runs by its name, which is its label, or `undo <label>` on
    the way back; without a turn left, a run is done. during: called, once, while an outside
    call of that name is being made. story: what was done, in order. waited: inside tasks that did.
    """

    database: Database
    clock: SetClock
    ids: Ids
    retry: Retry = field(default_factory=lambda: Retry(first_s=1, max_s=60, attempts=4))
    partner: Partner = field(default_factory=Partner)
    story: list[str] = field(default_factory=list)
    seen: list[Task] = field(default_factory=list)
    waited: set[TaskId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.script: defaultdict[str, deque[Turn]] = defaultdict(deque)
        self.during: dict[str, Callable[[], None]] = {}
        self.begin: Begin = self.database.begin

    # --- plans ----------------------------------------------------------------------------------

    def write(self, *specs: StepSpec, subject: str = "ord_1") -> dict[str, TaskId]:
        """Writes a plan; gives the tasks by their labels."""
        ids = {spec.label: self.ids.new(TaskId) for spec in specs}
        steps = [
            Step(
                id=ids[spec.label],
                kind="outside.do" if spec.outside else "inside.do",
                undo=("outside.undo" if spec.outside else "inside.undo") if spec.undo else None,
                body={"label": spec.label},
                after=tuple(ids[label] for label in spec.after),
                label=spec.label,
                closing=spec.closing,
            )
            for spec in specs
        ]
        with self.begin() as tx:
            plans.write(
                tx,
                plan_id=self.ids.new(PlanId),
                subject=subject,
                kind="order",
                trace=TraceId("0" * 32),
                steps=steps,
                now=self.clock.now(),
            )
        return ids

    def plan(self, subject: str = "ord_1") -> Plan:
        with self.begin() as tx:
            found = plans.of_subject(tx, subject=subject)
        assert found is not None
        return found

    def states(self, subject: str = "ord_1") -> dict[str, str]:
        """The state of each task by label, and of the plan under `plan`."""
        found = self.plan(subject)
        return {task.label: task.state.value for task in found.tasks} | {"plan": found.state.value}

    def task(self, label: str, subject: str = "ord_1") -> Task:
        return next(task for task in self.plan(subject).tasks if task.label == label)

    # --- running --------------------------------------------------------------------------------

    def engine(self, *, owner: int = 0, handlers: Handlers | None = None) -> Engine:
        return Engine(self.begin, handlers or self.handlers(), self.clock, owner=owner)

    def run(self, *, after: timedelta | float = 0) -> None:
        """Lets so much time pass (seconds, or a timedelta) and runs what is due then."""
        self.clock.move(after if isinstance(after, timedelta) else timedelta(seconds=after))
        self.engine().run_until_idle()

    def wake(self, task: TaskId, message: Json) -> None:
        with self.begin() as tx:
            assert plans.wake(tx, task=task, message=message, now=self.clock.now())

    def cancel(self, subject: str = "ord_1") -> bool:
        plan = self.plan(subject).id
        with self.begin() as tx:
            return plans.cancel(tx, plan=plan, by="ann", why="asked to", now=self.clock.now())

    def effects(self) -> Counter[tuple[str, str]]:
        """How often the database has seen each task done and undone: (task, way)."""
        with self.begin() as tx:
            rows = all_rows(tx, "select task, way from effect")
        return Counter((row["task"], row["way"]) for row in rows)

    # --- handlers -------------------------------------------------------------------------------

    def handlers(self) -> Handlers:
        outside = Outside(self._call, self._record, retry=self.retry, lease=LEASE)
        here = Inside(self._do)
        return {
            "inside.do": here,
            "inside.undo": here,
            "outside.do": outside,
            "outside.undo": outside,
        }

    def name(self, task: Task) -> str:
        label: str = task.body["label"]
        return f"undo {label}" if task.undoing else label

    def _turn(self, task: Task) -> str:
        turns = self.script[self.name(task)]
        turn = turns.popleft() if turns else ""
        if isinstance(turn, Exception):
            raise turn
        return turn

    def _do(self, tx: Transaction, task: Task, now: Instant) -> Outcome:
        self.seen.append(task)
        # Written before it fails, to show that it is rolled back.
        self._effect(tx, task)
        turn = self._turn(task)
        if turn == WAIT:
            self.waited.add(task.id)
            run(tx, "delete from effect where task = %s and way = %s", self._key(task))
            return Wait(now + CHECK, now + EXPIRY, {"label": self.name(task)})
        self.story.append(self.name(task))
        return Done({"label": self.name(task)})

    def _call(self, task: Task, now: Instant) -> Json:  # noqa: ARG002
        self.seen.append(task)
        try:
            turn = self._turn(task)
        except Refused:
            self.partner.refuse(task.id)
            raise
        if task.undoing:
            self.partner.take_back(task.id)
        else:
            self.partner.do(task.id)
        meanwhile = self.during.pop(self.name(task), None)
        if meanwhile is not None:
            meanwhile()
        return turn

    def _record(self, tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
        if answer == WAIT:
            return Wait(now + CHECK, now + EXPIRY, {"label": self.name(task)})
        self._effect(tx, task)
        self.story.append(self.name(task))
        return Done({"label": self.name(task)})

    def _key(self, task: Task) -> Sequence[str]:
        return (task.id, "undo" if task.undoing else "do")

    def _effect(self, tx: Transaction, task: Task) -> None:
        run(tx, "insert into effect values (%s, %s)", self._key(task))
