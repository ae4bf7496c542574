"""A node with two partners that have one of everything, and a third that asks for their things.

Alpha speaks TMF and delta speaks Sonata; what they send as they trade for a month is kept, to be
sent again by beta. Beta has an agreement of its own with the node, and nothing else. So have iota
and zeta, twins who do the same things under different names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from hansa.entrypoints.http import dialects
from hansa.federation.contract import Need
from hansa.federation.exchange import Dialect, Exchanges, Operation
from hansa.federation.helpdesk import TicketAsk
from hansa.federation.limits import Limits, Measure
from hansa.foundation.database import all_rows
from hansa.foundation.ids import BuyerKey, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.time import SetClock
from hansa.lifecycle.settlement.actions import statements
from hansa.node import Node
from tests.alliance import LINE, Alliance
from tests.federation.tmf.cases import RECORDS, declared
from tests.federation.tmf.door import Believing
from tests.inside import Inside
from tests.journeys import plain

US, ALPHA, BETA, DELTA = PartyId("us"), PartyId("alpha"), PartyId("beta"), PartyId("delta")
TWINS = (PartyId("iota"), PartyId("zeta"))
VICTIMS = (ALPHA, DELTA)
ID = re.compile(r"\b[a-z]{3}_[0-9a-f]{32}\b")
MADE = re.compile(r"\b[a-z]{3}_[0-9a-f]{32}\b|\b[0-9a-f]{32}\b")
"""Ids and traces."""


@dataclass(frozen=True)
class Sent:
    """One request as a partner sent it."""

    method: str
    path: str
    body: bytes


@dataclass(frozen=True)
class Answered:
    """All of an answer that a caller sees; header names in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def without(self, *texts: str) -> Answered:
        """With these texts, and whatever was made just now, struck out."""

        def bare(text: str) -> str:
            for one in texts:
                text = text.replace(one, "…")
            return MADE.sub("…", text)

        headers = tuple((name, bare(value)) for name, value in self.headers)
        return Answered(self.status, headers, bare(self.body))

    def __str__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.body}"


@dataclass(frozen=True)
class Exchange:
    """A request, who sent it, and the answer."""

    by: PartyId
    sent: Sent
    answered: Answered


UNLIKE = ("date", "content-length", "content-digest", "signature", "signature-input")
"""Headers of which no two answers need have the same."""


def told(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that say something."""
    return tuple((name, value) for name, value in headers if name not in UNLIKE)


class Recorder:
    """Stands before an ASGI application and keeps what comes in, and what partners are answered."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sent: list[Sent] = []
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = scope["query_string"].decode()
        path = scope["path"] + (f"?{query}" if query else "")
        sent = Sent(scope["method"], path, body)
        self.sent.append(sent)
        read = False
        answer: dict[str, Any] = {"body": b""}

        async def once() -> Any:
            nonlocal read
            if read:
                return {"type": "http.disconnect"}
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: Any) -> None:
            answer["body"] += message.get("body", b"")
            answer.update(
                (name, message[name]) for name in ("status", "headers") if name in message
            )
            await send(message)

        await self._app(scope, once, noting)
        signer = KEY_ID.search(dict(scope["headers"]).get(b"signature-input", b""))
        if signer:
            headers = told((name.decode(), value.decode()) for name, value in answer["headers"])
            answered = Answered(answer["status"], headers, answer["body"].decode())
            self.exchanges.append(Exchange(PartyId(signer[1].decode()), sent, answered))


KEY_ID = re.compile(rb'keyid="([a-z]+)/')


