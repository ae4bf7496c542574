"""A plan turns back: what was done is undone, what came last first, and nothing stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.foundation.errors import Refused
from hansa.foundation.plan.model import Outcome, Outside, Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from tests.faults import Fault, Killed, Wrap, each_in_turn, play, twice
from tests.foundation.stage import (
    CHECK,
    EXPIRY,
    LATER,
    LEASE,
    REFUSED,
    SURPRISE,
    WAIT,
    Stage,
    StepSpec,
    Turn,
    inside,
    outside,
)


def test_a_refusal_undoes_the_plan_in_reverse_order_and_then_closes_it(stage: Stage) -> None:
    tasks = stage.write(
        outside("access"),
        inside("core", "access"),
        outside("security", "access"),
        outside("voice", "core", "security"),
        inside("service", "voice"),
        inside("tell", closing=True),
        outside("file", "tell", closing=True),
    )
    stage.script["voice"] += [REFUSED]
    stage.run()
    assert stage.story == [
        "access",
        "core",
        "security",
        "undo core",
        "undo security",
        "undo access",
        "tell",
        "file",
    ]
    assert stage.states() == {
        "access": "undone",
        "core": "undone",
        "security": "undone",
        "voice": "failed",
        "service": "skipped",
        "tell": "done",
        "file": "done",
        "plan": "undone",
    }
    assert stage.task("voice").error == "no: The partner will not do it."
    assert stage.partner.standing() == {tasks["file"]}
    assert set(stage.effects().values()) == {1}
    # An undo begins with what was recorded on the way forward.
    undoing = [task for task in stage.seen if task.undoing]
    assert [task.output for task in undoing] == [
        {"label": label} for label in ("core", "security", "access")
    ]


@pytest.mark.parametrize("step", [inside("b", "a"), outside("b", "a")])
def test_a_refusal_of_either_kind_turns_back(stage: Stage, step: StepSpec) -> None:
    tasks = stage.write(inside("a"), step)
    stage.script["b"] += [LATER, REFUSED]
    stage.run()
    stage.run(after=1)
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}
    assert stage.effects() == {(tasks["a"], "do"): 1, (tasks["a"], "undo"): 1}


def test_a_refusal_while_recording_rolls_back_what_was_recorded(stage: Stage) -> None:
    def record(tx: Transaction, task: Task, answer: object, now: Instant) -> Outcome:
        stage._record(tx, task, answer, now)
        raise Refused("supply-failed", "The partner could not deliver.")

    stage.write(inside("a"), outside("b", "a"))
    handlers = dict(stage.handlers())
    handlers["outside.do"] = Outside(stage._call, record)
    stage.engine(handlers=handlers).run_until_idle()
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}
    assert len(stage.effects()) == 2


def test_the_order_holds_across_a_task_with_nothing_to_undo(stage: Stage) -> None:
    stage.write(outside("a"), inside("b", "a", undo=False), outside("c", "b"), inside("d", "c"))
    stage.script["d"] += [REFUSED]
    stage.script["undo c"] += [WAIT]
    stage.run()
    assert stage.states() == {
        "a": "undo-pending",
        "b": "done",
        "c": "undo-waiting",
        "d": "failed",
        "plan": "undoing",
    }
    stage.run(after=CHECK)
    assert stage.story[-2:] == ["undo c", "undo a"]
    assert stage.states()["plan"] == "undone"


def test_nothing_done_means_nothing_to_undo(stage: Stage) -> None:
    stage.write(outside("a"), inside("b", "a"))
    stage.script["a"] += [REFUSED]
    stage.run()
    assert stage.states() == {"a": "failed", "b": "skipped", "plan": "undone"}
    assert stage.story == []


def test_waiting_on_the_way_back(stage: Stage) -> None:
    tasks = stage.write(outside("a"), inside("b", "a"))
    stage.script["a"] += [WAIT]
    stage.script["b"] += [REFUSED]
    stage.script["undo a"] += [WAIT]
    stage.run()
    stage.wake(tasks["a"], "delivered")
    stage.run()
    assert stage.states() == {"a": "undo-waiting", "b": "failed", "plan": "undoing"}
    assert stage.seen[-1].message is None  # what was heard on the way forward is not for the undo
    stage.wake(tasks["a"], "ceased")
    stage.run()
    assert stage.seen[-1].message == "ceased"
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}


def test_a_wait_on_the_way_back_has_its_own_expiry(stage: Stage) -> None:
    stage.write(outside("a"), outside("b"))
    stage.script["a"] += [WAIT] * 100
    stage.script["b"] += [WAIT] * 50
    stage.script["undo a"] += [WAIT] * 100
    play(stage.engine(), stage.clock, for_at_most=EXPIRY - CHECK)
    assert stage.cancel()
    play(stage.engine(), stage.clock, for_at_most=EXPIRY - CHECK)
    assert stage.states() == {"a": "undo-waiting", "b": "undone", "plan": "undoing"}
    play(stage.engine(), stage.clock)
    assert stage.states() == {"a": "undo-held", "b": "undone", "plan": "held"}


def test_a_task_that_waits_is_undone(stage: Stage) -> None:
    tasks = stage.write(outside("a"), outside("b"))
    stage.script["a"] += [WAIT]
    stage.script["b"] += [REFUSED]
    stage.run()
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}
    assert stage.partner.took_back[tasks["a"]] == 1


def test_an_inside_task_that_waited_and_was_woken_is_undone(stage: Stage) -> None:
    tasks = stage.write(inside("a"))
    stage.script["a"] += [WAIT]
    stage.run()
    stage.wake(tasks["a"], "go on")
    assert stage.states()["a"] == "ready"
    stage.cancel()
    stage.run()
    assert stage.states() == {"a": "undone", "plan": "undone"}


def test_what_may_have_reached_the_partner_is_undone_and_what_was_rolled_back_is_not(
    stage: Stage,
) -> None:
    tasks = stage.write(outside("a"), inside("b"), outside("c"), inside("d", undo=False))
    stage.script["a"] += [LATER]
    stage.script["b"] += [LATER]
    stage.script["c"] += [REFUSED]
    stage.script["d"] += [LATER]
    stage.run()
    assert stage.states() == {
        "a": "undone",
        "b": "skipped",
        "c": "failed",
        "d": "skipped",
        "plan": "undone",
    }
    assert stage.story == ["undo a"]
    assert next(task for task in stage.seen if task.undoing).output is None
    assert stage.effects() == {(tasks["a"], "undo"): 1}


@pytest.mark.parametrize("forward", ["done", "wait", "later", "surprise", "refused"])
def test_a_call_that_is_being_made_while_the_plan_turns_back_is_undone_too(
    stage: Stage, forward: str
) -> None:
    """However it ends; and what it stands on is not undone before it."""
    turns: dict[str, Turn] = {
        "wait": WAIT,
        "later": LATER,
        "surprise": SURPRISE,
        "refused": REFUSED,
    }
    tasks = stage.write(outside("a"), outside("b", "a"), outside("c", "b"))
    stage.script["b"] += [turns[forward]] if forward in turns else []

    def meanwhile() -> None:
        assert stage.cancel()
        assert not stage.cancel()
        stage.run()
        assert stage.states() == {
            "a": "undo-pending",
            "b": "leased",
            "c": "skipped",
            "plan": "undoing",
        }
        stage.wake(tasks["b"], "too late")

    original = stage._call

    def call(task: Task, now: Instant) -> object:
        if task.label == "b" and not task.undoing:
            meanwhile()
        return original(task, now)

    stage._call = call  # type: ignore[method-assign]
    stage.run()
    ended = "failed" if forward == "refused" else "undone"
    assert stage.states() == {"a": "undone", "b": ended, "c": "skipped", "plan": "undone"}
    assert stage.story[-1] == "undo a"
    assert stage.partner.standing() == set()


def test_a_worker_that_dies_while_its_plan_turns_back(stage: Stage) -> None:
    tasks = stage.write(outside("a"), outside("b", "a", undo=False), outside("c"))

    def die() -> None:
        raise Killed

    stage.during |= {"b": die, "c": die}
    for _ in range(2):
        with pytest.raises(Killed):
            stage.run()
    assert stage.states() == {"a": "done", "b": "leased", "c": "leased", "plan": "running"}
    stage.cancel()
    stage.run()
    assert stage.states()["a"] == "undo-pending"
    stage.run(after=LEASE)
    assert stage.states() == {"a": "undone", "b": "skipped", "c": "undone", "plan": "undone"}
    assert stage.partner.standing() == {tasks["b"]}  # it has no undo
    assert stage.partner.calls[tasks["b"]] == 1


def test_an_undo_that_fails_is_tried_again_and_then_held(stage: Stage) -> None:
    stage.write(outside("a"), inside("b", "a"), inside("tell", closing=True))
    stage.script["b"] += [REFUSED]
    stage.script["undo a"] += [REFUSED] * 3  # it cannot refuse: something was done
    for _ in range(3):
        assert stage.states()["plan"] != "held"
        stage.run(after=60)
    assert stage.states() == {"a": "undo-held", "b": "failed", "tell": "pending", "plan": "held"}


def test_a_closing_task_that_fails_is_tried_again_and_then_held(stage: Stage) -> None:
    stage.write(inside("a"), inside("tell", closing=True), outside("file", "tell", closing=True))
    stage.script["a"] += [REFUSED]
    stage.script["tell"] += [LATER, WAIT]
    stage.script["file"] += [REFUSED] * 3
    stage.run()
    assert stage.states() == {"a": "failed", "tell": "ready", "file": "pending", "plan": "undoing"}
    stage.run(after=1)
    assert stage.states()["tell"] == "waiting"
    stage.run(after=CHECK)
    assert stage.states() == {"a": "failed", "tell": "done", "file": "ready", "plan": "undoing"}
    play(stage.engine(), stage.clock)
    assert stage.states() == {"a": "failed", "tell": "done", "file": "held", "plan": "held"}


@pytest.mark.parametrize("fault", Fault)
def test_any_undo_may_fail_in_any_way(stage: Stage, fault: Fault) -> None:
    def story(wrap: Wrap) -> None:
        subject = f"ord_{stage.clock.now().isoformat()}"
        stage.script["d"].append(REFUSED)
        stage.script["undo b"].append(WAIT)
        tasks = stage.write(
            inside("a"),
            outside("b", "a"),
            outside("c", "a"),
            inside("d", "b", "c"),
            inside("tell", closing=True),
            subject=subject,
        )
        play(stage.engine(handlers=wrap(twice(stage.handlers()))), stage.clock)
        assert stage.states(subject)["plan"] == "undone"
        ways = stage.effects()
        assert {ways[tasks[label], way] for label in "abc" for way in ("do", "undo")} == {1}
        assert ways[tasks["tell"], "do"] == 1
        assert not stage.partner.standing()
        stage.clock.move(timedelta(hours=1))

    assert each_in_turn(fault, story) >= 8
