"""What cannot be is refused with a reason and plain words, at the storefront and over the wire,
and nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import httpx2
import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage
from hansa.entrypoints.demo import main as demo
from hansa.entrypoints.http import app
from hansa.federation import trace
from hansa.federation.contract import Need, Order, Quote
from hansa.federation.exchange import BODY_MAX
from hansa.federation.keys.ring import KeyRing
from hansa.federation.keys.vouching import Voucher, asking
from hansa.federation.tmf import errors
from hansa.federation.tmf.shapes import order as order_shapes
from hansa.federation.tmf.shapes import quote as quote_shapes
from hansa.federation.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import BuyerKey, OfferCode, PartyId, QuoteId, TraceId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.time import SetClock
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import LINE, SHOP, Alliance
from tests.databases import Pool
from tests.inside import Inside
from tests.signing import SignedBy
from tests.standing import Standing, standing

OTHER_SHOP = PartyId("other-shop")
LIMIT = Money(1_000_00, "GBP")


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """op1 delivers; op2 resells it to op3, rival and customers, and has not launched Ghana.
    A newcomer's agreement with op1 is not signed by it. ring-a and ring-b resell each other.
    """
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("refusals"), clock, b"refusals")
        op1, op2, op3, rival, newcomer, ring_a, ring_b = (
            alliance.add(name)
            for name in ("op1", "op2", "op3", "rival", "newcomer", "ring-a", "ring-b")
        )
        alliance.build_network(op1)
        with op1.begin() as tx:
            network.uncover(tx, entries=[Coverage(LINE, "ZA")])
            network.cover(tx, entries=[Coverage(LINE, "ZA", "Durban")])
        _trade(alliance, op1, op2)
        _trade(alliance, op2, op3)
        _trade(alliance, op2, rival)
        _trade(alliance, op1, newcomer, signed_by=[op1], launched=[])
        _trade(alliance, ring_a, ring_b)
        _trade(alliance, ring_b, ring_a)
        _trade(alliance, ring_a, op3)
        for node, source in (
            (op1, op1), (op2, op1), (newcomer, op1), (ring_a, ring_b), (ring_b, ring_a),
        ):  # fmt: skip
            alliance.offer(node, sources=[source.us.id], currency="GBP")
        for node in (op2, newcomer, ring_a):
            for name in (SHOP, OTHER_SHOP):
                alliance.customer(node, name, credit_limit=LIMIT)
        with standing(alliance) as made:
            yield made


def _trade(
    alliance: Alliance,
    seller: Node,
    buyer: Node,
    *,
    signed_by: Sequence[Node] | None = None,
    launched: Sequence[str] = ("ZA",),
) -> None:
    alliance.join(seller, buyer)
    alliance.agree(
        seller, buyer, currency="GBP", countries=("ZA", "GH"), credit_limit=LIMIT,
        signed_by=signed_by, launched=launched,
    )  # fmt: skip


# --- two doors ----------------------------------------------------------------------------------


class Wire:
    """A node's HTTP door as one partner finds it, without the client that we have for it.

    A quote that it has had it orders with a mandate.
    """

    def __init__(self, node: Node, buyer: Node) -> None:
        self._http = Inside(app(node), base_url=node.settings.address)
        self._node = node
        self._buyer = buyer
        self._vouch = Voucher(buyer.us.id, buyer.neighbours.key)
        self._quoted: dict[QuoteId, tuple[Quote, TraceId]] = {}
        self.status = 0

    def quote(self, need: Need) -> Quote:
        traced = trace.write(need.trace, by=self._buyer.us.id)
        body = render(quote_shapes.write_need(need))
        status, told = self.send("POST", quote_shapes.QUOTES, body, traceparent=traced)
        if status >= 400:
            raise errors.read(status, render(told), "seller")
        made = quote_shapes.read(told)
        self._quoted[made.id] = made, need.trace
        return made

    def order(self, *, quote_id: QuoteId, key: BuyerKey) -> Order:
        mandate = None
        if quote_id in self._quoted:
            quote, of = self._quoted[quote_id]
            now = self._node.clock.now()
            mandate = self._vouch(None, ask=asking(quote), key=key, trace=of, now=now)
        placing = order_shapes.Placing(quote_id, key, mandate)
        return order_shapes.read(
            self._post(order_shapes.ORDERS, order_shapes.write_placing(placing))
        )

    def _post(self, path: str, shape: object) -> Json:
        status, body = self.send("POST", path, render(shape))
        if status >= 400:
            raise errors.read(status, render(body), "seller")
        return body

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes],
        signing: httpx2.Auth | None = None,
        **headers: str,
    ) -> tuple[int, Json]:
        """Status and body; an answer that is an error has the shape of a TMF630 Error."""
        sent = {"content-type": "application/json", **headers}
        auth = signing or SignedBy(
            self._buyer.us.id,
            self._buyer.keys.current(self._node.clock.now()),
            to=self._node.us.id,
            clock=self._node.clock,
        )
        response = self._http.request(method, path, content=body, headers=sent, auth=auth)
        self.status = response.status_code
        told = parse(response.content)
        if self.status >= 400:
            assert response.headers["content-type"] == "application/json"
            assert told["status"] == str(self.status)
            assert (told["@type"], told["@baseType"]) == ("HansaError", "Error")
            assert told["code"]
            assert told["reason"].endswith(".")
        return self.status, told


Door = Storefront | Wire


@dataclass
class Scene:
    """One door, as two buyers find it."""

    world: Standing
    seller: PartyId
    door: Door
    other: Door
    trail: tuple[PartyId, ...]

    def need(self, place: str = "Durban", country: str = "ZA", **changed: object) -> Need:
        """A line at a site, with something changed about it."""
        alliance = self.world.alliance
        need = alliance.need(place, country=country)
        currency = str(changed.pop("currency", need.currency))
        item = replace(need.items[0], **changed)  # type: ignore[arg-type]
        return replace(need, items=(item,), currency=currency, trail=self.trail)

    def quoted(self, **changed: object) -> Quote:
        return self.door.quote(self.need(**changed))  # type: ignore[arg-type]


def storefront_of(world: Standing, name: str) -> Scene:
    """An end customer's door at this operator."""
    node = world.alliance.nodes[PartyId(name)]
    ours, theirs = (node.storefront(Actor(party, "customer")) for party in (SHOP, OTHER_SHOP))
    return Scene(world, node.us.id, ours, theirs, ())


