"""Over HTTP: whatever a partner asks about another's things, they look as if they never were.

Every operation that is served is tried: by id, as a list, by filter, by what the others have
sent themselves, and by hub. The whole answer is compared with that for an id that never existed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Operation
from hansa.foundation.database import all_rows
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId, QuoteId
from hansa.lifecycle.quote.actions import quotes
from tests.isolation.world import ALPHA, BETA, ID, VICTIMS, House, Sent, body_for, ghost


def chosen(house: House, one: Operation) -> list[str]:
    """The others' things of this operation's own list, and things of some other kinds."""
    own = house.listed.get(one.template.partition("/{")[0], [])
    kinds = sorted(house.kinds)
    at = sum(one.template.encode()) % len(kinds)
    strange = [house.kinds[kind] for kind in (kinds + kinds)[at:][: 2 if own else len(kinds)]]
    return list(dict.fromkeys([*own[:1], *own[-1:], *strange]))


def by_id(house: House, one: Operation) -> Iterator[tuple[Sent, str]]:
    """The operation on one of the others' things."""
    for id in chosen(house, one):
        path = re.sub(r"\{\w+\}", quote(id, safe=""), one.template)
        yield Sent(one.method, path, body_for(one)), id


def by_filter(house: House, one: Operation) -> Iterator[tuple[Sent, str]]:
    base = one.template
    for id in chosen(house, one):
        yield Sent("GET", f"{base}?id={id}", b""), id
    for id in chosen(house, one)[:1]:
        yield Sent("GET", f"{base}?id=%22{id}%22", b""), id
        yield Sent("GET", f"{base}?id.gte={id}&fields=id", b""), id
    for name in ("relatedParty.id", "buyerId", "engagedParty.id"):
        yield Sent("GET", f"{base}?{name}={ALPHA}", b""), ALPHA
    yield Sent("GET", f"{base}?relatedParty.id=%27{ALPHA}%27", b""), ALPHA


def by_what_was_sent(house: House) -> Iterator[tuple[Sent, str]]:
    """What the others have sent, by beta and in its own name: each of their ids in turn."""
    known = set(house.theirs)
    for sent in house.sent:
        text = sent.body.decode()
        for victim in VICTIMS:
            text = text.replace(f'"{victim}"', f'"{BETA}"')
        for id in sorted((set(ID.findall(text)) | set(ID.findall(sent.path))) & known):
            yield Sent(sent.method, sent.path, text.encode()), id


def by_reference(house: House, one: Operation) -> Iterator[tuple[Sent, str]]:
    """A thing of beta's own that says to be, or refers to, one of the others'."""
    case = body_for(one)
    for id in chosen(house, one)[:2]:
        body = {**json.loads(case), "id": id, "relatedEntity": [{"id": id, "role": "its"}]}
        yield Sent("POST", one.template, json.dumps(body).encode()), id


def by_hub(house: House, one: Operation) -> Iterator[tuple[Sent, str]]:
    for id in chosen(house, one):
        body = {"callback": "https://beta.test/told", "query": f"id={id}"}
        yield Sent("POST", one.template, json.dumps(body).encode()), id


def attempts(house: House, one: Operation) -> Iterator[tuple[Sent, str]]:
    """Every way in which this operation may be tried on the others' things."""
    if "{" in one.template:
        yield from by_id(house, one)
    elif one.method == "GET":
        yield from by_filter(house, one)
    elif one.template.endswith("/hub"):
        yield from by_hub(house, one)
    elif one.method == "POST" and "/listener/" not in one.template:
        yield from by_reference(house, one)


NEVER = {ALPHA: "omega"}
"""A name as long that nobody bears."""


def told_apart(house: House, sent: Sent, id: str, **door: object) -> str:
    """How the answer differs from that for an id that never existed; empty when it does not."""
    other = NEVER.get(id) or ghost(id)  # type: ignore[call-overload]
    path = sent.path.replace(id, other).replace(quote(id, safe=""), quote(other, safe=""))
    body = sent.body.replace(id.encode(), other.encode())
    real = house.ask(sent.method, sent.path, sent.body, **door)  # type: ignore[arg-type]
    never = house.ask(sent.method, path, body, **door)  # type: ignore[arg-type]
    if (real.status, never.status) == (201, 201):  # whoever comes second finds what the first made
        real = house.ask(sent.method, sent.path, sent.body, **door)  # type: ignore[arg-type]
    named = real.body.replace(id, "") + repr(real.headers).replace(id, "")
    asked = sent.path + sent.body.decode()
    for leaked in house.theirs:
        if leaked in named and leaked not in asked:
            return f"{sent.method} {sent.path} told of {leaked}"
    if real.without(id, other) != never.without(id, other):
        return f"{sent.method} {sent.path} {sent.body.decode()}\n  {real}\n  {never}"
    return ""


def test_the_others_have_one_of_everything(house: House) -> None:
    kinds = "agr bil brq can hld hol nte ord pln qal quo rec stm sub tck tsk"
    assert " ".join(sorted(house.kinds)) == kinds
    assert len(house.sent) > 30


