"""Workers die, are slow, and are many; each task is done once all the same."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from hansa.foundation.database import Database, Wakeups
from hansa.foundation.ids import TaskId
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import CHANNEL, LEASE_LOCKS, Outside, Retry
from tests.faults import Killed
from tests.foundation.stage import LATER, LEASE, REFUSED, WAIT, Stage, inside, outside


def die() -> None:
    raise Killed


def test_a_call_whose_worker_died_is_made_again_when_the_lease_ends(stage: Stage) -> None:
    tasks = stage.write(outside("a"), inside("b", "a"))
    stage.during["a"] = die
    with pytest.raises(Killed):
        stage.run()
    assert stage.states() == {"a": "leased", "b": "pending", "plan": "running"}
    stage.run(after=LEASE - timedelta(seconds=1))
    assert stage.states()["a"] == "leased"
    stage.run(after=1)
    assert stage.states()["plan"] == "done"
    assert (stage.partner.calls[tasks["a"]], stage.partner.did[tasks["a"]]) == (2, 1)
    assert [task.attempt for task in stage.seen if task.label == "a"] == [1, 2]


def test_the_late_answer_of_a_slow_worker_is_dropped(stage: Stage) -> None:
    tasks = stage.write(outside("a"), inside("b", "a"))

    def slow() -> None:
        # While the first worker still waits for its answer, another takes over.
        stage.run(after=LEASE)
        assert stage.states()["plan"] == "done"

    stage.during["a"] = slow
    stage.run()
    assert stage.states()["plan"] == "done"
    assert set(stage.effects().values()) == {1}
    assert (stage.partner.calls[tasks["a"]], stage.partner.did[tasks["a"]]) == (2, 1)


def test_an_answer_counts_only_for_the_worker_whose_lease_it_is(stage: Stage) -> None:
    stage.write(outside("a"))
    engine = stage.engine()
    calls = []
    for _ in range(2):
        with stage.begin() as tx:
            calls.append(engine._take(tx)[1])
        stage.clock.move(LEASE)
    slow, second = calls
    assert slow is not None
    assert second is not None
    assert engine._make(slow) is None
    assert stage.states() == {"a": "leased", "plan": "running"}
    assert stage.effects() == {}
    assert engine._make(second) is None
    assert stage.states() == {"a": "done", "plan": "done"}


def test_a_late_failure_is_dropped_as_well(stage: Stage) -> None:
    stage.write(outside("a"))

    def slow() -> None:
        stage.run(after=LEASE)
        raise REFUSED

    stage.during["a"] = slow
    stage.run()
    assert stage.states() == {"a": "done", "plan": "done"}


def test_a_late_answer_while_another_worker_asks_is_dropped(stage: Stage) -> None:
    stage.write(outside("a"))

    def slow() -> None:
        stage.during["a"] = lambda: shown.append(stage.states())
        stage.script["a"] += [WAIT]
        stage.run(after=LEASE)

    shown: list[dict[str, str]] = []
    stage.during["a"] = slow
    stage.run()
    assert shown == [{"a": "leased", "plan": "running"}]
    assert stage.states() == {"a": "waiting", "plan": "running"}
    assert stage.effects() == {}


def test_a_call_that_kills_its_workers_is_held(stage: Stage) -> None:
    stage.retry = Retry(attempts=3)
    stage.write(outside("a"), outside("other"))
    for _ in range(3):
        stage.during["a"] = die
        with pytest.raises(Killed):
            stage.run(after=LEASE)
    stage.run(after=LEASE)
    assert stage.states() == {"a": "held", "other": "done", "plan": "held"}
    assert stage.task("a").error == "no answer within the lease, 3 times"


def test_the_leases_of_the_dead_are_taken_over_at_once(stage: Stage) -> None:
    stage.write(outside("a"), subject="ord_1")
    stage.write(outside("b"), subject="ord_2")
    for label, owner in (("a", 7), ("b", 8)):
        stage.during[label] = die
        with pytest.raises(Killed):
            stage.engine(owner=owner).run_one()
    newcomer = stage.engine(owner=9)
    with Wakeups(stage.database.url, CHANNEL, lock=(LEASE_LOCKS, 8)):  # worker 8 lives
        assert newcomer.free_dead_leases() == 1
        newcomer.run_until_idle()
        assert stage.states("ord_1")["plan"] == "done"
        assert stage.states("ord_2")["b"] == "leased"
    deadline = time.monotonic() + 10
    while not newcomer.free_dead_leases():  # its session takes a moment to end
        assert time.monotonic() < deadline
    newcomer.run_until_idle()
    assert stage.states("ord_2")["plan"] == "done"


def test_a_living_worker_of_another_node_on_the_same_server_is_not_ours(
    stage: Stage, databases: Callable[[], Database]
) -> None:
    stage.write(outside("a"))
    stage.during["a"] = die
    with pytest.raises(Killed):
        stage.engine(owner=7).run_one()
    with Wakeups(databases().url, CHANNEL, lock=(LEASE_LOCKS, 7)):
        assert stage.engine(owner=9).free_dead_leases() == 1


def test_workers_hear_of_work(stage: Stage) -> None:
    with Wakeups(stage.database.url, CHANNEL, lock=(LEASE_LOCKS, 1)) as wakeups:
        assert not wakeups.wait(0.01)
        tasks = stage.write(outside("a"), outside("b"))
        assert wakeups.wait(5)
        heard = []
        stage.during["a"] = lambda: heard.append(wakeups.wait(5))
        stage.script["a"] += [WAIT]
        stage.run()
        assert heard == [{""}]  # there is b for another worker to do
        assert not wakeups.wait(0.01)
        stage.wake(tasks["a"], "done")
        assert wakeups.wait(5)


def test_two_branches_of_a_plan_are_done_at_the_same_time(stage: Stage) -> None:
    stage.write(outside("a"), outside("b"), inside("c", "a", "b"))
    shown = []

    def meanwhile() -> None:
        stage.run()
        shown.append(stage.states())

    stage.during["a"] = meanwhile
    stage.run()
    assert shown == [{"a": "leased", "b": "done", "c": "pending", "plan": "running"}]
    assert stage.states()["plan"] == "done"


def test_many_workers_over_many_plans(stage: Stage) -> None:
    """Nothing is done twice, nothing is forgotten, and nobody waits for somebody for ever."""
    plans = 200
    tasks = {}
    for number in range(plans):
        subject = f"ord_{number}"
        if number % 5 == 0:
            stage.script["e"].append(REFUSED)
        tasks[subject] = stage.write(
            outside("a"),
            outside("b"),
            inside("c", "a"),
            outside("d", "a", "b"),
            inside("e", "c", "d"),
            inside("tell", closing=True),
            subject=subject,
        )
    stage.script["b"].extend([LATER, WAIT] * 20)
    start = threading.Barrier(5, timeout=60)

    def work(owner: int) -> None:
        engine = stage.engine(owner=owner)
        start.wait()
        engine.run_until_idle()

    def interfere() -> None:
        start.wait()
        for subject, ids in tasks.items():
            stage.wake(ids["b"], "hello")
            if subject.endswith("7"):
                stage.cancel(subject)

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(work, owner) for owner in range(1, 5)] + [pool.submit(interfere)]
        for one in running:
            one.result(timeout=240)
    for _ in range(3):
        stage.run(after=timedelta(minutes=1))
    effects = stage.effects()
    assert set(effects.values()) == {1}
    ends = {subject: stage.states(subject)["plan"] for subject in tasks}
    assert Counter(ends.values()).keys() == {"done", "undone"}
    assert Counter(ends.values())["undone"] >= plans // 5
    for subject, ids in tasks.items():
        check_all_or_nothing(effects, ids, ends[subject])
    whole = [ids for subject, ids in tasks.items() if ends[subject] == "done"]
    assert stage.partner.standing() == {ids[label] for ids in whole for label in "abd"}


def check_all_or_nothing(
    effects: Counter[tuple[str, str]], ids: Mapping[str, TaskId], end: str
) -> None:
    for label in "abcde":
        done, undone = effects[ids[label], "do"], effects[ids[label], "undo"]
        if end == "done":
            assert (done, undone) == (1, 0)
        else:
            assert undone >= done  # what may have been done is undone as well
    assert effects[ids["tell"], "do"] == (end == "undone")


def test_a_deadlock_is_only_another_try(stage: Stage) -> None:
    """A handler that is in somebody's way is rolled back and comes again."""
    stage.write(inside("a"))
    stage.script["a"] += [psycopg.errors.DeadlockDetected("deadlock detected")]
    stage.run()
    stage.run(after=1)
    assert stage.states()["plan"] == "done"


