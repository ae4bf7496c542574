"""Any plan, any outcome, any interleaving: all of it is done once, or all of it is undone once.

Several workers are in the middle of a call at once: each may go on, die before the call or
after it, or come back so late that another has taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.errors import Refused
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.engine import _Call
from hansa.foundation.plan.model import PlanState, Retry, TaskState
from tests.faults import play
from tests.foundation.stage import LATER, REFUSED, SURPRISE, WAIT, Stage, StepSpec, Turn

FORWARD: st.SearchStrategy[list[Turn]] = st.lists(
    st.sampled_from([LATER, WAIT, WAIT, SURPRISE]), max_size=3
)
MOSTLY = st.sampled_from([True, True, False])
MOVES = (
    *["a worker takes a turn"] * 8,
    *["a worker makes its call"] * 5,
    *["a message comes"] * 2,
    *["time passes"] * 2,
    "a worker dies before its call",
    "a worker dies after its call",
    "a worker starts",
    "a person helps",
)


@dataclass(frozen=True)
class Fate:
    """A plan and what befalls it. refused: the task, if any, that fails in the end.

    moves: what happens, in order, each with a number that says to which. cancelled_at: after
    so many moves the plan is cancelled as soon as a call is being made.
    """

    specs: tuple[StepSpec, ...]
    turns: dict[str, list[Turn]]
    refused: str | None
    cancelled_at: int | None
    moves: tuple[tuple[str, int], ...]


@st.composite
def fates(draw: st.DrawFn) -> Fate:
    """A plan of one to six tasks, each after some before it, and up to two closing ones."""
    specs: list[StepSpec] = []
    for label in "abcdef"[: draw(st.integers(1, 6))]:
        before = [spec.label for spec in specs]
        after = draw(st.sets(st.sampled_from(before), max_size=2)) if before else set()
        outside, undo = draw(MOSTLY), draw(MOSTLY)
        specs.append(StepSpec(label, tuple(sorted(after)), outside, undo))
    labels = [spec.label for spec in specs]
    closing = (
        StepSpec("y", (), draw(st.booleans()), undo=False, closing=True),
        StepSpec("z", ("y",), draw(st.booleans()), undo=False, closing=True),
    )
    specs += closing[: draw(st.integers(0, 2))]
    names = [spec.label for spec in specs] + [f"undo {label}" for label in labels]
    moves = st.tuples(st.sampled_from(MOVES), st.integers(0, 11))
    return Fate(
        specs=tuple(specs),
        turns={name: draw(FORWARD) for name in names},
        refused=draw(st.none() | st.sampled_from(labels)),
        cancelled_at=draw(st.none() | st.integers(0, 20)),
        moves=tuple(draw(st.lists(moves, min_size=40, max_size=50))),
    )


class World:
    """One plan, the workers who are in the middle of a call of it, and what has to hold."""

    def __init__(self, stage: Stage, fate: Fate) -> None:
        self.stage = stage
        self.stage.retry = Retry(first_s=1, max_s=20, attempts=3)
        self.engine = stage.engine()
        self.specs = {spec.label: spec for spec in fate.specs}
        for name, turns in fate.turns.items():
            stage.script[name].extend(turns)
        if fate.refused is not None:
            stage.script[fate.refused].append(REFUSED)
        self.tasks = stage.write(*fate.specs)
        self.calls: list[_Call] = []

    # --- moves ----------------------------------------------------------------------------------

    def move(self, what: str, number: int) -> None:
        match what:
            case "a worker takes a turn":
                with self.stage.begin() as tx:
                    _, call = self.engine._take(tx)
                self._keep(call)
            case "a worker starts":
                self.engine.free_dead_leases()
            case "time passes":
                seconds = (1, 5, 31, 61)[number % 4]
                self.stage.clock.move(timedelta(seconds=seconds))
            case "a message comes":
                tasks = list(self.tasks.values())
                self.stage.wake(tasks[number % len(tasks)], "hello")
            case "a person helps":
                self.help()
            case _ if self.calls:
                self._go_on(what, self.calls.pop(number % len(self.calls)))

    def _go_on(self, what: str, call: _Call) -> None:
        """One worker makes its call, or dies around it."""
        task = call.claimed.task
        if what == "a worker makes its call":
            self._keep(self.engine._make(call))
        elif what == "a worker dies after its call" and task.undoing:
            self.stage.partner.take_back(task.id)
        elif what == "a worker dies after its call":
            with suppress(Refused):
                self.stage.partner.do(task.id)

    def _keep(self, call: _Call | None) -> None:
        if call is not None:
            self.calls.append(call)

    def help(self) -> None:
        for task in self.stage.plan().tasks:
            if task.state in (TaskState.HELD, TaskState.UNDO_HELD):
                now = self.stage.clock.now()
                with self.stage.begin() as tx:
                    plans.resume(tx, task=task.id, by="ann", why="again", now=now)

    # --- what holds at any time -----------------------------------------------------------------

    def check(self) -> None:
        effects = self.stage.effects()
        assert set(effects.values()) <= {1}
        done = {label for label, task in self.tasks.items() if effects[task, "do"]}
        undone = {label for label, task in self.tasks.items() if effects[task, "undo"]}
        standing = {label for label in done - undone if self._can_be_undone(label)}
        for label in done:
            assert set(self.specs[label].after) <= done
        for label in undone:
            # Of an outside call the answer may be unknown; what was rolled back is not undone.
            begun = label in done or self.tasks[label] in self.stage.waited
            assert begun or self.specs[label].outside
            assert not self._later(label) & standing
        if any(self.specs[label].closing for label in done):
            assert not standing
        self._check_plan()

    def _check_plan(self) -> None:
        plan = self.stage.plan()
        states = {task.state for task in plan.tasks}
        held = bool(states & {TaskState.HELD, TaskState.UNDO_HELD})
        assert (plan.state is PlanState.HELD) == held
        if plan.state in (PlanState.DONE, PlanState.UNDONE):
            over = {TaskState.DONE, TaskState.UNDONE, TaskState.FAILED, TaskState.SKIPPED}
            assert states <= over
        elif not held:
            assert any(task.run_at is not None for task in plan.tasks)  # something will happen

    def _can_be_undone(self, label: str) -> bool:
        return self.specs[label].undo and not self.specs[label].closing

    def _later(self, label: str) -> set[str]:
        direct = {spec.label for spec in self.specs.values() if label in spec.after}
        return direct.union(*(self._later(later) for later in direct))

    # --- the end --------------------------------------------------------------------------------

    def end(self) -> PlanState:
        """Left alone it ends, or a person has to look; when that person helps, it ends."""
        play(self.engine, self.stage.clock)
        assert self.stage.plan().state in (PlanState.DONE, PlanState.UNDONE, PlanState.HELD)
        self.stage.script.clear()
        while self.stage.plan().state is PlanState.HELD:
            self.help()
            play(self.engine, self.stage.clock)
        for late in self.calls:
            assert self.engine._make(late) is None
        self.check()
        return self.stage.plan().state

    def check_end(self, end: PlanState) -> None:
        effects, partner = self.stage.effects(), self.stage.partner
        for label, task in self.tasks.items():
            spec = self.specs[label]
            stands = effects[task, "do"] > effects[task, "undo"]
            if end is PlanState.DONE:
                assert stands is not spec.closing
            else:
                assert end is PlanState.UNDONE
                assert stands is spec.closing or not spec.undo
            if spec.outside and (spec.undo or spec.closing):
                assert (task in partner.standing()) is stands
            assert partner.did[task] <= 1


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fate=fates())
def test_any_plan_is_done_or_undone(empty_stage: Callable[[], Stage], fate: Fate) -> None:
    world = World(empty_stage(), fate)
    cancel_at = fate.cancelled_at
    for position, (what, number) in enumerate(fate.moves):
        if cancel_at is not None and position >= cancel_at and world.calls:
            world.stage.cancel()
            cancel_at = None
        world.move(what, number)
        world.check()
    end = world.end()
    world.check_end(end)
    if fate.refused is None and fate.cancelled_at is None:
        assert end is PlanState.DONE
