"""What a buyer asks for, item by item: the part that a qualification and a quote share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.federation.contract import Need, NeedItem, QuoteLine
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes import place, product
from hansa.federation.tmf.shapes.common import read_parties
from hansa.foundation.errors import Refused
from hansa.foundation.ids import HoldingId, OfferCode, PartyId, TraceId
from hansa.foundation.site import Site


@dataclass(frozen=True, slots=True)
class Asker:
    """What is known of who asks, for what a plain Sonata request does not say.

    trail: the nodes passed, if it does not say. currency: that of an offer. sites: the places
    of what it has from us, by id.
    """

    trace: TraceId
    trail: tuple[PartyId, ...]
    currency: Callable[[OfferCode], str]
    sites: Callable[[str], Site | None]


def write_item(item: NeedItem, products: product.Products) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": item.id,
        "action": "add" if item.holding is None else "modify",
        "product": write_product(item, products),
    }
    if item.quantity != 1:
        shape["hansaQuantity"] = item.quantity
    return shape


def write_product(item: NeedItem | QuoteLine, products: product.Products) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "productOffering": {"id": item.offer},
        "productConfiguration": product.write(item.offer, item.characteristics, products),
    }
    if item.holding is not None:
        shape["id"] = item.holding
    if item.site is not None:
        shape["place"] = [place.write(item.site)]
    return shape


def read_need(
    shape: Mapping[str, Any], items: Sequence[Mapping[str, Any]], field: str, asker: Asker
) -> Need:
    """items: of `shape`, at its attribute `field`."""
    wanted = tuple(_item(item, f"{field}.{index}", asker) for index, item in enumerate(items))
    currency = shape.get("hansaCurrency")
    if currency is None:
        currency = asker.currency(wanted[0].offer) if wanted else ""
    trail = shape.get("hansaTrail")
    return Need(
        items=wanted,
        currency=currency,
        trace=asker.trace,
        trail=asker.trail if trail is None else _trail(trail),
    )


def _trail(names: Sequence[str]) -> tuple[PartyId, ...]:
    try:
        return read_parties(names)
    except Refused as error:
        raise unfit("hansaTrail", error.words, "invalidFormat") from None


def _item(item: Mapping[str, Any], field: str, asker: Asker) -> NeedItem:
    if item["action"] == "delete":
        raise unfit(f"{field}.action", "what is held is ended by an order, without asking first")
    found = item.get("product", {})
    offer, holding = read_offer(found, f"{field}.product"), found.get("id")
    if item["action"] == "modify" and holding is None:
        raise unfit(f"{field}.product.id", "the product to be changed", "missingProperty")
    if item["action"] == "add" and holding is not None:
        raise unfit(f"{field}.product.id", "what is new has no id yet", "unexpectedProperty")
    return NeedItem(
        id=item["id"],
        offer=offer,
        site=place.read_one(found.get("place") or [], f"{field}.product", asker.sites),
        characteristics=product.read(
            found.get("productConfiguration"), f"{field}.product.productConfiguration"
        ),
        quantity=item.get("hansaQuantity", 1),
        holding=None if holding is None else HoldingId(holding),
    )


def read_offer(found: Mapping[str, Any], field: str) -> OfferCode:
    if "productOffering" not in found:
        path = f"{field}.productOffering"
        raise unfit(path, "the offering that is wanted is expected", "missingProperty")
    return OfferCode(found["productOffering"]["id"])
