"""A small seller and listener that keep what they are told in memory, and nodes to put them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from hansa.federation.contract import (
    AgreementRef,
    CharacteristicSpec,
    Condition,
    Milestone,
    Need,
    NeedItem,
    Offer,
    Order,
    OrderState,
    PercentileTariff,
    Progress,
    Provided,
    Qualification,
    QualificationLine,
    Quote,
    QuoteLine,
    Tax,
    Terms,
    UsageRecord,
)
from hansa.federation.courier import Courier
from hansa.federation.exchange import Exchanges
from hansa.federation.keys import signatures
from hansa.federation.keys.ring import KeyRing
from hansa.federation.keys.signatures import Signs
from hansa.federation.listener import Notice
from hansa.federation.mandate import Mandate
from hansa.federation.model import Partner
from hansa.federation.tmf import server
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.tmf.engine.model import World
from hansa.federation.trust.gate import FrontGate, SignedGate
from hansa.federation.trust.outgoing import Signed
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import (
    AgreementId,
    BuyerKey,
    HoldingId,
    Ids,
    OfferCode,
    OrderId,
    PartyId,
    QualificationId,
    QuoteId,
    TraceId,
)
from hansa.foundation.money import Money
from hansa.foundation.party import Actor, Party
from hansa.foundation.readings import SAMPLES_A_DAY, Call, Check, OctetDay, SeatDay
from hansa.foundation.site import Site
from hansa.foundation.time import Clock, Period
from hansa.foundation.transaction import Transaction
from tests.federation.memory import Memory
from tests.federation.shelf import ShopShelf
from tests.inside import Inside

BT, MTN, EVE = PartyId("bt"), PartyId("mtn"), PartyId("eve")
LINE = OfferCode("line")
TRACE = TraceId("4bf92f3577b34da6a3ce929d0e0e4736")
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
NOVEMBER = Period.month(2026, 11)

TERMS = Terms(
    Money(25_000, "GBP"), Money(10_050, "GBP"), PercentileTariff(Decimal("1.235"), commit_mbps=10)
)

NEED = Need(
    items=(
        NeedItem(
            "a",
            LINE,
            Site("jnb", "Sandton Mall", "ZA", "Johannesburg", Decimal("-26.1"), Decimal("28.05")),
            {"speed_mbps": 100, "access": "fibre"},
        ),
        NeedItem("b", LINE, Site("ldn", "Łódź & Sons", "GB", "London"), quantity=2),
    ),
    currency="GBP",
    trace=TRACE,
    trail=(MTN,),
)


@dataclass
class Shop:
    """A seller of one buyer's: lines everywhere but on the moon, delivered as soon as ordered."""

    seller: PartyId
    buyer: PartyId
    now: datetime = START
    heard: list[Notice] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    quotes: dict[str, Quote] = field(default_factory=dict)
    orders: dict[str, tuple[Order, str]] = field(default_factory=dict)
    mandates: list[Mandate | None] = field(default_factory=list)
    readings: list[UsageRecord] = field(default_factory=list)
    failing: Exception | None = None

    def offers(self) -> Sequence[Offer]:
        speed = CharacteristicSpec("speed_mbps", "Mbit/s", 1, 10_000, 100)
        ports = CharacteristicSpec("ports", "", 1, 48)
        return [
            Offer(LINE, "Line", "connectivity", "site", ("GB", "ZA"), (speed, ports), "GBP", TERMS),
            Offer(OfferCode("trunk"), "Trunk", "voice", "order", (), (), "GBP"),
        ]

    def qualify(self, need: Need) -> Qualification:
        self.needs.append(need)
        lines = [
            QualificationLine(item.id, True)
            if item.site and item.site.country != "MOON"
            else QualificationLine(item.id, False, "no-coverage", "Nobody delivers there.")
            for item in need.items
        ]
        return Qualification(QualificationId("qal_1"), tuple(lines))

    def quote(self, need: Need) -> Quote:
        if self.failing is not None:
            raise self.failing
        self.needs.append(need)
        for index, item in enumerate(need.items):
            if item.quantity < 1:
                raise Refused("quantity", "Order one at least.", field=f"items.{index}.quantity")
        lines = tuple(
            QuoteLine(
                item.id,
                item.offer,
                "Line",
                "connectivity",
                item.site,
                item.characteristics,
                item.quantity,
                TERMS,
                Tax("reverse-charge", 1550, "Article 196"),
                item.holding,
            )
            for item in need.items
        )
        quote = Quote(
            QuoteId(f"quo_{len(self.quotes)}"),
            self.seller,
            self.buyer,
            need.currency,
            lines,
            self.now,
            self.now + timedelta(days=30),
            AgreementRef(AgreementId("agr_1"), 3),
        )
        self.quotes[quote.id] = quote
        return quote

    def order(self, *, quote_id: QuoteId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        self.mandates.append(mandate)
        if quote_id not in self.quotes:
            raise NotFound("quote-unknown", "There is no such quote.", field="quote")
        return self._enter(key, f"order {quote_id}", quote_id)

    def cease(self, *, order_id: OrderId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        self.mandates.append(mandate)
        return self._enter(key, f"cease {order_id}", self._find(order_id).quote)

    def _enter(self, key: BuyerKey, content: str, quote: QuoteId) -> Order:
        if key in self.orders:
            order, before = self.orders[key]
            if before != content:
                raise Refused("key-reused", "This key was used for something else.", field="key")
            return order
        order = Order(
            OrderId(f"ord_{len(self.orders)}"),
            self.seller,
            self.buyer,
            key,
            quote,
            OrderState.ACKNOWLEDGED,
            self.now,
            TRACE,
        )
        self.orders[key] = order, content
        return order

    def _find(self, order_id: OrderId) -> Order:
        for order, _ in self.orders.values():
            if order.id == order_id:
                return order
        raise NotFound("order-unknown", "There is no such order of yours.", field="order")

    def progress(self, order_id: OrderId) -> Progress:
        order = self._find(order_id)
        return Progress(
            order.id,
            order.key,
            OrderState.COMPLETED,
            (Milestone("access", "done", self.now), Milestone("overlay", "pending", None, 1)),
            (Provided("a", HoldingId("hld_1"), self.now),),
            hops=2,
        )

    def condition(self, holding_id: HoldingId) -> Condition:
        if holding_id != "hld_1":
            raise NotFound("holding-unknown", "You hold no such thing.", field="holding")
        checks = (Check("speed", "100 Mbit/s", "97 Mbit/s", False),)
        return Condition(holding_id, "degraded", checks, measured=True)

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        if self.failing is not None:
            raise self.failing
        return [
            record
            for record in self.readings
            if record.holding == holding_id and period.holds(when(record))
        ]

    def hear(self, notice: Notice) -> None:
        if self.failing is not None:
            raise self.failing
        self.heard.append(notice)


def when(record: UsageRecord) -> datetime:
    reading = record.reading
    if isinstance(reading, Call):
        return reading.answered_at
    return datetime(reading.day.year, reading.day.month, reading.day.day, tzinfo=UTC)


def some_usage(holding: HoldingId) -> list[UsageRecord]:
    """A day of octets, a day of seats, and a call in November 2026."""
    octets = tuple(None if poll == 7 else poll * 10**9 for poll in range(SAMPLES_A_DAY))
    return [
        UsageRecord("u1", holding, OctetDay(date(2026, 11, 1), octets, octets[::-1])),
        UsageRecord("u2", holding, SeatDay(date(2026, 11, 2), 41)),
        UsageRecord("u3", holding, Call(START, "+27111234567", "+442079460000", 61)),
    ]


def nowhere() -> AbstractContextManager[Transaction]:
    """Opens no transaction: such a door has no database behind it."""
    raise NotImplementedError


@dataclass
class Seat:
    """What one caller finds at a door."""

    seller: Shop
    listener: Shop
    shelf: Any
    helpdesk: Any = None
    bulk: Any = None


class Door(Inside):
    """One operator's node as far as the wire sees it, with a note of all that was exchanged."""

    def __init__(self, us: PartyId, ring: KeyRing, clock: Clock, ids: Ids, **bounds: int) -> None:
        self.us = us
        self.ring = ring
        self.clock = clock
        self.ids = ids
        self.register = Memory()
        self.shops: dict[PartyId, Shop] = {}
        self.exchanged: list[tuple[httpx2.Request, httpx2.Response]] = []
        world = World(
            seat=self._seat,
            begin_for=lambda _actor: nowhere,
            ids=ids,
            clock=clock,
            address=f"http://{us}.test",
            new_trace=ids.trace,
            callback_allowed=lambda _actor, _callback: None,
        )
        spoken = server.dialect(world, **bounds)
        gate = SignedGate(
            us=us,
            address=f"http://{us}.test",
            register=self.register,
            key=lambda _, now: ring.current(now),
            clock=clock,
        )
        app = Exchanges([spoken], FrontGate(signed=gate))
        super().__init__(app, base_url=f"http://{us}.test")

    def _seat(self, actor: Actor) -> Seat:
        shop = self.shop(actor.party)
        return Seat(shop, shop, ShopShelf(shop))

    def shop(self, buyer: PartyId) -> Shop:
        return self.shops.setdefault(buyer, Shop(self.us, buyer))

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        response = super().send(request, **kwargs)
        response.read()
        self.exchanged.append((request, response))
        return response

    def knows(self, party: PartyId, ring: KeyRing) -> None:
        self.register.keys[party] = [ring.public]

    def partner(self) -> Partner:
        """This node as its partners have it in their directory."""
        party = Party(self.us, self.us.upper(), "GB", "GBP")
        return Partner(party, f"http://{self.us}.test", "tmf", START)

    def client(self, us: PartyId, ring: KeyRing, *, clock: Clock | None = None) -> TmfPartner:
        """This node as `us` reaches it. clock: of `us`, if it goes otherwise."""
        courier = self.courier(us, ring.current(self.clock.now()), self, clock=clock)
        return TmfPartner(us=us, courier=courier)

    def courier(
        self, us: PartyId, key: Signs, http: httpx2.Client, *, clock: Clock | None = None
    ) -> Courier:
        """What carries requests of `us` to this node, or to whoever is at its place."""
        trust = Signed(
            us=us,
            partner=self.us,
            address=f"http://{self.us}.test",
            key=lambda _: key,
            register=Memory({self.us: [self.ring.public]}),
            nonce=self.ids.trace,
            clock=clock or self.clock,
        )
        return Courier(partner=self.us, address=f"http://{self.us}.test", http=http, trust=trust)

    def sealed(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """An answer to this request that this node has really signed, whatever it says."""
        dropped = {"content-length", "signature", "signature-input"}
        headers = {name: one for name, one in response.headers.items() if name not in dropped}
        headers["content-digest"] = signatures.digest(response.read())
        answered = signatures.signature(dict(request.headers))
        values = signatures.of_answer(response.status_code, headers, answered)
        now = self.clock.now()
        signed = signatures.sign(
            list(values.items()), us=self.us, key=self.ring.current(now), now=now
        )
        return httpx2.Response(
            response.status_code, headers={**headers, **signed}, content=response.content
        )


def retrail(need: Need, *trail: str) -> Need:
    return replace(need, trail=tuple(PartyId(node) for node in trail))


def caught(act: Callable[[], object]) -> HansaError:
    """The error that this raises."""
    with pytest.raises(HansaError) as raised:
        act()
    return raised.value


LATER = TryLater("usage-not-ready", "Not all of it is there.", field="period", after_s=0.25)
