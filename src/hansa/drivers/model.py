"""What this node's own network has on offer, and what has been ordered of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hansa.drivers.contract import Figure, Intent
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OfferCode, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.site import Site
from hansa.foundation.time import Instant

FAMILIES = ("connectivity", "security", "voice", "broadband")

ANYWHERE = "*"
"""As the place of a coverage entry: the whole country."""


@dataclass(frozen=True, slots=True)
class Targets:
    """How services of our own network should be: what figures are held against where our own people
    look at them. The first three are those of ITU-T Y.1541, table 1, class 0, there and back.

    available_bp: hundredths of a percent of the time.
    """

    rtt_ms: int = 200
    jitter_ms: int = 50
    loss_ppm: int = 1000
    available_bp: int = 9995


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """drivers: which installed driver serves each family. counts: which counts its usage, where
    it is not the same. seed: of a simulated network. lab: see registry.Maker. measure_every_s: how
    long after one round of measuring the next begins. measured_days: how long its figures are kept.
    targets: how services should be.
    """

    drivers: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(FAMILIES, "simulated"))
    counts: Mapping[str, str] = field(default_factory=dict)
    seed: str = "hansa"
    lab: str = ""
    measure_every_s: int = 60
    measured_days: int = 90
    targets: Targets = Targets()


@dataclass(frozen=True, slots=True)
class Choice:
    """One characteristic a buyer chooses: a whole number within bounds, both allowed."""

    name: str
    unit: str
    minimum: int
    maximum: int
    default: int | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """Something our own network can make; per: a line of it is for a site or for an order.

    technology: see contract.Intent.
    """

    code: OfferCode
    name: str
    family: Literal["connectivity", "security", "voice", "broadband"]
    per: Literal["site", "order"]
    choices: tuple[Choice, ...] = ()
    technology: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where our own network reaches. what: a product's code, or a family for all of it.

    country: ISO 3166-1 alpha-2. place: a town by its common English name, or `*`.
    """

    what: str
    country: str
    place: str = ANYWHERE


@dataclass(frozen=True, slots=True)
class Ask:
    """One line that somebody wants of our own network; holding: given to change a service."""

    item: str
    offer: OfferCode
    site: Site | None
    characteristics: Mapping[str, int | str]
    quantity: int
    holding: HoldingId | None


@dataclass(frozen=True, slots=True)
class Fit:
    """What an ask comes to: its product, with every characteristic filled in."""

    product: Product
    site: Site | None
    characteristics: Mapping[str, int | str]
    intent: Intent


OrderState = Literal["inProgress", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class KeptQuote:
    """A quote of our own network; document: as it was given."""

    id: QuoteId
    buyer: PartyId
    made_at: Instant
    valid_until: Instant
    document: Json


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order. wanted: what it brings, before: what it found; None: not there.

    before_order: the order that had brought `before`. since: when it was done.
    """

    item: str
    holding: HoldingId
    wanted: Intent | None
    before: Intent | None
    before_order: OrderId | None
    since: Instant | None = None


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """An order of our own network. content: fingerprint of what was asked under the key.

    ceases: the order that this one ends. In progress with a reason: on its way back.
    """

    id: OrderId
    buyer: PartyId
    key: BuyerKey
    content: str
    quote: QuoteId
    ceases: OrderId | None
    state: OrderState
    reason: str
    trace: TraceId
    placed_at: Instant
    finished_at: Instant | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One figure of a service over some time from `at` on. looks: how often it was measured; total:
    the sum of that; middle: its median. See contract.Sample.
    """

    at: Instant
    service: HoldingId
    class_: str
    name: Figure
    looks: int
    total: int
    middle: int


@dataclass(frozen=True, slots=True)
class Available:
    """How many services of our own network were measured, and how available all were together.

    looks: at all of them; good: those in which it was there. below: services under the target.
    """

    services: int
    looks: int
    good: int
    below: int


@dataclass(frozen=True, slots=True)
class Service:
    """A service of our own network as it should be. intent None: it should not be there.

    started None: never yet in service.
    """

    holding: HoldingId
    buyer: PartyId
    family: str
    intent: Intent | None
    brought_by: OrderId
    started: Instant | None
    ended: Instant | None
