"""Product Catalog v2: an Offer as a ProductOffering.

The catalogue has no place for prices and none for the bounds of a choice; a partner of another
make learns prices by a quote. lastUpdate is when our price of now came into force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Offer
from hansa.federation.shelf import ShelfOffer
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import ROOT, Id, Text, checked
from hansa.federation.sonata.shapes.product import LAYOUTS, OURS, Products
from hansa.federation.tmf.shapes.common import href, read_document, write_instant
from hansa.foundation import documents
from hansa.foundation.documents import Json

BASE = f"{ROOT}/productCatalog/v2"
OFFERINGS = f"{BASE}/productOffering"

STATUS = "orderable"
STATES = (
    "announced",
    "endOfSale",
    "endOfSupport",
    "inTest",
    "obsolete",
    "onHold",
    "orderable",
    "pilotBeta",
    "rejected",
)


class Answered(TypedDict):
    """ProductOffering; hansaOffer: all of it as one document."""

    id: Id
    name: NotRequired[Text]
    hansaOffer: NotRequired[Any]


def write_found(kept: ShelfOffer, products: Products) -> dict[str, Any]:
    """One of a list."""
    offer = kept.offer
    return {
        "id": offer.code,
        "href": href(OFFERINGS, offer.code),
        "name": offer.name,
        "description": offer.name,
        "lastUpdate": write_instant(kept.since),
        "lifecycleStatus": STATUS,
        "agreement": "",
        "channel": [],
        "marketSegment": [],
        "region": [{"country": country} for country in offer.countries],
        "category": [{"id": offer.family}],
        "productSpecification": {"id": schema_of(offer, products)},
        "hansaOffer": documents.write(offer),
    }


def write(kept: ShelfOffer, products: Products) -> dict[str, Any]:
    schema = schema_of(kept.offer, products)
    return {
        **write_found(kept, products),
        "productOfferingSpecification": {"schemaLocation": schema},
    }


def schema_of(offer: Offer, products: Products) -> str:
    """The URN of the schema in which an offer's configuration is said."""
    layout = LAYOUTS.get(products.get(offer.code, ""))
    return OURS if layout is None else layout.urn


def read_all(value: Json) -> Sequence[Offer]:
    """Raises Unfit where an offering is not of our own make: it does not say enough."""
    offers = []
    for index, shape in enumerate(checked(list[Answered], value)):
        if "hansaOffer" not in shape:
            path = f"{index}.hansaOffer"
            raise unfit(path, "the offer with its choices is expected", "missingProperty")
        offers.append(read_document(Offer, shape["hansaOffer"], f"{index}.hansaOffer"))
    return offers
