"""What dialects may ask of records. owner None: of whoever's, for the node's own staff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hansa.federation.records import store
from hansa.federation.records.model import Condition, Page, Record, Sort
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId, RecordId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def keep(
    tx: Transaction,
    *,
    record_id: RecordId,
    resource: str,
    owner: PartyId,
    document: Json,
    now: Instant,
) -> Record:
    """Keeps a new record."""
    record = Record(record_id, resource, owner, document, created_at=now, changed_at=now)
    store.insert(tx, record)
    return record


def get(tx: Transaction, *, resource: str, record_id: str, owner: PartyId | None) -> Record:
    """Raises NotFound `record-unknown`."""
    found = store.one(tx, resource, record_id, owner)
    if found is None:
        raise _unknown(resource)
    return found


def find(
    tx: Transaction,
    *,
    resource: str,
    owner: PartyId | None,
    conditions: Sequence[Condition] = (),
    sort: Sequence[Sort] = (),
    offset: int = 0,
    limit: int = 100,
) -> Page:
    """A page of the records for which all conditions hold; the newest first unless sorted."""
    return store.page(tx, resource, owner, conditions, sort, offset, limit)


def change(
    tx: Transaction,
    *,
    resource: str,
    record_id: str,
    owner: PartyId | None,
    change: Callable[[Json], Json],
    now: Instant,
) -> Record:
    """Puts what `change` makes of the document in its place; nobody changes it meanwhile.

    Raises NotFound `record-unknown`, and whatever `change` raises.
    """
    before = store.one(tx, resource, record_id, owner, lock=True)
    if before is None:
        raise _unknown(resource)
    after = replace(
        before,
        document=change(before.document),
        changed_at=now,
        version=before.version + 1,
    )
    store.update(tx, after)
    return after


def drop(tx: Transaction, *, resource: str, record_id: str, owner: PartyId | None) -> Record:
    """Takes a record away, and gives what it was. Raises NotFound `record-unknown`."""
    found = store.delete(tx, resource, record_id, owner)
    if found is None:
        raise _unknown(resource)
    return found


def _unknown(resource: str) -> NotFound:
    return NotFound(
        "record-unknown",
        f"There is no such {resource.rsplit('/', 1)[-1]}, or it is not yours.",
        field="id",
    )
