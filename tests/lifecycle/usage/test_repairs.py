"""What was set aside is corrected and taken in again; where every record is, is always shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.lifecycle.usage.actions import events, quarantine
from hansa.lifecycle.usage.model import Balance, Delivery, Fault, Repair
from tests.lifecycle.usage.counter import NOW, Counter, call, csv, told


def repair(counter: Counter, of: Delivery, field: str, value: str, **more: Any) -> int:
    said = Repair(
        of.number,
        more.get("row"),
        more.get("reason"),
        field,
        more.get("pattern"),
        value,
        "ann",
        "the switch said so",
        NOW,
    )
    with counter.begin() as tx:
        return quarantine.repair(tx, repair=said, folder=counter.folder)


def replay(counter: Counter, of: Delivery, **more: Any) -> Delivery:
    return quarantine.replay(
        counter.begin,
        number=of.number,
        codes=counter.known(),
        folder=counter.folder,
        now=NOW,
        **more,
    )


def waiting(counter: Counter, of: Delivery, reason: Fault | None = None) -> list[int]:
    with counter.begin() as tx:
        found = quarantine.records(tx, of=of, folder=counter.folder, reason=reason)
        return [one.row for one in found]


def balance(counter: Counter) -> list[tuple[int, int, int, int, int, int]]:
    """in, rated, waiting, quarantined, no price, duplicate; of each file and month."""
    with counter.begin() as tx:
        found = events.balances(tx)
    assert all(one.even for one in found)
    return [
        (one.rows, one.rated, one.waiting, one.quarantined, one.no_price, one.duplicate)
        for one in found
    ]


# --- one record, and many -----------------------------------------------------------------------


def test_one_record_is_corrected_and_comes_in(counter: Counter) -> None:
    made = counter.take(csv(call("c1"), call("c2", called="+2711O"), call("c3", called="x")))
    assert repair(counter, made, "called", "+27110", row=3) == 1
    again = replay(counter, made)
    assert (told(again), again.replays, again.name) == (
        (1, 1, 0, 0),
        made.number,
        "a.csv (replayed)",
    )
    (row,) = counter.rows(again)
    assert (row["event_id"], row["called"]) == ((again.number << 32) + 3, "27110")
    assert row["source_ref"] == "c2"
    assert waiting(counter, made) == [4]
    assert balance(counter) == [(3, 0, 1, 2, 0, 0), (1, 0, 1, 0, 0, 0)]


def test_many_are_corrected_by_one_rule(counter: Counter) -> None:
    lines = [call(f"c{n}", called=f"tel:+2711{n}") for n in range(3)]
    made = counter.take(csv(*lines, call("c9", duration="-9")))
    assert repair(counter, made, "called", "", reason="number-invalid", pattern="^tel:") == 3
    again = replay(counter, made)
    assert told(again) == (3, 3, 0, 0)
    assert sorted(row["called"] for row in counter.rows(again)) == ["27110", "27111", "27112"]
    assert waiting(counter, made) == [5]
    assert waiting(counter, made, Fault.NUMBER) == []
    with pytest.raises(NotFound, match="quarantine-empty"):
        replay(counter, made)


def test_a_broken_line_is_given_anew(counter: Counter) -> None:
    made = counter.take(csv(call("c1")) + b"c2;oops\n")
    assert repair(counter, made, "line", call("c2", duration="7"), row=3) == 1
    (row,) = counter.rows(replay(counter, made))
    assert (row["source_ref"], row["duration_s"]) == ("c2", 7)


def test_a_name_in_another_encoding_is_corrected(counter: Counter) -> None:
    made = counter.take(csv() + call("c2", trunk_in="caf\xe9").encode("latin-1") + b"\n")
    assert repair(counter, made, "trunk_in", "cafe", row=2) == 1
    assert told(replay(counter, made)) == (1, 1, 0, 0)


def test_json_is_corrected_by_its_fields(counter: Counter) -> None:
    line = b'{"id":"j1","called":"27111x","answered":"2026-11-02T08:00:00","duration":5.5}\n'
    made = counter.take(line, "a.jsonl", "calls-jsonl")
    repair(counter, made, "called", "", pattern="x$")
    (row,) = counter.rows(replay(counter, made))
    assert (row["called"], row["duration_s"], row["source_ref"]) == ("27111", 6, "j1")


def test_what_is_still_wrong_is_set_aside_again_and_corrected_there(counter: Counter) -> None:
    made = counter.take(csv(call("c1", called="x", duration="-1")))
    repair(counter, made, "called", "27111")
    second = replay(counter, made)
    assert told(second) == (1, 0, 1, 0)
    assert waiting(counter, made) == []
    (bad,) = counter.bad(second)
    assert (bad.row, bad.fault) == (2, Fault.NEGATIVE)
    repair(counter, second, "duration", "1")
    third = replay(counter, second)
    assert (told(third), third.replays) == ((1, 1, 0, 0), second.number)
    assert counter.rows(third)[0]["event_id"] & 0xFFFFFFFF == 2


def test_what_came_by_another_way_meanwhile_is_a_duplicate(counter: Counter) -> None:
    made = counter.take(csv(call("c1", called="x")))
    counter.take(csv(call("c1")))
    repair(counter, made, "called", "+22507070000")
    assert told(replay(counter, made)) == (1, 0, 0, 1)


def test_all_can_be_replayed_as_they_are(counter: Counter) -> None:
    """When it was not the records that were wrong: here the node's clock was two days behind."""
    made = counter.take(csv(call("c1", answered="2026-11-22T08:00:00", started="")))
    assert told(made) == (1, 0, 1, 0)
    with pytest.raises(NotFound, match="quarantine-empty"):
        replay(counter, made)
    later = datetime(2026, 11, 22, 9, tzinfo=UTC)
    again = quarantine.replay(
        counter.begin,
        number=made.number,
        codes=counter.known(),
        folder=counter.folder,
        now=later,
        everything=True,
    )
    assert told(again) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("field", "value", "more"),
    [
        ("colour", "red", {}),
        ("called", "1", {"row": 2, "reason": "number-invalid"}),
        ("called", "1", {"reason": "no-such"}),
        ("called", "1", {"pattern": "("}),
        ("called", r"\9", {"pattern": "x"}),
        ("line", "x", {}),
    ],
)
def test_a_correction_that_cannot_be_meant_is_refused(
    counter: Counter, field: str, value: str, more: Any
) -> None:
    made = counter.take(csv(call("c1", called="x")))
    with pytest.raises(Refused, match="repair-invalid"):
        repair(counter, made, field, value, **more)