def wire_of(world: Standing, name: str, buyer: str, other: str = "rival") -> Scene:
    """A partner's door at this operator."""
    node, ours, theirs = (world.alliance.nodes[PartyId(one)] for one in (name, buyer, other))
    return Scene(world, node.us.id, Wire(node, ours), Wire(node, theirs), (ours.us.id,))


# --- what is asked ------------------------------------------------------------------------------

Attempt = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """prepare: makes what the attempt needs, and gives the attempt. at: the door in question, a
    customer's and a partner's.
    """

    code: str
    field: str
    prepare: Callable[[Scene], Attempt]
    status: int = 422
    at: tuple[Callable[[Standing], Scene], Callable[[Standing], Scene]] = (
        lambda world: storefront_of(world, "op2"),
        lambda world: wire_of(world, "op2", "op3"),
    )


def asks(**changed: object) -> Callable[[Scene], Attempt]:
    """A quote is asked for."""
    return lambda scene: lambda: scene.quoted(**changed)


def expired(scene: Scene) -> Attempt:
    quote = scene.quoted()
    scene.world.alliance.clock.move(quote.valid_until - quote.made_at)
    return lambda: scene.door.order(quote_id=quote.id, key=BuyerKey("k"))


def someone_elses(scene: Scene) -> Attempt:
    quote = scene.quoted()
    return lambda: scene.other.order(quote_id=quote.id, key=BuyerKey("k"))


