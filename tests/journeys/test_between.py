"""Somebody sits between operators; an order comes through, and the last one proves who asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx2
import psycopg
import pytest

from hansa.federation.contract import OrderState
from hansa.federation.evidence import actions as evidence
from hansa.federation.evidence import proof
from hansa.federation.evidence.model import File
from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.keys import vouching
from hansa.federation.mandate import Mandate
from hansa.federation.model import Dialect
from hansa.federation.trust.gate import SignedGate
from hansa.federation.trust.register import Books
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey, PartyId
from hansa.foundation.time import SetClock
from hansa.lifecycle.order import rules
from hansa.lifecycle.quote.actions import quotes
from tests.alliance import Alliance, Quiet, chain
from tests.databases import Pool
from tests.journeys.shown import (
    ordered,
    placed_with,
    read_elsewhere,
    show,
    speak,
    state_of,
)
from tests.standing import Standing, standing

Change = Callable[[httpx2.Request], httpx2.Request]
Forge = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]


class Tapped(Alliance):
    """An alliance with somebody on all its wires, who may change what passes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.leave_alone()

    def leave_alone(self) -> None:
        self.change: Change = lambda request: request
        self.forge: Forge = lambda _, response: response

    def _connect(self, partner: Any) -> Any:
        return Tap(self, partner.party.id, self._apps[partner.party.id])


class Tap(Quiet):
    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        assert isinstance(self._alliance, Tapped)
        response = super().send(self._alliance.change(request), **kwargs)
        response.read()
        return self._alliance.forge(request, response)


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Four operators, each reselling the line of the one before."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        made = Tapped(databases, tmp_path_factory.mktemp("between"), clock, b"between")
        chain(made, 4)
        with standing(made) as stood:
            yield stood


@pytest.fixture
def alliance(world: Standing) -> Tapped:
    again = world.again()
    assert isinstance(again, Tapped)
    again.leave_alone()
    return again


# --- somebody in between ------------------------------------------------------------------------


def altered(request: httpx2.Request, **by: Any) -> httpx2.Request:
    headers = {**request.headers, **by.get("headers", {})}
    headers.pop("content-length", None)
    return httpx2.Request(
        by.get("method", request.method),
        by.get("url", request.url),
        headers=headers,
        content=by.get("content", request.content),
        extensions=request.extensions,
    )


def another(response: httpx2.Response, **by: Any) -> httpx2.Response:
    headers = {**response.headers, **by.get("headers", {})}
    headers.pop("content-length", None)
    return httpx2.Response(
        by.get("status", response.status_code),
        headers=headers,
        content=by.get("content", response.content),
    )


