"""Decisions about needs, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from hansa.federation.contract import TRAIL_MAX, Need, NeedItem
from hansa.foundation.characteristics import told_below
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, Source
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.qualification.model import Ask

ITEMS_MAX = 10_000

KEPT_FOR = timedelta(days=7)
"""How long a qualification can be looked up again."""


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


def line(
    item: NeedItem, component: Component, source: Source, lower: Holding | None, *, buyer: PartyId
) -> NeedItem:
    """The buyer's item as a seller of one of its components is asked for it."""
    return NeedItem(
        id=f"{item.id}.{component.name}",
        offer=source.offer,
        site=item.site,
        characteristics={
            name: told_below(name, item.characteristics[name], buyer=buyer)
            for name in component.passes
        },
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


# --- what a buyer hears of an error -----------------------------------------------------------

_OF_THE_NEED = frozenset({"currency", "items", "trail"})
"""Fields that are not about one item."""

_PLAIN: Mapping[str, str] = {
    "country-not-agreed": "{offer} is not to be had in {country}.",
    "country-not-launched": "{offer} is not launched in {country} yet.",
    "partner-ring": "The operators who would deliver {offer} buy it from each other in a ring.",
    "site-outside-coverage": "{offer} does not reach {place}.",
}


@contextmanager
def about(item: NeedItem) -> Iterator[None]:
    """Whatever is refused in the block names the item in its field."""
    try:
        yield
    except HansaError as error:
        field = error.field or ""
        if field.split(".")[0] not in _OF_THE_NEED:
            error.field = _below(item, field)
        raise


def _below(item: NeedItem, field: str) -> str:
    return f"items.{item.id}.{field}" if field else f"items.{item.id}"


def passed_on(error: HansaError, asked: Mapping[str, NeedItem], *, plainly: bool) -> HansaError:
    """A seller's error as our own buyer may hear it: the same reason, but about our item.

    asked: our items by the names under which the seller was asked for their parts. plainly:
    the seller is a partner, so its words give way to ours: they may name those from whom it
    buys, or say what stands in an agreement that is not this buyer's.
    """
    field = error.field or ""
    names = [name for name in asked if f"{field}.".startswith(f"items.{name}.")]
    name = max(names, key=len, default=next(iter(asked)) if len(asked) == 1 else None)
    item = asked[name] if name is not None else None
    if names and name is not None and item is not None:
        field = f"items.{item.id}{field.removeprefix(f'items.{name}')}"
    elif field not in _OF_THE_NEED:
        field = _below(item, field) if item else "items"
    words = _plain(error, item) if plainly else error.words
    if isinstance(error, TryLater):
        return TryLater(error.code, words, field=error.field and field, after_s=error.after_s)
    return (NotFound if isinstance(error, NotFound) else Refused)(error.code, words, field=field)


def _plain(error: HansaError, item: NeedItem | None) -> str:
    if isinstance(error, TryLater):
        return "A supplier of this operator does not answer; ask again later."
    offer = item.offer if item else "One of these items"
    if error.code in _PLAIN:
        site = item.site if item else None
        return _PLAIN[error.code].format(
            offer=offer,
            place=f"{site.place} ({site.country})" if site else "this place",
            country=site.country if site else "this country",
        )
    return (
        f"{offer} cannot be had from its supplier now: {error.code}. Ask for something else, or "
        "ask this operator about it."
    )