def used(scene: Scene) -> Attempt:
    quote = scene.quoted()
    scene.door.order(quote_id=quote.id, key=BuyerKey("k"))
    return lambda: scene.door.order(quote_id=quote.id, key=BuyerKey("k2"))


def reused_key(scene: Scene) -> Attempt:
    first, second = scene.quoted(), scene.quoted()
    scene.door.order(quote_id=first.id, key=BuyerKey("k"))
    return lambda: scene.door.order(quote_id=second.id, key=BuyerKey("k"))


def beyond_credit(scene: Scene) -> Attempt:
    """Each order fits by itself; together they do not."""
    first, second = scene.quoted(quantity=3), scene.quoted(quantity=3)
    scene.door.order(quote_id=first.id, key=BuyerKey("k"))
    return lambda: scene.door.order(quote_id=second.id, key=BuyerKey("k2"))


CASES = {
    "unknown product": Case(
        "offer-unknown", "items.line-Durban.offer", asks(offer=OfferCode("no-such-thing"))
    ),
    "expired quote": Case("quote-expired", "quote", expired),
    "someone else's quote": Case("quote-unknown", "quote", someone_elses, status=404),
    "a quote for the second time": Case("quote-used", "quote", used),
    "wrong currency": Case("currency-wrong", "currency", asks(currency="ZAR")),
    "no quantity": Case("quantity-invalid", "items.line-Durban.quantity", asks(quantity=0)),
    "negative quantity": Case("quantity-invalid", "items.line-Durban.quantity", asks(quantity=-5)),
    "site outside coverage": Case(
        "site-outside-coverage", "items.line-Upington.site", asks(place="Upington")
    ),
    "no site": Case("site-missing", "items.line-Durban.site", asks(site=None)),
    "country not launched": Case(
        "country-not-launched", "items.line-Accra.country", asks(place="Accra", country="GH")
    ),
    "country not sold": Case(
        "country-not-offered", "items.line-Paris.site.country", asks(place="Paris", country="FR")
    ),
    "agreement not signed by both": Case(
        "agreement-unsigned",
        "items.line-Durban",
        asks(),
        at=(
            lambda world: storefront_of(world, "newcomer"),
            lambda world: wire_of(world, "op1", "newcomer"),
        ),
    ),
    "credit limit exceeded": Case("credit-limit", "amount", beyond_credit),
    "reused key with other content": Case("key-reused", "key", reused_key, status=409),
    "partners in a ring": Case(
        "partner-ring",
        "trail",
        asks(),
        at=(
            lambda world: storefront_of(world, "ring-a"),
            lambda world: wire_of(world, "ring-a", "op3"),
        ),
    ),
}


