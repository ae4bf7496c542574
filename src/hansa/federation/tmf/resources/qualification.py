"""TMF679: a need posted here is asked of everyone who could serve it, and kept for a while."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.federation.shelf import ShelfQualification
from hansa.federation.tmf.engine.model import Api, Found, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf679
from hansa.federation.tmf.shapes import qualification as shapes
from hansa.federation.tmf.shapes.common import related
from hansa.foundation.documents import Json
from hansa.foundation.ids import QualificationId

ITEMS = "productOfferingQualificationItem"

FOUND_MAX = 1000

KNOWN: Known = {
    ITEMS: {
        "id": None,
        "action": None,
        "state": None,
        "productOffering": None,
        "product": {"id": None, "place": None, "productCharacteristic": None},
        "qualificationItemResult": None,
        "eligibilityUnavailabilityReason": None,
        "quantity": None,
        "hansaQuantity": None,
    },
    "state": None,
    "qualificationResult": None,
    "instantSyncQualification": None,
    "productOfferingQualificationDate": None,
    "effectiveQualificationDate": None,
    "expirationDate": None,
    "hansaCurrency": None,
    "hansaTrail": None,
}


def _find(visit: Visit, window: Window) -> Found:
    page = visit.seat.shelf.qualifications(
        kind="offering", offset=window.offset, limit=min(window.limit, FOUND_MAX)
    )
    return Found([_written(one) for one in page.things], page.total)


def _get(visit: Visit, identity: str) -> Json:
    found = visit.seat.shelf.qualification(QualificationId(identity), kind="offering")
    return _written(found)


def _written(kept: ShelfQualification) -> Json:
    shape = shapes.write_kept(kept)
    shape["relatedParty"] = related(buyer=kept.buyer)
    return laid_over(shape, kept.extras)


def _create(visit: Visit, document: Mapping[str, Json]) -> Json:
    if needs.is_of_a_node(document):
        need = needs.of_a_node(visit, document, shapes.read_need)
    else:
        need = needs.of_anyone(visit, *shapes.read_wish(needs.with_places(visit, document, ITEMS)))
    with needs.worded(need, ITEMS, document):
        made = visit.seat.shelf.qualify(need, extras=leftover(document, KNOWN))
    needs.traced(visit, need.trace)
    return _written(made)


API = Api(
    number=679,
    title="Product Offering Qualification",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf679.TABLE),
    resources=(
        Resource(
            path="productOfferingQualification",
            type="ProductOfferingQualification",
            source=Source(find=windowed(_find), get=_get, create=_create),
            events=("Create",),
        ),
    ),
)