def test_every_operation_is_silent_about_others(house: House) -> None:
    found = []
    tried: set[str] = set()
    for one in house.operations:
        for sent, id in attempts(house, one):
            tried.add(f"{one.method} {one.template}")
            if said := told_apart(house, sent, id):
                found.append(said)
    assert "\n".join(found) == ""
    untried = {f"{one.method} {one.template}" for one in house.operations} - tried
    assert {name for name in untried if "/listener/" not in name} == set()


def test_what_others_have_sent_tells_nothing_when_sent_again(house: House) -> None:
    found = []
    listened: set[str] = set()
    for sent, id in by_what_was_sent(house):
        listened.add(sent.path.partition("?")[0])
        if said := told_apart(house, sent, id):
            found.append(said)
    assert "\n".join(found) == ""
    assert {path.rpartition("/")[2] for path in listened} >= {
        "agreementAttributeValueChangeEvent", "customerBillStateChangeEvent", "productOrder",
        "troubleTicket",
    }  # fmt: skip


def test_what_beta_finds_is_what_it_found_before_the_others_came(house: House) -> None:
    found = [
        f"{path}\n  {before}\n  {house.after[path]}"
        for path, before in house.before.items()
        if house.after[path].without() != before.without()
    ]
    assert "\n".join(found) == ""


def test_beta_is_told_nothing_of_what_the_others_do(house: House) -> None:
    """It listens at every hub, with and without a filter, while the others go on trading."""

    def told() -> list[str]:
        with house.node.begin() as tx:
            sql = "select body::text as said from plan_task where kind = 'federation.event'"
            return [row["said"] for row in all_rows(tx, sql)]

    def subscribed(party: PartyId) -> set[str]:
        with house.node.begin() as tx:
            sql = "select id from hub_subscription where owner = %s"
            return {row["id"] for row in all_rows(tx, sql, (party,))}

    for one in house.operations:
        if one.template.endswith("/hub") and one.method == "POST":
            body = json.dumps({"callback": "https://beta.test/everything"}).encode()
            assert house.ask("POST", one.template, body).status == 201
    before = set(told())
    house.keep_records()
    new = set(told()) - before
    mine, others = subscribed(BETA), subscribed(ALPHA)
    assert mine and any(id in said for said in new for id in others)
    assert [said for said in new if any(id in said for id in mine)] == []


NOBODYS = {
    "productOffering/{id}": "what is on offer is the same for all who buy",
    "productOfferingPrice/{id}": "as is its price, where they buy by one list",
    "geographicAddress/{id}": "an address is nobody's",
    "charge/{id}": "we charge for no change of an order",
    "modifyProductOrderItemRequestedDeliveryDate/{id}": "a date is not changed",
    "incident/{id}": "we tell of no incidents",
}
"""What is read by an id that is no partner's own, and why."""


def test_the_others_do_find_their_things(house: House) -> None:
    """What beta is not shown is there: by every operation that reads one thing by its id."""
    blind = []
    for one in house.operations:
        if one.method != "GET" or one.template.count("{") != 1 or not one.template.endswith("}"):
            continue
        first = one.template.partition("{")[0]
        known = house.listed.get(first[:-1]) or house.kinds.values()
        if not any(
            house.ask("GET", first + quote(id, safe=""), by=victim).status == 200
            for id in known
            for victim in VICTIMS
        ):
            blind.append(one.template.rsplit("/", 2)[-2] + "/{id}")
    assert set(blind) == set(NOBODYS)


# --- and it would be seen -----------------------------------------------------------------------


def test_a_leak_is_found(house: House) -> None:
    """Three operations as they must not be written: one that shows what it finds, one that says
    no in other words, and one that counts.
    """

    def shown(ask: Ask, _caller: Caller) -> Answer:
        with house.node.begin() as tx:
            kept = quotes.get(tx, quote_id=QuoteId(ask.params["id"]))
        return Answer(200, kept.quote.id.encode())

    def refused(ask: Ask, caller: Caller) -> Answer:
        with house.node.begin() as tx:
            kept = quotes.get(tx, quote_id=QuoteId(ask.params["id"]))
        if kept.quote.buyer != caller.actor.party:
            raise NotFound("quote-unknown", "That quote is not yours.", field="quote")
        return Answer(200, b"")

    def counted(ask: Ask, _caller: Caller) -> Answer:
        with house.node.begin() as tx:
            there = [one.id for one in quotes.quotes(tx) if one.id == ask.first.get("id")]
        return Answer(200, b"[]", {"x-total-count": str(len(there))})

    base = house.served[0].prefix + "leak/v4/"
    leaks = [
        Operation("GET", f"{base}shown/{{id}}", shown, "leak", ""),
        Operation("GET", f"{base}refused/{{id}}", refused, "leak", ""),
        Operation("GET", f"{base}counted", counted, "leak", ""),
    ]
    first = house.served[0]
    leaky = Dialect(first.prefix, leaks, first.write_error, first.unforeseen)
    door = house.door([leaky])
    for one in leaks:
        said = [told_apart(house, sent, id, door=door) for sent, id in attempts(house, one)]
        assert any(said), one.template