class Crew:
    """The worker of one engine. called: how often it was asked for another."""

    def __init__(self, *, goes_on: bool = True) -> None:
        self.called = 0
        self._goes_on = goes_on

    def goes_on(self) -> bool:
        return self._goes_on

    def call(self) -> None:
        self.called += 1


@pytest.mark.parametrize("goes_on", [True, False])
def test_one_turn_goes_on_with_the_calls_of_other_plans(stage: Stage, goes_on: bool) -> None:
    for number in range(3):
        stage.write(outside("a"), inside("b", "a"), subject=f"ord_{number}")
    crew = Crew(goes_on=goes_on)
    engine = Engine(stage.begin, stage.handlers(), stage.clock, crew=crew)
    assert engine.run_one()
    done = [stage.states(f"ord_{number}")["plan"] for number in range(3)]
    assert done == (["done"] * 3 if goes_on else ["done", "running", "running"])
    assert crew.called == (2 if goes_on else 1)  # while a call is made, another task is due
    assert engine.run_one() is not goes_on


def test_an_inside_task_is_never_done_beside_another_plan(stage: Stage) -> None:
    stage.write(outside("a"), subject="ord_1")
    stage.write(inside("b"), subject="ord_2")
    engine = Engine(stage.begin, stage.handlers(), stage.clock, crew=Crew())
    assert engine.run_one()
    assert (stage.states("ord_1")["plan"], stage.states("ord_2")["plan"]) == ("done", "running")
    assert engine.run_one()
    assert stage.states("ord_2")["plan"] == "done"


