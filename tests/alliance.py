"""Several operators in one process: each with its own database, key and books, joined over
in-process HTTP, with one clock that moves only when told.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from hansa.drivers import actions as network
from hansa.drivers.model import Choice, Coverage, NetworkSettings, Product
from hansa.entrypoints.http import app
from hansa.federation import directory
from hansa.federation.contract import AgreementRef, CharacteristicSpec, Need, NeedItem, Tariff, Tax
from hansa.federation.model import Dialect, Partner
from hansa.federation.papers import (
    AgreementDocument,
    AgreementItem,
    AgreementParty,
    NettingTerms,
    RevenueShare,
)
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.wire import parse
from hansa.foundation.ids import AgreementId, HoldingId, Ids, OfferCode, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor, Party
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, SetClock
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import (
    CatalogueOffer,
    Component,
    ListPrice,
    ReferenceRate,
    Source,
    TaxRule,
)
from hansa.node import HttpSettings, Node, Settings, SettlementSettings
from hansa.storefront.seller import Storefront
from tests.inside import Inside

LINE = OfferCode("line")
"""What every operator of a test alliance sells: a line at a site, by its speed."""

SHOP = PartyId("shop")
"""The end customer at the top of a chain."""

SPEED = CharacteristicSpec("speed_mbps", "Mbit/s", 1, 10_000, 100)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
RETAIL = "retail"


class Alliance:
    """Nodes by name. Build it from the `databases` and `clock` fixtures and a temporary folder.

    told: what subscribers were sent, and where to.
    network: on what all deliver.
    speaks: how an operator wants to be spoken to, if not in TMF; sonata: what all have settled for
    that. Both are for whoever comes later.
    """

    def __init__(
        self, databases: Callable[[], object], folder: Path, clock: SetClock, seed: bytes
    ) -> None:
        self._databases = databases
        self._folder = folder
        self._seed = seed
        self.clock = clock
        self.nodes: dict[PartyId, Node] = {}
        self.silent: set[PartyId] = set()
        self.told: list[tuple[str, Any]] = []
        self.speaks: dict[PartyId, Dialect] = {}
        self.sonata = SonataSettings()
        self.network = NetworkSettings()
        self._apps: dict[PartyId, Inside] = {}

    def add(self, name: str, country: str = "GB", currency: str = "GBP") -> Node:
        """A new operator with a node of its own."""
        party = PartyId(name)
        folder = self._folder / name
        folder.mkdir()
        node = Node(
            Settings(
                party=Party(party, name.upper(), country, currency),
                http=self._http(party),
                settlement=SettlementSettings(auto_confirm=True),
                sonata=self.sonata,
                network=self.network,
            ),
            folder=folder,
            database_url=self._databases().url,  # type: ignore[attr-defined]
            clock=self.clock,
            ids=Ids(self.clock, _entropy(self._seed + name.encode())),
            connect=self._connect,
            connections_max=6,
            deliver=lambda _to, post: self.told.append((post.url, parse(post.body))),
        )
        node.open()
        self.nodes[party] = node
        self._apps[party] = Inside(app(node), base_url=node.settings.address)
        with node.begin() as tx:
            for customer, tax in (
                ("*", Tax("reverse-charge", 0, "reverse charge")),
                (country, Tax("standard", 2000, "VAT 20 %")),
            ):
                rule = TaxRule(country, customer, LONG_AGO.date(), tax)
                catalogue.put_tax_rule(tx, rule=rule)
        return node

    def _http(self, party: PartyId) -> HttpSettings:
        return HttpSettings(port=1, address=f"http://{party}.test")

    def _connect(self, partner: Partner) -> Inside:
        return Quiet(self, partner.party.id, self._apps[partner.party.id])

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()

    @property
    def top(self) -> Node:
        """The operator that was added last: in a chain, the one that the customer buys from."""
        return list(self.nodes.values())[-1]

    def need(
        self,
        *sites: str,
        currency: str = "GBP",
        country: str = "ZA",
        speed: int = 100,
        holding: HoldingId | None = None,
        quantity: int = 1,
    ) -> Need:
        """A line at each of these places, wanted of the top operator."""
        return Need(
            items=tuple(
                NeedItem(
                    id=f"line-{place}",
                    offer=LINE,
                    site=Site(place, place, country, place),
                    characteristics={"speed_mbps": speed},
                    holding=holding,
                    quantity=quantity,
                )
                for place in sites
            ),
            currency=currency,
            trace=self.top.ids.trace(),
        )

    # --- what operators do ----------------------------------------------------------------------

    def join(self, one: Node, other: Node) -> None:
        """The two exchange their cards."""
        for mine, theirs in ((one, other), (other, one)):
            card = directory.invite(
                theirs.keys,
                party=theirs.us,
                address=theirs.settings.address,
                now=self.clock.now(),
                dialect=self.speaks.get(theirs.us.id, "tmf"),
            )
            with mine.begin() as tx:
                directory.join(tx, card=card, now=self.clock.now())

    def rate(self, base: str, quote: str, rate: str) -> None:
        """Every operator knows the same reference rate."""
        for node in self.nodes.values():
            with node.begin() as tx:
                catalogue.put_rate(
                    tx,
                    rate=ReferenceRate(base, quote, LONG_AGO.date(), "test", Decimal(rate)),
                    now=self.clock.now(),
                )

    def agree(
        self,
        seller: Node,
        buyer: Node,
        *,
        currency: str,
        countries: Sequence[str] = ("ZA",),
        offers: Sequence[OfferCode] = (LINE,),
        credit_limit: Money | None = None,
        others: Sequence[Node] = (),
        shares: Sequence[RevenueShare] = (),
        netting: NettingTerms | None = None,
        signed_by: Sequence[Node] | None = None,
        launched: Sequence[str] | None = None,
    ) -> AgreementRef:
        """Drafted by the seller, signed by all, and launched in every country, if not told
        otherwise.
        """
        now = self.clock.now()
        document = AgreementDocument(
            id=seller.ids.given(AgreementId, by=seller.us.id),
            version=1,
            name=f"{seller.us.id} sells to {buyer.us.id}",
            parties=(
                AgreementParty(seller.us.id, "lead"),
                AgreementParty(buyer.us.id, "partner"),
                *(AgreementParty(other.us.id, "member") for other in others),
            ),
            valid_from=LONG_AGO,
            valid_to=None,
            items=(
                AgreementItem(
                    seller.us.id,
                    buyer.us.id,
                    tuple(offers),
                    tuple(countries),
                    RETAIL,
                    currency,
                    credit_limit,
                ),
            ),
            shares=tuple(shares),
            gates=("licence",),
            netting=netting,
        )
        ref = AgreementRef(document.id, 1)
        with seller.begin() as tx:
            agreement.draft(tx, us=seller.us.id, document=document, ids=seller.ids, now=now)
        self.work()
        for node in (seller, buyer, *others) if signed_by is None else signed_by:
            with node.begin() as tx:
                agreement.sign(tx, us=node.us.id, ref=ref, keys=node.keys, ids=node.ids, now=now)
        self.work()
        for country in countries if launched is None else launched:
            _launch(seller, ref, country, now)
        self.work()
        return ref

    def build_network(self, node: Node, countries: Sequence[str] = ("ZA",)) -> None:
        """The operator's own network makes lines in these countries, everywhere."""
        with node.begin() as tx:
            network.set_products(
                tx,
                products=[
                    Product(
                        LINE,
                        "Line",
                        "connectivity",
                        "site",
                        (Choice("speed_mbps", "Mbit/s", 1, 10_000, 100),),
                    )
                ],
            )
            network.cover(tx, entries=[Coverage(LINE, country) for country in countries])

    def offer(
        self,
        node: Node,
        *,
        sources: Sequence[PartyId],
        currency: str,
        one_off: str = "50",
        monthly: str = "100",
        margin_bp: int | None = None,
        tariff: Tariff | None = None,
        cancellation: str = "0",
        countries: Sequence[str] = ("ZA", "GH"),
        access: bool = False,
    ) -> None:
        """The operator sells lines that it has from these sellers, the first that can.

        access: it first builds a line of its own at the site.
        """
        line = Component(
            "line",
            tuple(Source(seller, LINE) for seller in sources),
            stage=1,
            metered=True,
            passes=("speed_mbps",),
        )
        own = Component("access", (Source(node.us.id, LINE),), passes=("speed_mbps",))
        with node.begin() as tx:
            catalogue.put_offer(
                tx,
                offer=CatalogueOffer(
                    LINE,
                    f"Line by {node.us.id}",
                    "connectivity",
                    "site",
                    tuple(countries),
                    (SPEED,),
                    (own, line) if access else (line,),
                ),
            )
            catalogue.put_price(
                tx,
                price=ListPrice(
                    RETAIL,
                    LINE,
                    currency,
                    Decimal(one_off),
                    Decimal(monthly),
                    LONG_AGO,
                    monthly_per={"speed_mbps": Decimal("0.25")},
                    margin_bp=margin_bp,
                    tariff=tariff,
                    cancellation=Decimal(cancellation),
                ),
            )

    def customer(
        self, node: Node, name: PartyId = SHOP, *, credit_limit: Money | None = None
    ) -> Storefront:
        """An end customer of the operator, and what it finds at its storefront."""
        with node.begin() as tx:
            agreement.register_customer(
                tx,
                party=Party(name, name.title(), node.us.country, node.us.currency),
                price_list=RETAIL,
                credit_limit=credit_limit,
                now=self.clock.now(),
            )
        return node.storefront(Actor(name, "customer"))

    # --- time -----------------------------------------------------------------------------------

    def work(self, *, rounds_max: int = 50) -> None:
        """Every node does what is due, round after round, until none has anything left now.

        One that has done it has something left only when its database was asked for since.
        """
        done: dict[PartyId, int] = {}
        for _ in range(rounds_max):
            left = [name for name, node in self.nodes.items() if done.get(name) != _asked(node)]
            if not left:
                return
            for name in left:
                self.nodes[name].work_once()
                done[name] = _asked(self.nodes[name])
        raise AssertionError(f"the alliance is still busy after {rounds_max} rounds")

    def pass_time(self, by: timedelta) -> None:
        """The clock moves on, and everyone does what has come due."""
        self.clock.move(by)
        self.work()