def test_a_correction_of_nothing_is_refused(counter: Counter) -> None:
    made = counter.take(csv(call("c1", called="x")))
    for more in ({"row": 9}, {"reason": "time-invalid"}):
        with pytest.raises(NotFound, match="quarantine-empty"):
            repair(counter, made, "called", "1", **more)
    with pytest.raises(NotFound, match="delivery-unknown"), counter.begin() as tx:
        quarantine.delivery(tx, number=99)


# --- the balance --------------------------------------------------------------------------------


def test_what_rating_says_is_in_the_balance(counter: Counter) -> None:
    lines = [call(f"c{n}") for n in range(5)]
    made = counter.take(csv(*lines, call("c0"), call("c9", called="x")))
    assert balance(counter) == [(7, 0, 5, 1, 0, 1)]
    with counter.begin() as tx:
        events.told(tx, delivery=made.number, month="2026-11", rated=3, no_price=2)
    assert balance(counter) == [(7, 3, 0, 3, 2, 1)]
    with counter.begin() as tx:
        events.told(tx, delivery=made.number, month="2026-11", rated=5, no_price=0)
    assert balance(counter) == [(7, 5, 0, 1, 0, 1)]
    with pytest.raises(NotFound, match="delivery-unknown"), counter.begin() as tx:
        events.told(tx, delivery=made.number, month="2026-10", rated=1, no_price=0)


def test_rating_cannot_say_more_than_came_in(counter: Counter) -> None:
    made = counter.take(csv(call("c1")))
    with pytest.raises(Exception, match="check constraint"), counter.begin() as tx:
        events.told(tx, delivery=made.number, month="2026-11", rated=1, no_price=1)


def test_an_uneven_balance_says_so() -> None:
    usual = Balance(1, "a", "2026-11", "2026-11", 9, 4, 2, 2, 1, 1)
    assert usual.even
    assert not Balance(1, "a", "2026-11", "2026-11", 9, 4, 2, 2, 1, 2).even


# --- codes that change --------------------------------------------------------------------------


def test_a_file_is_matched_to_other_codes(counter: Counter) -> None:
    made = counter.take(csv(call("c1"), call("c2", called="4420"), call("c3", called="81")))
    (file,) = made.files
    before = {row["source_ref"]: row for row in counter.rows(file)}
    counter.codes = ["22507", "27", "44", "8"]
    moved = events.rematch(counter.begin, file=file, codes=counter.known(), folder=counter.folder)
    after = {row["source_ref"]: row for row in counter.rows(moved)}
    assert [after[one]["code_id"] for one in ("c1", "c2", "c3")] == [0, 2, 3]
    assert {row["origin_id"] for row in after.values()} == {1}
    other = ("code_id", "origin_id")
    assert {
        ref: {name: value for name, value in row.items() if name not in other}
        for ref, row in after.items()
    } == {
        ref: {name: value for name, value in row.items() if name not in other}
        for ref, row in before.items()
    }
    assert counter.on_disk() == {moved.path}
    with counter.begin() as tx:
        assert list(events.files(tx, month="2026-11")) == [moved]
    assert moved.path is not None
    assert events.codes_of(counter.folder / moved.path) == moved.codes
    same = events.rematch(counter.begin, file=moved, codes=counter.known(), folder=counter.folder)
    assert same == moved


def test_events_that_moved_are_still_known(counter: Counter) -> None:
    made = counter.take(csv(call("c1")))
    counter.codes = ["8"]
    events.rematch(counter.begin, file=made.files[0], codes=counter.known(), folder=counter.folder)
    assert told(counter.take(csv(call("c1"), call("c2")))) == (2, 1, 0, 1)
