"""Needs as any client may state them, whether it knows of us or not.

Beside what nodes tell each other exactly (see the shapes of quotes and qualifications), items
may leave out what has a plain meaning: the quantity is one, the action is to add, an item
without a name is called by its place in the list.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import NeedItem
from hansa.federation.tmf.shapes.common import (
    Extended,
    Id,
    Number,
    Ref,
    Text,
    Whole,
    malformed,
)
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId, OfferCode
from hansa.foundation.site import Site


class WishedPlace(Extended):
    """A place by value: a TMF673 GeographicAddress as far as it goes."""

    id: NotRequired[Text]
    name: NotRequired[Text]
    city: NotRequired[Text]
    country: NotRequired[Text]
    hansaLatitude: NotRequired[Number]
    hansaLongitude: NotRequired[Number]


class WishedCharacteristic(TypedDict):
    """A name and its value, a whole number or a text."""

    name: Text
    value: Any


class CameFrom(Extended):
    """The order from which a product came."""

    productOrderId: Id


class WishedProduct(Extended):
    """What a line is about; productOrderItem: of one that is to end, where it came from."""

    id: NotRequired[Id]
    place: NotRequired[list[WishedPlace]]
    productCharacteristic: NotRequired[list[WishedCharacteristic]]
    productOffering: NotRequired[Ref]
    productOrderItem: NotRequired[list[CameFrom]]


class WishedItem(Extended):
    """One line of a wish."""

    id: NotRequired[Text]
    action: NotRequired[Text]
    quantity: NotRequired[Whole]
    hansaQuantity: NotRequired[Whole]
    productOffering: NotRequired[Ref]
    product: NotRequired[WishedProduct]


ACTIONS = ("add", "modify")


def read_items(items: Sequence[WishedItem], at: str) -> tuple[NeedItem, ...]:
    """The items of a need. at: the attribute that lists them."""
    if not items:
        raise malformed(at, "at least one item is expected")
    return tuple(_read(item, f"{at}.{index}", index) for index, item in enumerate(items))


def _read(item: WishedItem, at: str, index: int) -> NeedItem:
    product = item.get("product") or WishedProduct()
    action = item.get("action", "add")
    if action not in ACTIONS:
        raise malformed(f"{at}.action", f"one of {', '.join(ACTIONS)} is expected")
    if action == "modify" and "id" not in product:
        raise malformed(f"{at}.product.id", "the product that is to be modified is expected")
    offering = item.get("productOffering") or product.get("productOffering")
    if offering is None:
        raise malformed(f"{at}.productOffering", "it is mandatory")
    return NeedItem(
        id=item.get("id") or str(index + 1),
        offer=OfferCode(offering["id"]),
        site=_site(product.get("place") or [], f"{at}.product.place"),
        characteristics=read_values(
            product.get("productCharacteristic") or [], f"{at}.product.productCharacteristic"
        ),
        quantity=item.get("quantity", item.get("hansaQuantity", 1)),
        holding=HoldingId(product["id"]) if action == "modify" else None,
    )


def _site(places: Sequence[WishedPlace], at: str) -> Site | None:
    if not places:
        return None
    if len(places) > 1:
        raise malformed(at, "one place is expected at most")
    place = places[0]
    city = place.get("city") or place.get("name")
    if not place.get("country"):
        raise malformed(f"{at}.0.country", "the country of the address is expected")
    if not city:
        raise malformed(f"{at}.0.city", "the city of the address is expected")
    return Site(
        id=place.get("id") or place.get("name") or city,
        name=place.get("name") or city,
        country=place["country"],
        place=city,
        latitude=_decimal(place.get("hansaLatitude")),
        longitude=_decimal(place.get("hansaLongitude")),
    )


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def read_values(given: Sequence[WishedCharacteristic], at: str) -> Mapping[str, int | str]:
    """Characteristics by name; whole numbers that come as a decimal or a text are numbers."""
    values: dict[str, int | str] = {}
    for index, one in enumerate(given):
        if one["name"] in values:
            raise malformed(f"{at}.{index}.name", f"{one['name']!r} is given twice")
        values[one["name"]] = _value(one["value"], f"{at}.{index}.value")
    return values


def _value(value: Any, at: str) -> int | str:
    if isinstance(value, str):
        short = value.isascii() and value.isdigit() and len(value) <= 9
        return int(value) if short else value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise malformed(at, "a whole number or a text is expected")
    return value


# --- what is refused of it ----------------------------------------------------------------------

_PLACES = {
    "offer": "productOffering.id",
    "site": "product.place",
    "country": "product.place",
    "characteristics": "product.productCharacteristic",
    "quantity": "quantity",
    "holding": "product.id",
}


@contextmanager
def in_its_words(items: Sequence[NeedItem], at: str) -> Iterator[None]:
    """Whatever is refused in the block names the attribute as the client wrote it, not as we
    call it among nodes.
    """
    try:
        yield
    except HansaError as error:
        error.field = _attribute(error.field, items, at)
        raise


def _attribute(field: str | None, items: Sequence[NeedItem], at: str) -> str | None:
    for index, item in enumerate(items):
        if field is not None and f"{field}.".startswith(f"items.{item.id}."):
            return attribute(field, item.id, index, at)
    return at if field in ("items", "item") else field


def attribute(field: str, item: str, index: int, at: str) -> str:
    """What the client wrote of which we say `items.ITEM.part`. index: its place in the list."""
    rest = field.removeprefix(f"items.{item}").lstrip(".")
    part, _, below = rest.partition(".")
    place = _PLACES.get(part, part)
    steps = [at, str(index), place, "" if part == "characteristics" else below]
    return ".".join(step for step in steps if step)
