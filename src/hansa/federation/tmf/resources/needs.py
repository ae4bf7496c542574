"""A need out of what was sent: exactly from a node, plainly from any other client."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from hansa.federation import trace
from hansa.federation.contract import TRAIL_MAX, Need, NeedItem
from hansa.federation.records import actions as records
from hansa.federation.tmf.engine.model import Visit
from hansa.federation.tmf.shapes.wish import in_its_words
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import TraceId

log = logging.getLogger(__name__)

NO_CURRENCY = "XXX"
"""ISO 4217 for none: for what is not on offer, and so has none."""


def is_of_a_node(document: Mapping[str, Json]) -> bool:
    """Whether this was sent by a client that speaks our extensions."""
    return "hansaTrail" in document


def of_a_node(visit: Visit, document: Json, read: Callable[[Json, TraceId], Need]) -> Need:
    """The need as a node states it."""
    need = read(document, visit.trace)
    if len(need.trail) > TRAIL_MAX:
        raise Refused(
            "trail-too-long",
            f"The request has passed {len(need.trail)} nodes, and {TRAIL_MAX} is the most. "
            "Have the alliance's chain of sellers shortened.",
            field="hansaTrail",
        )
    return need


def of_anyone(visit: Visit, items: tuple[NeedItem, ...], currency: str | None) -> Need:
    """The need of a client that may know nothing of us: it pays as it has agreed to pay."""
    if currency is None:
        priced = {one.offer.code: one.offer.currency for one in visit.seat.shelf.offers()}
        named = [priced[item.offer] for item in items if item.offer in priced]
        currency = named[0] if named else NO_CURRENCY
    trail = (visit.actor.party,) if visit.actor.role == "partner" else ()
    return Need(items=items, currency=currency, trace=visit.trace, trail=trail)


ADDRESS, SITE = "TMF673/geographicAddress", "TMF674/geographicSite"


def with_places(visit: Visit, document: Mapping[str, Json], items: str) -> Mapping[str, Json]:
    """The document with the places that its items name by id, where they are records of the
    caller's; others stay as they are, for the reader to say what it misses.
    """
    listed = document.get(items)
    if not isinstance(listed, list):
        return document
    return {**document, items: [_with_places(visit, item) for item in listed]}


def _with_places(visit: Visit, item: Json) -> Json:
    for holder in ("product", "service"):
        held = item.get(holder) if isinstance(item, dict) else None
        places = held.get("place") if isinstance(held, dict) else None
        if isinstance(places, list):
            found = [_place(visit, one) for one in places]
            return {**item, holder: dict(held or {}, place=found)}
    return item


def _place(visit: Visit, place: Json) -> Json:
    """A place with its country and city, if it names an address or a site that has them."""
    if not isinstance(place, dict) or "country" in place or "id" not in place:
        return place
    address = _record(visit, ADDRESS, place["id"])
    if address is None:
        site = _record(visit, SITE, place["id"]) or {}
        within: dict[str, Json] = next(iter(site.get("place") or []), {})
        address = within if "country" in within else _record(visit, ADDRESS, within.get("id"))
        address = {**(address or {}), **({"name": site["name"]} if "name" in site else {})}
    known = {name: address[name] for name in ("name", "city", "country") if address.get(name)}
    return {**known, **place}


def _record(visit: Visit, resource: str, identity: Json) -> dict[str, Json] | None:
    owner = None if visit.actor.role == "operator" else visit.actor.party
    try:
        with visit.begin() as tx:
            found = records.get(tx, resource=resource, record_id=str(identity), owner=owner)
    except NotFound:
        return None
    document: dict[str, Json] = found.document
    return document


@contextmanager
def worded(need: Need, at: str, document: Mapping[str, Json]) -> Iterator[None]:
    """What is refused in the block names attributes as the client wrote them."""
    if is_of_a_node(document):
        yield
        return
    with in_its_words(need.items, at):
        yield


def traced(visit: Visit, of: TraceId) -> None:
    """Answers with the caller's own traceparent, or one for the trace that began here."""
    given = visit.ask.headers.get(trace.HEADER)
    if given is not None and trace.read(given) == of:
        visit.headers[trace.HEADER] = given
    else:
        visit.headers[trace.HEADER] = trace.write(of, by="answer")


def note(visit: Visit, act: str, of: TraceId, **things: str) -> None:
    """For the log: who did what."""
    log.info(act, extra={"partner": visit.actor.party, "trace": of, **things})
