"""Mere records: kept whole for whoever made them, and told of when they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.records import actions as records
from hansa.federation.records.model import Record
from hansa.federation.tmf.engine.change import typed
from hansa.federation.tmf.engine.model import Found, Query, Source, Visit
from hansa.federation.wire import render
from hansa.foundation.documents import Json
from hansa.foundation.ids import PartyId, RecordId
from hansa.foundation.transaction import Transaction

Fill = Callable[[Transaction, Visit, dict[str, Json]], dict[str, Json]]
"""What a new record gets beside what was sent, e.g. the result of a validation."""


def kept(*, fill: Fill | None = None, without: tuple[str, ...] = ()) -> Source:
    """The source of a resource whose things are records and nothing else.

    fill: makes the document that is kept out of the one that was checked. without: operations
    that the standard does not have for it, e.g. `patch`.
    """

    def create(visit: Visit, document: Json) -> Json:
        identity = visit.world.ids.new(RecordId)
        with visit.begin() as tx:
            filled = document if fill is None else fill(tx, visit, document)
            whole = {"id": identity, "href": _href(visit, identity), **filled}
            record = records.keep(
                tx,
                record_id=identity,
                resource=_kind(visit),
                owner=visit.actor.party,
                document=typed(_resource(visit), whole),
                now=visit.now,
            )
            _tell(tx, visit, record, "create")
        return record.document

    served: dict[str, Any] = {
        "find": _find,
        "get": _get,
        "create": create,
        "change": _change,
        "delete": _delete,
    }
    return Source(**{name: one for name, one in served.items() if name not in without})


def _find(visit: Visit, query: Query) -> Found:
    with visit.begin() as tx:
        page = records.find(
            tx,
            resource=_kind(visit),
            owner=_owner(visit),
            conditions=query.filters,
            sort=query.sort,
            offset=query.offset,
            limit=query.limit,
        )
    return Found([record.document for record in page.records], page.total)


def _get(visit: Visit, identity: str) -> Json:
    with visit.begin() as tx:
        return records.get(
            tx, resource=_kind(visit), record_id=identity, owner=_owner(visit)
        ).document


def _change(visit: Visit, identity: str, change: Callable[[Json], Json]) -> Json:
    with visit.begin() as tx:
        before: list[Json] = []

        def noted(document: Json) -> Json:
            before.append(document)
            return change(document)

        record = records.change(
            tx,
            resource=_kind(visit),
            record_id=identity,
            owner=_owner(visit),
            change=noted,
            now=visit.now,
        )
        moved = any(before[0].get(name) != record.document.get(name) for name in STATES)
        _tell(tx, visit, record, "state" if moved else "attribute")
    return record.document


def _delete(visit: Visit, identity: str) -> None:
    with visit.begin() as tx:
        record = records.drop(tx, resource=_kind(visit), record_id=identity, owner=_owner(visit))
        _tell(tx, visit, record, "delete")


STATES = ("status", "state", "lifecycleStatus")
"""The attributes whose change is a change of state."""


def _tell(tx: Transaction, visit: Visit, record: Record, change: Change) -> None:
    hub.publish(
        tx,
        ids=visit.world.ids,
        topic=_resource(visit).name,
        thing=record.id,
        change=change,
        party=record.owner,
        trace=visit.trace,
        now=visit.now,
        document=render(record.document).decode(),
    )


def _resource(visit: Visit) -> Any:
    assert visit.resource is not None
    return visit.resource


def _kind(visit: Visit) -> str:
    """What its records are kept as, e.g. `TMF632/individual`."""
    return f"{visit.api.name}/{_resource(visit).path}"


def _href(visit: Visit, identity: str) -> str:
    resource = _resource(visit)
    return visit.world.address + visit.api.href(resource, visit.ask.params, identity)


def _owner(visit: Visit) -> PartyId | None:
    """Whose records are seen: one's own; our own staff sees all."""
    return None if visit.actor.role == "operator" else visit.actor.party
