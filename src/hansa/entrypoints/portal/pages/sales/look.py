"""All that a page about a quote shows: its sites, what was answered about each, and the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hansa.drivers import actions as network
from hansa.drivers.model import ANYWHERE
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.pages.sales import places
from hansa.entrypoints.portal.pages.sales.buyers import MARGIN, Buyer, buyer
from hansa.federation.bulk import Unquoted
from hansa.federation.contract import Need, NeedItem, QuoteLine
from hansa.foundation.ids import BuyerKey, DraftId
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import CatalogueOffer
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.quote.actions import drafts, quotes
from hansa.lifecycle.quote.model import Draft, KeptQuote, LineCost

NEAR_KM = 50
"""From a town of our own network up to here a site that we do not reach is near: worth a call to
those who build it."""
NEAR_DEGREES = 1
"""Of latitude; what is further away is not near, wherever it is."""

SiteState = Literal["open", "feasible", "near", "off-net"]
Stage = Literal["sites", "ready", "pricing", "priced", "expired", "ordered"]
STATES: Sequence[SiteState] = ("feasible", "near", "off-net", "open")


@dataclass(frozen=True, slots=True)
class Pop:
    """A town that our own network reaches with what the offer is made of."""

    name: str
    country: str
    at: places.Point


@dataclass(frozen=True, slots=True)
class Row:
    """One site. line: where it can be had; cost: then, for those who may see it. words: why it
    cannot be had; near, km: the nearest town of our own network, where it is near.
    """

    item: NeedItem
    state: SiteState = "open"
    line: QuoteLine | None = None
    cost: LineCost | None = None
    reason: str = ""
    words: str = ""
    near: str = ""
    km: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What all feasible sites come to, tax apart. earned: after what suppliers charge, for those
    who may see it.
    """

    one_off: Money
    monthly: Money
    earned_one_off: Money
    earned_monthly: Money


@dataclass(frozen=True)
class Look:
    """One draft as it is now. need, key, parts: what it asks for, under which key, in how many
    parts; done: so many are answered. whole: countries that our own network reaches everywhere.
    """

    draft: Draft
    offer: CatalogueOffer
    buyer: Buyer
    need: Need
    key: BuyerKey
    parts: int
    begun: bool
    kept: Sequence[KeptQuote]
    refusals: Sequence[Unquoted]
    orders: Sequence[KeptOrder]
    pops: Sequence[Pop]
    whole: Sequence[str]
    with_costs: bool
    now: Instant

    @property
    def done(self) -> int:
        return self.draft.parts

    @property
    def total(self) -> int:
        """How many sites are asked for, or lines where an offer is for the order as a whole."""
        return len(self.need.items) if self.parts else 0

    @cached_property
    def answered(self) -> int:
        """About how many of them something is known."""
        return sum(len(one.quote.lines) for one in self.kept) + len(self.refusals)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """What is known of each, in the order asked."""
        return _rows(self) if self.total else ()

    @cached_property
    def counts(self) -> Mapping[str, int]:
        return Counter(row.state for row in self.rows)

    @property
    def feasible(self) -> int:
        return self.counts.get("feasible", 0)

    @cached_property
    def unplaced(self) -> int:
        """How many sites nobody knows the place of."""
        sites = [row.item.site for row in self.rows]
        return sum(site is not None and site.latitude is None for site in sites)

    @property
    def valid_until(self) -> Instant | None:
        """Until when all prices stand; None without any."""
        return min((one.quote.valid_until for one in self.kept), default=None)

    @property
    def stage(self) -> Stage:
        if self.orders:
            return "ordered"
        if not self.total:
            return "sites"
        if not self.begun:
            return "ready"
        if self.done < self.parts:
            return "pricing"
        if self.valid_until is not None and self.valid_until <= self.now:
            return "expired"
        return "priced"

    @cached_property
    def sums(self) -> Sums | None:
        lines = [row for row in self.rows if row.line is not None]
        if not lines:
            return None
        currency = self.draft.head.currency
        one_off = add_up((row.line.terms.one_off for row in lines if row.line), currency)
        monthly = add_up((row.line.terms.monthly for row in lines if row.line), currency)
        return Sums(
            one_off,
            monthly,
            one_off - add_up((row.cost.one_off for row in lines if row.cost), currency),
            monthly - add_up((row.cost.monthly for row in lines if row.cost), currency),
        )


