"""TMF645: the same question as TMF679 at the level of services, answered by the same rooms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from hansa.federation.contract import Need
from hansa.federation.shelf import ShelfQualification
from hansa.federation.tmf.engine.model import Api, Found, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf645
from hansa.federation.tmf.shapes import service as shapes
from hansa.federation.tmf.shapes.common import malformed
from hansa.foundation.documents import Json
from hansa.foundation.ids import QualificationId

KNOWN: Known = {
    "state": None,
    "instantSyncQualification": None,
    "qualificationResult": None,
    "effectiveQualificationDate": None,
    "expirationDate": None,
    "checkServiceQualificationDate": None,
    "queryServiceQualificationDate": None,
    shapes.ITEMS: {
        "id": None,
        "state": None,
        "qualificationResult": None,
        "eligibilityUnavailabilityReason": None,
        "service": {
            "serviceSpecification": None,
            "serviceCharacteristic": None,
            "place": None,
        },
    },
}

FOUND_MAX = 1000

Kind = Literal["check", "query"]
Write = Callable[[ShelfQualification], dict[str, Any]]


def _source(kind: Kind, write: Write, read: Callable[[Visit, Json], Need], at: str) -> Source:
    def written(kept: ShelfQualification) -> Json:
        return laid_over(write(kept), kept.extras)

    def find(visit: Visit, window: Window) -> Found:
        page = visit.seat.shelf.qualifications(
            kind=kind, offset=window.offset, limit=min(window.limit, FOUND_MAX)
        )
        return Found([written(one) for one in page.things], page.total)

    def get(visit: Visit, identity: str) -> Json:
        return written(visit.seat.shelf.qualification(QualificationId(identity), kind=kind))

    def create(visit: Visit, document: Mapping[str, Json]) -> Json:
        need = read(visit, document)
        extras = leftover(document, KNOWN)
        with needs.worded(need, at, {}):
            made = visit.seat.shelf.qualify(need, kind=kind, extras=extras)
        needs.traced(visit, need.trace)
        return written(made)

    return Source(find=windowed(find), get=get, create=create)


def _check(visit: Visit, document: Json) -> Need:
    placed = needs.with_places(visit, document, shapes.ITEMS)
    return needs.of_anyone(visit, shapes.read_check(placed), None)


def _query(visit: Visit, document: Json) -> Need:
    """Every offer that the criteria do not leave out."""
    service, family, criteria = shapes.read_query(document)
    offers = [
        one.offer.code
        for one in visit.seat.shelf.offers()
        if service in (None, one.offer.code) and family in (None, one.offer.family)
    ]
    if not offers:
        raise malformed("searchCriteria", "nothing that is on offer to you is like this")
    return needs.of_anyone(visit, shapes.read_everywhere(criteria, [*offers]), None)


API = Api(
    number=645,
    title="Service Qualification Management",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf645.TABLE),
    resources=(
        Resource(
            path="checkServiceQualification",
            type="CheckServiceQualification",
            source=_source("check", shapes.write_check, _check, shapes.ITEMS),
            mandatory=(shapes.ITEMS,),
            events=(),
        ),
        Resource(
            path="queryServiceQualification",
            type="QueryServiceQualification",
            source=_source("query", shapes.write_query, _query, "searchCriteria"),
            mandatory=("searchCriteria",),
            events=(),
        ),
    ),
)
