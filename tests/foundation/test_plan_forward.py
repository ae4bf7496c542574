"""A plan goes forward: in order, once, and patiently."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.foundation.ids import TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Retry, TaskState
from tests.faults import Fault, Wrap, each_in_turn, play, twice
from tests.foundation.stage import (
    CHECK,
    EXPIRY,
    LATER,
    SURPRISE,
    WAIT,
    Stage,
    StepSpec,
    inside,
    outside,
)


def test_tasks_run_in_the_order_in_which_they_depend_on_one_another(stage: Stage) -> None:
    tasks = stage.write(
        outside("access"),
        outside("core"),
        inside("overlay", "access", "core"),
        outside("security", "overlay"),
        inside("tell", closing=True),
    )
    stage.run()
    assert stage.story == ["access", "core", "overlay", "security"]
    assert stage.states() == {
        "access": "done",
        "core": "done",
        "overlay": "done",
        "security": "done",
        "tell": "skipped",
        "plan": "done",
    }
    assert stage.partner.calls == {tasks["access"]: 1, tasks["core"]: 1, tasks["security"]: 1}
    assert set(stage.effects().values()) == {1}
    assert stage.task("core").output == {"label": "core"}
    assert [task.attempt for task in stage.seen] == [1, 1, 1, 1]
    assert not stage.engine().run_one()


def test_each_plan_goes_its_own_way(stage: Stage) -> None:
    stage.write(outside("a"), inside("b", "a"), subject="ord_1")
    stage.write(outside("a"), inside("b", "a"), subject="ord_2")
    stage.script["a"] += [LATER]
    stage.run()
    assert stage.states("ord_1") == {"a": "ready", "b": "pending", "plan": "running"}
    assert stage.states("ord_2") == {"a": "done", "b": "done", "plan": "done"}


def test_a_plan_that_cannot_work_is_not_written(stage: Stage) -> None:
    with pytest.raises(ValueError, match="nothing to do"):
        stage.write(inside("tell", closing=True))
    with pytest.raises(ValueError, match="after a step that is not written before it"):
        stage.write(inside("a", "b"), inside("b"))
    with pytest.raises(ValueError, match="after a closing step"):
        stage.write(inside("a", closing=True), inside("b", "a"))


def test_what_an_inside_task_wrote_is_gone_when_it_fails(stage: Stage) -> None:
    tasks = stage.write(inside("a"))
    stage.script["a"] += [SURPRISE, LATER]
    stage.run()
    assert stage.effects() == {}
    stage.run(after=1)
    stage.run(after=1)
    assert stage.effects() == {(tasks["a"], "do"): 1}
    assert stage.states()["plan"] == "done"


def test_a_silent_partner_is_asked_again_ever_more_patiently_and_then_a_person(
    stage: Stage,
) -> None:
    stage.retry = Retry(first_s=1, max_s=3, attempts=5)
    stage.write(outside("a"), outside("other"))
    stage.script["a"] += [LATER] * 5
    waits = []
    for _ in range(4):
        before = stage.clock.now()
        stage.run()
        due = stage.engine().next_due()
        assert due is not None
        waits.append((due - before).total_seconds())
        stage.clock.at = due
    assert waits == [1, 2, 3, 3]
    stage.run()
    assert stage.states() == {"a": "held", "other": "done", "plan": "held"}
    assert stage.task("a").error == "silent: The partner does not answer; ask again."
    assert stage.engine().next_due() is None


def test_a_partner_may_say_when_to_come_again(stage: Stage) -> None:
    stage.write(outside("a"))
    later = type(LATER)("busy", "Come back in ten minutes.", after_s=600)
    stage.script["a"] += [later]
    stage.run()
    assert stage.engine().next_due() == stage.clock.now() + timedelta(minutes=10)


def test_patience_without_end(stage: Stage) -> None:
    stage.retry = Retry(first_s=1, max_s=1, attempts=None)
    stage.write(outside("a"))
    stage.script["a"] += [LATER] * 50
    for _ in range(51):
        stage.run(after=1)
    assert stage.states()["plan"] == "done"


@pytest.mark.parametrize("step", [inside("a"), outside("a")])
def test_what_nobody_foresaw_is_tried_three_times(stage: Stage, step: StepSpec) -> None:
    stage.write(step)
    stage.script["a"] += [SURPRISE] * 3
    for _ in range(3):
        assert stage.states()["a"] == "ready"
        stage.run(after=60)
    assert stage.states() == {"a": "held", "plan": "held"}
    assert "nobody foresaw" in stage.task("a").error
    assert stage.effects() == {}


def test_a_task_nobody_handles_is_held_until_somebody_does(stage: Stage) -> None:
    tasks = stage.write(outside("a"))
    stage.engine(handlers={"other": stage.handlers()["inside.do"]}).run_until_idle()
    assert stage.task("a").error == "no handler for outside.do"
    assert stage.states() == {"a": "held", "plan": "held"}
    with stage.begin() as tx:
        plans.resume(tx, task=tasks["a"], by="ann", why="upgraded", now=stage.clock.now())
    stage.run()
    assert stage.states() == {"a": "done", "plan": "done"}


# --- waiting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [inside("a"), outside("a")])
def test_a_task_waits_until_a_message_comes(stage: Stage, step: StepSpec) -> None:
    tasks = stage.write(step, inside("b", "a"))
    stage.script["a"] += [WAIT]
    stage.run()
    assert stage.states() == {"a": "waiting", "b": "pending", "plan": "running"}
    assert stage.task("a").output == {"label": "a"}
    assert stage.effects() == {}
    stage.run(after=5)
    assert stage.states()["a"] == "waiting"
    stage.wake(tasks["a"], {"state": "completed"})
    stage.run()
    assert stage.states() == {"a": "done", "b": "done", "plan": "done"}
    first, second = (task for task in stage.seen if task.label == "a")
    assert (first.message, first.output) == (None, None)
    assert (second.message, second.output) == ({"state": "completed"}, {"label": "a"})


def test_a_message_that_comes_before_the_task_begins_is_kept(stage: Stage) -> None:
    tasks = stage.write(outside("a"), outside("b", "a"))
    stage.wake(tasks["b"], 1)
    stage.wake(tasks["b"], 2)
    stage.run()
    assert [task.message for task in stage.seen] == [None, 2]


def test_a_message_that_comes_while_the_call_is_being_made_is_looked_at_at_once(
    stage: Stage,
) -> None:
    tasks = stage.write(outside("a"))
    stage.script["a"] += [WAIT]
    stage.during["a"] = lambda: stage.wake(tasks["a"], "done")
    stage.run()
    assert stage.states() == {"a": "done", "plan": "done"}
    assert [task.message for task in stage.seen] == [None, "done"]


def test_a_message_ends_the_pause_between_two_tries(stage: Stage) -> None:
    tasks = stage.write(outside("a"))
    stage.script["a"] += [LATER, LATER]
    stage.run()
    stage.run(after=1)
    assert stage.states()["a"] == "ready"
    stage.wake(tasks["a"], "here I am")
    stage.run()
    assert stage.states()["a"] == "done"


def test_a_message_for_a_task_that_is_over_or_unknown(stage: Stage) -> None:
    tasks = stage.write(outside("a"))
    stage.run()
    stage.wake(tasks["a"], "late")
    assert stage.task("a").message is None
    with stage.begin() as tx:
        now = stage.clock.now()
        assert not plans.wake(tx, task=TaskId("tsk_none"), message="hm", now=now)


def test_the_safety_net_asks_when_no_message_comes(stage: Stage) -> None:
    stage.write(outside("a"))
    stage.script["a"] += [WAIT, WAIT]
    stage.run()
    assert stage.engine().next_due() == stage.clock.now() + CHECK
    stage.run(after=CHECK)
    assert stage.states()["a"] == "waiting"
    stage.run(after=CHECK)
    assert stage.states()["a"] == "done"


@pytest.mark.parametrize("step", [inside("a"), outside("a")])
def test_a_wait_that_expires_is_for_a_person(stage: Stage, step: StepSpec) -> None:
    stage.write(step)
    stage.script["a"] += [WAIT] * 100
    end = stage.clock.now() + EXPIRY
    play(stage.engine(), stage.clock, for_at_most=2 * EXPIRY)
    assert stage.clock.now() == end
    assert stage.states() == {"a": "held", "plan": "held"}
    assert stage.task("a").error == "waited until 2026-11-02 09:00 for an answer"


def test_failing_to_ask_does_not_make_a_wait_longer(stage: Stage) -> None:
    stage.retry = Retry(first_s=60, max_s=600, attempts=None)
    stage.write(outside("a"))
    stage.script["a"] += [WAIT, *[LATER] * 100]
    end = stage.clock.now() + EXPIRY
    play(stage.engine(), stage.clock, for_at_most=3 * EXPIRY)
    assert stage.states()["a"] == "held"
    assert end <= stage.clock.now() < end + timedelta(minutes=10)


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", Fault)
def test_any_task_may_fail_in_any_way(stage: Stage, fault: Fault) -> None:
    def story(wrap: Wrap) -> None:
        subject = f"ord_{stage.clock.now().isoformat()}"
        stage.script["b"].append(WAIT)
        tasks = stage.write(
            inside("a"),
            outside("b", "a"),
            outside("c", "a"),
            inside("d", "b", "c"),
            subject=subject,
        )
        stage.during["b"] = lambda: stage.wake(tasks["b"], "done")
        play(stage.engine(handlers=wrap(twice(stage.handlers()))), stage.clock)
        assert stage.states(subject)["plan"] == "done"
        for task in tasks.values():
            assert stage.effects()[task, "do"] == 1
        assert {stage.partner.did[tasks[label]] for label in "bc"} == {1}
        stage.clock.move(timedelta(hours=1))

    assert each_in_turn(fault, story) >= 4


def test_tasks_are_counted_by_state_until_their_plan_is_over(stage: Stage) -> None:
    stage.write(outside("a"), subject="ord_1")
    stage.run()
    stage.write(outside("a"), inside("b", "a"), subject="ord_2")
    stage.script["a"] += [WAIT]
    stage.run()
    with stage.begin() as tx:
        assert plans.counts(tx) == {TaskState.WAITING: 1, TaskState.PENDING: 1}