OFFENCES: dict[str, tuple[Change | None, Forge | None]] = {
    "a byte of a request": (
        lambda request: (
            altered(request, content=request.content.replace(b"id", b"iD", 1))
            if request.content
            else request
        ),
        None,
    ),
    "the address of a request": (
        lambda request: altered(request, url=f"{request.url}?x=1"),
        None,
    ),
    "the trace of a request": (
        lambda request: altered(request, headers={"traceparent": f"00-{'1' * 32}-{'1' * 16}-01"}),
        None,
    ),
    "the status of an answer": (None, lambda _, response: another(response, status=422)),
    "the body of an answer": (
        None,
        lambda _, response: another(response, content=response.content + b" "),
    ),
    "an answer made up": (
        None,
        lambda *_: httpx2.Response(422, content=b'{"code":"no-coverage","reason":"Not there."}'),
    ),
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_who_changes_messages_only_delays(alliance: Tapped, offence: str) -> None:
    order = ordered(alliance)
    change, forge = OFFENCES[offence]
    alliance.change = change or alliance.change
    alliance.forge = forge or alliance.forge
    alliance.work()
    assert state_of(alliance, order) is OrderState.IN_PROGRESS
    alliance.leave_alone()
    alliance.pass_time(timedelta(minutes=1))
    assert state_of(alliance, order) is OrderState.COMPLETED
    assert [len(placed_with(node)) for node in alliance.nodes.values()] == [1, 1, 1, 1]


def test_who_repeats_everything_changes_nothing(alliance: Tapped) -> None:
    """Each request is sent a second time; the second is refused, and its answer kept back."""
    repeated: list[int] = []

    def again(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        door = alliance._apps[PartyId(request.url.host.removesuffix(".test"))]
        second = door.send(altered(request))
        repeated.append(second.status_code)
        return response

    alliance.forge = again
    order = ordered(alliance)
    alliance.work()
    assert state_of(alliance, order) is OrderState.COMPLETED
    assert set(repeated) == {401}


def test_who_answers_with_what_was_answered_before_is_not_believed(alliance: Tapped) -> None:
    """Every answer is the one before it on the same wire."""
    last: dict[str, httpx2.Response] = {}

    def earlier(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        before = last.get(request.url.host, response)
        last[request.url.host] = response
        return before

    alliance.forge = earlier
    with pytest.raises(TryLater, match="partner-unproved"):
        for number in range(3):
            ordered(alliance, f"k{number}")
    alliance.leave_alone()
    done = ordered(alliance, "k9")
    alliance.work()
    assert state_of(alliance, done) is OrderState.COMPLETED


# --- evidence -------------------------------------------------------------------------------------


def test_the_last_of_four_proves_who_asked(alliance: Tapped) -> None:
    """By a file that is read again elsewhere, after all keys have been replaced."""
    order = ordered(alliance)
    alliance.work()
    assert state_of(alliance, order) is OrderState.COMPLETED
    first = next(iter(alliance.nodes.values()))
    for node in alliance.nodes.values():
        node.keys.rotate(now=alliance.clock.now(), overlap=timedelta(days=1))
    alliance.pass_time(timedelta(days=2))

    text = json.dumps(documents.write(show(first)))
    verdict = proof.verify(proof.read(json.loads(text)))
    assert verdict.holds, [one for one in verdict.findings if one.fault]
    assert [one.said.partition(":")[0] for one in verdict.chain] == [
        "op4 ordered of op3",
        "op3 ordered of op2",
        "op2 ordered of op1",
    ]
    assert "1 x line in ZA" in verdict.chain[0].said
    assert "GBP" not in " ".join(one.said for one in verdict.chain)
    said = [one.said for one in verdict.findings]
    assert any("op2 asked op1: POST productOrder" in one for one in said)
    assert any("op1 answered op2 201 to POST productOrder" in one for one in said)
    for node in alliance.nodes.values():
        assert proof.verify(show(node)).holds


MOVED = "productOrderStateChangeEvent"


@pytest.mark.parametrize(("dialect", "done"), [("tmf", 201), ("sonata", 204)])
def test_everyone_shows_an_order_from_the_asking_to_the_end(
    alliance: Tapped, dialect: Dialect, done: int
) -> None:
    """What was ordered, the answer to it, and the notice that it is done: by whom, to whom."""
    speak(alliance, dialect)
    ordered(alliance)
    alliance.work()
    nodes = list(alliance.nodes.values())
    shown = {node.us.id: read_elsewhere(show(node)) for node in nodes}
    for name, verdict in shown.items():
        assert verdict.holds, (name, [one for one in verdict.findings if one.fault])
    for seller, buyer in pairwise(nodes):
        for name in (seller.us.id, buyer.us.id):
            said = [one.said for one in shown[name].findings]
            for so in (
                f"{buyer.us.id} asked {seller.us.id}: POST productOrder, ",
                f"{seller.us.id} answered {buyer.us.id} 201 to POST productOrder, ",
                f"{seller.us.id} asked {buyer.us.id}: POST {MOVED}, ",
                f"{buyer.us.id} answered {seller.us.id} {done} to POST {MOVED}",
            ):
                assert [one for one in said if one.startswith(so)], (name, so, said)
            (told,) = [one for one in said if f"{seller.us.id} asked {buyer.us.id}" in one]
            assert told.endswith(", state completed")


def spoilt(file: File, **by: Any) -> File:
    """The file with something changed in its first request."""
    number = next(at for at, one in enumerate(file.messages) if one.kind == "request")
    messages = list(file.messages)
    messages[number] = replace(messages[number], **by)
    return replace(file, messages=tuple(messages))


def test_evidence_that_was_tampered_with_proves_nothing(alliance: Tapped) -> None:
    ordered(alliance)
    alliance.work()
    first = next(iter(alliance.nodes.values()))
    file = show(first)
    assert proof.verify(file).holds
    request = next(one for one in file.messages if one.kind == "request")
    stranger = file.keys[0]
    for changed in (
        spoilt(file, body=request.body[:-8] + "AAAAAAA="),
        spoilt(file, method="DELETE"),
        spoilt(file, target=request.target + "?x=1"),
        spoilt(file, headers={**request.headers, "hansa-audience": "op9"}),
        spoilt(file, headers={}),
        spoilt(file, direction="out"),
        replace(file, messages=tuple(one for one in file.messages if one.kind == "answer")),
        replace(file, keys=tuple(key for key in file.keys if key.party == first.us.id)),
        replace(
            file, keys=tuple(replace(key, public_key=stranger.public_key) for key in file.keys)
        ),
        replace(file, keys=tuple(replace(key, valid_to=key.valid_from) for key in file.keys[1:])),
        replace(file, mandate=Mandate(file.mandate.links[1:])) if file.mandate else file,
        replace(file, mandate=Mandate(file.mandate.links[:-1])) if file.mandate else file,
    ):
        assert not proof.verify(changed).holds


def test_rows_that_were_tampered_with_are_found(alliance: Tapped) -> None:
    """The tables' owner can change a row, which the node cannot; it is seen all the same."""
    ordered(alliance)
    alliance.work()
    first = next(iter(alliance.nodes.values()))
    with first.begin() as tx, pytest.raises(psycopg.Error):
        run(tx, "update federation_evidence set method = 'GET'")
    with psycopg.connect(first.database.url, autocommit=True) as owner:
        owner.execute("alter table federation_evidence disable trigger user")
        owner.execute("update federation_evidence set body = convert_to('{}', 'utf8')")
        owner.execute("alter table federation_evidence enable trigger user")
    verdict = proof.verify(show(first))
    assert not verdict.holds
    assert "its body is not that of its Content-Digest" in verdict.findings[0].fault


def test_a_nonce_is_good_once_for_all_processes(alliance: Tapped) -> None:
    """Two registers on one database, as two processes have them; and the old ones are removed."""
    first = next(iter(alliance.nodes.values()))
    now = alliance.clock.now()
    until = now + timedelta(seconds=31)
    for register, fresh in ((Books(first.begin), True), (Books(first.begin), False)):
        with register.visit() as visit:
            assert visit.enter(PartyId("op2"), "n" * 16, until, None) is fresh
    with first.begin() as tx:
        assert evidence.expire(tx, now=now) == 0
        assert evidence.expire(tx, now=now + timedelta(minutes=1)) >= 1
    with Books(first.begin).visit() as visit:
        assert visit.enter(PartyId("op2"), "n" * 16, until, None)


def test_what_had_an_effect_is_evidence_even_if_we_die_at_once(
    alliance: Tapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is gone after the order was entered and before it was answered."""
    first = next(iter(alliance.nodes.values()))
    seal = SignedGate.seal

    class Killed(BaseException):
        """What kill -9 comes to, within one process."""

    def die(self: SignedGate, ask: Ask, caller: Caller | None, answer: Answer) -> Answer:
        if self._us == first.us.id and ask.path.endswith("productOrder"):
            raise Killed
        return seal(self, ask, caller, answer)

    order = ordered(alliance)
    with monkeypatch.context() as patched:
        patched.setattr(SignedGate, "seal", die)
        with suppress(Killed):
            alliance.work()
    (placed,) = placed_with(first)
    with first.begin() as tx:
        kept = evidence.of_trace(tx, trace=placed.order.trace)
    asked = [one.message.kind for one in kept if one.message.target.endswith("productOrder")]
    assert set(asked) == {"request"}
    alliance.pass_time(timedelta(minutes=2))
    alliance.pass_time(timedelta(minutes=2))
    assert state_of(alliance, order) is OrderState.COMPLETED


# --- mandates -------------------------------------------------------------------------------------


def test_a_mandate_that_is_wrong_is_refused_by_its_link(alliance: Tapped) -> None:
    ordered(alliance)
    alliance.work()
    first = next(iter(alliance.nodes.values()))
    (kept,) = placed_with(first)
    mandate = kept.mandate
    assert mandate is not None and len(mandate.links) == 3
    assert list(vouching.faults(mandate)) == []
    one, two, three = mandate.links
    wrong = {
        (one, three): 1,
        (two, one, three): 0,
        (replace(one, to=PartyId("op9")), two, three): 0,
        (one, replace(two, lines=()), three): 1,
        (one, two, replace(three, key=BuyerKey("k"))): 2,
        (one, replace(two, public_key=one.public_key), three): 1,
        (one, two, three, one): 3,
        (): 0,
    }
    for links, number in wrong.items():
        found = dict(reversed(list(vouching.faults(Mandate(links)))))
        assert min(found) == number, links
    with first.begin() as tx, pytest.raises(Refused, match="mandate-wrong") as refused:
        quote = quotes.get(tx, quote_id=kept.order.quote)
        rules.check_mandate(
            Mandate((one, two, replace(three, at=three.at + timedelta(days=1)))),
            us=first.us.id,
            key=kept.order.key,
            kept=quote,
            keys=[three.public_key],
            now=alliance.clock.now(),
        )
    assert refused.value.field == "mandate.links.2"