def test_what_a_task_was_told_needs_no_call(stage: Stage) -> None:
    tasks = stage.write(outside("a"))
    stage.script["a"] += [WAIT]
    handlers = stage.handlers()
    call = handlers["outside.do"]
    assert isinstance(call, Outside)
    told = replace(call, heard=lambda task: task.message)
    engine = stage.engine(handlers={**handlers, "outside.do": told})
    engine.run_until_idle()
    stage.wake(tasks["a"], "all is done")
    engine.run_until_idle()
    assert stage.states() == {"a": "done", "plan": "done"}
    assert stage.partner.calls[tasks["a"]] == 1
    assert stage.task("a").attempt == 2


def test_what_cannot_be_understood_is_asked(stage: Stage) -> None:
    tasks = stage.write(outside("a"))
    handlers = stage.handlers()
    call = handlers["outside.do"]
    assert isinstance(call, Outside)

    def heard(_: object) -> None:
        raise ValueError

    engine = stage.engine(handlers={**handlers, "outside.do": replace(call, heard=heard)})
    engine.run_until_idle()
    assert stage.partner.calls[tasks["a"]] == 1
    assert stage.states()["plan"] == "done"


def test_a_worker_is_not_woken_by_what_it_makes_due(stage: Stage) -> None:
    with Wakeups(stage.database.url, CHANNEL, lock=(LEASE_LOCKS, 1)) as wakeups:
        begin, stage.begin = stage.begin, stage.database.begin_work
        stage.write(inside("a"))
        assert not wakeups.wait(0.05)
        stage.begin = begin
        stage.write(inside("a"), subject="ord_2")
        assert wakeups.wait(5)
        stage.write(inside("a"), subject="ord_3")
        assert not wakeups.wait(0.05, deaf_to=stage.database.backends)
