"""A source's file comes in: every record is an event, a duplicate or set aside, and only once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.time import Period
from hansa.lifecycle.usage.model import Fault
from hansa.lifecycle.usage.rules.layouts import KNOWN
from hansa.lifecycle.usage.store import manifest, months
from tests.lifecycle.usage.counter import CODES, Counter, call, csv, told

# --- what a call becomes ------------------------------------------------------------------------


def test_a_call_is_understood(counter: Counter) -> None:
    made = counter.take(csv(call("c1"), call("c2", calling="", called="0044201234")))
    assert told(made) == (2, 2, 0, 0)
    (file,) = made.files
    assert (file.month, file.accounting, file.late) == ("2026-11", "2026-11", False)
    second, first = counter.rows(file)
    assert first.pop("key") != second.pop("key")
    assert first == {
        "event_id": (made.number << 32) + 2,
        "source_ref": "c1",
        "route_id": 1,
        "calling": "27101234567",
        "called": "22507070000",
        "answered_us": 1_793_606_400_000_000,
        "duration_s": 61,
        "code_id": CODES.index("2250"),
        "origin_id": CODES.index("27"),
    }
    assert (second["called"], second["code_id"]) == ("0044201234", -1)
    assert (second["calling"], second["origin_id"]) == ("", -2)
    assert (file.first_us, file.last_us) == (first["answered_us"], first["answered_us"])


def test_numbers_are_brought_into_one_form(counter: Counter) -> None:
    layout = replace(KNOWN["calls"], international="00", national="0", country="27")
    numbers = ["+442012345678", "00442012345678", "0112345678", "112", " 2711 ", "Anonymous"]
    lines = [call(str(n), calling=number) for n, number in enumerate(numbers)]
    made = counter.take(csv(*lines), layout=layout)
    found = {row["source_ref"]: row["calling"] for row in counter.rows(made)}
    assert [found[str(n)] for n in range(6)] == [
        "442012345678", "442012345678", "27112345678", "112", "2711", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2026-11-02T08:00:00", "UTC", "08:00:00"),
        ("2026-11-02 08:00:00.25", "UTC", "08:00:00.250000"),
        ("20261102080000", "UTC", "08:00:00"),
        ("2026-11-02T08:00:00+02:00", "America/Lima", "06:00:00"),
        ("2026-11-02T08:00:00Z", "America/Lima", "08:00:00"),
        ("2026-11-02T08:00:00", "America/Lima", "13:00:00"),
        ("2026-11-02T08:00:00", "Africa/Johannesburg", "06:00:00"),
    ],
)
def test_times_are_of_the_sources_zone(counter: Counter, written: str, zone: str, utc: str) -> None:
    layout = replace(KNOWN["calls"], zone=zone)
    made = counter.take(csv(call(started="", answered=written)), layout=layout)
    (row,) = counter.rows(made)
    at = pa.scalar(row["answered_us"], pa.timestamp("us")).as_py()
    assert str(at) == f"2026-11-02 {utc}"


def test_an_hour_that_comes_twice_and_one_that_never_came(counter: Counter) -> None:
    layout = replace(KNOWN["calls"], zone="Europe/Berlin")
    made = counter.take(
        csv(
            call("twice", started="", answered="2026-10-25T02:30:00"),
            call("never", started="", answered="2026-03-29T02:30:00"),
        ),
        layout=layout,
    )
    (row,) = counter.rows(made)
    assert row["answered_us"] == 1_792_888_200_000_000  # the first time round, still in summer
    assert [(bad.fault, bad.row) for bad in counter.bad(made)] == [(Fault.TIME, 3)]


def test_seconds_since_1970(counter: Counter) -> None:
    for times, written in (
        ("s", "1793606400.5"),
        ("ms", "1793606400500"),
        ("us", "1793606400500000"),
    ):
        layout = replace(KNOWN["calls"], times=times)  # type: ignore[arg-type]
        made = counter.take(csv(call(times, started="", answered=written)), layout=layout)
        assert counter.rows(made)[0]["answered_us"] == 1_793_606_400_500_000


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("0", 0), ("61", 61), ("60.001", 61), ("60.000", 60), ("00:01:01", 61), ("1:00", 60)],
)
def test_a_second_begun_is_a_second(counter: Counter, duration: str, seconds: int) -> None:
    made = counter.take(csv(call(duration=duration)))
    assert counter.rows(made)[0]["duration_s"] == seconds


def test_a_call_that_nobody_answered_lasted_no_time(counter: Counter) -> None:
    made = counter.take(csv(call(answered="", duration="0"), call("c2", answered="", duration="")))
    assert [(row["duration_s"], row["answered_us"]) for row in counter.rows(made)] == [
        (0, 1_793_606_390_000_000)
    ] * 2


def test_without_a_duration_it_lasts_until_it_ended(counter: Counter) -> None:
    head = "called,answered,ended"
    layout = replace(KNOWN["calls"], trunk_in="a", trunk_out="b")
    line = "27111,2026-11-02T08:00:00,2026-11-02T08:01:00.5"
    made = counter.take(csv(line, head=head), layout=layout)
    assert counter.rows(made)[0]["duration_s"] == 61
    with counter.begin() as tx:
        (route,) = manifest.routes(tx)
    assert (route.trunk_in, route.trunk_out) == ("a", "b")


def test_kamailio(counter: Counter) -> None:
    """As acc writes it through db_flatstore: no header, and more columns than we look at."""
    lines = (
        "2026-11-02T08:00:00|2026-11-02T08:00:03|3.021|9f2@site|acme|+49305550001|+27111|mtn||A||7\n"
        "2026-11-02T08:00:01|2026-11-02T08:00:03|2.000|9f3@site|acme|+49305550001|+2711\n"
    )
    made = counter.take(lines.encode(), "cdrs_1.log", "kamailio")
    assert told(made) == (2, 1, 1, 0)
    (row,) = counter.rows(made)
    assert (row["source_ref"], row["duration_s"], row["called"]) == ("9f2@site", 4, "27111")
    assert [(one.row, one.fault) for one in counter.bad(made)] == [(2, Fault.COLUMNS)]


def test_the_same_call_in_every_form_is_the_same(counter: Counter, tmp_path: Path) -> None:
    json_line = (
        '{"id":"j1","calling":"+27101234567","called":"+22507070000",'
        '"answered":"2026-11-02T08:00:00","duration":61,"trunk_in":"shop","trunk_out":"mtn-1"}\n'
    )
    place = tmp_path / "calls.parquet"
    moment = pa.array([1_793_606_400_000_000], pa.timestamp("us", "Africa/Lagos"))
    pq.write_table(
        pa.table(
            {
                "id": ["p1"], "calling": ["+27101234567"], "called": ["+22507070000"],
                "answered": moment, "duration": [61], "trunk_in": ["shop"], "trunk_out": ["mtn-1"],
            }
        ),
        place,
    )  # fmt: skip
    found = [
        counter.rows(made)[0]
        for made in (
            counter.take(csv(call())),
            counter.take(csv(call("q1")).replace(b"+2250", b'"+2250').replace(b"0000,", b'0000",')),
            counter.take(json_line.encode(), "b.jsonl", "calls-jsonl"),
            counter.take(place.read_bytes(), "c.parquet", "calls-parquet"),
        )
    ]
    same = [
        {
            name: value
            for name, value in row.items()
            if name not in ("event_id", "source_ref", "key")
        }
        for row in found
    ]
    assert same == [same[0]] * 4


# --- once, and only once ------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(counter: Counter) -> None:
    first, new = counter.given(csv(call()))
    again, other = counter.given(csv(call()), name="under-another-name.csv")
    assert (new, other) == (True, False)
    assert again == first
    assert len(counter.on_disk()) == 1


def test_the_same_event_again_is_a_duplicate(counter: Counter) -> None:
    """By its source's id, or by all that it says; within a file and against another."""
    named, nameless = call("c1"), call("", duration="7")
    first = counter.take(csv(named, nameless, call("c1", duration="99"), nameless))
    assert told(first) == (4, 2, 0, 2)
    second = counter.take(csv(nameless, call("c3"), named))
    assert told(second) == (3, 1, 0, 2)
    assert [row["source_ref"] for row in counter.rows(second)] == ["c3"]


