"""What a source's fields say, as events; and what is wrong with those that cannot be so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hansa.lifecycle.usage.model import FAULTS, FIELDS, EventKind, Fault, Layout, Mediated, Text
from hansa.lifecycle.usage.rules import clocks, kernels, zones
from hansa.lifecycle.usage.rules.kernels import INVALID, MISSING, NEGATIVE, READ
from hansa.lifecycle.usage.rules.prefix import NO_NUMBER, Prefixes

Ints = npt.NDArray[np.int64]
States = npt.NDArray[np.uint8]

DURATION_MAX_S = 7 * 86_400
AHEAD_US = 86_400_000_000
"""How far ahead of now, in microseconds, a source's clock may be."""

PAST_US = 2 * 366 * 86_400_000_000
"""What is older, in microseconds, is no usage that anyone would still deliver."""

WITHHELD = frozenset(
    {b"anonymous", b"private", b"restricted", b"unavailable", b"unknown", b"withheld"}
)
"""What sources write where a caller has withheld its number."""

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
STATUSES: Mapping[bytes, str] = {
    b"start": "start", b"1": "start",
    b"stop": "stop", b"2": "stop",
    b"interim-update": "interim", b"interim": "interim", b"alive": "interim", b"3": "interim",
    b"accounting-on": "on", b"on": "on", b"7": "on",
    b"accounting-off": "off", b"off": "off", b"8": "off",
}  # fmt: skip
"""RADIUS's Acct-Status-Type, by name and by number (RFC 2866), and what we call it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the records of a batch are held against.

    now_us: microseconds since 1970. route_ids: of each call, from its trunks.
    """

    layout: Layout
    prefixes: Prefixes
    now_us: int
    route_ids: npt.NDArray[np.int32] | None = None


@dataclass(slots=True)
class _Faults:
    """The first fault found of each record."""

    kind: EventKind
    rows: int
    fault: States = field(init=False)
    field: States = field(init=False)

    def __post_init__(self) -> None:
        self.fault = np.zeros(self.rows, np.uint8)
        self.field = np.zeros(self.rows, np.uint8)

    def note(self, wrong: Any, fault: Fault, name: str) -> None:
        """wrong: for each record, whether it has this fault."""
        if wrong.any():
            new = wrong & (self.fault == 0)
            self.fault[new] = FAULTS.index(fault) + 1
            self.field[new] = FIELDS[self.kind].index(name)


def mediate(fields: Mapping[str, Text], rows: int, task: Task) -> Mediated:
    """Records as events. fields: of the layout's kind; those that a source does not have are
    missing.
    """
    nothing = Text(np.zeros(rows + 1, np.int32), np.empty(0, np.uint8))
    every = {name: fields.get(name, nothing) for name in FIELDS[task.layout.kind]}
    return _KINDS[task.layout.kind](every, rows, task)


def _calls(fields: Mapping[str, Text], rows: int, task: Task) -> Mediated:
    faults = _Faults(EventKind.CALLS, rows)
    called, code_id, called_digest, state = _numbers(fields["called"], task)
    faults.note(state == MISSING, Fault.NO_NUMBER, "called")
    faults.note(state == INVALID, Fault.NUMBER, "called")
    calling, origin_id, calling_digest, state = _numbers(fields["calling"], task)
    for row in np.flatnonzero(state == INVALID).tolist():
        if fields["calling"][row].strip().lower() in WITHHELD:
            state[row] = MISSING
    faults.note(state == INVALID, Fault.NUMBER, "calling")
    origin_id[state == MISSING] = NO_NUMBER
    at_us, duration_s = _when(fields, task, faults)
    assert task.route_ids is not None
    digest = kernels.together(called_digest, calling_digest)
    digest = kernels.together(digest, at_us)
    digest = kernels.together(digest, duration_s)
    digest = kernels.together(digest, task.route_ids.astype(np.int64))
    named = np.diff(fields["id"].offsets) > 0
    if named.any():
        digest = np.where(named, kernels.digests(fields["id"].offsets, fields["id"].data), digest)
    columns = {
        "source_ref": fields["id"],
        "route_id": task.route_ids,
        "calling": calling,
        "called": called,
        "answered_us": at_us,
        "duration_s": duration_s.astype(np.int32),
        "code_id": code_id,
        "origin_id": origin_id,
        "key": digest,
    }
    return Mediated(columns, faults.fault, faults.field, at_us)


