"""Usage files: of a holding and month as its seller gave it, and of the network's own events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import HoldingRef

COLLECT = "usage.collect"
CLOSE = "usage.close"


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """late_h: for how many hours after its end a month stays open for files of our own network's
    usage. Counts only where trunks were entered.
    """

    late_h: int = 72

    @property
    def late(self) -> timedelta:
        return timedelta(hours=self.late_h)


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
        Column("origin_id", "int32", "the same of the calling number; -2 when that is not known"),
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
"""What event files hold, column by column. A file's rows are ordered runs: calls by code, route
and second, so that the prices that they need lie together; samples and seats by point and time;
sessions by server, session and time.
"""


# --- events: how they come in -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source writes its files.

    source: the name of the system; ids that it gives are one of their kind within it. columns:
    which of its columns holds which field of ours, by name or by number from 1; a name that ends
    in `?` may be absent. times: `iso`, or whole units since 1970: `s`, `ms`, `us`; zone: IANA, of
    times that name none. durations: `s` (with decimals, or as 1:02:03) or `ms`. Of numbers,
    `international` at the beginning is taken off; `national` is replaced by `country`.
    trunk_in, trunk_out: of all its calls, where no column says. replayed: the format is `jsonl`
    with fields of ours and the row that each record had.
    """

    source: str
    kind: EventKind
    format: Literal["csv", "jsonl", "parquet", "detail"]
    columns: Mapping[str, str | int]
    delimiter: str = ","
    header: bool = True
    encoding: str = "utf-8"
    times: Literal["iso", "s", "ms", "us"] = "iso"
    zone: str = "UTC"
    durations: Literal["s", "ms"] = "s"
    international: str = ""
    national: str = ""
    country: str = ""
    trunk_in: str = ""
    trunk_out: str = ""
    replayed: bool = False


FIELDS: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.CALLS: (
        "id", "calling", "called", "started", "answered", "ended", "duration", "trunk_in",
        "trunk_out",
    ),
    EventKind.SAMPLES: ("point", "slot", "octets_in", "octets_out"),
    EventKind.SEATS: ("point", "day", "seats"),
    EventKind.SESSIONS: (
        "nas", "session", "point", "status", "at", "session_s", "octets_in", "octets_out",
        "gigawords_in", "gigawords_out",
    ),
}  # fmt: skip
"""The fields that a source's columns are read into."""

REQUIRED: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.CALLS: ("called", "answered"),
    EventKind.SAMPLES: ("point", "slot"),
    EventKind.SEATS: ("point", "day", "seats"),
    EventKind.SESSIONS: ("nas", "session", "status", "at"),
}

TEXT_FIELDS = ("id", "trunk_in", "trunk_out", "point", "nas", "session")
"""Fields that are kept as they are written, and so must be UTF-8."""


class Fault(StrEnum):
    """Why a record was set aside."""

    COLUMNS = "columns-wrong"
    UNREADABLE = "record-unreadable"
    ENCODING = "encoding-wrong"
    NUMBER = "number-invalid"
    NO_NUMBER = "number-missing"
    TIME = "time-invalid"
    NO_TIME = "time-missing"
    AHEAD = "time-ahead"
    PAST = "time-long-past"
    DURATION = "duration-invalid"
    NEGATIVE = "duration-negative"
    LONG = "duration-too-long"
    BEFORE_START = "answer-before-start"
    AFTER_END = "end-before-answer"
    COUNT = "count-invalid"
    NAMELESS = "name-missing"
    STATUS = "status-unknown"
    DIFFERS = "reading-differs"


FAULTS = tuple(Fault)
"""Faults by number, from 0."""


@dataclass(frozen=True, slots=True)
class Text:
    """A column of strings as two NumPy arrays: string i is data[offsets[i]:offsets[i + 1]]."""

    offsets: Any
    data: Any

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        found: bytes = self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()
        return found


@dataclass(frozen=True, slots=True)
class Mediated:
    """Records as far as they could be understood, column by column.

    columns: arrays or Text, each as long as there are records. fault: 0, or 1 more than the
    fault's place in FAULTS. field: the place in FIELDS of what is wrong. us: when each was, as
    microseconds since 1970; 0 where that is not known.
    """

    columns: Mapping[str, Any]
    fault: Any
    field: Any
    us: Any


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that was set aside. row: its line or record in the file, from 1. raw: as it came.
    month: of usage, `2026-11`; empty where its time cannot be read.
    """

    row: int
    fault: Fault
    field: str
    month: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class EventFile:
    """What of a delivery belongs to one month of usage.

    month: `2026-11`; empty for records without a time that could be read. accounting: the month
    in whose books it counts; another than month when that was closed. path: of the event file,
    relative to the node's folder; None when there are no events. first_us, last_us: of the
    events. codes: the name of the list of codes that they were matched to. rated, no_price: what
    rating has said.
    """

    delivery: int
    month: str
    accounting: str
    kind: EventKind
    path: str | None
    events: int
    quarantined: int
    duplicate: int
    first_us: int | None
    last_us: int | None
    codes: str
    rated: int = 0
    no_price: int = 0

    @property
    def rows(self) -> int:
        """Records that came in."""
        return self.events + self.quarantined + self.duplicate

    @property
    def late(self) -> bool:
        """Whether it came after its month was closed, and so is an adjustment."""
        return self.accounting != self.month


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file as it was delivered; the same content again is the same delivery.

    number: of all its events, the upper half of their ids. name: under which it came first.
    rows: records in it. state: `taken`, or `refused` with reason and words when it could not be
    read at all. quarantine: path of what was set aside. replays: the delivery whose records
    these were.
    """

    number: int
    sha256: str
    name: str
    layout: Layout
    state: Literal["taken", "refused"]
    rows: int
    learned_at: Instant
    files: tuple[EventFile, ...] = ()
    quarantine: str | None = None
    replays: int | None = None
    reason: str | None = None
    words: str | None = None

    @property
    def events(self) -> int:
        return sum(file.events for file in self.files)

    @property
    def quarantined(self) -> int:
        return sum(file.quarantined for file in self.files)

    @property
    def duplicate(self) -> int:
        return sum(file.duplicate for file in self.files)


@dataclass(frozen=True, slots=True)
class Repair:
    """A correction of records that were set aside.

    row: of this record; None for all of the delivery, or those set aside for `reason`. field: of
    ours, or `line` for the whole record. pattern: a regular expression whose matches in the
    field are replaced by value; None replaces the field.
    """

    delivery: int
    row: int | None
    reason: str | None
    field: str
    pattern: str | None
    value: str
    by: str
    why: str
    made_at: Instant


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk, port or user of the network, and which holding it is from `start` to `end`.

    side: `in` for a holding that we sold, `out` for one that we bought. end: None for open.
    """

    name: str
    side: Literal["in", "out"]
    holding: HoldingRef
    start: Instant
    end: Instant | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """By which trunk calls come in and by which they go out; empty where it was not told."""

    route_id: int
    trunk_in: str
    trunk_out: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the records of a delivery and month are. in = rated + waiting + quarantined +
    duplicate; events without a price are among the quarantined.
    """

    delivery: int
    name: str
    month: str
    accounting: str
    rows: int
    rated: int
    waiting: int
    quarantined: int
    no_price: int
    duplicate: int

    @property
    def even(self) -> bool:
        return self.rows == self.rated + self.waiting + self.quarantined + self.duplicate