def test_another_source_may_give_the_same_id(counter: Counter) -> None:
    """But a call without an id is the same, whoever tells of it."""
    counter.take(csv(call("c1"), call("")))
    other = replace(KNOWN["calls"], source="other-switch")
    made = counter.take(csv(call("c1"), call(""), call("c2")), layout=other)
    assert told(made) == (3, 2, 0, 1)


def test_what_differs_in_anything_is_another_call(counter: Counter) -> None:
    others = [
        call("", duration="62"),
        call("", called="+22507070001"),
        call("", calling="+27101234568"),
        call("", answered="2026-11-02T08:00:01"),
        call("", trunk_in="other"),
        call("", trunk_out="other"),
    ]
    assert told(counter.take(csv(call(""), *others))) == (7, 7, 0, 0)


def test_a_file_of_nothing_but_duplicates_leaves_no_events(counter: Counter) -> None:
    counter.take(csv(call("c1"), call("c2")))
    made = counter.take(csv(call("c2"), call("c1")))
    assert told(made) == (2, 0, 0, 2)
    assert made.files[0].path is None
    assert len(counter.on_disk()) == 1


EXAMPLE = itertools.count(10_000_000)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    deliveries=st.lists(
        st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(1, 3)), max_size=12),
        min_size=1,
        max_size=4,
    ),
)
def test_each_event_is_there_once(
    counter: Counter, deliveries: list[list[tuple[str, int]]]
) -> None:
    """Whatever comes however often: by hand, a set of what makes each one of its kind."""
    day = next(EXAMPLE)  # each example has calls of its own
    seen: set[object] = set()
    for number, lines in enumerate(deliveries):
        new = {(id and f"{day}{id}", 0 if id else duration) for id, duration in lines} - seen
        seen |= new
        content = csv(
            *(
                call(id and f"{day}{id}", duration=str(duration), calling=f"+27{day}")
                for id, duration in lines
            ),
            f"{day}-{number}",  # so that no two files have the same content
        )
        made = counter.take(content)
        assert told(made) == (len(lines) + 1, len(new), 1, len(lines) - len(new))


