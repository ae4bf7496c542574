"""The manifest of deliveries and event files, trunks and routes: all that is in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.types.range import TimestamptzRange

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, records, run
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.usage.model import (
    Delivery,
    EventFile,
    EventKind,
    Layout,
    Repair,
    Route,
    Trunk,
)

# --- deliveries ---------------------------------------------------------------------------------

_DELIVERY = """select number, sha256, name, layout, state, rows, learned_at, quarantine, replays,
                      reason, words
                 from usage_delivery"""
_FILE = """select delivery, month, accounting, kind, path, events, quarantined, duplicate,
                  first_us, last_us, codes, rated, no_price
             from usage_event_file"""


def next_number(tx: Transaction) -> int:
    """A number for a delivery that nobody else has had, or will have."""
    row = one_row(tx, "select nextval('usage_delivery_number')::integer as number")
    assert row is not None
    number: int = row["number"]
    return number


def by_content(tx: Transaction, sha256: str) -> Delivery | None:
    """The delivery of this content."""
    return _one(tx, f"{_DELIVERY} where sha256 = %s", (sha256,))


def delivery(tx: Transaction, number: int) -> Delivery | None:
    return _one(tx, f"{_DELIVERY} where number = %s", (number,))


def deliveries(tx: Transaction, *, month: str | None = None) -> Sequence[Delivery]:
    """All deliveries, or those with something of a month, in the order in which they came."""
    of_month = "number in (select delivery from usage_event_file where month = %(month)s)"
    sql = f"{_DELIVERY} where %(month)s::text is null or {of_month} order by number"
    rows = all_rows(tx, sql, {"month": month})
    files: dict[int, list[EventFile]] = {}
    for file in event_files(tx):
        files.setdefault(file.delivery, []).append(file)
    return [_delivery(row, files.get(row["number"], ())) for row in rows]


def _one(tx: Transaction, sql: str, params: tuple[object, ...]) -> Delivery | None:
    row = one_row(tx, sql, params)
    return _delivery(row, event_files(tx, delivery=row["number"])) if row else None


def _delivery(row: dict[str, Any], files: Iterable[EventFile]) -> Delivery:
    layout = documents.read(Layout, row.pop("layout"), what="layout")
    return Delivery(layout=layout, files=tuple(files), **row)


def put(tx: Transaction, made: Delivery) -> None:
    """Enters a delivery with its files. One that was refused before gives way."""
    run(tx, "delete from usage_delivery where sha256 = %s and state = 'refused'", (made.sha256,))
    run(
        tx,
        """insert into usage_delivery (number, sha256, name, source, kind, layout, state, reason,
               words, rows, quarantine, replays, learned_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            made.number,
            made.sha256,
            made.name,
            made.layout.source,
            made.layout.kind.value,
            Jsonb(documents.write(made.layout)),
            made.state,
            made.reason,
            made.words,
            made.rows,
            made.quarantine,
            made.replays,
            made.learned_at,
        ),
    )
    for file in made.files:
        _put_file(tx, file)


