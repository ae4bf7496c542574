"""TMF648: a need posted here is priced, and what became of the quote can be told."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.federation.shelf import QuoteState, ShelfQuote
from hansa.federation.tmf.engine.model import Api, Found, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf648
from hansa.federation.tmf.shapes import quote as shapes
from hansa.federation.tmf.shapes.common import malformed
from hansa.foundation.documents import Json
from hansa.foundation.ids import QuoteId

ITEM: Known = {
    "id": None,
    "action": None,
    "state": None,
    "quantity": None,
    "productOffering": None,
    "product": {"id": None, "place": None, "productCharacteristic": None},
    "quoteItemPrice": None,
}
FOUND_MAX = 1000
"""How many are looked through for filters that only we know."""

KNOWN: Known = {
    "quoteItem": ITEM,
    "state": None,
    "instantSyncQuote": None,
    "quoteDate": None,
    "effectiveQuoteCompletionDate": None,
    "validFor": None,
    "agreement": None,
    "hansaCurrency": None,
    "hansaTrail": None,
}


def _find(visit: Visit, window: Window) -> Found:
    state = window.filters.get("state")
    known = {one.value for one in QuoteState}
    if state is not None and state not in known:
        return Found([], 0)
    page = visit.seat.shelf.quotes(
        state=None if state is None else QuoteState(state),
        offset=window.offset,
        limit=min(window.limit, FOUND_MAX),
    )
    return Found([_written(one) for one in page.things], page.total)


def _get(visit: Visit, identity: str) -> Json:
    return _written(visit.seat.shelf.quote(QuoteId(identity)))


def _written(kept: ShelfQuote) -> Json:
    return laid_over(shapes.write_kept(kept), kept.extras)


def _create(visit: Visit, document: Mapping[str, Json]) -> Json:
    if needs.is_of_a_node(document):
        need = needs.of_a_node(visit, document, shapes.read_need)
    else:
        placed = needs.with_places(visit, document, "quoteItem")
        need = needs.of_anyone(visit, *shapes.read_wish(placed))
    with needs.worded(need, "quoteItem", document):
        made = visit.seat.shelf.make_quote(need, extras=leftover(document, KNOWN))
    needs.note(visit, "quote", need.trace, quote=made.quote.id)
    needs.traced(visit, need.trace)
    return _written(made)


def _patch(visit: Visit, identity: str, _wanted: Json, patch: Mapping[str, Json]) -> Json:
    """Accepts, rejects or cancels a quote: its state is all that a buyer may change."""
    before = _get(visit, identity)
    for name, value in patch.items():
        if name != "state" and value != before.get(name):
            raise malformed(name, "it cannot be changed, only the state can")
    if "state" not in patch:
        return before
    states = [one for one in QuoteState if one.value == patch["state"]]
    if not states:
        raise malformed("state", "accepted, rejected or cancelled is expected")
    return _written(visit.seat.shelf.move_quote(QuoteId(identity), state=states[0]))


API = Api(
    number=648,
    title="Quote Management",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf648.TABLE),
    resources=(
        Resource(
            path="quote",
            type="Quote",
            source=Source(find=windowed(_find, ("state",)), get=_get, create=_create, patch=_patch),
            events=("Create", "StateChange"),
        ),
    ),
)