class Quiet(Inside):
    """A way to a partner that can be made to fall silent."""

    def __init__(self, alliance: Alliance, partner: PartyId, inner: Inside) -> None:
        super().__init__(inner.app, base_url=str(inner.base_url))
        self._alliance = alliance
        self._partner = partner

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        if self._partner in self._alliance.silent:
            raise ConnectionError("silent")
        return super().send(request, **kwargs)


def chain(
    alliance: Alliance,
    length: int,
    *,
    tariff: Tariff | None = None,
    cancellation: Callable[[int], str] = lambda _: "0",
) -> Storefront:
    """`length` operators, each reselling the line of the one before; returns the last one's
    storefront as its customer sees it. The first delivers from its own network.

    cancellation: what the first, second, … operator wants for a line that is cancelled.
    """
    below: Node | None = None
    for number in range(1, length + 1):
        node = alliance.add(f"op{number}")
        if below is None:
            alliance.build_network(node)
            alliance.offer(
                node,
                sources=[node.us.id],
                currency="GBP",
                tariff=tariff,
                cancellation=cancellation(number),
            )
        else:
            alliance.join(below, node)
            alliance.agree(below, node, currency="GBP")
            alliance.offer(
                node,
                sources=[below.us.id],
                currency="GBP",
                one_off="0",
                monthly="5",
                margin_bp=1000,
                cancellation=cancellation(number),
            )
        below = node
    assert below is not None
    return alliance.customer(below)


def _asked(node: Node) -> int:
    """How many transactions the node has begun, whoever had it do so."""
    return node.database._pool.get_stats()["requests_num"]


def _entropy(seed: bytes) -> Callable[[int], bytes]:
    counter = itertools.count()
    return lambda length: hashlib.shake_256(seed + next(counter).to_bytes(8)).digest(length)


def _launch(seller: Node, ref: AgreementRef, country: str, now: Instant) -> None:
    with seller.begin() as tx:
        agreement.pass_gate(
            tx,
            us=seller.us.id,
            ref=ref,
            country=country,
            gate="licence",
            evidence="no. 7",
            by="test",
            now=now,
        )
        agreement.launch(
            tx,
            us=seller.us.id,
            ref=ref,
            country=country,
            keys=seller.keys,
            ids=seller.ids,
            now=now,
        )