def _when(fields: Mapping[str, Text], task: Task, faults: _Faults) -> tuple[Ints, Ints]:
    """When each call was answered, in microseconds, and how long it lasted, in seconds begun.

    A call that nobody answered is of the time at which it started.
    """
    answered_us, answered = _times(fields["answered"], task, faults, "answered")
    started_us, started = _times(fields["started"], task, faults, "started")
    ended_us, ended = _times(fields["ended"], task, faults, "ended")
    text = fields["duration"]
    unit = 1000 if task.layout.durations == "ms" else 1
    duration_s, state = kernels.seconds(text.offsets, text.data, unit)
    faults.note(state == NEGATIVE, Fault.NEGATIVE, "duration")
    faults.note(state == INVALID, Fault.DURATION, "duration")
    faults.note((answered == READ) & (ended == READ) & (ended_us < answered_us),
                Fault.AFTER_END, "ended")  # fmt: skip
    told = state == READ
    both = ~told & (answered == READ) & (ended == READ)
    if both.any():
        duration_s = np.where(both, (ended_us - answered_us + 999_999) // 1_000_000, duration_s)
    unanswered = (answered == MISSING) & (started == READ) & (~told | (duration_s == 0))
    if unanswered.any():
        answered_us = np.where(unanswered, started_us, answered_us)
        duration_s = np.where(unanswered, 0, duration_s)
    faults.note(~told & ~both & ~unanswered & (answered == READ), Fault.DURATION, "duration")
    faults.note((answered == MISSING) & ~unanswered, Fault.NO_TIME, "answered")
    faults.note((answered == READ) & (started == READ) & (answered_us < started_us),
                Fault.BEFORE_START, "answered")  # fmt: skip
    faults.note(duration_s > DURATION_MAX_S, Fault.LONG, "duration")
    return answered_us, np.minimum(duration_s, DURATION_MAX_S)


def _samples(fields: Mapping[str, Text], rows: int, task: Task) -> Mediated:
    faults = _Faults(EventKind.SAMPLES, rows)
    point = _named(fields, "point", faults)
    at_us, state = _times(fields["slot"], task, faults, "slot")
    faults.note(state == MISSING, Fault.NO_TIME, "slot")
    faults.note(at_us % 300_000_000 != 0, Fault.TIME, "slot")
    octets_in, octets_out = (_counts(fields, one, faults) for one in ("octets_in", "octets_out"))
    columns = {
        "point": fields["point"],
        "slot_s": at_us // 1_000_000,
        "octets_in": octets_in,
        "octets_out": octets_out,
        "key": kernels.together(point, at_us),
    }
    return Mediated(columns, faults.fault, faults.field, at_us)


def _seats(fields: Mapping[str, Text], rows: int, task: Task) -> Mediated:
    faults = _Faults(EventKind.SEATS, rows)
    point = _named(fields, "point", faults)
    day, state = clocks.dates(fields["day"].offsets, fields["day"].data)
    faults.note(state == MISSING, Fault.NO_TIME, "day")
    faults.note(state == INVALID, Fault.TIME, "day")
    at_us = day * 86_400_000_000
    _near(at_us, state == READ, task, faults, "day")
    seats = _counts(fields, "seats", faults)
    faults.note(np.ma.getmaskarray(seats), Fault.COUNT, "seats")
    columns = {
        "point": fields["point"],
        "day": day.astype("datetime64[D]"),
        "seats": seats,
        "key": kernels.together(point, day),
    }
    return Mediated(columns, faults.fault, faults.field, at_us)


def _sessions(fields: Mapping[str, Text], rows: int, task: Task) -> Mediated:
    faults = _Faults(EventKind.SESSIONS, rows)
    digest = _named(fields, "nas", faults)
    words = [fields["status"][row].strip().lower() for row in range(rows)]
    status = np.array([STATUSES.get(word, "") for word in words], object)
    faults.note(status == "", Fault.STATUS, "status")
    whole = (status == "on") | (status == "off")  # of the access server, not of a session
    empty = np.diff(fields["session"].offsets) == 0
    faults.note(empty & ~whole, Fault.NAMELESS, "session")
    at_us, state = _times(fields["at"], task, faults, "at")
    faults.note(state == MISSING, Fault.NO_TIME, "at")
    columns: dict[str, Any] = {
        "nas": fields["nas"],
        "session": fields["session"],
        "point": fields["point"],
        "status": status,
        "at_us": at_us,
        "session_s": _counts(fields, "session_s", faults),
    }
    for way in ("in", "out"):
        low = _counts(fields, f"octets_{way}", faults)
        high = _counts(fields, f"gigawords_{way}", faults)
        faults.note(high.filled(0) >= 1 << 24, Fault.COUNT, f"gigawords_{way}")
        columns[f"octets_{way}"] = low + (high.filled(0) % (1 << 24) << 32)
    session = fields["session"]
    digest = kernels.together(digest, kernels.digests(session.offsets, session.data))
    digest = kernels.together(digest, at_us)
    columns["key"] = kernels.together(digest, columns["octets_in"].filled(0))
    return Mediated(columns, faults.fault, faults.field, at_us)


def _numbers(text: Text, task: Task) -> tuple[Text, npt.NDArray[np.int32], Ints, States]:
    """Numbers as digits, their codes, digests and states."""
    layout, prefixes = task.layout, task.prefixes
    offsets, data, codes, digests, states = kernels.numbers(
        text.offsets,
        text.data,
        _bytes(layout.international),
        _bytes(layout.national),
        _bytes(layout.country),
        prefixes.children,
        prefixes.ends,
    )
    return Text(offsets, data), codes, digests, states


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _times(text: Text, task: Task, faults: _Faults, name: str) -> tuple[Ints, States]:
    if task.layout.times == "iso":
        rules = zones.offsets(task.layout.zone)
        at_us, states = clocks.iso_times(text.offsets, text.data, *rules)
    else:
        at_us, states = clocks.unix_times(text.offsets, text.data, UNITS[task.layout.times])
    faults.note(states == INVALID, Fault.TIME, name)
    _near(at_us, states == READ, task, faults, name)
    return at_us, states


def _near(at_us: Ints, known: Any, task: Task, faults: _Faults, name: str) -> None:
    """Times are of about now."""
    faults.note(known & (at_us > task.now_us + AHEAD_US), Fault.AHEAD, name)
    faults.note(known & (at_us < task.now_us - PAST_US), Fault.PAST, name)


def _counts(fields: Mapping[str, Text], name: str, faults: _Faults) -> Any:
    """Whole numbers, masked where there is none."""
    text = fields[name]
    values, states = kernels.wholes(text.offsets, text.data)
    faults.note((states == INVALID) | (states == NEGATIVE), Fault.COUNT, name)
    return np.ma.masked_array(values, states != READ)


def _named(fields: Mapping[str, Text], name: str, faults: _Faults) -> Ints:
    """The digest of a name, which must be there."""
    text = fields[name]
    faults.note(np.diff(text.offsets) == 0, Fault.NAMELESS, name)
    return kernels.digests(text.offsets, text.data)


_KINDS: Mapping[EventKind, Callable[[Mapping[str, Text], int, Task], Mediated]] = {
    EventKind.CALLS: _calls,
    EventKind.SAMPLES: _samples,
    EventKind.SEATS: _seats,
    EventKind.SESSIONS: _sessions,
}
