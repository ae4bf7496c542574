"""TMF678: months between us and one party. Bills are made by us, so nothing of them is changed."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.federation.shelf import BillStage
from hansa.federation.tmf.engine.model import Api, Found, Heard, Query, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, select, windowed
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf678
from hansa.federation.tmf.shapes import bill as shapes
from hansa.federation.tmf.shapes import netting
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BillRequestId

BILLS_MAX = 1000

PAPERS_MAX = 8 << 20
"""Papers may be longer than other bodies, in octets."""

STATEMENT_MAX = 48 << 20
"""A packed line takes some 34 octets, and a statement may have a million."""

KNOWN: Known = {
    "state": None,
    "lastUpdate": None,
    "billingAccount": None,
    "customerBill": None,
    "relatedParty": None,
}


def _find(visit: Visit, window: Window) -> Found:
    state = window.filters.get("state")
    if state is not None and state not in {one.value for one in BillStage}:
        return Found([], 0)
    page = visit.seat.shelf.bills(
        state=None if state is None else BillStage(state),
        offset=window.offset,
        limit=min(window.limit, BILLS_MAX),
    )
    found = [shapes.write_kept(one, visit.world.address) for one in page.things]
    return Found(found, page.total)


def _get(visit: Visit, identity: str) -> Json:
    return shapes.write_kept(visit.seat.shelf.bill(identity), visit.world.address)


def _find_rates(visit: Visit, query: Query) -> Found:
    """Lines of the bill that is named by `bill.id`, or of all bills."""
    shelf = visit.seat.shelf
    named = [one.values for one in query.filters if one.name == "bill.id" and one.test == "eq"]
    if named and len(named[0]) == 1:
        try:
            bills = [shelf.bill(named[0][0])]
        except NotFound:
            bills = []
    else:
        page = shelf.bills(limit=BILLS_MAX)
        if page.total > BILLS_MAX:
            raise Refused(
                "search-too-wide",
                f"There are {page.total} bills; ask for the lines of one, by bill.id.",
                field="query",
            )
        bills = list(page.things)
    return select([rate for bill in bills for rate in shapes.write_rates(bill)], query)


def _get_rate(visit: Visit, identity: str) -> Json:
    bill_id, _, number = identity.rpartition(".")
    unknown = NotFound("rate-unknown", f"There is no line {identity} of a bill.", field="id")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise unknown
    try:
        rates = shapes.write_rates(visit.seat.shelf.bill(bill_id))
    except NotFound:
        raise unknown from None
    found = [rate for rate in rates if rate["id"] == identity]
    if not found:
        raise unknown
    return found[0]


def _find_requests(visit: Visit, window: Window) -> Found:
    page = visit.seat.shelf.bill_requests(offset=window.offset, limit=min(window.limit, BILLS_MAX))
    found = [laid_over(shapes.write_request(one), one.extras) for one in page.things]
    return Found(found, page.total)


def _get_request(visit: Visit, identity: str) -> Json:
    found = visit.seat.shelf.bill_request(BillRequestId(identity))
    return laid_over(shapes.write_request(found), found.extras)


def _request(visit: Visit, document: Mapping[str, Json]) -> Json:
    made = visit.seat.shelf.request_bill(extras=leftover(document, KNOWN))
    return laid_over(shapes.write_request(made), made.extras)


def _issued(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_issued(body))


def _netting(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(netting.read(body))


def _changed(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_dispute(body))


def _moved(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_moved(body))


API = Api(
    number=678,
    title="Customer Bill Management",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf678.TABLE),
    resources=(
        Resource(
            path="customerBill",
            type="CustomerBill",
            source=Source(find=windowed(_find, ("state",)), get=_get),
            events=("Create", "AttributeValueChange", "StateChange"),
        ),
        Resource(
            path="appliedCustomerBillingRate",
            type="AppliedCustomerBillingRate",
            source=Source(find=_find_rates, get=_get_rate),
            events=(),
        ),
        Resource(
            path="customerBillOnDemand",
            type="CustomerBillOnDemand",
            source=Source(find=windowed(_find_requests), get=_get_request, create=_request),
            events=(),
        ),
    ),
    heard=(
        Heard("customerBillCreateEvent", _issued, STATEMENT_MAX),
        Heard("customerBillStateChangeEvent", _moved, PAPERS_MAX),
        Heard("hansaNettingEvent", _netting, PAPERS_MAX),
        Heard("customerBillAttributeValueChangeEvent", _changed, PAPERS_MAX),
    ),
)
