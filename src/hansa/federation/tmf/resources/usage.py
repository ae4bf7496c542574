"""TMF635: what a buyer has used, month by month; usage is measured, and not posted.

What usage is told of like (specifications) are records of whoever made them.
"""

from __future__ import annotations

from dataclasses import replace

from hansa.federation.records.model import Condition
from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Found, Query, Resource, Source, Visit
from hansa.federation.tmf.engine.operations import sound
from hansa.federation.tmf.engine.query import select
from hansa.federation.tmf.resources.tables import common, tmf635
from hansa.federation.tmf.shapes import usage as shapes
from hansa.federation.tmf.shapes.common import read_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId
from hansa.foundation.time import Instant, Period

PRODUCTS = ("product.id", "ratedProductUsage.productRef.id")
"""How one product is asked for: in short, or by the attribute that names it."""


def _find(visit: Visit, query: Query) -> Found:
    """Usage of a product in `period` (2026-11), or from usageDate.gte to usageDate.lt; of all
    products if none is named, of the last month that is complete if there is no period.
    """
    product = _exactly(query, *PRODUCTS)
    rest = [one for one in query.filters if one.name not in ("period", *PRODUCTS)]
    period = _period(query)
    if period is not None and _exactly(query, "period") is None:
        rest = [one for one in rest if one.name != "usageDate"]
    asked = replace(query, filters=tuple(rest))
    if product is not None and period is not None:
        named = HoldingId(sound(product, "product.id"))
        records = visit.seat.seller.usage(holding_id=named, period=period)
    else:
        page = visit.seat.shelf.usage(period=period, offset=0, limit=USAGE_MAX)
        records = [one for one in page.things if product in (None, one.holding)]
    if asked.filters or asked.sort:
        return select([shapes.write(one) for one in records], asked)
    shown = records[query.offset : query.offset + query.limit]
    return Found([shapes.write(one) for one in shown], len(records))


USAGE_MAX = 10_000_000
"""More records than a month of one buyer has."""


def _exactly(query: Query, *names: str) -> str | None:
    """The one value that a filter of one of these names asks for."""
    for one in query.filters:
        if one.name in names and one.test == "eq" and len(one.values) == 1:
            return one.values[0]
    return None


def _period(query: Query) -> Period | None:
    named = _exactly(query, "period")
    if named is not None:
        return Period.parse(sound(named, "period"))
    ends = {one.test: one for one in query.filters if one.name == "usageDate" and one.test != "eq"}
    if set(ends) != {"gte", "lt"}:
        return None
    return Period(_end(ends["gte"]), _end(ends["lt"]))


def _end(one: Condition) -> Instant:
    field = f"usageDate.{one.test}"
    return read_instant(sound(one.values[0] if one.values else "", field), field)


def _get(visit: Visit, identity: str) -> Json:
    return shapes.write(visit.seat.shelf.usage_record(identity))


API = Api(
    number=635,
    title="Usage Management",
    base="/tmf-api/usageManagement/v4",
    attributes=(common.TABLE, tmf635.TABLE),
    resources=(
        Resource(
            path="usage",
            type="Usage",
            source=Source(find=_find, get=_get),
            events=(),
        ),
        Resource(
            path="usageSpecification",
            type="UsageSpecification",
            source=kept(),
            mandatory=("name",),
            stamps={"lifecycleStatus": "In study", "lastUpdate": NOW},
            touched=("lastUpdate",),
            events=("Create", "AttributeValueChange", "Delete"),
        ),
    ),
)
