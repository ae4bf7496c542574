"""Quotes in bulk, beside TMF648: a quote body of thousands of items is answered item by item.

The standard's quote holds all of a need or none of it. Here each item gets a line of its own
(NDJSON) in the order asked, as it comes to be known; ordinary quotes hold what can be had.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hansa.federation.bulk import Priced, Quoted, Unquoted
from hansa.federation.contract import Need
from hansa.federation.exchange import Answer, Ask, Caller, Operation, status_of
from hansa.federation.tmf import errors
from hansa.federation.tmf.engine import change
from hansa.federation.tmf.engine.model import Visit, World
from hansa.federation.tmf.resources import needs, quote
from hansa.federation.tmf.shapes import quote as shapes
from hansa.federation.tmf.shapes import wish
from hansa.federation.tmf.shapes.common import Extended, Id, checked, write_instant
from hansa.federation.wire import render
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import BuyerKey

PATH = f"{shapes.BASE}/quoteInBulk"
NDJSON = "application/x-ndjson"
BODY_MAX = 32 << 20

LINE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Of the item"},
        "state": {"enum": ["approved", "rejected"]},
        "quote": {"type": "object", "properties": {"id": {"type": "string"}}},
        "validFor": {"type": "object"},
        "quoteItem": {"type": "object"},
        "error": {"$ref": "#/components/schemas/Error"},
        "hansaEnd": {
            "type": "object",
            "description": "On the last line alone; without `error`, every item was answered",
            "properties": {"approved": {"type": "integer"}, "rejected": {"type": "integer"}},
        },
    },
}


class Keyed(Extended):
    """What a body in bulk has beside what a quote's has: the caller's own name for it."""

    externalId: Id


DOCUMENT: Mapping[str, Any] = {
    "parameters": [],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Quote_Create"},
                        {
                            "type": "object",
                            "required": ["externalId"],
                            "properties": {
                                "externalId": {"type": "string", "minLength": 1, "maxLength": 128}
                            },
                        },
                    ]
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "One line for each item, in the order asked, and one that ends them",
            "content": {NDJSON: {"schema": LINE}},
        }
    },
}


def operation(world: World) -> Operation:
    """POST: the same `externalId` with the same items goes on where it was broken off."""

    def ask_in_bulk(ask: Ask, caller: Caller) -> Answer:
        visit = Visit(ask, caller, world, quote.API)
        sent = change.body(ask)
        key = BuyerKey(checked(Keyed, sent)["externalId"])
        if needs.is_of_a_node(sent):
            need = needs.of_a_node(visit, sent, shapes.read_need)
        else:
            need = needs.of_anyone(visit, *shapes.read_wish(sent))
        with needs.worded(need, "quoteItem", sent):
            answers = visit.seat.bulk.quote_in_bulk(need, key=key)
        needs.traced(visit, need.trace)
        needs.note(visit, "quote in bulk", need.trace, key=key)
        return Answer(200, _lines(need, answers, world.address), visit.headers, NDJSON)

    return Operation(
        method="POST",
        template=PATH,
        handle=ask_in_bulk,
        api=quote.API.name,
        summary="Price thousands of items, each with an answer of its own",
        scope=f"{quote.API.name.lower()}:write",
        body_max=BODY_MAX,
        document=DOCUMENT,
    )


def _lines(need: Need, answers: Iterator[Priced], address: str) -> Iterator[bytes]:
    """Every answer as a line, then one that says that these were all, or why they are not."""
    places = {item.id: index for index, item in enumerate(need.items)}
    approved = rejected = 0
    end: dict[str, Json] = {}
    try:
        for answer in answers:
            if isinstance(answer, Quoted):
                approved += 1
                yield _line(_approved(answer, address))
            else:
                rejected += 1
                yield _line(_rejected(answer, places[answer.item]))
    except HansaError as error:
        end["error"] = errors.shape(error, status_of(error))
    yield _line({**end, "hansaEnd": {"approved": approved, "rejected": rejected}})


def _approved(answer: Quoted, address: str) -> Mapping[str, Json]:
    return {
        "id": answer.item,
        "state": "approved",
        "quote": {"id": answer.quote, "href": f"{address}{shapes.QUOTES}/{answer.quote}"},
        "validFor": {"endDateTime": write_instant(answer.valid_until)},
        "quoteItem": shapes.write_line(answer.line),
    }


def _rejected(answer: Unquoted, place: int) -> Mapping[str, Json]:
    field = answer.field
    if f"{field}.".startswith(f"items.{answer.item}."):
        field = wish.attribute(field, answer.item, place, "quoteItem")
    error = {"code": answer.reason, "reason": answer.words, "hansaField": field}
    return {"id": answer.item, "state": "rejected", "error": error}


def _line(value: Json) -> bytes:
    return render(value) + b"\n"
