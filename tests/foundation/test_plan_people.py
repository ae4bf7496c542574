"""What a person may do to a plan that is stuck, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hansa.foundation.database import run
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PlanId, TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Intervention
from tests.foundation.stage import LATER, REFUSED, SURPRISE, Stage, inside, outside


@pytest.fixture
def held(stage: Stage) -> dict[str, TaskId]:
    """A plan in which b is held, between a, which is done, and c, which is to come."""
    tasks = stage.write(outside("a"), outside("b", "a"), inside("c", "b"))
    stage.script["b"] += [SURPRISE] * 3
    for _ in range(3):
        stage.run(after=60)
    assert stage.states() == {"a": "done", "b": "held", "c": "pending", "plan": "held"}
    return tasks


def test_fallout_is_what_waits_for_a_person(stage: Stage, held: dict[str, TaskId]) -> None:
    stage.write(outside("fine"), subject="ord_2")
    stage.run()
    with stage.begin() as tx:
        (plan,) = plans.fallout(tx)
        assert plans.of_task(tx, task=held["c"]) == plan
    assert plan.subject == "ord_1"
    assert [task.label for task in plan.tasks] == ["a", "b", "c"]
    assert "nobody foresaw this" in plan.tasks[1].error


def test_fallout_comes_a_page_at_a_time(stage: Stage, held: dict[str, TaskId]) -> None:
    del held
    for number in range(2, 5):
        stage.write(outside("x"), subject=f"ord_{number}")
        stage.clock.move(timedelta(seconds=1))
    stage.script["x"] += [SURPRISE] * 9
    for _ in range(9):
        stage.run(after=60)
    with stage.begin() as tx:
        assert plans.stuck(tx) == 4
        assert [one.subject for one in plans.fallout(tx, limit=2)] == ["ord_1", "ord_2"]
        assert [one.subject for one in plans.fallout(tx, offset=3, limit=2)] == ["ord_4"]
        kind = plans.fallout(tx)[0].kind
        assert plans.held_subjects(tx, kinds=(kind,), limit=3) == ["ord_1", "ord_2", "ord_3"]
        assert plans.held_subjects(tx, kinds=("another",), limit=3) == []
        assert plans.stuck(tx, besides=(kind,)) == 0


def test_since_when_a_task_could_be_done(stage: Stage, held: dict[str, TaskId]) -> None:
    """The first since the plan was made, the second since the first was done; the third not yet."""
    plan = stage.plan()
    with stage.begin() as tx:
        assert plans.began(tx, plan=plan.id) == {
            held["a"]: plan.made_at,
            held["b"]: plan.tasks[0].finished_at,
        }


def test_a_stamp_changes_when_a_task_moves(stage: Stage, held: dict[str, TaskId]) -> None:
    def stamp() -> str:
        with stage.begin() as tx:
            return plans.stamps(tx, subjects=["ord_1", "ord_none"])["ord_1"]

    before = stamp()
    assert stamp() == before
    with stage.begin() as tx:
        plans.resume(tx, task=held["b"], by="ann", why="", now=stage.clock.now())
    assert stamp() != before


def test_some_of_the_input_is_repaired(stage: Stage, held: dict[str, TaskId]) -> None:
    task, now = held["b"], stage.clock.now()
    before = stage.task("b").body
    with stage.begin() as tx:
        plans.repair_some(
            tx, task=task, changed={"label": "better"}, by="ann", why="wrong", now=now
        )
    assert stage.task("b").body == {**before, "label": "better"}
    with pytest.raises(Refused, match="task-input-unknown"), stage.begin() as tx:
        plans.repair_some(tx, task=task, changed={"colour": 1}, by="ann", why="wrong", now=now)


def test_repair_and_resume(stage: Stage, held: dict[str, TaskId]) -> None:
    task, now = held["b"], stage.clock.now()
    body = {"label": "better"}
    with stage.begin() as tx:
        plans.repair(tx, task=task, body=body, by="ann", why="wrong site", now=now)
    assert not stage.engine().run_one()
    stage.script["better"] += [SURPRISE, SURPRISE]  # it counts from nought again
    with stage.begin() as tx:
        plans.resume(tx, task=task, by="bob", why="repaired", now=now)
    assert stage.states() == {"a": "done", "b": "ready", "c": "pending", "plan": "running"}
    assert stage.task("b").error == ""
    for _ in range(3):
        stage.run(after=60)
    assert stage.states()["plan"] == "done"
    assert stage.partner.did[task] == 1
    with stage.begin() as tx:
        assert plans.interventions(tx, plan=stage.plan().id) == [
            Intervention(task, "repair", "ann", "wrong site", {"label": "b"}, now),
            Intervention(task, "resume", "bob", "repaired", None, now),
        ]
        assert plans.fallout(tx) == []


def test_done_by_hand(stage: Stage, held: dict[str, TaskId]) -> None:
    now = stage.clock.now()
    with stage.begin() as tx:
        plans.by_hand(
            tx, task=held["b"], output={"line": 7}, by="ann", why="they telephoned", now=now
        )
    assert stage.states() == {"a": "done", "b": "done", "c": "ready", "plan": "running"}
    assert stage.task("b").output == {"line": 7}
    stage.script["c"] += [REFUSED]
    stage.run()
    # What a person did is undone like the rest.
    assert stage.states() == {"a": "undone", "b": "undone", "c": "failed", "plan": "undone"}


def test_the_last_task_done_by_hand_ends_the_plan(stage: Stage) -> None:
    tasks = stage.write(inside("a"), inside("tell", closing=True))
    stage.script["a"] += [SURPRISE] * 3
    for _ in range(3):
        stage.run(after=60)
    with stage.begin() as tx:
        plans.by_hand(tx, task=tasks["a"], output=None, by="ann", why="done", now=stage.clock.now())
    assert stage.states() == {"a": "done", "tell": "skipped", "plan": "done"}


def test_an_inside_task_done_by_hand_is_undone_like_the_rest(stage: Stage) -> None:
    tasks = stage.write(inside("a"), outside("b", "a"))
    stage.script["a"] += [SURPRISE] * 3
    stage.script["b"] += [REFUSED]
    for _ in range(3):
        stage.run(after=60)
    with stage.begin() as tx:
        plans.by_hand(tx, task=tasks["a"], output=None, by="ann", why="done", now=stage.clock.now())
    stage.run()
    assert stage.story == ["undo a"]
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}


def test_undone_by_hand(stage: Stage) -> None:
    tasks = stage.write(
        outside("a"), outside("b", "a"), inside("c", "b"), inside("tell", closing=True)
    )
    stage.script["c"] += [REFUSED]
    stage.script["undo b"] += [SURPRISE] * 3
    for _ in range(3):
        stage.run(after=60)
    assert stage.states()["plan"] == "held"
    with stage.begin() as tx:
        plans.by_hand(
            tx, task=tasks["b"], output=None, by="ann", why="ceased", now=stage.clock.now()
        )
    assert stage.states()["a"] == "undo-ready"
    assert stage.states()["plan"] == "undoing"
    stage.run()
    assert stage.story == ["a", "b", "undo a", "tell"]
    assert stage.states()["plan"] == "undone"


def test_a_held_undo_and_a_held_closing_task_can_be_resumed(stage: Stage) -> None:
    tasks = stage.write(outside("a"), inside("b", "a"), inside("tell", closing=True))
    stage.script["b"] += [REFUSED]
    stage.script["undo a"] += [SURPRISE] * 3
    stage.script["tell"] += [SURPRISE] * 3
    for label in ("a", "tell"):
        for _ in range(3):
            stage.run(after=60)
        assert stage.states()["plan"] == "held"
        with stage.begin() as tx:
            plans.resume(tx, task=tasks[label], by="ann", why="mended", now=stage.clock.now())
        assert stage.states()["plan"] == "undoing"
    stage.run()
    assert stage.states() == {"a": "undone", "b": "failed", "tell": "done", "plan": "undone"}


def test_other_branches_go_on_while_a_task_is_held(stage: Stage) -> None:
    tasks = stage.write(outside("a"), outside("b"), outside("c", "b"), inside("d", "a", "c"))
    stage.script["a"] += [SURPRISE] * 3
    stage.script["b"] += [LATER] * 3
    for _ in range(5):
        stage.run(after=60)
    assert stage.states() == {
        "a": "held",
        "b": "done",
        "c": "done",
        "d": "pending",
        "plan": "held",
    }
    with stage.begin() as tx:
        plans.resume(tx, task=tasks["a"], by="ann", why="mended", now=stage.clock.now())
    stage.run()
    assert stage.states()["plan"] == "done"


def test_a_held_task_shows_while_another_is_still_being_done(stage: Stage) -> None:
    stage.write(inside("a"), outside("b"))
    stage.script["a"] += [SURPRISE] * 3
    stage.script["b"] += [LATER] * 2
    for _ in range(2):
        stage.run(after=60)
    shown = []
    stage.during["b"] = lambda: shown.append(stage.states())
    stage.run(after=60)
    assert shown == [{"a": "held", "b": "leased", "plan": "held"}]
    assert stage.states() == {"a": "held", "b": "done", "plan": "held"}


def test_a_held_plan_can_be_cancelled(stage: Stage, held: dict[str, TaskId]) -> None:
    assert stage.cancel()
    assert stage.states() == {
        "a": "undo-pending",
        "b": "undo-ready",
        "c": "skipped",
        "plan": "undoing",
    }
    stage.run()
    assert stage.states()["plan"] == "undone"
    assert stage.partner.standing() == set()
    assert not stage.cancel()
    with stage.begin() as tx:
        noted = plans.interventions(tx, plan=stage.plan().id)
    assert [(one.task, one.act, one.by) for one in noted] == [(None, "cancel", "ann")]


def test_a_refusal_elsewhere_takes_a_held_task_along(
    stage: Stage,
) -> None:
    stage.write(outside("a"), outside("b"))
    stage.script["a"] += [SURPRISE] * 3
    stage.script["b"] += [LATER] * 3 + [REFUSED]
    for _ in range(4):
        stage.run(after=60)
    assert stage.states() == {"a": "undone", "b": "failed", "plan": "undone"}


def test_a_plan_on_its_way_back_cannot_be_cancelled_even_when_held(stage: Stage) -> None:
    stage.write(outside("a"), inside("b", "a"))
    stage.script["b"] += [REFUSED]
    stage.script["undo a"] += [SURPRISE] * 3
    for _ in range(3):
        stage.run(after=60)
    assert stage.states()["plan"] == "held"
    assert not stage.cancel()
    assert stage.states() == {"a": "undo-held", "b": "failed", "plan": "held"}


def test_only_what_is_held_can_be_helped(stage: Stage, held: dict[str, TaskId]) -> None:
    now = stage.clock.now()
    with pytest.raises(Refused) as refused, stage.begin() as tx:
        plans.resume(tx, task=held["a"], by="ann", why="why not", now=now)
    assert refused.value.code == "task-not-held"
    with pytest.raises(NotFound) as unknown, stage.begin() as tx:
        plans.repair(tx, task=TaskId("tsk_none"), body={}, by="ann", why="why not", now=now)
    assert unknown.value.code == "task-unknown"
    with pytest.raises(NotFound) as unknown, stage.begin() as tx:
        plans.cancel(tx, plan=PlanId("pln_none"), by="ann", why="why not", now=now)
    assert unknown.value.code == "plan-unknown"


def test_a_finished_plan_cannot_be_cancelled(stage: Stage) -> None:
    stage.write(outside("a"))
    stage.run()
    assert not stage.cancel()
    assert stage.states() == {"a": "done", "plan": "done"}


def test_interventions_are_never_changed(stage: Stage, held: dict[str, TaskId]) -> None:
    stage.cancel()
    for change in (
        "update plan_intervention set why = 'no reason'",
        "delete from plan_intervention",
        "truncate plan_intervention",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), stage.begin() as tx:
            run(tx, change)
