"""The imagined network: devices that survive, readings that repeat and look like a life."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.drivers.contract import Intent
from hansa.drivers.imagined import AWKWARD_S, FAMILIES, Dice, Setting
from hansa.drivers.registry import Kit
from hansa.drivers.simulated import kit
from hansa.foundation.readings import Call, OctetDay, Reading, SeatDay
from hansa.foundation.time import Period

NOVEMBER = Period.month(2026, 11)
START = datetime(2026, 10, 1, tzinfo=UTC)
MBPS = 37_500_000
"""Octets that 1 Mbit/s carries in five minutes."""


def month(
    family: str, characteristics: dict[str, int | str], seed: str = "s", service: str = "hld_1"
) -> list[Reading]:
    dice = Dice(seed, service)
    history = [Setting(START, characteristics)]
    return [
        reading for day in NOVEMBER.days() for reading in FAMILIES[family].day(dice, history, day)
    ]


def octets(readings: list[Reading]) -> list[int]:
    return [
        count
        for day in readings
        if isinstance(day, OctetDay)
        for count in (*day.octets_in, *day.octets_out)
        if count is not None
    ]


# --- readings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "characteristics"),
    [
        ("connectivity", {"speed_mbps": 100}),
        ("broadband", {"speed_mbps": 100}),
        ("voice", {"channels": 4}),
        ("security", {"seats": 50}),
    ],
)
def test_readings_are_the_seeds_and_the_services_own(
    family: str, characteristics: dict[str, int | str]
) -> None:
    first = month(family, characteristics)
    assert first == month(family, characteristics)
    assert first != month(family, characteristics, seed="other")
    assert first != month(family, characteristics, service="hld_2")


def test_known_readings_never_change() -> None:
    """Bills of the past depend on it: the same seed still gives what it gave."""
    line, seats = month("connectivity", {"speed_mbps": 100}), month("security", {"seats": 50})
    day = line[0]
    assert isinstance(day, OctetDay)
    assert isinstance(seats[0], SeatDay)
    assert (day.octets_in[120], day.octets_out[120], seats[0].seats) == (
        968_376_227,
        729_894_343,
        51,
    )
    call = month("voice", {"channels": 4})[0]
    assert isinstance(call, Call)
    assert (f"{call.answered_at:%d %H:%M:%S}", call.called, call.duration_s) == (
        "01 10:07:40",
        "+351212345662",
        202,
    )


@given(speed=st.integers(1, 100_000), family=st.sampled_from(["connectivity", "broadband"]))
@settings(max_examples=20, deadline=None)
def test_no_line_carries_more_than_its_speed(speed: int, family: str) -> None:
    counts = octets(month(family, {"speed_mbps": speed}))
    assert min(counts) >= 0
    assert max(counts) <= speed * MBPS


def test_an_office_works_by_day_and_rests_at_the_weekend() -> None:
    days = {one.day: one for one in month("connectivity", {"speed_mbps": 100})}  # type: ignore[union-attr]
    monday, sunday = days[date(2026, 11, 9)], days[date(2026, 11, 8)]
    assert isinstance(monday, OctetDay)
    assert isinstance(sunday, OctetDay)
    night, noon = (
        sum(count or 0 for count in monday.octets_in[hour * 12 : hour * 12 + 12])
        for hour in (3, 10)
    )
    assert noon > 5 * night
    assert octets([monday]) > octets([sunday]) or sum(octets([monday])) > sum(octets([sunday]))


def test_some_polls_are_missing_and_most_are_not() -> None:
    counts = Counter(
        count is None
        for one in month("connectivity", {"speed_mbps": 10})
        if isinstance(one, OctetDay)
        for count in one.octets_in
    )
    assert 0 < counts[True] < counts[False] // 20


@given(channels=st.integers(1, 12))
@settings(max_examples=12, deadline=None)
def test_channels_bound_the_calls_at_any_moment(channels: int) -> None:
    calls = [one for one in month("voice", {"channels": channels}) if isinstance(one, Call)]
    edges = sorted(
        edge
        for call in calls
        for edge in (
            (call.answered_at, 1),
            (call.answered_at + timedelta(seconds=call.duration_s), -1),
        )
        if call.duration_s
    )
    busy = most = 0
    for _, step in edges:
        busy += step
        most = max(most, busy)
    assert 0 < most <= channels


def test_calls_have_the_durations_on_which_increments_go_wrong() -> None:
    calls = [one for one in month("voice", {"channels": 30}) if isinstance(one, Call)]
    durations = Counter(call.duration_s for call in calls)
    assert set(AWKWARD_S) <= set(durations)
    assert {0, 1, 31, 60, 61, 205} <= set(durations)
    assert all(7 < len(call.called.removeprefix("+")) <= 15 for call in calls)
    assert all(call.called.removeprefix("+").isdigit() for call in calls)
    assert len({call.called[:4] for call in calls}) > 5


def test_more_channels_add_calls_and_take_none_away() -> None:
    few, many = (set(month("voice", {"channels": count})) for count in (2, 5))
    assert few < many


def test_seats_stay_near_what_was_ordered() -> None:
    seats = [one.seats for one in month("security", {"seats": 250}) if isinstance(one, SeatDay)]
    assert len(seats) == 30
    assert 225 <= min(seats) < max(seats) <= 262
    assert month("security", {"seats": 1})[0].seats == 1  # type: ignore[union-attr]


def test_a_quantity_is_so_many_at_once() -> None:
    one = octets(month("connectivity", {"speed_mbps": 100}))
    two = octets(month("connectivity", {"speed_mbps": 50, "quantity": 2}))
    assert one == two


# --- configuration through time -----------------------------------------------------------------


def devices(folder: Path) -> Kit:
    return kit(folder=folder, seed="s")


def line(speed: int) -> Intent:
    return Intent("hld_1", "connectivity", "line", None, {"speed_mbps": speed})


def test_a_past_month_is_read_at_the_speed_of_then(tmp_path: Path) -> None:
    driver, meter = (
        getattr(devices(tmp_path), what)["connectivity"] for what in ("drivers", "meters")
    )
    driver.apply(line(100), now=datetime(2026, 11, 2, 8, 3, tzinfo=UTC))
    before = meter.readings("hld_1", NOVEMBER)
    driver.apply(line(400), now=datetime(2026, 12, 5, tzinfo=UTC))
    assert meter.readings("hld_1", NOVEMBER) == before
    driver.teardown("hld_1", now=datetime(2026, 12, 9, tzinfo=UTC))
    assert meter.readings("hld_1", NOVEMBER) == before
    first = before[0]
    assert isinstance(first, OctetDay)
    assert first.day == date(2026, 11, 2)
    assert set(first.octets_in[:97]) == {None}
    assert first.octets_in[97] is not None


def test_a_change_is_felt_from_its_moment_on(tmp_path: Path) -> None:
    kept = devices(tmp_path)
    driver, meter = kept.drivers["connectivity"], kept.meters["connectivity"]
    driver.apply(line(10), now=START)
    driver.apply(line(1000), now=datetime(2026, 11, 16, 12, tzinfo=UTC))
    day = meter.readings("hld_1", Period.month(2026, 11))[15]
    assert isinstance(day, OctetDay)
    assert max(count or 0 for count in day.octets_in[:144]) <= 10 * MBPS
    assert max(count or 0 for count in day.octets_in[144:]) > 10 * MBPS


def test_a_clock_that_is_behind_does_not_rewrite_the_past(tmp_path: Path) -> None:
    kept = devices(tmp_path)
    driver = kept.drivers["connectivity"]
    driver.apply(line(10), now=START)
    driver.apply(line(20), now=START - timedelta(days=1))
    history = json.loads(next(tmp_path.glob("*.json")).read_text())["history"]
    assert [one["at"] for one in history] == [START.isoformat()] * 2
    observed = driver.observe("hld_1")
    assert observed is not None
    assert observed.characteristics == {"speed_mbps": 20}


# --- devices are outside the process ------------------------------------------------------------


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    driver = devices(tmp_path).drivers["connectivity"]

    def apply(number: int) -> None:
        driver.apply(line(number + 1), now=START + timedelta(seconds=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(apply, range(40)))
    history = json.loads(next(tmp_path.glob("*.json")).read_text())["history"]
    assert Counter(one["characteristics"]["speed_mbps"] for one in history) == Counter(range(1, 41))
    assert [one["at"] for one in history] == sorted(one["at"] for one in history)


BUSY = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from hansa.drivers.contract import Intent
from hansa.drivers.simulated import kit
driver = kit(folder=Path(sys.argv[1]), seed="s").drivers["connectivity"]
at = datetime(2026, 10, 1, tzinfo=UTC)
for number in range(1, 100_000):
    driver.apply(
        Intent("hld_1", "connectivity", "line", None, {"speed_mbps": number}),
        now=at + timedelta(seconds=number),
    )
    print(number, flush=True)
"""


def test_a_kill_in_the_middle_leaves_a_whole_device(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    last = 0
    while last < 25:
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    last = max([last, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    observed = devices(tmp_path).drivers["connectivity"].observe("hld_1")
    assert observed is not None
    assert observed.characteristics["speed_mbps"] in {last, last + 1}


def test_a_service_may_be_called_anything(tmp_path: Path) -> None:
    driver = devices(tmp_path).drivers["connectivity"]
    names = ("../../etc", "a/b", "ä ö", "..", "x" * 60)
    for number, name in enumerate(names):
        driver.apply(replace(line(number + 1), service=name), now=START)
    assert {file.parent for file in tmp_path.rglob("*.json")} == {tmp_path}
    for number, name in enumerate(names):
        observed = driver.observe(name)
        assert observed is not None
        assert observed.characteristics == {"speed_mbps": number + 1}


def test_nothing_is_ever_measured(tmp_path: Path) -> None:
    assert not any(driver.measured for driver in devices(tmp_path).drivers.values())
