"""Octets go to their five minutes, holes stay holes, and a day that is over is told for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hansa.drivers.connectivity.meter import Counters, Meters
from hansa.drivers.connectivity.telemetry import Round, named, read_irtt, read_ping
from hansa.foundation.readings import SAMPLES_A_DAY
from hansa.foundation.time import Period

DAY = datetime(2026, 11, 2, tzinfo=UTC)
MONTH = Period.month(2026, 11)


def at(minute: float, *, day: int = 0) -> datetime:
    return DAY + timedelta(days=day, minutes=minute)


def of(to: int, back: int, *, index: int = 1) -> Counters:
    return {"t1n": (index, to, back)}


def test_octets_go_to_the_five_minutes_in_which_they_went(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    for minute, to in ((0, 1000), (5, 1500), (10.1, 3500)):
        meters.write("hld", of(to, 2 * to), now=at(minute))
    assert meters.readings("hld", MONTH) == (), "the day is not over"
    meters.write("hld", of(9000, 9000), now=at(0, day=1))
    (day,) = meters.readings("hld", MONTH)
    assert day.day == DAY.date()
    assert day.octets_in == (500, 2000, *[None] * (SAMPLES_A_DAY - 2))
    assert day.octets_out == (1000, 4000, *[None] * (SAMPLES_A_DAY - 2))


def test_a_counter_that_began_anew_is_a_hole(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    for minute, counters in (
        (0, of(1000, 0)),
        (5, of(900, 0)),
        (10, of(1900, 0, index=2)),
        (15, of(2000, 0, index=2)),
        (20, {}),
        (25, of(2100, 0, index=2)),
    ):
        meters.write("hld", counters, now=at(minute))
    meters.write("hld", None, now=at(30))
    (day,) = meters.readings("hld", MONTH)
    assert [slot for slot, octets in enumerate(day.octets_in) if octets is not None] == [2]
    assert day.octets_in[2] == 100


def test_a_day_without_readings_is_told_as_such(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    meters.write("hld", of(0, 0), now=at(10))
    meters.write("hld", None, now=at(20, day=3))
    meters.write("hld", None, now=at(30, day=3))
    told = meters.readings("hld", MONTH)
    assert [one.day.day for one in told] == [2, 3, 4, 5]
    assert {octets for one in told for octets in one.octets_in} == {None}
    assert meters.readings("hld", MONTH) == told
    assert meters.readings("hld", Period.month(2026, 12)) == ()
    assert meters.readings("nobody", MONTH) == ()


def test_a_line_that_was_cut_off_is_none(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    meters.write("hld", of(100, 0), now=at(0))
    (file,) = tmp_path.iterdir()
    with file.open("a") as out:
        out.write('{"at": "2026-11-02T00:0')
    meters.write("hld", of(300, 0), now=at(5))
    meters.write("hld", None, now=at(10))
    (day,) = meters.readings("hld", MONTH)
    assert day.octets_in[0] == 200


def test_what_comes_too_soon_or_too_late_is_not_written(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    meters.write("hld", of(100, 0), now=at(5))
    meters.write("hld", of(900, 0), now=at(4))
    meters.write("hld", of(900, 0), now=at(6), after=timedelta(minutes=4))
    meters.write("hld", of(150, 0), now=at(10), after=timedelta(minutes=4))
    assert [one.at for one in meters.entries("hld")] == [at(5), at(10)]
    meters.write("never", None, now=at(0))
    assert meters.entries("never") == ()


def test_what_tools_say_is_read_as_whole_numbers() -> None:
    assert read_ping(
        "PING x\n20 packets transmitted, 19 received, 5% packet loss, time 399ms\n"
        "rtt min/avg/max/mdev = 0.278/2.146/6.509/1.530 ms\n"
    ) == Round(50_000, 2146, 1530)
    assert read_ping("PING x\n5 packets transmitted, 0 received, 100% packet loss\n\n") == Round(
        1_000_000
    )
    told = (
        '{"stats": {"packets_sent": 50, "packets_received": %d, "rtt": {"mean": 1411999.0},'
        ' "ipdv_round_trip": {"mean": 250000}}}'
    )
    assert read_irtt(told % 49) == Round(20_000, 1411, 250)
    assert read_irtt(told % 0) == Round(1_000_000)
    assert named({"ef": Round(0, 7, None)}) == [("ef", "rtt_us", 7), ("ef", "loss_ppm", 0)]