def look(ask: Ask, tx: Transaction) -> Look:
    """The draft that the page's address names. Raises NotFound `draft-unknown`."""
    draft = drafts.draft(tx, draft_id=DraftId(ask.path["id"]))
    wishes = drafts.wishes(tx, draft_id=draft.id)
    offer = offers.offer(tx, code=draft.head.offer)
    who = buyer(tx, "partner" if draft.head.by_partner else "customer", draft.head.buyer)
    need, key, parts = drafts.asked_by(draft, wishes, trace=ask.node.ids.trace())
    answers = drafts.answered(tx, buyer=draft.head.buyer, key=key)
    kept, refusals = answers or ((), ())
    pops, whole = _reach(ask, tx, offer)
    return Look(
        draft=draft,
        offer=offer,
        buyer=who,
        need=need,
        key=key,
        parts=0 if offer.per == "site" and not wishes else parts,
        begun=answers is not None,
        kept=kept,
        refusals=refusals,
        orders=orders.of_quotes(tx, us=ask.node.us.id, quotes=[one.quote.id for one in kept]),
        pops=pops,
        whole=whole,
        with_costs=ask.has(MARGIN),
        now=ask.now,
    )


def _rows(found: Look) -> Sequence[Row]:
    lines = {line.item: line for one in found.kept for line in one.quote.lines}
    charged: dict[str, LineCost] = {}
    for one in found.kept if found.with_costs else ():
        charged |= quotes.costs(one)
    no = {one.item: one for one in found.refusals}
    rows = []
    for item in found.need.items:
        if item.id in lines:
            rows.append(Row(item, "feasible", lines[item.id], charged.get(item.id)))
        elif item.id in no:
            rows.append(_refused(item, no[item.id], found.pops))
        else:
            rows.append(Row(item))
    return rows


def _refused(item: NeedItem, why: Unquoted, pops: Sequence[Pop]) -> Row:
    """A site that cannot be had as it is: near, when our own network is not far."""
    site = item.site
    if site is not None and site.latitude is not None and site.longitude is not None:
        at = (site.latitude, site.longitude)
        ranked = [
            (places.distance_km(at, pop.at), pop)
            for pop in pops
            if abs(pop.at[0] - at[0]) <= NEAR_DEGREES
        ]
        km, pop = min(ranked, key=lambda one: one[0], default=(NEAR_KM + 1.0, None))
        if pop is not None and km <= NEAR_KM:
            return Row(
                item, "near", reason=why.reason, words=why.words, near=pop.name, km=round(km)
            )
    return Row(item, "off-net", reason=why.reason, words=why.words)


def _reach(ask: Ask, tx: Transaction, offer: CatalogueOffer) -> tuple[Sequence[Pop], Sequence[str]]:
    """Where our own network reaches town by town, and the countries that it reaches everywhere."""
    ours = {
        source.offer
        for component in offer.components
        for source in component.sources
        if source.seller == ask.node.us.id
    }
    made = {one.code: one for one in network.products(tx) if one.code in ours}
    families = {one.family for one in made.values()}
    reached = {
        (entry.country, entry.place)
        for entry in network.coverage(tx)
        if entry.what in made or entry.what in families
    }
    whole = sorted(country for country, place in reached if place == ANYWHERE)
    towns = sorted(one for one in reached if one[1] != ANYWHERE)
    places.prepare(country for country, _place in towns)
    found = []
    for country, place in towns:
        known = places.town(country, place)
        if known is not None:
            found.append(Pop(place, country, (known[0].latitude, known[0].longitude)))
    return found, whole
