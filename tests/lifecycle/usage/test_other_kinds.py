"""Samples of octets, snapshots of seats, and what access servers tell of sessions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.lifecycle.usage.actions import events
from hansa.lifecycle.usage.model import Fault
from hansa.lifecycle.usage.rules.sessions import DAY_US, volumes
from tests.lifecycle.usage.counter import Counter, csv, told

SAMPLES = "point,slot,octets_in,octets_out"
SEATS = "point,day,seats"

# --- samples and seats --------------------------------------------------------------------------


def test_a_poll_that_was_missed_is_no_zero(counter: Counter) -> None:
    made = counter.take(
        csv("p1,2026-11-02T08:00:00,0,5", "p1,2026-11-02T08:05:00,,7", head=SAMPLES),
        layout="samples",
    )
    assert told(made) == (2, 2, 0, 0)
    found = [
        (row["point"], row["slot_s"], row["octets_in"], row["octets_out"])
        for row in counter.rows(made)
    ]
    assert found == [("p1", 1_793_606_400, 0, 5), ("p1", 1_793_606_700, None, 7)]


@pytest.mark.parametrize(
    ("line", "fault", "field"),
    [
        ("p1,2026-11-02T08:01:00,1,1", Fault.TIME, "slot"),
        ("p1,,1,1", Fault.NO_TIME, "slot"),
        (",2026-11-02T08:00:00,1,1", Fault.NAMELESS, "point"),
        ("p1,2026-11-02T08:00:00,-1,1", Fault.COUNT, "octets_in"),
        ("p1,2026-11-02T08:00:00,1,1.5", Fault.COUNT, "octets_out"),
    ],
)
def test_a_sample_that_cannot_be_so(counter: Counter, line: str, fault: Fault, field: str) -> None:
    made = counter.take(csv(line, head=SAMPLES), layout="samples")
    assert told(made) == (1, 0, 1, 0)
    assert [(bad.fault, bad.field) for bad in counter.bad(made)] == [(fault, field)]


def test_the_same_reading_again_is_a_duplicate_and_another_is_a_question(
    counter: Counter,
) -> None:
    first = "p1,2026-11-02T08:00:00,10,20"
    counter.take(csv(first, head=SAMPLES), layout="samples")
    other = "p1,2026-11-02T08:00:00,11,20"
    made = counter.take(
        csv(first, other, "p2,2026-11-02T08:00:00,1,1", head=SAMPLES), layout="samples"
    )
    assert told(made) == (3, 1, 1, 1)
    (bad,) = counter.bad(made)
    assert (bad.row, bad.fault, bad.month, bad.raw.decode()) == (3, Fault.DIFFERS, "2026-11", other)


def test_seats_are_counted_by_day(counter: Counter) -> None:
    made = counter.take(
        csv(
            "t1,2026-11-02,12",
            "t1,2026-11-02,12",
            "t1,2026-11-02,13",
            "t1,2026-02-30,1",
            "t1,2026-11-03,",
            "t2,20261102,0",
            head=SEATS,
        ),
        layout="seats",
    )
    assert told(made) == (6, 2, 3, 1)
    found = [(row["point"], str(row["day"]), row["seats"]) for row in counter.rows(made)]
    assert found == [("t1", "2026-11-02", 12), ("t2", "2026-11-02", 0)]
    assert sorted((bad.row, bad.fault) for bad in counter.bad(made)) == [
        (4, Fault.DIFFERS), (5, Fault.TIME), (6, Fault.COUNT),
    ]  # fmt: skip


# --- accounting ---------------------------------------------------------------------------------

START_S = 1_793_606_400


def block(status: str, after_s: int, octets: int, *, session: str = "s1", **other: Any) -> str:
    """A block as FreeRADIUS writes it into its detail file."""
    told = {
        "User-Name": '"bob"',
        "Acct-Status-Type": status,
        "Acct-Session-Id": f'"{session}"',
        "NAS-IP-Address": "10.0.0.1",
        "Acct-Session-Time": after_s,
        "Acct-Input-Octets": octets % (1 << 32),
        "Acct-Input-Gigawords": octets >> 32,
        "Acct-Output-Octets": 0,
        "Timestamp": START_S + after_s,
        **other,
    }
    lines = "".join(f"\t{name} = {value}\n" for name, value in told.items() if value is not None)
    return f"Mon Nov  2 08:00:00 2026\n{lines}\n"


def carried(counter: Counter, month: str = "2026-11") -> list[tuple[str, int, int]]:
    with counter.begin() as tx:
        found = events.session_volumes(tx, month=month, folder=counter.folder)
    first = START_S // 86_400
    return [(one.point, one.day - first, one.octets_in) for one in found]


def test_a_session_of_two_days(counter: Counter) -> None:
    """Past the 32 bits of its counter; an interim update comes twice; its stop never."""
    detail = "".join(
        [
            block("Start", 0, 0),
            block("Interim-Update", 600, 3 << 30),
            block("Interim-Update", 600, 3 << 30),
            block("Interim-Update", 1200, 5 << 30),
            block("Interim-Update", 86_400, 6 << 30),
        ]
    )
    made = counter.take(detail.encode(), "detail-20261102", "radius")
    assert told(made) == (5, 4, 0, 1)
    assert carried(counter) == [("bob", 0, 5 << 30), ("bob", 1, 1 << 30)]


def test_a_session_that_goes_on_in_another_file(counter: Counter) -> None:
    counter.take(block("Start", 0, 0).encode(), layout="radius")
    counter.take(block("Stop", 900, 700).encode(), layout="radius")
    counter.take(block("Interim-Update", 300, 400).encode(), layout="radius")  # it was held up
    assert carried(counter) == [("bob", 0, 700)]


def test_a_server_without_gigawords(counter: Counter) -> None:
    nothing: dict[str, Any] = {"Acct-Input-Gigawords": None}
    counts = (4_000_000_000, 500_000_000, 4_200_000_000, 100)
    detail = "".join(
        block("Alive", 300 * at, count, **nothing) for at, count in enumerate(counts, start=1)
    )
    counter.take(detail.encode(), layout="radius")
    assert carried(counter) == [("bob", 0, 2 * (1 << 32) + 100)]


def test_a_session_over_the_end_of_a_month(counter: Counter) -> None:
    before = -40 * 3600  # 31 October, 16:00
    unsaid: dict[str, Any] = {"Acct-Session-Time": None}
    detail = block("Start", before, 0, **unsaid) + block("Alive", before + 60, 100, **unsaid)
    counter.take((detail + block("Stop", 0, 350)).encode(), layout="radius")
    assert carried(counter) == [("bob", 0, 250)]
    assert [octets for _, _, octets in carried(counter, "2026-10")] == [100]


def test_accounting_as_csv(counter: Counter) -> None:
    head = "NAS-IP-Address,Acct-Session-Id,User-Name,Acct-Status-Type,Timestamp,Acct-Input-Octets"
    lines = [f"10.0.0.1,s1,bob,{status},{START_S + at},{at}" for at, status in ((0, "1"), (9, "2"))]
    made = counter.take(csv(*lines, head=head), layout="radius-csv")
    assert told(made) == (2, 2, 0, 0)
    assert carried(counter) == [("bob", 0, 9)]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Acct-Status-Type": "Failed"}, Fault.STATUS),
        ({"Acct-Session-Id": None}, Fault.NAMELESS),
        ({"NAS-IP-Address": None}, Fault.NAMELESS),
        ({"Timestamp": None}, Fault.NO_TIME),
        ({"Timestamp": "soon"}, Fault.TIME),
        ({"Acct-Input-Octets": "-5"}, Fault.COUNT),
        ({"Acct-Input-Gigawords": 1 << 30}, Fault.COUNT),
        ({"User-Name": '"bob'}, Fault.UNREADABLE),
    ],
)
def test_accounting_that_cannot_be_so(counter: Counter, change: Any, fault: Fault) -> None:
    content = block("Stop", 5, 5, **change) + block("Accounting-On", 0, 0, session="")
    made = counter.take(content.encode(), layout="radius")
    assert told(made) == (2, 1, 1, 0)
    assert [(bad.row, bad.fault) for bad in counter.bad(made)] == [(1, fault)]
    assert carried(counter) == []


def test_a_detail_file_that_was_cut_short(counter: Counter) -> None:
    content = (block("Start", 0, 0) + block("Stop", 9, 123456)).rstrip()
    made = counter.take(content[:-3].encode(), layout="radius")
    assert told(made) == (2, 1, 1, 0)
    assert [(bad.row, bad.fault) for bad in counter.bad(made)] == [(12, Fault.UNREADABLE)]


def test_accounting_of_several_servers_keeps_apart(counter: Counter) -> None:
    other: dict[str, Any] = {"NAS-IP-Address": "10.0.0.2"}
    content = block("Stop", 5, 5) + block("Stop", 5, 7, **other)
    counter.take(content.encode(), layout="radius")
    assert carried(counter) == [("bob", 0, 12)]


@given(
    steps=st.lists(
        st.tuples(st.integers(1, DAY_US), st.integers(0, (1 << 31) - 1)), min_size=1, max_size=12
    ),
    shuffled=st.randoms(),
    wraps=st.booleans(),
)
def test_a_session_carries_what_it_carried(
    steps: list[tuple[int, int]], shuffled: Any, wraps: bool
) -> None:
    """In whatever order its records come, and whether or not its server tells the gigawords."""
    at, total, by_day = 0, 0, dict[int, int]()
    records = []
    for pause, octets in steps:
        at, total = at + pause, total + octets
        by_day[at // DAY_US] = by_day.get(at // DAY_US, 0) + octets
        count = total % (1 << 32) if wraps else total
        row = {"nas": "n", "session": "s", "point": "p", "status": "interim", "at_us": at}
        records += [{**row, "octets_in": count, "octets_out": None}] * 2
    shuffled.shuffle(records)
    assert {one.day: one.octets_in for one in volumes(records)} == by_day
