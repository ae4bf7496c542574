"""The table of records, and every line of SQL about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hansa.federation.records.model import Condition, Page, Record, Sort, comparable
from hansa.federation.wire import render
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.ids import PartyId, RecordId
from hansa.foundation.transaction import Transaction

_COLUMNS = " id, resource, owner, document::text as document, created_at, changed_at, version "

_SELECT = "select" + _COLUMNS + "from record"

_COUNT = "select count(*) as total from record"

_DELETE = "delete from record"

_WHERE = " where resource = %s and (%s::text is null or owner = %s)"

_FITS = " and jsonb_path_exists(document, %s::text::jsonpath, %s::text::jsonb, true)"

_OPERATORS = {"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _record(row: dict[str, Any]) -> Record:
    return Record(
        id=RecordId(row["id"]),
        resource=row["resource"],
        owner=PartyId(row["owner"]),
        document=json.loads(row["document"], parse_float=Decimal),
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        version=row["version"],
    )


def insert(tx: Transaction, record: Record) -> None:
    run(
        tx,
        """
        insert into record (id, resource, owner, document, created_at, changed_at, version)
        values (%s, %s, %s, %s::text::jsonb, %s, %s, %s)
        """,
        (
            record.id,
            record.resource,
            record.owner,
            render(record.document).decode(),
            record.created_at,
            record.changed_at,
            record.version,
        ),
    )


def one(
    tx: Transaction, resource: str, identity: str, owner: PartyId | None, *, lock: bool = False
) -> Record | None:
    row = one_row(
        tx,
        _SELECT + _WHERE + " and id = %s" + (" for update" if lock else ""),
        (resource, owner, owner, identity),
    )
    return None if row is None else _record(row)


def update(tx: Transaction, record: Record) -> None:
    run(
        tx,
        """
        update record set document = %s::text::jsonb, changed_at = %s, version = %s
        where id = %s
        """,
        (render(record.document).decode(), record.changed_at, record.version, record.id),
    )


def delete(tx: Transaction, resource: str, identity: str, owner: PartyId | None) -> Record | None:
    row = one_row(
        tx,
        _DELETE + _WHERE + " and id = %s returning" + _COLUMNS,
        (resource, owner, owner, identity),
    )
    return None if row is None else _record(row)


def page(
    tx: Transaction,
    resource: str,
    owner: PartyId | None,
    conditions: Sequence[Condition],
    sort: Sequence[Sort],
    offset: int,
    limit: int,
) -> Page:
    where = _WHERE + _FITS * len(conditions)
    params: list[Any] = [resource, owner, owner]
    for condition in conditions:
        params += _condition(condition)
    orders = [
        "nullif(jsonb_path_query_first(document, %s::text::jsonpath), 'null')"
        + (" desc nulls last" if one.descending else " nulls last")
        for one in sort
    ]
    order = ", ".join([*orders, "created_at desc", "id desc"])
    paths = [f"{_path(one.path)}[*]" for one in sort]
    counted = one_row(tx, _COUNT + where, params)
    assert counted is not None
    rows = (
        all_rows(
            tx,
            _SELECT + where + " order by " + order + " offset %s limit %s",
            [*params, *paths, offset, limit],
        )
        if offset < counted["total"]
        else []
    )
    return Page(tuple(_record(row) for row in rows), counted["total"])


def _path(steps: Sequence[str]) -> str:
    """A jsonpath: each step a quoted key; lists are looked into on the way."""
    return "$" + "".join(f".{json.dumps(step)}" for step in steps)


def _condition(condition: Condition) -> tuple[str, str]:
    """A jsonpath with its variables: which texts, and which numbers, are looked for."""
    operator = _OPERATORS[condition.test]
    tests: list[str] = []
    variables: dict[str, Any] = {}
    for index, value in enumerate(condition.values):
        variables[f"t{index}"] = value
        amount = comparable(value)
        if amount is None:
            tests.append(f"@.string() {operator} $t{index}")
        else:
            variables[f"n{index}"] = amount
            tests.append(f'(@.type() != "number" && @.string() {operator} $t{index})')
            tests.append(f"@ {operator} $n{index}")
    return f"{_path(condition.path)} ? ({' || '.join(tests)})", render(variables).decode()