@pytest.mark.parametrize("door", ["storefront", "wire"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_and_nothing_is_written(world: Standing, name: str, door: str) -> None:
    case = CASES[name]
    world.again()
    scene = case.at[door == "wire"](world)
    attempt = case.prepare(scene)
    with world.nothing_written(), pytest.raises(HansaError) as refusal:
        attempt()
    assert (refusal.value.code, refusal.value.field) == (case.code, case.field)
    assert refusal.value.words.endswith(".")
    told = f"{refusal.value.words} {refusal.value.field}"
    far = world.alliance.nodes.keys() - {scene.seller, *scene.trail}
    assert [name for name in far if name in told] == [], "nobody beyond the neighbour is named"
    for asked in (scene.door, scene.other):
        assert isinstance(asked, Storefront) or asked.status in (0, 201, case.status)


@pytest.mark.parametrize("door", ["storefront", "wire"])
def test_a_silent_supplier_is_not_named(world: Standing, door: str) -> None:
    alliance = world.again()
    scene = storefront_of(world, "op2") if door == "storefront" else wire_of(world, "op2", "op3")
    alliance.silent.add(PartyId("op1"))
    with world.nothing_written(), pytest.raises(TryLater, match="partner-silent") as silence:
        scene.quoted()
    assert "op1" not in silence.value.words


def test_a_silent_supplier_of_what_is_held_is_not_named(world: Standing) -> None:
    alliance = world.again()
    front = storefront_of(world, "op2").door
    assert isinstance(front, Storefront)
    need = storefront_of(world, "op2").need()
    order = front.order(quote_id=front.quote(need).id, key=BuyerKey("k"))
    alliance.work()
    (provided,) = front.progress(order.id).provided
    assert front.condition(provided.holding).state == "active"
    alliance.silent.add(PartyId("op1"))
    with world.nothing_written(), pytest.raises(TryLater, match="partner-silent") as silence:
        front.condition(provided.holding)
    assert "op1" not in silence.value.words


# --- what no buyer could mean ---------------------------------------------------------------------


def _quote_body(world: Standing, **changed: Json) -> bytes:
    """The body of a request for a quote, with attributes put in or (None) taken out."""
    need = wire_of(world, "op2", "op3").need()
    shape: dict[str, Json] = {**quote_shapes.write_need(need), **changed}
    return render({name: value for name, value in shape.items() if value is not None})


def _in_pieces(body: bytes) -> Iterator[bytes]:
    """A body whose length nobody announces."""
    for at in range(0, len(body), 1 << 16):
        yield body[at : at + (1 << 16)]


LONG = b'"' + b"x" * BODY_MAX + b'"'
PLAIN = {
    "nothing": (b"", 400, "malformed"),
    "half a document": (b'{"quoteItem": [', 400, "malformed"),
    "not UTF-8": (b'{"quoteItem": "\xff\xfe"}', 400, "malformed"),
    "a list": (b"[]", 400, "malformed"),
    "no number": (b'{"quoteItem": NaN}', 400, "malformed"),
    "a number of thirty digits": (b"1" * 30, 400, "malformed"),
    "text that no database keeps": (b'{"quoteItem": "\\u0000"}', 400, "malformed"),
    "nested too deeply": (b"[" * 40 + b"]" * 40, 400, "body-too-deep"),
    "never closed": (b"[" * 100_000, 400, "malformed"),
    "longer than may be": (LONG, 413, "body-too-large"),
}


@pytest.mark.parametrize("path", [quote_shapes.QUOTES, order_shapes.ORDERS])
@pytest.mark.parametrize("name", PLAIN)
def test_what_cannot_be_read(world: Standing, name: str, path: str) -> None:
    body, status, code = PLAIN[name]
    world.again()
    door = wire_of(world, "op2", "op3").door
    assert isinstance(door, Wire)
    with world.nothing_written():
        for sent in (body, _in_pieces(body)):
            answered, told = door.send("POST", path, sent)
            assert (answered, told["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"quoteItem": None}, "quoteItem"),
        ({"quoteItem": "line"}, "quoteItem"),
        ({"quoteItem": [{"id": 7}]}, "quoteItem.0"),
        ({"hansaCurrency": 826}, "hansaCurrency"),
        ({"hansaTrail": ["NOT A NAME"]}, ""),
        ({"hansaTrail": [f"op{number}" for number in range(40)]}, "hansaTrail"),
    ],
)
def test_what_has_the_wrong_shape(world: Standing, changed: dict[str, Json], where: str) -> None:
    world.again()
    door = wire_of(world, "op2", "op3").door
    assert isinstance(door, Wire)
    with world.nothing_written():
        status, told = door.send("POST", quote_shapes.QUOTES, _quote_body(world, **changed))
    assert status in (400, 422)
    assert told.get("hansaField", "").startswith(where)


def test_who_does_not_say_who_he_is(world: Standing, tmp_path: Path) -> None:
    """Nobody at all, a stranger, one who signs for another node, too late, or in another's name."""
    alliance = world.again()
    op2, op3 = (alliance.nodes[PartyId(name)] for name in ("op2", "op3"))
    now, clock, key = alliance.clock.now(), alliance.clock, op3.keys.current(alliance.clock.now())
    stranger = KeyRing.load_or_create(tmp_path).current(now)
    hour = timedelta(hours=1)
    signing = {
        "stranger": SignedBy(op3.us.id, stranger, to=op2.us.id, clock=clock),
        "elsewhere": SignedBy(op3.us.id, key, to=PartyId("op1"), clock=clock),
        "old": SignedBy(op3.us.id, key, to=op2.us.id, clock=SetClock(now - hour)),
        "early": SignedBy(op3.us.id, key, to=op2.us.id, clock=SetClock(now + hour)),
        "in another's name": SignedBy(PartyId("op1"), key, to=op2.us.id, clock=clock),
        "unknown": SignedBy(PartyId("nobody"), key, to=op2.us.id, clock=clock),
    }
    nobody = httpx2.Auth()
    ways = [(nobody, header) for header in ("", "Basic b3AzOm9wMw==", "Bearer", "Bearer x.y.z")]
    door = Wire(op2, op3)
    body = _quote_body(world)
    with world.nothing_written():
        for way, header in (*ways, *((way, "") for way in signing.values())):
            for method, path in (
                ("POST", quote_shapes.QUOTES),
                ("POST", order_shapes.ORDERS),
                ("POST", order_shapes.MOVED),
                ("GET", f"{order_shapes.ORDERS}/ord_none"),
            ):
                said = {"authorization": header} if header else {}
                status, told = door.send(method, path, body, way, **said)
                assert status == 401, (header, path)
                expected = "token-refused" if header else "signature-"
                assert told["code"].startswith(expected), (header, path)


def test_an_unknown_path_and_a_wrong_method(world: Standing) -> None:
    world.again()
    door = wire_of(world, "op2", "op3").door
    assert isinstance(door, Wire)
    with world.nothing_written():
        assert door.send("GET", "/tmf-api/nothing", b"")[1]["code"] == "path-unknown"
        assert door.send("DELETE", order_shapes.ORDERS, b"")[1]["code"] == "method-unknown"


def test_someone_elses_order_is_not_there(world: Standing) -> None:
    """Asked for its progress by its id, and told that it has moved, by a partner not concerned."""
    world.again()
    scene = wire_of(world, "op2", "op3")
    order = scene.door.order(quote_id=scene.quoted().id, key=BuyerKey("k"))
    assert isinstance(scene.other, Wire)
    with world.nothing_written():
        status, told = scene.other.send("GET", f"{order_shapes.ORDERS}/{order.id}", b"")
    assert (status, told["code"]) == (404, "order-unknown")


# --- files of a scenario --------------------------------------------------------------------------

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize("file", sorted(SCENARIOS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_an_unknown_field_in_a_scenario_is_shown_with_its_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the scenario is started, nothing of it is left."""
    scenarios = tmp_path / "scenarios"
    copytree(SCENARIOS, scenarios)
    copy = scenarios / file.relative_to(SCENARIOS)
    lines = copy.read_text().splitlines()
    place = next(
        number for number, line in enumerate(lines) if line.startswith(("name:", "party:"))
    )
    lines.insert(place, "colour: green")
    copy.write_text("\n".join(lines))
    monkeypatch.setenv("HANSA_DEMO_FOLDER", str(tmp_path / "nodes"))
    with pytest.raises(Refused) as refusal:
        demo.run(
            [copy.relative_to(scenarios).parts[0]], scenarios=scenarios, keep=False, as_json=True
        )
    assert (refusal.value.code, refusal.value.field) == ("file-invalid", "colour")
    assert f"{copy} line {place + 1}: colour: is not known here." in refusal.value.words
    assert not (tmp_path / "nodes").exists()
