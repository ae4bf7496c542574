"""What may be had of our own network: reach, and the bounds of what a buyer chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.drivers.contract import Intent
from hansa.drivers.model import ANYWHERE, Coverage, Product
from hansa.foundation.errors import Refused
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


def chosen(
    product: Product,
    asked: Mapping[str, int | str],
    has: Mapping[str, int | str],
    *,
    field: str,
) -> Mapping[str, int | str]:
    """What is asked, over what the service has already, over the defaults.

    Raises Refused `characteristic-unknown`, `characteristic-missing` or
    `characteristic-out-of-range`, naming `field`.NAME.
    """
    unknown = sorted(set(asked) - {choice.name for choice in product.choices})
    if unknown:
        raise Refused(
            "characteristic-unknown",
            f"{product.code!r} has no {unknown[0]!r} to choose.",
            field=f"{field}.{unknown[0]}",
        )
    values: dict[str, int | str] = {}
    for choice in product.choices:
        value = asked.get(choice.name, has.get(choice.name, choice.default))
        if value is None:
            raise Refused(
                "characteristic-missing",
                f"{product.code!r} needs {choice.name} in {choice.unit}.",
                field=f"{field}.{choice.name}",
            )
        if not isinstance(value, int) or not choice.minimum <= value <= choice.maximum:
            raise Refused(
                "characteristic-out-of-range",
                f"{choice.name} of {product.code!r} is a whole number of {choice.unit} from "
                f"{choice.minimum} to {choice.maximum}, not {value!r}.",
                field=f"{field}.{choice.name}",
            )
        values[choice.name] = value
    return values


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
    return Intent(service, product.family, product.code, site, told)
