"""What may be had of our own network: where it reaches, and what a device is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.drivers.contract import Intent
from hansa.drivers.model import ANYWHERE, Coverage, Product
from hansa.foundation.site import Site

QUANTITY = "quantity"
"""The characteristic by which a device learns that a service is had more than once."""


def reaches(entries: Sequence[Coverage], product: Product) -> tuple[str, ...]:
    """The countries in which the product can be had somewhere, in order."""
    return tuple(
        sorted({one.country for one in entries if one.what in (product.code, product.family)})
    )


def covers(entries: Sequence[Coverage], product: Product, site: Site) -> bool:
    """Whether any entry reaches the site with the product; names of places ignore case."""
    return any(
        entry.what in (product.code, product.family)
        and entry.country == site.country
        and entry.place.casefold() in (ANYWHERE, site.place.casefold())
        for entry in entries
    )


def intent(
    product: Product,
    *,
    service: str,
    site: Site | None,
    characteristics: Mapping[str, int | str],
    quantity: int,
) -> Intent:
    """The service as it should be, as a device is told it."""
    told = {**characteristics, QUANTITY: quantity} if quantity > 1 else dict(characteristics)
    return Intent(service, product.family, product.code, site, told, product.technology)
