"""The layouts that come with Hansa, and which columns of a file a layout wants."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hansa.foundation.errors import Refused
from hansa.lifecycle.usage.model import FIELDS, REQUIRED, EventKind, Layout


def _own(kind: EventKind) -> Mapping[str, str]:
    """Columns that bear our own names; those that are not required may be absent."""
    return {name: name if name in REQUIRED[kind] else f"{name}?" for name in FIELDS[kind]}


_RADIUS = {
    "nas": "NAS-IP-Address",
    "session": "Acct-Session-Id",
    "point": "User-Name?",
    "status": "Acct-Status-Type",
    "at": "Timestamp",
    "session_s": "Acct-Session-Time?",
    "octets_in": "Acct-Input-Octets?",
    "octets_out": "Acct-Output-Octets?",
    "gigawords_in": "Acct-Input-Gigawords?",
    "gigawords_out": "Acct-Output-Gigawords?",
}

KNOWN: Mapping[str, Layout] = {
    "calls": Layout("calls", EventKind.CALLS, "csv", _own(EventKind.CALLS)),
    "calls-jsonl": Layout("calls", EventKind.CALLS, "jsonl", _own(EventKind.CALLS)),
    "calls-parquet": Layout("calls", EventKind.CALLS, "parquet", _own(EventKind.CALLS)),
    "kamailio": Layout(
        "kamailio",
        EventKind.CALLS,
        "csv",
        {
            "answered": 1, "ended": 2, "duration": 3, "id": 4,
            "trunk_in": 5, "calling": 6, "called": 7, "trunk_out": 8,
        },
        delimiter="|",
        header=False,
    ),
    "samples": Layout("samples", EventKind.SAMPLES, "csv", _own(EventKind.SAMPLES)),
    "seats": Layout("seats", EventKind.SEATS, "csv", _own(EventKind.SEATS)),
    "radius": Layout("radius", EventKind.SESSIONS, "detail", _RADIUS, times="s"),
    "radius-csv": Layout("radius", EventKind.SESSIONS, "csv", _RADIUS, times="s"),
}  # fmt: skip
"""By name. `kamailio` is what acc writes through db_flatstore: start, end, duration, then
cdr_extra with call id, trunk, caller, callee and partner.
"""


def check(layout: Layout) -> None:
    """Raises Refused `layout-invalid` for a layout that cannot be meant."""
    fields, wanted = FIELDS[layout.kind], REQUIRED[layout.kind]
    strange = sorted(set(layout.columns) - set(fields))
    missing = sorted(set(wanted) - set(layout.columns))
    words = ""
    if strange:
        words = f"{layout.kind} have no {', '.join(strange)}; choose of {', '.join(fields)}."
    elif missing:
        words = f"Say in which column {', '.join(missing)} is."
    elif not {"duration", "ended"} & set(layout.columns) and layout.kind is EventKind.CALLS:
        words = "Say in which column duration is, or ended."
    elif len(layout.delimiter.encode()) != 1 or layout.delimiter in '"\r\n':
        words = "The delimiter is one character, and no quotation mark."
    elif layout.national and not layout.country:
        words = "Say which country's code takes the place of the national prefix."
    elif not all(
        one == "" or one.isdecimal()
        for one in (layout.international, layout.national, layout.country)
    ):
        words = "The prefixes of numbers are digits."
    elif not layout.header and not all(isinstance(one, int) for one in layout.columns.values()):
        words = "Where there is no header, columns are named by their numbers, from 1."
    elif not _is_encoding(layout.encoding):
        words = f"{layout.encoding!r} is no encoding; name one as utf-8 or latin-1."
    if words:
        raise Refused("layout-invalid", words, field="layout")


def _is_encoding(name: str) -> bool:
    try:
        return bool(codecs.lookup(name))
    except LookupError:
        return False


def found(layout: Layout, names: Sequence[str]) -> Mapping[str, int]:
    """The place, from 0, of each field among a file's columns.

    Raises Refused `columns-missing`, naming those that are not there.
    """
    places: dict[str, int] = {}
    missing = []
    for field, column in layout.columns.items():
        if isinstance(column, int):
            place = column - 1 if 0 < column <= len(names) else None
            optional = False
        else:
            name, optional = column.removesuffix("?"), column.endswith("?")
            place = names.index(name) if name in names else None
        if place is not None:
            places[field] = place
        elif not optional:
            missing.append(str(column))
    if missing:
        raise Refused(
            "columns-missing",
            f"There is no column {', '.join(missing)} among {', '.join(names) or 'none'}.",
            field="columns",
        )
    return places


def of_replays(layout: Layout) -> Layout:
    """How repaired records of this layout are written down: fields of ours, one record a line."""
    return replace(
        layout,
        format="jsonl",
        columns={name: f"{name}?" for name in FIELDS[layout.kind]},
        encoding="utf-8",
        replayed=True,
    )
