"""TMF620 Product Catalog v4.1: an Offer as a ProductOffering."""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import CharacteristicSpec, Family, Offer
from hansa.federation.shelf import ShelfOffer
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Chosen,
    Extended,
    Id,
    Price,
    Ref,
    Text,
    checked,
    href,
    malformed,
    read_terms,
    write_instant,
    write_money,
    write_terms,
)
from hansa.foundation.documents import Json
from hansa.foundation.ids import OfferCode

BASE = "/tmf-api/productCatalogManagement/v4"
OFFERINGS = f"{BASE}/productOffering"
PRICES = f"{BASE}/productOfferingPrice"

ACTIVE = "Active"


class Category(TypedDict):
    """The one category of an offering: its family."""

    id: Family
    name: NotRequired[Text]


class CharacteristicValue(TypedDict):
    """The bounds of a choice, or, with isDefault, what is chosen when nothing is said."""

    valueType: NotRequired[Text]
    isDefault: NotRequired[bool]
    valueFrom: NotRequired[Chosen]
    valueTo: NotRequired[Chosen]
    value: NotRequired[Chosen]
    unitOfMeasure: NotRequired[Text]


class CharacteristicUse(TypedDict):
    """One thing that a buyer chooses."""

    name: Text
    productSpecCharacteristicValue: list[CharacteristicValue]


class ProductOffering(Extended):
    """What is on offer; place: the countries, by ISO 3166-1 alpha-2 code."""

    id: Id
    href: NotRequired[Text]
    name: Text
    lifecycleStatus: NotRequired[Text]
    category: list[Category]
    place: list[Ref]
    prodSpecCharValueUse: list[CharacteristicUse]
    productOfferingPrice: NotRequired[list[Price]]
    hansaPer: Literal["site", "order"]
    hansaCurrency: Text


def write(offer: Offer) -> ProductOffering:
    shape: ProductOffering = {
        "id": offer.code,
        "href": href(OFFERINGS, offer.code),
        "name": offer.name,
        "lifecycleStatus": "Active",
        "category": [{"id": offer.family, "name": offer.family}],
        "place": [{"id": country, "name": country} for country in offer.countries],
        "prodSpecCharValueUse": [_write_spec(spec) for spec in offer.characteristics],
        "hansaPer": offer.per,
        "hansaCurrency": offer.currency,
        "@type": "HansaProductOffering",
        "@baseType": "ProductOffering",
        "@schemaLocation": SCHEMA,
    }
    if offer.terms is not None:
        shape["productOfferingPrice"] = write_terms(offer.terms)
    return shape


def write_shown(one: ShelfOffer) -> dict[str, Any]:
    """What is on offer, and since when it is at this price."""
    offer, since = one.offer, write_instant(one.since)
    shape: dict[str, Any] = {
        **write(offer),
        "version": "1",
        "isBundle": False,
        "isSellable": True,
        "lastUpdate": since,
        "validFor": {"startDateTime": since},
        "productSpecification": {"id": offer.code, "name": offer.name},
    }
    for price in shape.get("productOfferingPrice", ()):
        price["id"] = price_id(offer.code, price["priceType"])
        price["lifecycleStatus"] = ACTIVE
        price["lastUpdate"] = since
    return shape


def price_id(code: OfferCode, kind: str) -> str:
    """What one part of an offer's price is called."""
    return f"{code}-{kind}"


def write_prices(one: ShelfOffer) -> Sequence[dict[str, Any]]:
    """The parts of an offer's price; none where it is found by quote."""
    offer, terms = one.offer, one.offer.terms
    if terms is None:
        return ()
    since = write_instant(one.since)
    parts: list[dict[str, Any]] = [
        {"priceType": "oneTime", "price": write_money(terms.one_off)},
        {
            "priceType": "recurring",
            "price": write_money(terms.monthly),
            "recurringChargePeriodType": "month",
            "recurringChargePeriodLength": 1,
        },
    ]
    for price in write_terms(terms):
        if price["priceType"] == "usage":
            extended = "ProductOfferingPrice"
            parts.append({**price, "@type": f"Hansa{extended}", "@baseType": extended})
    return [
        {
            "name": f"{offer.name}, {part['priceType']}",
            **part,
            "id": price_id(offer.code, part["priceType"]),
            "version": "1",
            "isBundle": False,
            "lifecycleStatus": ACTIVE,
            "lastUpdate": since,
            "validFor": {"startDateTime": since},
        }
        for part in parts
    ]


def write_specification(one: ShelfOffer) -> dict[str, Any]:
    """What an offer is like: the choices that it leaves."""
    offer, since = one.offer, write_instant(one.since)
    return {
        "id": offer.code,
        "name": offer.name,
        "version": "1",
        "isBundle": False,
        "lifecycleStatus": ACTIVE,
        "lastUpdate": since,
        "validFor": {"startDateTime": since},
        "productSpecCharacteristic": [
            {**_write_spec(spec), "configurable": True, "valueType": "integer"}
            for spec in offer.characteristics
        ],
    }


def write_category(family: Family, offers: Sequence[ShelfOffer]) -> dict[str, Any]:
    """A family of offers."""
    return {
        "id": family,
        "name": family,
        "version": "1",
        "isRoot": True,
        "lifecycleStatus": ACTIVE,
        "lastUpdate": write_instant(max(one.since for one in offers)),
        "productOffering": [
            {"id": one.offer.code, "name": one.offer.name, "href": href(OFFERINGS, one.offer.code)}
            for one in offers
        ],
    }


def _write_spec(spec: CharacteristicSpec) -> CharacteristicUse:
    values: list[CharacteristicValue] = [
        {
            "valueType": "integer",
            "valueFrom": spec.minimum,
            "valueTo": spec.maximum,
            "unitOfMeasure": spec.unit,
        }
    ]
    if spec.default is not None:
        values.append({"valueType": "integer", "isDefault": True, "value": spec.default})
    return {"name": spec.name, "productSpecCharacteristicValue": values}


def read_all(value: Json) -> Sequence[Offer]:
    shapes = checked(list[ProductOffering], value)
    return [_read(shape, f"{index}.") for index, shape in enumerate(shapes)]


def _read(shape: ProductOffering, at: str) -> Offer:
    if len(shape["category"]) != 1:
        raise malformed(f"{at}category", "one category is expected, the family")
    prices = shape.get("productOfferingPrice")
    return Offer(
        code=OfferCode(shape["id"]),
        name=shape["name"],
        family=shape["category"][0]["id"],
        per=shape["hansaPer"],
        countries=tuple(place["id"] for place in shape["place"]),
        characteristics=tuple(
            _read_spec(use, f"{at}prodSpecCharValueUse.{index}")
            for index, use in enumerate(shape["prodSpecCharValueUse"])
        ),
        currency=shape["hansaCurrency"],
        terms=read_terms(prices, f"{at}productOfferingPrice")[0] if prices else None,
    )


def _read_spec(use: CharacteristicUse, field: str) -> CharacteristicSpec:
    values = use["productSpecCharacteristicValue"]
    default = [value["value"] for value in values if value.get("isDefault") and "value" in value]
    for value in values:
        if "valueFrom" in value and "valueTo" in value:
            return CharacteristicSpec(
                name=use["name"],
                unit=value.get("unitOfMeasure", ""),
                minimum=value["valueFrom"],
                maximum=value["valueTo"],
                default=default[0] if default else None,
            )
    raise malformed(field, f"the bounds of {use['name']!r} are missing")
