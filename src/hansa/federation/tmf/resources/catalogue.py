"""TMF620: what is on offer to the caller, at its own prices; and catalogs as records.

Offerings and their prices come from our catalogue, and so do the specifications and categories
that they name; others of these, and catalogs, are records of whoever made them. Import and export
jobs are noted and not run: a node's catalogue is loaded by its operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hansa.federation.shelf import ShelfOffer
from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Found, Query, Resource, Source, Visit
from hansa.federation.tmf.engine.query import WHOLE, select
from hansa.federation.tmf.resources.tables import common, tmf620
from hansa.federation.tmf.shapes import catalogue as shapes
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound

STARTED = {"lifecycleStatus": "In study", "lastUpdate": NOW}
UPDATED = ("lastUpdate",)
JOB_EVENTS: tuple[str, ...] = ()

Derive = Callable[[Sequence[ShelfOffer]], Sequence[Json]]
"""The documents of one resource, out of what is on offer."""


def derived(derive: Derive, what: str, *, beside: Source | None = None) -> Source:
    """The source of a resource that follows our catalogue. beside: records of the same kind."""

    def ours(visit: Visit) -> Sequence[Json]:
        return derive(visit.seat.shelf.offers())

    def find(visit: Visit, query: Query) -> Found:
        found = list(ours(visit))
        if beside is not None and beside.find is not None:
            known = {one["id"] for one in found}
            others = beside.find(visit, replace(query, sort=(), offset=0, limit=WHOLE))
            found += [one for one in others.documents if one["id"] not in known]
        return select(found, query)

    def get(visit: Visit, identity: str) -> Json:
        for one in ours(visit):
            if one["id"] == identity:
                return one
        if beside is not None and beside.get is not None:
            return beside.get(visit, identity)
        raise NotFound(
            "offer-unknown", f"There is no {what} {identity!r}; list what there is.", field="id"
        )

    if beside is None:
        return Source(find=find, get=get)
    return replace(beside, find=find, get=get)


def _offerings(offers: Sequence[ShelfOffer]) -> Sequence[Json]:
    return [shapes.write_shown(one) for one in offers]


def _prices(offers: Sequence[ShelfOffer]) -> Sequence[Json]:
    return [price for one in offers for price in shapes.write_prices(one)]


def _specifications(offers: Sequence[ShelfOffer]) -> Sequence[Json]:
    return [shapes.write_specification(one) for one in offers]


def _categories(offers: Sequence[ShelfOffer]) -> Sequence[Json]:
    families = sorted({one.offer.family for one in offers})
    return [
        shapes.write_category(family, [one for one in offers if one.offer.family == family])
        for family in families
    ]


API = Api(
    number=620,
    title="Product Catalog Management",
    base="/tmf-api/productCatalogManagement/v4",
    attributes=(common.TABLE, tmf620.TABLE),
    resources=(
        Resource(
            path="productOffering",
            type="ProductOffering",
            source=derived(_offerings, "offering"),
            events=(),
        ),
        Resource(
            path="productOfferingPrice",
            type="ProductOfferingPrice",
            source=derived(_prices, "price"),
            events=(),
        ),
        Resource(
            path="catalog",
            type="Catalog",
            source=kept(),
            mandatory=("name",),
            stamps=STARTED,
            touched=UPDATED,
        ),
        Resource(
            path="category",
            type="Category",
            source=derived(_categories, "category", beside=kept()),
            mandatory=("name",),
            stamps={**STARTED, "isRoot": True},
            touched=UPDATED,
        ),
        Resource(
            path="productSpecification",
            type="ProductSpecification",
            source=derived(_specifications, "specification", beside=kept()),
            mandatory=("name",),
            stamps={**STARTED, "isBundle": False},
            touched=UPDATED,
        ),
        Resource(
            path="importJob",
            type="ImportJob",
            source=kept(without=("change",)),
            mandatory=("url",),
            stamps={"status": "Not Started", "creationDate": NOW},
            events=JOB_EVENTS,
        ),
        Resource(
            path="exportJob",
            type="ExportJob",
            source=kept(without=("change",)),
            mandatory=("url",),
            stamps={"status": "Not Started", "creationDate": NOW},
            events=JOB_EVENTS,
        ),
    ),
)
