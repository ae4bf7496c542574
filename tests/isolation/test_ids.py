"""Over HTTP: an id that another has used already looks as if nobody ever had.

Whoever sends something gives it a name: the key of an order, the id of a statement. Of two twins
one takes the names that others have given, the other names that nobody has. Both are answered
alike, octet by octet but for what was made just now, whatever they have made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from hansa.federation.exchange import Operation
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import OrderId, PartyId
from hansa.foundation.party import Actor
from tests.isolation.papers import Names, certificate, story
from tests.isolation.world import (
    ALPHA,
    ID,
    TWINS,
    US,
    Answered,
    Exchange,
    House,
    body_for,
    ghost,
)

pytestmark = pytest.mark.slow

NAMES = re.compile(r"\b(alpha|gamma|iota|zeta)\b")
USED = "tsk_" + "7" * 32


def alike(answered: Answered) -> Answered:
    """Without what was made just now, and without the name of whoever asked."""
    bare = answered.without()
    headers = tuple((name, NAMES.sub("it", value)) for name, value in bare.headers)
    return Answered(bare.status, headers, NAMES.sub("it", bare.body))


# --- all that the others have asked, once more --------------------------------------------------


class Twin:
    """One who asks all that another has asked, in its own name, of what it was told itself.

    chosen: what it calls what the other has called so.
    """

    def __init__(self, house: House, name: PartyId, chosen: Callable[[str], str]) -> None:
        self._house = house
        self._name = name
        self._chosen = chosen
        self._mine: dict[str, str] = {}

    def again(self, past: Exchange) -> Answered:
        sent = past.sent
        body = unmandated(sent.body).decode()
        if any(id.startswith("hld_") and id not in self._mine for id in ID.findall(body)):
            self._receive(past.by)
        body = self._said(past, body)
        answered = self._house.ask(
            sent.method, self._said(past, sent.path), body.encode(), by=self._name
        )
        theirs, mine = ID.findall(past.answered.body), ID.findall(answered.body)
        if len(theirs) == len(mine):
            self._mine.update(zip(theirs, mine, strict=True))
        return answered

    def _receive(self, other: PartyId) -> None:
        """Waits for what was ordered, and finds out how it is called."""
        self._house.alliance.work()
        front, mine = (
            self._house.node.storefront(Actor(party, "partner")) for party in (other, self._name)
        )
        for order, its in list(self._mine.items()):
            if order.startswith("ord_"):
                with suppress(NotFound):
                    provided = front.progress(OrderId(order)).provided
                    received = mine.progress(OrderId(its)).provided
                    names = zip(provided, received, strict=False)
                    self._mine.update((one.holding, two.holding) for one, two in names)

    def _said(self, past: Exchange, text: str) -> str:
        named = re.sub(rf"\b{past.by}\b", self._name, text)
        return ID.sub(lambda found: self._mine.get(found[0]) or self._chosen(found[0]), named)


def unmandated(body: bytes) -> bytes:
    """Without the other's signature over its order, which nobody else can make."""
    if b"hansaMandate" not in body:
        return body
    return json.dumps({k: v for k, v in json.loads(body).items() if k != "hansaMandate"}).encode()


def test_keys_that_others_have_used_are_free(house: House) -> None:
    twins = (Twin(house, TWINS[0], str), Twin(house, TWINS[1], ghost))
    past = [one for one in house.recorder.exchanges if "/listener/" not in one.sent.path]
    house.recorder.exchanges = []
    found, good = [], set()
    for one in past:
        answers = [twin.again(one) for twin in twins]
        changes = one.sent.method != "GET"  # what is made at once stands in lists as it happens
        if changes and alike(answers[0]) != alike(answers[1]):
            found.append(f"{one.sent}\n  {answers[0]}\n  {answers[1]}")
        if answers[0].status == 201:
            good.add(one.sent.path.partition("?")[0])
    assert "\n".join(found) == ""
    made = {path.partition("/")[2].rpartition("/")[2] for path in good}
    assert made >= {"quote", "productOrder", "troubleTicket", "cancelProductOrder"}, made
    assert any(path.startswith("/mefApi") and path.endswith("/productOrder") for path in good)


def bodies(one: Operation, id: str) -> Iterator[bytes]:
    """Things that say to be called so, or to be about what is called so."""
    first = json.loads(body_for(one))
    yield json.dumps({**first, "id": id, "externalId": id, "key": id}).encode()
    thing = {"id": id, "externalId": id, "buyerId": US, "sellerId": US}
    name = one.template.rpartition("/")[2].removesuffix("Event")
    for about in (thing, {re.split(r"(?<=[a-z])(?=[A-Z])", name)[0]: thing}):
        event = {"eventId": id, "eventType": name, "event": about}
        yield json.dumps({**event, "eventTime": "2026-12-03T08:00:00Z"}).encode()


def test_whatever_is_made_may_be_called_as_anothers(house: House) -> None:
    found = []
    for one in house.operations:
        if one.method != "POST":
            continue
        used = [USED, *(house.listed.get(one.template.partition("/{")[0], [])[:1])]
        for id in used:
            for body, fresh in zip(bodies(one, id), bodies(one, ghost(id)), strict=True):
                path, other = (one.template.replace("{id}", it) for it in (id, ghost(id)))
                house.ask("POST", path, body, by=ALPHA)
                real = house.ask("POST", path, body, by=TWINS[0])
                never = house.ask("POST", other, fresh, by=TWINS[1])
                if alike(real) != alike(never):
                    found.append(f"{path} {body.decode()}\n  {real}\n  {never}")
    assert "\n".join(found) == ""


# --- papers -------------------------------------------------------------------------------------

ROLES = [field.name for field in fields(Names)]


def names(by: PartyId, number: int) -> Names:
    """Names that this partner gives, others each time; it names nobody that anyone knows."""

    def id(kind: str, place: int) -> str:
        return f"{kind}_{number:016x}{place:016x}.{by}"

    return Names(
        agreement=id("agr", 1),
        statement=id("stm", 2),
        correction=id("stm", 3),
        replaced=id("stm", 4),
        share=id("stm", 5),
        evidence=id("stm", 6),
        bill=id("bil", 7),
        number=f"{number}/2026",
        dispute=id("dsp", 8),
        disputed=id("stm", 9),
        member="gamma",
        certificate=certificate(by),
    )


@pytest.fixture(scope="module")
def used(house: House) -> Names:
    """What another has called its papers."""
    theirs = names(ALPHA, 1)
    told = [
        (name, answered.status)
        for name, answered in story(house, house.alliance.nodes[ALPHA], theirs)
    ]
    wanted = [201] * 5 + [409] + [201] * 4 + [404] + [201] * 2
    assert [status for _, status in told] == wanted, told
    return theirs


@pytest.mark.parametrize("role", ROLES)
def test_papers_may_be_called_as_anothers(house: House, used: Names, role: str) -> None:
    called = "statement" if role in ("replaced", "disputed") else role
    taken = ALPHA if role == "member" else getattr(used, called)
    never = getattr(names(ALPHA, 999), called)
    house.alliance.pass_time(timedelta(seconds=1))
    answers = []
    for twin, name in zip(TWINS, (taken, never), strict=True):
        mine = replace(names(twin, 2 + ROLES.index(role)), **{role: name})
        told = story(house, house.alliance.nodes[twin], mine)
        answers.append([(step, alike(answered.without(name))) for step, answered in told])
    assert answers[0] == answers[1]
