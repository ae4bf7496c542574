"""Usage files: of a holding and month as its seller gave it, and of the network's own events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import HoldingRef

COLLECT = "usage.collect"
CLOSE = "usage.close"


@dataclass(frozen=True, slots=True)
class UsageFile:
    """The manifest's entry of a file. The same usage again is the same file.

    sha256: of the file's bytes, lower-case hexadecimal; its name too. records: how many lines.
    path: relative to the usage folder. learned_at: when we had it. applied: it counts; False
    for content that came when the month was closed, or that was replaced before.
    """

    holding: HoldingRef
    period: Period
    sha256: str
    records: int
    path: str
    learned_at: Instant
    applied: bool


# --- events: usage records of the network itself ------------------------------------------------


class EventKind(StrEnum):
    """What a file of events holds."""

    CALLS = "calls"
    SAMPLES = "samples"
    SEATS = "seats"
    SESSIONS = "sessions"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an event file. type: as Arrow names it. optional: it may be null."""

    name: str
    type: str
    meaning: str
    optional: bool = False


_ID = Column("event_id", "int64", "number of the delivered file * 2**32 + row in that file")
_KEY = Column("key", "int64", "digest of what makes the event one of its kind")

COLUMNS: Mapping[EventKind, tuple[Column, ...]] = {
    EventKind.CALLS: (
        _ID,
        Column("source_ref", "string", "the id that the source gave it", optional=True),
        Column("route_id", "int32", "the pair of trunks it came in by and went out by"),
        Column("calling", "string", "E.164 digits; empty when not known"),
        Column("called", "string", "E.164 digits"),
        Column("answered_us", "int64", "when it was answered: microseconds since 1970, UTC"),
        Column("duration_s", "int32", "seconds begun; 0 for a call that nobody answered"),
        Column("code_id", "int32", "place of the called number's code in the codes; -1 for none"),
        Column("origin_id", "int32", "the same of the calling number"),
        _KEY,
    ),
    EventKind.SAMPLES: (
        _ID,
        Column("point", "string", "the port, as the network's systems name it"),
        Column("slot_s", "int64", "when the five minutes begin: seconds since 1970, UTC"),
        Column("octets_in", "int64", "octets of the five minutes; null: not polled", optional=True),
        Column("octets_out", "int64", "the same, out", optional=True),
        _KEY,
    ),
    EventKind.SEATS: (
        _ID,
        Column("point", "string", "the customer's service, as its systems name it"),
        Column("day", "date32", "UTC day at whose end the seats were counted"),
        Column("seats", "int64", "seats in use"),
        _KEY,
    ),
    EventKind.SESSIONS: (
        _ID,
        Column("nas", "string", "the access server"),
        Column("session", "string", "Acct-Session-Id, one of its kind at its access server"),
        Column("point", "string", "the user or line"),
        Column("status", "string", "start, interim, stop, on or off"),
        Column("at_us", "int64", "when it was so: microseconds since 1970, UTC"),
        Column("session_s", "int64", "how long the session had lasted, seconds", optional=True),
        Column("octets_in", "int64", "since the session began, from the user", optional=True),
        Column("octets_out", "int64", "since the session began, to the user", optional=True),
        _KEY,
    ),
}
"""What event files hold, column by column. A file's rows are ordered runs: calls by route, code
and second; samples and seats by point and time; sessions by server, session and time.
"""