def _put_file(tx: Transaction, file: EventFile) -> None:
    run(
        tx,
        """insert into usage_event_file (delivery, month, accounting, kind, path, events,
               quarantined, duplicate, first_us, last_us, codes)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            file.delivery,
            file.month,
            file.accounting,
            file.kind.value,
            file.path,
            file.events,
            file.quarantined,
            file.duplicate,
            file.first_us,
            file.last_us,
            file.codes,
        ),
    )


# --- event files --------------------------------------------------------------------------------


def event_files(
    tx: Transaction,
    *,
    delivery: int | None = None,
    month: str | None = None,
    accounting: str | None = None,
    kind: EventKind | None = None,
) -> Sequence[EventFile]:
    """The files of events that fit all that is given, by delivery and month."""
    rows = all_rows(
        tx,
        f"""{_FILE} where (%(delivery)s::integer is null or delivery = %(delivery)s)
                and (%(month)s::text is null or month = %(month)s)
                and (%(accounting)s::text is null or accounting = %(accounting)s)
                and (%(kind)s::text is null or kind = %(kind)s)
            order by delivery, month""",
        {
            "delivery": delivery,
            "month": month,
            "accounting": accounting,
            "kind": kind and kind.value,
        },
    )
    return [_file(row) for row in rows]


def overlapping(
    tx: Transaction, kind: EventKind, month: str, first_us: int, last_us: int
) -> Mapping[str, str]:
    """The files of a month with events of these times: the source of each path."""
    rows = all_rows(
        tx,
        """select f.path, d.source from usage_event_file f
             join usage_delivery d on d.number = f.delivery
            where f.month = %s and f.kind = %s and f.first_us <= %s and f.last_us >= %s""",
        (month, kind.value, last_us, first_us),
    )
    return {row["path"]: row["source"] for row in rows}


def moved(tx: Transaction, file: EventFile, *, path: str, codes: str) -> bool:
    """The file's events are at another path, matched to other codes. False when another has
    moved it meanwhile.
    """
    changed = run(
        tx,
        """update usage_event_file set path = %s, codes = %s
           where delivery = %s and month = %s and path = %s""",
        (path, codes, file.delivery, file.month, file.path),
    )
    return changed == 1


def told(tx: Transaction, *, delivery: int, month: str, rated: int, no_price: int) -> bool:
    """Rating has said what became of a file's events. False when there is no such file."""
    changed = run(
        tx,
        """update usage_event_file set rated = %s, no_price = %s
           where delivery = %s and month = %s""",
        (rated, no_price, delivery, month),
    )
    return changed == 1


def paths(tx: Transaction) -> frozenset[str]:
    """Every file that the manifest names, relative to the node's folder."""
    rows = all_rows(
        tx,
        """select path from usage_event_file where path is not null
           union all select quarantine from usage_delivery where quarantine is not null""",
    )
    return frozenset(row["path"] for row in rows)


def _file(row: dict[str, Any]) -> EventFile:
    return EventFile(**{**row, "kind": EventKind(row["kind"])})


# --- repairs ------------------------------------------------------------------------------------


def put_repair(tx: Transaction, repair: Repair) -> None:
    run(
        tx,
        """insert into usage_repair (delivery, row, reason, field, pattern, value, by, why,
               made_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            repair.delivery,
            repair.row,
            repair.reason,
            repair.field,
            repair.pattern,
            repair.value,
            repair.by,
            repair.why,
            repair.made_at,
        ),
    )


def repairs(tx: Transaction, delivery: int) -> Sequence[Repair]:
    """What was corrected of a delivery, in the order in which it was said."""
    return records(
        tx,
        Repair,
        """select delivery, row, reason, field, pattern, value, by, why, made_at
             from usage_repair where delivery = %s order by id""",
        (delivery,),
    )


def replays_of(tx: Transaction, number: int) -> Sequence[Delivery]:
    """The deliveries that replayed records of this one."""
    rows = all_rows(tx, f"{_DELIVERY} where replays = %s order by number", (number,))
    return [_delivery(row, event_files(tx, delivery=row["number"])) for row in rows]


# --- trunks and routes --------------------------------------------------------------------------


def routes(tx: Transaction) -> Sequence[Route]:
    """Every pair of trunks that has been seen, by number."""
    sql = "select route_id, trunk_in, trunk_out from usage_route order by route_id"
    return records(tx, Route, sql)


def have_routes(tx: Transaction, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """The number of each pair of trunks; those that are new get one."""
    wanted = list(pairs)
    ins, outs = [pair[0] for pair in wanted], [pair[1] for pair in wanted]
    run(
        tx,
        """insert into usage_route (trunk_in, trunk_out)
           select * from unnest(%s::text[], %s::text[]) as t (one, other)
           except select trunk_in, trunk_out from usage_route
           order by 1, 2
           on conflict do nothing""",
        (ins, outs),
    )
    rows = all_rows(
        tx,
        """select r.route_id, r.trunk_in, r.trunk_out from usage_route r
             join unnest(%s::text[], %s::text[]) as t (one, other)
               on t.one = r.trunk_in and t.other = r.trunk_out""",
        (ins, outs),
    )
    return {(row["trunk_in"], row["trunk_out"]): row["route_id"] for row in rows}


def put_trunk(tx: Transaction, trunk: Trunk) -> None:
    run(
        tx,
        """insert into usage_trunk (name, side, valid, seller, holding)
           values (%s, %s, %s, %s, %s)""",
        (
            trunk.name,
            trunk.side,
            TimestamptzRange(trunk.start, trunk.end),
            trunk.holding.seller,
            trunk.holding.id,
        ),
    )


def end_trunk(tx: Transaction, trunk: Trunk) -> None:
    """Gives the trunk, known by its name, side and start, its end."""
    run(
        tx,
        """update usage_trunk set valid = tstzrange(lower(valid), %s)
           where name = %s and side = %s and lower(valid) = %s""",
        (trunk.end, trunk.name, trunk.side, trunk.start),
    )


def trunks(tx: Transaction, *, name: str | None = None) -> Sequence[Trunk]:
    """All trunks, or those of a name, by name, side and time."""
    rows = all_rows(
        tx,
        """select name, side, lower(valid) as start, upper(valid) as end, seller, holding
             from usage_trunk where %(name)s::text is null or name = %(name)s
            order by name, side, valid""",
        {"name": name},
    )
    return [
        Trunk(
            row["name"],
            row["side"],
            HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])),
            row["start"],
            row["end"],
        )
        for row in rows
    ]
