"""What the files of a scenario say, and what came of it. There is no code in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hansa.federation.contract import Progress, Quote
from hansa.foundation.ids import HoldingId, OfferCode, PartyId
from hansa.foundation.people.model import Brand
from hansa.foundation.readings import Check
from hansa.foundation.site import Site
from hansa.foundation.time import Instant
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.catalogue.model import ReferenceRate
from hansa.lifecycle.settlement.model import BooksProof, Held, Position


@dataclass(frozen=True, slots=True)
class WantedItem:
    """One line of a customer's order; site: the name of one of the scenario's sites."""

    id: str
    offer: OfferCode
    site: str | None = None
    characteristics: Mapping[str, int] = field(default_factory=dict)
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class OrderAct:
    """A customer asks its operator for a quote and orders it. after_days: since the act before."""

    act: Literal["order"]
    id: str
    operator: PartyId
    customer: PartyId
    items: tuple[WantedItem, ...]
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """A customer asks for what cannot be had; the refusal's reason must be `reason`."""

    act: Literal["refused"]
    operator: PartyId
    customer: PartyId
    items: tuple[WantedItem, ...]
    reason: str
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class ChangeAct:
    """A customer changes one line of an order, e.g. its speed."""

    act: Literal["change"]
    order: str
    item: str
    characteristics: Mapping[str, int]
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class CeaseAct:
    """A customer ends what an order brought."""

    act: Literal["cease"]
    order: str
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class ProveAct:
    """A customer tries out what it has, from one of its sites to another, where the network is
    real; on a simulated one there is nothing to measure.

    sold_mbps: what should be carried between the two. blocked: a name that should not resolve.
    called: numbers, E.164 with `+`. cut: whether the first line of `source` dies then. gone:
    whether `target` is not to be reached.
    """

    act: Literal["prove"]
    source: str
    target: str
    sold_mbps: int = 0
    blocked: str = ""
    called: tuple[str, ...] = ()
    cut: bool = False
    gone: bool = False
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class DraftWanted:
    """A quote that an operator's sales have begun for a customer, at these of the scenario's sites:
    to be looked at in the portal of a demonstration that is kept.

    characteristics: for all sites; those beside a site take their place there.
    """

    operator: PartyId
    customer: PartyId
    title: str
    offer: OfferCode
    sites: Mapping[str, Mapping[str, int]]
    characteristics: Mapping[str, int] = field(default_factory=dict)


Act = OrderAct | RefusedAct | ChangeAct | CeaseAct | ProveAct


@dataclass(frozen=True, slots=True)
class Scenario:
    """`scenario.yaml`: who takes part, who knows whom, and what happens.

    starts: the moment at which the story begins. The month in which it begins is the one
    that is billed and settled. operators, agreements: file names without their ending. real: the
    families that are delivered on real daemons where the machine can. brands: how operators look to
    their customers in the portal. drafts: quotes for its sales to go on with there.
    """

    name: str
    title: str
    about: str
    starts: Instant
    operators: tuple[str, ...]
    partners: tuple[tuple[PartyId, PartyId], ...]
    agreements: tuple[str, ...]
    rates: tuple[ReferenceRate, ...]
    sites: tuple[Site, ...]
    story: tuple[Act, ...]
    real: tuple[str, ...] = ()
    brands: Mapping[PartyId, Brand] = field(default_factory=dict)
    drafts: tuple[DraftWanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of the story: who placed it where, and what it had become when it was done."""

    name: str
    operator: PartyId
    customer: PartyId
    quote: Quote
    progress: Progress
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to. simulated: the holdings whose usage was not all measured."""

    scenario: Scenario
    placed: tuple[Placed, ...]
    bills: tuple[Bill, ...]
    statements: tuple[Held, ...]
    positions: tuple[tuple[PartyId, Position], ...]
    proof: BooksProof
    seconds: float
    measured: tuple[Check, ...]
    simulated: frozenset[HoldingId]

    @property
    def hops(self) -> int:
        return max((one.progress.hops for one in self.placed), default=0)
