"""Decisions about needs, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hansa.federation.contract import TRAIL_MAX, Need, NeedItem
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, Source
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.qualification.model import Ask

ITEMS_MAX = 10_000


def check_need(need: Need, *, us: PartyId, actor: Actor) -> None:
    """Raises Refused for what is wrong with a need as a whole, whoever could deliver it."""
    if not need.items:
        raise Refused("need-empty", "Ask for at least one item.", field="items")
    if len(need.items) > ITEMS_MAX:
        raise Refused(
            "need-too-long", f"Ask for at most {ITEMS_MAX} items at a time.", field="items"
        )
    seen: set[str] = set()
    for item in need.items:
        if item.id in seen:
            raise Refused(
                "item-duplicate",
                f"Two items are called {item.id!r}; name each of them once.",
                field=f"items.{item.id}",
            )
        seen.add(item.id)
        if item.quantity < 1:
            raise Refused(
                "quantity-invalid",
                f"The quantity of {item.id!r} is {item.quantity}; it must be at least 1.",
                field=f"items.{item.id}.quantity",
            )
    if us in need.trail:
        raise Refused(
            "partner-ring",
            f"This request has already passed {us}; partners that buy it from each other in a "
            "ring cannot deliver it.",
            field="trail",
        )
    if len(need.trail) >= TRAIL_MAX:
        raise Refused(
            "trail-too-long", f"A request may pass at most {TRAIL_MAX} operators.", field="trail"
        )
    if actor.role == "partner" and (not need.trail or need.trail[-1] != actor.party):
        raise Refused(
            "trail-wrong",
            "The last operator in the trail must be the one that asks.",
            field="trail",
        )


def check_site(item: NeedItem, offer: CatalogueOffer) -> None:
    """Raises Refused when the item lacks its site, has one too many, or it is abroad."""
    if offer.per == "site" and item.site is None:
        raise Refused(
            "site-missing",
            f"{offer.code} is delivered at a site; say which.",
            field=f"items.{item.id}.site",
        )
    if offer.per == "order" and item.site is not None:
        raise Refused(
            "site-unwanted",
            f"{offer.code} is for the order as a whole; leave the site out.",
            field=f"items.{item.id}.site",
        )
    if item.site is not None and item.site.country not in offer.countries:
        raise Refused(
            "country-not-offered",
            f"{offer.code} is not sold in {item.site.country}; it is in "
            f"{', '.join(offer.countries)}.",
            field=f"items.{item.id}.site.country",
        )


def line(item: NeedItem, component: Component, source: Source, lower: Holding | None) -> NeedItem:
    """The item as a seller of one of its components is asked for it."""
    return NeedItem(
        id=f"{item.id}.{component.name}",
        offer=source.offer,
        site=item.site,
        characteristics={name: item.characteristics[name] for name in component.passes},
        quantity=item.quantity,
        holding=lower.ref.id if lower else None,
    )


def component_of(lower: Holding) -> str:
    """Which component of its upper holding a bought or own holding is."""
    return lower.item.rpartition(".")[2]


def sources_at(component: Component, country: str | None) -> tuple[Source, ...]:
    """The sources that may serve a site in this country."""
    return tuple(
        source
        for source in component.sources
        if country is None or not source.countries or country in source.countries
    )


def by_need(asks: Iterable[Ask]) -> Mapping[tuple[PartyId, str], list[Ask]]:
    """Asks that go into one need: same seller, same currency."""
    groups: dict[tuple[PartyId, str], list[Ask]] = {}
    for ask in asks:
        groups.setdefault((ask.seller, ask.currency), []).append(ask)
    return groups
