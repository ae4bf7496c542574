"""TMF637: what a buyer has from us. It follows orders, so nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hansa.federation.tmf.engine import query
from hansa.federation.tmf.engine.model import Api, Found, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources.tables import common, tmf637
from hansa.federation.tmf.shapes import inventory as shapes
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId

FOUND_MAX = 1000

STATES: Sequence[Literal["active", "terminated"]] = ("active", "terminated")

HOW_IT_IS = frozenset({"hansaDegraded", "hansaMeasured", "hansaCheck"})
"""What has to be asked of the equipment, at whichever operator it stands."""


def _find(visit: Visit, window: Window) -> Found:
    status = window.filters.get("status")
    known = [one for one in STATES if one == status]
    if status is not None and not known:
        return Found([], 0)
    page = visit.seat.shelf.holdings(
        state=known[0] if known else None,
        offset=window.offset,
        limit=min(window.limit, FOUND_MAX),
    )
    return Found([shapes.write_held(one) for one in page.things], page.total)


def _get(visit: Visit, identity: str) -> Json:
    """What is held, and how it is, unless `fields` leaves that out."""
    held = shapes.write_held(visit.seat.shelf.holding(HoldingId(identity)))
    asked = query.read_fields(visit.ask.query)
    if asked is not None and not asked & HOW_IT_IS:
        return held
    return {**held, **shapes.write(visit.seat.seller.condition(HoldingId(identity)))}


API = Api(
    number=637,
    title="Product Inventory Management",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf637.TABLE),
    resources=(
        Resource(
            path="product",
            type="Product",
            source=Source(find=windowed(_find, ("status",)), get=_get),
            events=(),
        ),
    ),
)