# --- months -------------------------------------------------------------------------------------


def test_a_file_of_several_months_is_split(counter: Counter) -> None:
    made = counter.take(
        csv(
            call("c1", started="", answered="2026-10-31T23:59:59"),
            call("c2", started="", answered="2026-11-01T00:00:00"),
            call("c3", started="", answered="2026-10-01T00:00:00", called="x"),
            call("c4", answered="yesterday"),
        )
    )
    assert told(made) == (4, 2, 2, 0)
    found = [(file.month, file.events, file.quarantined) for file in made.files]
    assert found == [("", 0, 1), ("2026-10", 1, 1), ("2026-11", 1, 0)]


def test_what_comes_late_is_an_adjustment(counter: Counter) -> None:
    october, november = Period.month(2026, 10), Period.month(2026, 11)
    with counter.begin() as tx:
        for month in (october, november):
            months.open_period(tx, month, counter.now)
        months.close_period(tx, october, counter.now)
    content = csv(call("c1", started="", answered="2026-10-31T23:59:59"), call("c2"))
    late, usual = counter.take(content).files
    assert (late.month, late.accounting, late.late) == ("2026-10", "2026-11", True)
    assert (usual.month, usual.accounting, usual.late) == ("2026-11", "2026-11", False)
    with counter.begin() as tx:
        months.close_period(tx, november, counter.now)
    (later,) = counter.take(csv(call("c3"))).files
    assert (later.month, later.accounting) == ("2026-11", "2026-12")
