"""Any plan, any outcome, any interleaving: all of it is done once, or all of it is undone once.

The machine holds several workers at once in the middle of a call: each may go on, die before
the call or after it, or come back so late that another has taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hansa.foundation.ids import TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.engine import _Call
from hansa.foundation.plan.model import PlanState, Retry, TaskState
from tests.faults import play
from tests.foundation.stage import LATER, REFUSED, SURPRISE, WAIT, Stage, StepSpec, Turn

LABELS = "abcdef"
FORWARD: st.SearchStrategy[list[Turn]] = st.lists(
    st.sampled_from([LATER, WAIT, WAIT, SURPRISE, REFUSED]), max_size=4
)
BACK: st.SearchStrategy[list[Turn]] = st.lists(st.sampled_from([LATER, WAIT, SURPRISE]), max_size=4)


@st.composite
def specs(draw: st.DrawFn) -> list[StepSpec]:
    """A plan of one to six tasks, each after some before it, and up to two closing ones."""
    found: list[StepSpec] = []
    for label in LABELS[: draw(st.integers(1, 6))]:
        before = [spec.label for spec in found]
        after = draw(st.sets(st.sampled_from(before), max_size=3)) if before else set()
        outside, undo = draw(st.booleans()), draw(st.booleans() | st.just(True))
        found.append(StepSpec(label, tuple(sorted(after)), outside, undo))
    closing = [
        StepSpec("y", (), draw(st.booleans()), undo=False, closing=True),
        StepSpec("z", ("y",), draw(st.booleans()), undo=False, closing=True),
    ]
    return found + closing[: draw(st.integers(0, 2))]


class AnyPlan(RuleBasedStateMachine):
    def __init__(self, empty_stage: Callable[[], Stage]) -> None:
        super().__init__()
        self.stage = empty_stage()
        self.stage.retry = Retry(first_s=1, max_s=20, attempts=3)
        self.engine = self.stage.engine()
        self.calls: list[_Call] = []
        self.specs: dict[str, StepSpec] = {}
        self.tasks: dict[str, TaskId] = {}

    @initialize(steps=specs(), data=st.data())
    def write(self, steps: list[StepSpec], data: st.DataObject) -> None:
        self.specs = {spec.label: spec for spec in steps}
        for label, spec in self.specs.items():
            turns = BACK if spec.closing else FORWARD
            self.stage.script[label].extend(data.draw(turns, f"turns of {label}"))
            self.stage.script[f"undo {label}"].extend(data.draw(BACK, f"turns of undo {label}"))
        self.tasks = self.stage.write(*steps)

    # --- workers --------------------------------------------------------------------------------

    @rule()
    def a_worker_takes_a_turn(self) -> None:
        with self.stage.begin() as tx:
            _, call = self.engine._take(tx)
        self._keep(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def a_worker_makes_its_call(self, data: st.DataObject) -> None:
        self._keep(self.engine._make(self._one(data)))

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def a_worker_dies_before_its_call(self, data: st.DataObject) -> None:
        self._one(data)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def a_worker_dies_after_its_call(self, data: st.DataObject) -> None:
        task = self._one(data).claimed.task
        if task.undoing:
            self.stage.partner.take_back(task.id)
        else:
            self.stage.partner.do(task.id)

    @rule()
    def a_worker_starts(self) -> None:
        self.engine.free_dead_leases()

    @rule(seconds=st.sampled_from([1, 5, 31, 61]))
    def time_passes(self, seconds: int) -> None:
        self.stage.clock.move(timedelta(seconds=seconds))

    def _keep(self, call: _Call | None) -> None:
        if call is not None:
            self.calls.append(call)

    def _one(self, data: st.DataObject) -> _Call:
        return self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1), "which call"))

    # --- others ---------------------------------------------------------------------------------

    @rule(data=st.data())
    def a_message_comes(self, data: st.DataObject) -> None:
        label = data.draw(st.sampled_from(sorted(self.tasks)))
        self.stage.wake(self.tasks[label], "hello")

    @rule(really=st.integers(0, 4))
    def somebody_cancels(self, really: int) -> None:
        if really == 0:
            self.stage.cancel()

    @rule()
    def a_person_helps(self) -> None:
        for task in self.stage.plan().tasks:
            if task.state in (TaskState.HELD, TaskState.UNDO_HELD):
                now = self.stage.clock.now()
                with self.stage.begin() as tx:
                    plans.resume(tx, task=task.id, by="ann", why="again", now=now)
                return

    # --- what holds at any time -----------------------------------------------------------------

    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert set(self.stage.effects().values()) <= {1}

    @invariant()
    def nothing_is_done_before_what_it_stands_on_nor_undone_under_what_stands_on_it(self) -> None:
        effects = self.stage.effects()
        done = {label for label, task in self.tasks.items() if effects[task, "do"]}
        undone = {label for label, task in self.tasks.items() if effects[task, "undo"]}
        for label in done:
            assert set(self.specs[label].after) <= done
        for label in undone:
            for later in self._later(label):
                assert later not in done or later in undone or not self.specs[later].undo
        if any(self.specs[label].closing for label in done):
            to_undo = {label for label in done if self._can_be_undone(label)}
            assert to_undo <= undone

    def _can_be_undone(self, label: str) -> bool:
        return self.specs[label].undo and not self.specs[label].closing

    def _later(self, label: str) -> set[str]:
        direct = {spec.label for spec in self.specs.values() if label in spec.after}
        return direct.union(*(self._later(later) for later in direct))

    @invariant()
    def a_plan_says_where_it_stands(self) -> None:
        if not self.tasks:
            return
        plan = self.stage.plan()
        states = {task.state for task in plan.tasks}
        held = bool(states & {TaskState.HELD, TaskState.UNDO_HELD})
        assert (plan.state is PlanState.HELD) == held
        if plan.state in (PlanState.DONE, PlanState.UNDONE):
            over = {TaskState.DONE, TaskState.UNDONE, TaskState.FAILED, TaskState.SKIPPED}
            assert states <= over
        elif not held:
            assert any(task.run_at is not None for task in plan.tasks)  # something will happen

    def teardown(self) -> None:
        """Left alone it ends, or a person has to look; when that person helps, it ends."""
        if not self.tasks:
            return
        play(self.engine, self.stage.clock)
        assert self.stage.plan().state in (PlanState.DONE, PlanState.UNDONE, PlanState.HELD)
        self.stage.script.clear()
        while self.stage.plan().state is PlanState.HELD:
            self.a_person_helps()
            play(self.engine, self.stage.clock)
        for late in self.calls:
            assert self.engine._make(late) is None
        self._check_end()

    def _check_end(self) -> None:
        self.nothing_is_done_twice()
        end, effects, partner = self.stage.plan().state, self.stage.effects(), self.stage.partner
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


def test_any_plan_is_done_or_undone(empty_stage: Callable[[], Stage]) -> None:
    class OnThisStage(AnyPlan):
        def __init__(self) -> None:
            super().__init__(empty_stage)

    run_state_machine_as_test(
        OnThisStage,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
