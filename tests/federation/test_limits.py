"""One caller does not crowd out the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation import intake
from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Exchanges, Operation
from hansa.federation.intake import Head
from hansa.federation.limits import Limits, Measure
from hansa.federation.tmf import errors
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from tests.inside import Inside

BT, EVE = Actor(PartyId("bt"), "partner"), Actor(PartyId("eve"), "partner")


class Watch:
    """Shows the seconds that it was set to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def passes(limits: Limits, actor: Actor) -> bool:
    try:
        with limits.visit(actor):
            return True
    except TryLater:
        return False


def test_a_burst_passes_and_then_an_even_flow() -> None:
    watch = Watch()
    limits = Limits(Measure(requests_per_s=10, burst=5), monotonic=watch)
    assert [passes(limits, BT) for _ in range(7)] == [True] * 5 + [False] * 2
    assert passes(limits, EVE)
    watch.at += 0.1001
    assert [passes(limits, BT) for _ in range(2)] == [True, False]
    watch.at += 60
    assert [passes(limits, BT) for _ in range(6)] == [True] * 5 + [False]


def test_it_is_told_how_long_to_wait() -> None:
    watch = Watch()
    limits = Limits(Measure(requests_per_s=2, burst=1), monotonic=watch)
    assert passes(limits, BT)
    with pytest.raises(TryLater) as refused, limits.visit(BT):
        raise AssertionError
    assert refused.value.code == "too-many-requests"
    assert refused.value.after_s == pytest.approx(0.5)
    watch.at += 0.5001
    assert passes(limits, BT)


def test_only_so_much_is_worked_on_at_once() -> None:
    limits = Limits(Measure(at_once=2))
    with ExitStack() as working:
        for _ in range(2):
            working.enter_context(limits.visit(BT))
        assert not passes(limits, BT)
        assert passes(limits, EVE)
    assert passes(limits, BT)


def test_what_fails_does_not_count_as_working() -> None:
    limits = Limits(Measure(at_once=1))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limits.visit(BT):
            raise ZeroDivisionError
    assert passes(limits, BT)


@given(st.lists(st.floats(0, 2), max_size=60), st.integers(1, 50), st.integers(1, 10))
def test_never_more_than_burst_and_pace_allow(
    pauses: list[float], requests_per_s: int, burst: int
) -> None:
    watch = Watch()
    limits = Limits(Measure(requests_per_s=requests_per_s, burst=burst), monotonic=watch)
    taken = 0
    for pause in pauses:
        watch.at += pause
        taken += passes(limits, BT)
        assert taken <= burst + requests_per_s * (watch.at - 100.0) + 1e-6


# --- at the door --------------------------------------------------------------------------------


class Open:
    """A gate that believes what it is told."""

    def admit(self, ask: Ask) -> Caller:
        return Caller(Actor(PartyId(ask.headers["authorization"]), "partner"))

    def recognise(self, _head: Head) -> Caller | None:
        return None

    def seal(self, _head: Head, caller: Caller | None, answer: Answer) -> Answer:
        """Whoever was admitted gets a signed answer, also when it was too much."""
        return Answer(answer.status, answer.body, {**answer.headers, "sealed": str(bool(caller))})


def served(measure: Measure) -> Exchanges:
    def handle(_ask: Ask, _caller: Caller) -> Answer:
        return Answer(200, b"{}")

    operation = Operation("POST", "/a/b", handle, "TMF", "Does nothing.")
    dialect = Dialect("/a/", [operation], errors.write, errors.UNFORESEEN)
    return Exchanges([dialect], Open(), limits=Limits(measure))


def test_too_many_requests_are_told_when_to_come_again() -> None:
    http = Inside(served(Measure(requests_per_s=0.01, burst=1)), "http://door.test")
    assert http.post("/a/b", headers={"authorization": "bt"}).status_code == 200
    answer = http.post("/a/b", headers={"authorization": "bt"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert 0 < int(answer.headers["retry-after"]) <= 100
    assert answer.headers["sealed"] == "True"
    assert http.post("/a/b", headers={"authorization": "eve"}).status_code == 200
    heard = errors.read(429, answer.content, "bt")
    assert isinstance(heard, TryLater) and heard.after_s


@pytest.mark.parametrize(
    "headers", [{"x": "y" * intake.HEADERS_MAX}, {f"x-{number}": "y" for number in range(100)}]
)
def test_headers_have_their_bounds(headers: dict[str, str]) -> None:
    http = Inside(served(Measure()), "http://door.test")
    answer = http.post("/a/b", headers={"authorization": "bt", **headers})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")


def test_a_body_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_MAX_S", 0.05)
    sent: list[Any] = []
    pieces: Sequence[Any] = [{"type": "http.request", "body": b"{", "more_body": True}]
    waiting = iter(pieces)

    async def receive() -> Any:
        piece = next(waiting, None)
        if piece is None:
            await asyncio.sleep(60)
        return piece

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/a/b", "raw_path": b"/a/b", "scheme": "http",
        "query_string": b"", "headers": [(b"authorization", b"bt")],
    }  # fmt: skip
    asyncio.run(served(Measure())(scope, receive, send))
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["code"] == "body-too-slow"