class House:
    """The node, and a door at which everyone says who they are.

    theirs: the ids of the others' things; kinds: one of each kind; listed: some of each list.
    before, after: what beta found in each list, before the others came and after all they did.
    """

    def __init__(self, alliance: Alliance, recorder: Recorder) -> None:
        self.alliance = alliance
        self.recorder = recorder
        self.node: Node = alliance.nodes[US]
        self.served: Sequence[Dialect] = dialects(self.node)
        self.sent = recorder.sent
        self.theirs: list[str] = []
        self.listed: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self.before: Mapping[str, Answered] = {}
        self.after: Mapping[str, Answered] = {}
        self._door = self.door(self.served)

    @property
    def operations(self) -> Sequence[Operation]:
        return [one for dialect in self.served for one in dialect.operations if one.gated]

    def door(self, served: Sequence[Dialect]) -> Inside:
        # Beta asks for more in a second than a node lets anyone, once the machine is quick.
        limits = Limits(Measure(requests_per_s=1e6, burst=10**6))
        app = Exchanges(served, Believing(), limits=limits)
        return Inside(app, base_url="http://us.test")

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        by: PartyId = BETA,
        door: Inside | None = None,
    ) -> Answered:
        headers = {"x-caller": f"{by}/partner"}
        if body:
            merges = method == "PATCH"
            headers["content-type"] = (
                "application/merge-patch+json"
                if merges and path.startswith("/tmf")
                else "application/json"
            )
        answer = (door or self._door).request(method, path, content=body, headers=headers)
        said = told(answer.headers.multi_items())
        return Answered(answer.status_code, said, answer.text)

    def lists(self) -> Iterator[str]:
        """Every path without a name in it that can be read."""
        for one in self.operations:
            if one.method == "GET" and "{" not in one.template:
                yield one.template

    def say(self, method: str, path: str, body: Any = None, *, by: PartyId) -> Any:
        """What a victim's plain client asks, kept; the answer, which must be a good one."""
        sent = Sent(method, path, b"" if body is None else json.dumps(body).encode())
        self.sent.append(sent)
        answer = self.ask(sent.method, sent.path, sent.body, by=by)
        self.recorder.exchanges.append(Exchange(by, sent, answer))
        assert answer.status in (200, 201), f"{method} {path}: {answer}"
        return json.loads(answer.body)

    def keep_records(self) -> None:
        """The others make one of every record."""
        for party in VICTIMS:
            for name, (api, resource) in declared().items():
                if name in RECORDS:
                    body = json.dumps(RECORDS[name].body).encode()
                    made = self.ask("POST", f"{api.base}/{resource.path}", body, by=party)
                    assert made.status == 201, (name, str(made))

    def subscribe(self) -> None:
        """The others have themselves told by every hub."""
        for party in VICTIMS:
            body = json.dumps({"callback": f"https://{party}.test/told"}).encode()
            for one in self.operations:
                if one.method == "POST" and one.template.endswith("/hub"):
                    made = self.ask("POST", one.template, body, by=party)
                    assert made.status == 201, (one.template, str(made))
                    self.listed.setdefault(one.template, []).append(json.loads(made.body)["id"])

    def collect(self) -> None:
        """Finds every id in what the victims may see, and beta may not."""
        hers = {id for path in self.lists() for id in _ids(self.ask("GET", path))}
        for path in self.lists():
            found = [id for one in VICTIMS for id in _ids(self.ask("GET", path, by=one))[:2]]
            self.listed[path] = [id for id in dict.fromkeys(found) if id not in hers]
        shown = [id for ids in self.listed.values() for id in ids]
        held = sorted(self._seen(*VICTIMS) - self._seen(BETA))
        self.theirs = list(dict.fromkeys(shown + held))
        for id in self.theirs:
            if ID.fullmatch(id):
                self.kinds.setdefault(id[:3], id)

    def _seen(self, *parties: PartyId) -> set[str]:
        found: set[str] = set()
        for party in parties:
            with self.node.begin_for(Actor(party, "partner"))() as tx:
                tables = all_rows(
                    tx,
                    """select table_name as t from information_schema.tables
                        where table_schema = 'public' and has_table_privilege(
                            format('%%I.%%I', table_schema, table_name), 'select')""",
                )
                for row in tables:
                    sql = f"select x::text as x from {row['t']} x"
                    for one in all_rows(tx, sql):
                        found |= set(ID.findall(one["x"]))
        return found


def _ids(answer: Answered) -> list[str]:
    """What the things of a list are called, if it is a list."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return []
    return [one["id"] for one in found if "id" in one] if isinstance(found, list) else []


def ghost(id: str) -> str:
    """An id of the same kind, length and place in every order that never existed."""
    swapped = id[28:36].translate(str.maketrans("0123456789abcdef", "fedcba9876543210"))
    return id[:28] + swapped + id[36:]


def body_for(one: Operation) -> bytes:
    """Something that could be meant for this operation."""
    if one.method not in ("POST", "PATCH", "PUT"):
        return b""
    for name, (api, resource) in declared().items():
        if f"{api.base}/{resource.path}" == one.template.removesuffix("/{id}") and name in RECORDS:
            case = RECORDS[name]
            return json.dumps(case.patch if one.method == "PATCH" else case.body).encode()
    return json.dumps({"state": "cancelled", "status": "cancelled", "description": "?"}).encode()


def build(pool_databases: Any, folder: Path) -> House:
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    alliance = Alliance(pool_databases, folder, clock, b"house")
    us = alliance.add(US)
    recorder = Recorder(alliance._apps[US].app)
    alliance._apps[US].app = recorder
    alliance.build_network(us)
    alliance.offer(us, sources=[US], currency="GBP")
    for name in (BETA, *TWINS):
        _agreed(alliance, name, "tmf")
    house = House(alliance, recorder)
    house.before = {path: house.ask("GET", path) for path in house.lists()}
    recorder.sent.clear()
    recorder.exchanges.clear()
    for name in VICTIMS:
        _trade(alliance, us, _agreed(alliance, name, "sonata" if name == DELTA else "tmf"))
    for name in VICTIMS:
        _by_hand(house, name)
    house.keep_records()
    house.subscribe()
    alliance.pass_time(timedelta(days=31))
    for name in VICTIMS:  # answers to such questions are kept for a while only
        _asked(alliance, us, name)
        _services(house, name)
        _disputes(alliance, name)
    recorder.sent[:] = list(dict.fromkeys(recorder.sent))
    house.after = {path: house.ask("GET", path) for path in house.lists()}
    house.collect()
    return house


def _agreed(alliance: Alliance, name: PartyId, dialect: Literal["tmf", "sonata"]) -> Node:
    """A partner with an agreement to buy from us, whom we speak to in this dialect."""
    us, node = alliance.nodes[US], alliance.add(name)
    alliance.speaks[US] = dialect
    alliance.join(us, node)
    alliance.agree(us, node, currency="GBP", credit_limit=Money(10_000_00, "GBP"))
    return node


def _trade(alliance: Alliance, us: Node, buyer: Node) -> None:
    """The partner's own customer buys, has a change of mind, and complains; all of it at ours."""
    alliance.offer(buyer, sources=[US], currency="GBP")
    shop = alliance.customer(buyer, PartyId(f"{buyer.us.id}-shop"))
    orders = []
    for number in range(3):
        need = replace(alliance.need("Durban"), trace=buyer.ids.trace())
        shop.qualify(need)
        quote = shop.quote(need)
        orders.append(shop.order(quote_id=quote.id, key=BuyerKey(f"{number}")).id)
        alliance.work()
    holding = shop.progress(orders[0]).provided[0].holding
    shop.condition(holding)
    ask = TicketAsk("It is slow.", severity="minor", kind="fault", holding=holding)
    ticket = shop.open_ticket(ask=ask, key=BuyerKey("ticket"))
    alliance.work()
    shop.note_ticket(ticket_id=ticket.id, text="It is still slow.", key=BuyerKey("note"))
    shop.cease(order_id=orders[1], key=BuyerKey("end"))
    alliance.work()
    shelf = us.seat(Actor(buyer.us.id, "partner")).shelf
    front = us.storefront(Actor(buyer.us.id, "partner"))
    need = _asked(alliance, us, buyer.us.id)
    left = shelf.make_quote(need, extras={"note": "kept"})
    placed = front.order(quote_id=shelf.make_quote(need).quote.id, key=BuyerKey("cancelled"))
    shelf.cancel_order(placed.id, reason="no longer wanted", extras={"note": "kept"})
    shelf.request_bill()
    assert left.quote.buyer == buyer.us.id


