"""What is stuck, and what a person does about it: as the commands do, and written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.federation.contract import OrderState
from hansa.foundation.ids import OrderId
from hansa.foundation.people.actions import audit
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Plan, Task
from tests.entrypoints.portal.operations.world import World, short
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module")
def stuck_ones(world: World) -> list[OrderId]:
    """Four orders that are held, each for the tests that ask for it."""
    return world.sell_and_have_them_held("Pretoria", "Benoni", "Ladysmith", "Springs")


@pytest.fixture(scope="module")
def held(stuck_ones: list[OrderId]) -> OrderId:
    """One that is repaired and resumed in the end."""
    return stuck_ones[0]


@pytest.fixture(scope="module")
def other(stuck_ones: list[OrderId]) -> OrderId:
    return stuck_ones[1]


def plan_of(world: World, order: OrderId) -> Plan:
    with world.node.begin() as tx:
        plan = plans.of_subject(tx, subject=order)
    assert plan is not None
    return plan


def stuck(world: World, order: OrderId) -> Task:
    return next(task for task in plan_of(world, order).tasks if task.state.endswith("held"))


def test_the_queue_says_what_why_and_in_whose_hands(
    world: World, ops: Visitor, held: OrderId, other: OrderId
) -> None:
    shown = ops.open("/fallout")
    assert shown.heading == "Held for a person"
    first, second, *_others = shown.rows()
    assert (first[0], second[0]) == (short(held), short(other)), "the oldest first"
    assert first[1:3] == ["line", "OP1"]
    assert "partner-silent" in first[5]
    assert shown.tree.xpath(f"//a[@href='/fallout/{stuck(world, held).id}']")


def test_it_is_for_operations_alone(world: World, fin: Visitor, held: OrderId) -> None:
    path = f"/fallout/{stuck(world, held).id}"
    assert fin.open("/fallout").status == fin.open(path).status == 403
    for act in ("repair", "resume", "by-hand"):
        assert fin.send(f"{path}/{act}", {"why": "x"}).status == 403
    assert stuck(world, held).state == "held"


def test_a_step_shows_what_it_is_done_with(world: World, ops: Visitor, held: OrderId) -> None:
    task = stuck(world, held)
    shown = ops.open(f"/fallout/{task.id}")
    form = shown.form(f"/fallout/{task.id}/repair")
    assert form["input-seller"] == "op1"
    assert form["input-quote"] == task.body["quote"]
    assert form["input-supply"] == "0"
    assert [row[0] for row in shown.rows()] == ["line", "Service", "Failure"]


@pytest.mark.parametrize("act", ["repair", "resume", "by-hand"])
def test_nothing_is_done_without_a_reason(
    world: World, ops: Visitor, held: OrderId, act: str
) -> None:
    task = stuck(world, held)
    shown = ops.send(f"/fallout/{task.id}/{act}", {"why": "  ", "input-quote": "quo_typed"})
    assert shown.status == 422
    assert "Say why" in shown.text
    assert "quo_typed" in shown.answer.text, "what was typed is kept"
    assert stuck(world, held) == task


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"input-supply": "{"}, "This is not JSON"),
        ({"input-supply": "[" * 100_000}, "This is not JSON"),
        ({}, "Nothing of the input was changed"),
        ({"input-colour": "blue"}, "Nothing of the input was changed"),
    ],
)
def test_input_that_is_none(
    world: World, ops: Visitor, held: OrderId, form: dict[str, str], words: str
) -> None:
    task = stuck(world, held)
    shown = ops.send(f"/fallout/{task.id}/repair", {"why": "try", **form})
    assert shown.status == 422
    assert words in shown.text
    assert stuck(world, held) == task


def test_output_that_is_none(world: World, ops: Visitor, held: OrderId) -> None:
    task = stuck(world, held)
    shown = ops.send(f"/fallout/{task.id}/by-hand", {"why": "by phone", "output": "done!"})
    assert shown.status == 422
    assert "This is not JSON" in shown.text


def test_there_is_no_such_step(ops: Visitor) -> None:
    assert ops.open("/fallout/tsk_nothing").status == 404
    for act in ("repair", "resume", "by-hand"):
        assert ops.send(f"/fallout/tsk_nothing/{act}", {"why": "x"}).status == 404


def test_repaired_and_left_held(world: World, ops: Visitor, held: OrderId) -> None:
    task = stuck(world, held)
    form = ops.open(f"/fallout/{task.id}").form(f"/fallout/{task.id}/repair")
    form.pop("again")
    form |= {"input-quote": "quo_better", "why": "they quoted anew"}
    shown = ops.send(f"/fallout/{task.id}/repair", form)
    assert "held until resumed" in shown.text
    assert stuck(world, held).body == {**task.body, "quote": "quo_better"}
    ((_when, who, what, why, before),) = shown.rows(1)
    assert (who, what, why) == ("olu", "Gave it other input", "they quoted anew")
    assert task.body["quote"] in before
    with world.node.begin() as tx:
        (entry,) = audit.trail(tx, action="task-repaired", limit=9)
    assert (entry.who, entry.subject, entry.why) == ("olu", task.id, "they quoted anew")
    assert entry.details == {"quote": "quo_better"}
    # Put right again, and tried at once.
    form |= {"input-quote": task.body["quote"], "why": "the first was right", "again": "1"}
    shown = ops.send(f"/fallout/{task.id}/repair", form)
    assert shown.heading == f"Order {held}"
    assert "it is tried again" in shown.text
    world.alliance.work()
    assert world.shop.progress(held).state is OrderState.COMPLETED


def test_somebody_else_was_quicker(world: World, ops: Visitor, stuck_ones: list[OrderId]) -> None:
    """The page of a step that is done offers nothing, and a form that was open still is refused."""
    order = stuck_ones[2]
    task = stuck(world, order)
    assert ops.send(f"/fallout/{task.id}/resume", {"why": "they are back"}).status == 200
    shown = ops.open(f"/fallout/{task.id}")
    assert "not held any more" in shown.text
    assert not shown.tree.xpath("//form[contains(@action, '/resume')]")
    late = ops.send(f"/fallout/{task.id}/resume", {"why": "they are back"})
    assert late.status == 422
    assert "only a held task" in late.text
    world.alliance.work()
    assert world.shop.progress(order).state is OrderState.COMPLETED


def test_done_by_hand(world: World, ops: Visitor, other: OrderId) -> None:
    """What somebody did by telephone is recorded as if the step had found it, and goes on."""
    task = stuck(world, other)
    form = {"why": "ordered by telephone", "output": '{"line": 7}'}
    shown = ops.send(f"/fallout/{task.id}/by-hand", form)
    assert "taken as done" in shown.text
    plan = plan_of(world, other)
    after = next(one for one in plan.tasks if one.id == task.id)
    assert (after.state, after.output) == ("done", {"line": 7})
    with world.node.begin() as tx:
        (act,) = plans.interventions(tx, plan=plan.id)
        (entry,) = audit.trail(tx, action="task-done-by-hand", limit=9)
    assert (act.act, act.by, act.why) == ("by-hand", "olu", "ordered by telephone")
    assert (entry.who, entry.subject, entry.details) == ("olu", task.id, {"line": 7})


def test_the_order_is_taken_back_from_here(
    world: World, ops: Visitor, stuck_ones: list[OrderId]
) -> None:
    order = stuck_ones[3]
    shown = ops.open(f"/fallout/{stuck(world, order).id}")
    assert shown.form(f"/orders/{order}/cancel") == {"why": ""}
    assert ops.send(f"/orders/{order}/cancel", {"why": "given up"}).status == 200
    world.alliance.pass_time(timedelta(minutes=1))
    assert world.shop.progress(order).state is OrderState.CANCELLED


def test_beyond_the_last_page(ops: Visitor, held: OrderId) -> None:
    del held
    shown = ops.open("/fallout?page=99")
    assert shown.status == 200
    assert "There is no such page" in shown.text or "Nothing is held" in shown.text