def _asked(alliance: Alliance, us: Node, buyer: PartyId) -> Need:
    """The buyer asks whether a line can be had."""
    need = replace(alliance.need("Durban"), trace=us.ids.trace(), trail=(buyer,))
    us.seat(Actor(buyer, "partner")).shelf.qualify(need, extras={"note": "kept"})
    return need


def _by_hand(house: House, victim: PartyId) -> None:
    """A client that knows the standard alone refers to all that it has."""
    left = house.say("POST", plain.QUOTE, plain.a_quote(), by=victim)
    house.say("PATCH", f"{plain.QUOTE}/{left['id']}", {"state": "rejected"}, by=victim)
    taken = house.say("POST", plain.QUOTE, plain.a_quote(), by=victim)
    by_quote = {"quoteItem": {"id": "1", "quoteId": taken["id"]}}
    line = {"id": "1", "action": "add", **by_quote}
    order = house.say("POST", plain.ORDER, {"productOrderItem": [line]}, by=victim)
    wish = {"productOrder": {"id": order["id"]}, "cancellationReason": "moved"}
    house.say("POST", plain.CANCEL, wish, by=victim)
    other = house.say("POST", plain.ORDER, plain.an_order(), by=victim)
    no_more = {"state": "cancelled", "cancellationReason": "no"}
    house.say("PATCH", f"{plain.ORDER}/{other['id']}", no_more, by=victim)
    house.alliance.work()
    held = house.say("GET", f"{plain.PRODUCT}?status=active", by=victim)[0]
    faster = {
        **plain.PRODUCT_VALUE,
        "id": held["id"],
        "productCharacteristic": [{"name": "speed_mbps", "value": 200}],
    }
    change = {"productOrderItem": [plain.item("1", "modify", product=faster)]}
    house.say("POST", plain.ORDER, change, by=victim)
    house.alliance.pass_time(timedelta(minutes=1))
    gone = {"id": "1", "action": "delete", "product": {"id": held["id"]}}
    house.say("POST", plain.ORDER, {"productOrderItem": [gone]}, by=victim)
    house.alliance.work()


def _services(house: House, victim: PartyId) -> None:
    """What can be had, asked by service; and a bill at once."""
    service = {"serviceSpecification": {"id": LINE}, "place": [plain.PLACE]}
    wanted = {"serviceQualificationItem": [{"service": service}]}
    house.say("POST", plain.CHECK, wanted, by=victim)
    searched = {"searchCriteria": {"service": {"place": [plain.PLACE]}}}
    house.say("POST", plain.QUERY, searched, by=victim)
    bill = house.say("POST", plain.DEMAND, {"name": "now"}, by=victim)["customerBill"]["id"]
    house.say("GET", f"{plain.RATE}?bill.id={bill}", by=victim)


def _disputes(alliance: Alliance, victim: PartyId) -> None:
    """Its own node knows nothing of what was ordered by hand, and says so."""
    node = alliance.nodes[victim]
    with node.begin() as tx:
        for one in statements.find(tx, direction="heard"):
            now = alliance.clock.now()
            statements.dispute(tx, us=node.us, statement=one.id, ids=node.ids, now=now)
    alliance.work()
