"""What usage is worth: examples that a product manager can check by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hansa.federation.contract import PercentileTariff, SeatTariff, TierMode, VolumeTariff
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.readings import SeatDay
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules.calls import Deck, billed_seconds, charge_nano
from hansa.lifecycle.rating.rules.parts import stretches
from hansa.lifecycle.rating.rules.rate import rate, rate_month
from hansa.lifecycle.rating.rules.tiers import steps
from tests.lifecycle.rating.samples import (
    DECEMBER,
    MBPS,
    NOVEMBER,
    band,
    call,
    deck,
    octets,
    records,
    seats,
    spell,
    stretch,
    tiers,
)

PER_MBPS = PercentileTariff(Decimal("3.20"), commit_mbps=10)


def by_label(lines: tuple[RatedLine, ...]) -> dict[str, RatedLine]:
    found = {line.label: line for line in lines}
    assert len(found) == len(lines)
    return found


def priced(lines: Iterable[RatedLine]) -> dict[str, tuple[int, int]]:
    """By label: a whole quantity and the charge in billionths."""
    assert all(line.quantity == int(line.quantity) for line in lines)
    return {line.label: (int(line.quantity), line.nano) for line in lines}


# --- 95th percentile ----------------------------------------------------------------------------


def test_of_8640_samples_432_are_free_and_the_433rd_highest_is_billed() -> None:
    """Samples of 1, 2, … 8,640 Mbit/s: 36 hours of bursts cost nothing."""
    (line,) = rate(octets(lambda slot: ((slot + 1) * MBPS, 0)), stretch(PER_MBPS))
    assert (line.label, line.quantity, line.unit) == ("p95", Decimal(8640 - 432), "Mbit/s")
    assert line.nano == 8208 * 3_200_000_000
    assert line.reason["in"] == {
        "samples": 8640,
        "missing": 0,
        "free": 432,
        "octets": 8208 * MBPS,
        "at": "2026-11-29T11:55:00Z",
        "mbps": "8208.000",
    }
    assert line.reason["because"] == "95th percentile in"


def test_of_31_days_446_samples_are_free() -> None:
    lines = rate(
        octets(lambda slot: (0, (slot + 1) * MBPS), DECEMBER),
        stretch(PER_MBPS, DECEMBER, DECEMBER),
    )
    assert lines[0].quantity == 8928 - 446
    assert lines[0].reason["because"] == "95th percentile out"


def test_the_higher_of_two_percentiles_is_not_the_percentile_of_the_higher() -> None:
    """In and out burst at different times, 4 % each: neither costs more than the commit."""
    burst = 900 * MBPS
    usage = octets(lambda slot: (burst if slot < 340 else 0, burst if slot > 8300 else 0))
    (line,) = rate(usage, stretch(PER_MBPS))
    assert line.quantity == 10
    assert line.reason["because"] == "commit"


def test_missing_polls_are_left_out_and_shown() -> None:
    """432 of 8,640 are missing, just the 5 % that may be: 8,208 are left, 410 are free."""
    usage = octets(lambda slot: (None, None) if slot < 432 else (slot * MBPS, 0))
    (line,) = rate(usage, stretch(PER_MBPS))
    assert line.reason["in"]["missing"] == line.reason["out"]["missing"] == 432
    assert line.quantity == 8639 - 410


def test_too_few_samples_cost_the_commit_and_are_flagged() -> None:
    usage = octets(lambda slot: (None, 0) if slot < 433 else (slot * MBPS, 0))
    (line,) = rate(usage, stretch(PER_MBPS))
    assert line.quantity == 10
    assert line.reason["because"] == "coverage below 95 %: commit only"
    assert "too few samples" in line.description


def test_no_samples_at_all_cost_the_commit() -> None:
    (line,) = rate([], stretch(PER_MBPS))
    assert line.quantity == 10
    assert line.reason["in"] == {"samples": 0, "missing": 8640}


@pytest.mark.parametrize(
    ("octets_a_slot", "mbps"),
    [(20 * MBPS, "20.000"), (750_018_749, "20.000"), (750_018_750, "20.001"), (1, "10.000")],
)
def test_speed_is_rounded_to_a_thousandth_before_it_is_priced(
    octets_a_slot: int, mbps: str
) -> None:
    (line,) = rate(octets(lambda _: (octets_a_slot, 0)), stretch(PER_MBPS))
    assert str(line.quantity) == mbps
    assert line.nano == int(Decimal(mbps) * 3_200_000_000)


def test_two_lines_of_one_holding_are_added_slot_by_slot() -> None:
    one, two = octets(lambda _: (8 * MBPS, 0)), octets(lambda _: (9 * MBPS, None))
    both = records([record.reading for record in (*one, *two)])
    (line,) = rate(both, stretch(PER_MBPS))
    assert line.reason["in"]["mbps"] == "17.000"
    assert line.reason["out"]["samples"] == 0


def test_half_a_month_costs_half() -> None:
    half = Period(datetime(2026, 11, 16, tzinfo=UTC), NOVEMBER.end)
    usage = octets(lambda slot: ((100 if slot < 4320 else 20) * MBPS, 0))
    (line,) = rate(usage, stretch(PER_MBPS, half))
    assert priced([line]) == {"p95": (20, 20 * 3_200_000_000 // 2)}
    assert line.reason["share_of_month"] == "1/2"
    assert line.reason["expected_samples"] == 4320


# --- voice --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration_s", "by_1_1", "by_6_6", "by_30_6", "by_60_1", "by_60_60"),
    [
        (0, 0, 0, 0, 0, 0),
        (1, 1, 6, 30, 60, 60),
        (31, 31, 36, 36, 60, 60),
        (60, 60, 60, 60, 60, 60),
        (61, 61, 66, 66, 61, 120),
        (205, 205, 210, 210, 205, 240),
    ],
)
def test_increments(
    duration_s: int, by_1_1: int, by_6_6: int, by_30_6: int, by_60_1: int, by_60_60: int
) -> None:
    for increments, billed in {
        (1, 1): by_1_1,
        (6, 6): by_6_6,
        (30, 6): by_30_6,
        (60, 1): by_60_1,
        (60, 60): by_60_60,
    }.items():
        assert billed_seconds(band("27", "x", increments=increments), duration_s) == billed


@pytest.mark.parametrize(
    ("rate_per_min", "setup", "duration_s", "nano"),
    [
        ("0.06", "0", 0, 0),
        ("0.06", "0.05", 0, 0),
        ("0.06", "0", 60, 60_000_000),
        ("0.06", "0.05", 1, 51_000_000),
        ("0.00000003", "0", 1, 1),
        ("0.000000029", "0", 1, 0),
        ("0.1", "0", 1, 1_666_667),
        ("0.05", "0", 205, 170_833_333),
    ],
)
def test_a_call_is_rounded_once_to_the_billionth_halves_up(
    rate_per_min: str, setup: str, duration_s: int, nano: int
) -> None:
    assert (
        charge_nano(band("27", "x", rate_per_min, setup=setup), "peak", duration_s, "GBP") == nano
    )


@pytest.mark.parametrize(
    ("called", "destination"),
    [
        ("+27101234567", "South Africa"),
        ("+27711234567", "South Africa mobile"),
        ("+277", "South Africa"),
        ("+27", "South Africa"),
        ("+2", None),
        ("+2250123456789", "Ivory Coast mobile"),
        ("+225123456789", "Ivory Coast"),
        ("+22", None),
        ("+2a7", None),
        ("", None),
        ("+٢٧١", None),
    ],
)
def test_the_longest_prefix_wins_and_zeros_count(called: str, destination: str | None) -> None:
    asked = Deck(
        deck(
            band("27", "South Africa"),
            band("2771", "South Africa mobile"),
            band("225", "Ivory Coast"),
            band("22501", "Ivory Coast mobile"),
        )
    ).band(called)
    assert (asked.destination if asked else None) == destination


def test_a_deck_may_have_a_price_for_everything_else() -> None:
    asked = Deck(deck(band("", "World"), band("27", "South Africa"))).band("+4930")
    assert asked is not None
    assert asked.destination == "World"


@pytest.mark.parametrize(
    ("at", "zone", "when"),
    [
        (datetime(2026, 11, 4, 8, tzinfo=UTC), "UTC", "peak"),
        (datetime(2026, 11, 4, 7, 59, 59, tzinfo=UTC), "UTC", "off-peak"),
        (datetime(2026, 11, 4, 17, 59, 59, tzinfo=UTC), "UTC", "peak"),
        (datetime(2026, 11, 4, 18, tzinfo=UTC), "UTC", "off-peak"),
        (datetime(2026, 11, 7, 12, tzinfo=UTC), "UTC", "off-peak"),
        (datetime(2026, 11, 8, 12, tzinfo=UTC), "UTC", "off-peak"),
        (datetime(2026, 11, 4, 6, tzinfo=UTC), "Africa/Johannesburg", "peak"),
        (datetime(2026, 11, 4, 16, tzinfo=UTC), "Africa/Johannesburg", "off-peak"),
        # London is an hour ahead in July: 7:30 UTC is 8:30 there, and 17:30 UTC is 18:30.
        (datetime(2026, 7, 1, 7, 30, tzinfo=UTC), "Europe/London", "peak"),
        (datetime(2026, 7, 1, 17, 30, tzinfo=UTC), "Europe/London", "off-peak"),
        # On Sunday evening in Sao Paulo it is Monday already in UTC, and the reverse in Auckland.
        (datetime(2026, 11, 9, 0, 30, tzinfo=UTC), "America/Sao_Paulo", "off-peak"),
        (datetime(2026, 11, 8, 21, 0, tzinfo=UTC), "Pacific/Auckland", "peak"),
    ],
)
def test_peak_goes_by_the_clock_of_the_decks_zone(at: Instant, zone: str, when: str) -> None:
    assert Deck(deck(band("27", "x"), zone=zone)).when(at) == when


def test_a_zone_that_is_nowhere_is_refused() -> None:
    with pytest.raises(Refused, match="zone-unknown"):
        Deck(deck(zone="Moon/Copernicus"))


def test_calls_become_lines_by_destination_and_time_with_their_reasons() -> None:
    tariff = deck(
        band("27", "South Africa", "0.06", off_peak="0.03"),
        band("2711", "South Africa", "0.09", (60, 60)),
        band("44", "United Kingdom", "0.01", (30, 6), setup="0.002"),
    )
    night = datetime(2026, 11, 4, 22, tzinfo=UTC)
    usage = records(
        [
            call("+27101234567", 61),
            call("+27111234567", 61),
            call("+27101234567", 30, night),
            call("+442079460123", 31),
            call("+442079460123", 0),
        ]
    )
    lines = by_label(rate(usage, stretch(tariff)))
    assert priced(lines.values()) == {
        "South Africa/peak": (61 + 120, 61_000_000 + 180_000_000),
        "South Africa/off-peak": (30, 15_000_000),
        "United Kingdom/peak": (36, 6_000_000 + 2_000_000),
    }
    reason = lines["South Africa/peak"].reason
    assert [one["prefix"] for one in reason["prefixes"]] == ["27", "2711"]
    assert sum(one["nano"] for one in reason["prefixes"]) == lines["South Africa/peak"].nano
    assert reason["example"]["seconds"] == "60 + 1 x 60 = 120 s"
    assert reason["example"]["arithmetic"] == "120 / 60 x 0.09 + 0 = 0.180000000"


def test_a_number_without_a_price_is_listed_and_never_dropped() -> None:
    usage = records([call("+27101234567"), call("+59894231234"), call("nonsense")])
    lines = by_label(rate(usage, stretch(deck(band("27", "South Africa")))))
    assert lines["unrated"].nano == 0
    assert lines["unrated"].quantity == 2
    assert lines["unrated"].reason["records"] == {
        "no prefix of the tariff fits the called number": ["hld_1/1", "hld_1/2"]
    }


def test_readings_of_another_kind_are_listed_too() -> None:
    usage = [*octets(lambda _: (0, 0))[:1], *records([call("+27101234567")])]
    lines = by_label(rate(usage, stretch(PER_MBPS)))
    assert lines["unrated"].reason["records"] == {
        "the tariff does not price this kind of reading": ["hld_1/0"]
    }


def test_a_charge_says_how_much_of_it_was_simulated() -> None:
    """Whoever pays sees it, and sees nothing of it where all was measured."""
    usage = records([call("+27101234567"), call("+27101234568"), call("+59894231234")])
    labels = (True, False, None)
    mixed = [replace(one, measured=how) for one, how in zip(usage, labels, strict=True)]
    where = stretch(deck(band("27", "South Africa")))
    assert {line.reason["simulated"] for line in rate(mixed, where)} == {"1 of 3 records"}
    assert all("simulated" not in line.reason for line in rate([mixed[0], mixed[2]], where))
    bare = [replace(line, reason={}) for line in rate(mixed, where)]
    assert bare == [replace(line, reason={}) for line in rate(usage, where)], "and costs the same"


# --- tiers --------------------------------------------------------------------------------------

LADDER = tiers((100, "2.00"), (500, "1.50"), (None, "1.00"))


@pytest.mark.parametrize(
    ("quantity", "graduated", "retroactive"),
    [
        (0, [], []),
        (1, [(1, "2.00")], [(1, "2.00")]),
        (100, [(100, "2.00")], [(100, "2.00")]),
        (101, [(100, "2.00"), (1, "1.50")], [(101, "1.50")]),
        (500, [(100, "2.00"), (400, "1.50")], [(500, "1.50")]),
        (501, [(100, "2.00"), (400, "1.50"), (1, "1.00")], [(501, "1.00")]),
    ],
)
def test_tiers(
    quantity: int, graduated: list[tuple[int, str]], retroactive: list[tuple[int, str]]
) -> None:
    for mode, wanted in (("graduated", graduated), ("retroactive", retroactive)):
        found = steps(LADDER, mode, Decimal(quantity))  # type: ignore[arg-type]
        assert [(int(step.quantity), str(step.rate)) for step in found] == wanted


@pytest.mark.parametrize("mode", ["graduated", "retroactive"])
def test_units_above_the_last_tier_are_shown_without_a_price(mode: TierMode) -> None:
    tariff = SeatTariff("peak", tiers((10, "2.00")), mode)
    lines = rate(seats([12]), stretch(tariff))
    assert lines[-1].label == "seats/11+"
    assert lines[-1].nano == 0
    assert lines[-1].reason["rate_per_seat"] == "none: above the last tier"
    assert sum(line.quantity for line in lines) == 12


# --- seats --------------------------------------------------------------------------------------


def test_seats_of_the_peak_day_or_of_the_last() -> None:
    usage = seats([100, 130, 130, 90])
    peak = rate(usage, stretch(SeatTariff("peak", LADDER, "graduated")))
    last = rate(usage, stretch(SeatTariff("month-end", LADDER, "graduated")))
    assert {line.label: line.nano for line in peak} == {
        "seats/1-100": 200 * 10**9,
        "seats/101-500": 45 * 10**9,
    }
    assert peak[0].reason["day"] == "2026-11-02"
    assert [(line.label, line.nano) for line in last] == [("seats/1-100", 180 * 10**9)]
    assert last[0].reason["day"] == "2026-11-04"


def test_all_seats_at_the_tier_that_is_reached() -> None:
    (line,) = rate(seats([101]), stretch(SeatTariff("peak", LADDER, "retroactive")))
    assert (line.label, line.nano) == ("seats/101-500", 151_500_000_000)


def test_no_seats_no_line() -> None:
    assert rate([], stretch(SeatTariff("peak", LADDER, "graduated"))) == ()
    assert rate(seats([0]), stretch(SeatTariff("peak", LADDER, "graduated"))) == ()


def test_a_day_belongs_to_the_stretch_in_which_it_ends() -> None:
    part = Period(datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 11, 4, 8, tzinfo=UTC))
    usage = records([SeatDay(date(2026, 11, day), day) for day in range(1, 6)])
    (line,) = rate(usage, stretch(SeatTariff("peak", tiers((None, "1")), "graduated"), part))
    assert line.quantity == 3
    assert line.reason["share_of_month"] == "1/15"
    assert line.nano == 200_000_000


# --- volume -------------------------------------------------------------------------------------

GB = VolumeTariff(100, tiers((50, "0.50"), (None, "0.20")), "graduated")


def a_day_of(gigabytes: int) -> int:
    """Octets a slot in each direction, for so many gigabytes a day both ways."""
    return gigabytes * 10**9 // 576


def test_gigabytes_above_the_allowance_are_charged_in_tiers() -> None:
    usage = octets(lambda _: (10**9 // 48, 10**9 // 48))  # 12 GB a day: 359.99… a month
    lines = by_label(rate(usage, stretch(GB)))
    used = 2 * 8640 * (10**9 // 48)
    assert lines["gb/included"].quantity == 100
    assert lines["gb/0-50"].nano == 25 * 10**9
    assert lines["gb/50+"].quantity == Decimal(used - 150 * 10**9).scaleb(-9)
    assert lines["gb/50+"].nano == (used - 150 * 10**9) // 5
    assert sum(line.quantity for line in lines.values()) == Decimal(used).scaleb(-9)


def test_within_the_allowance_there_is_a_line_that_says_so() -> None:
    (line,) = rate(octets(lambda _: (1000, 500)), stretch(GB))
    assert (line.label, line.nano, line.quantity) == ("gb/included", 0, Decimal("0.01296"))


def test_a_part_of_the_month_has_its_share_of_the_allowance() -> None:
    half = Period(NOVEMBER.start, datetime(2026, 11, 16, tzinfo=UTC))
    lines = by_label(rate(octets(lambda _: (10**7, 0)), stretch(GB, half)))
    assert lines["gb/included"].quantity == Decimal("43.2")
    lines = by_label(rate(octets(lambda _: (10**8, 0)), stretch(GB, half)))
    assert lines["gb/included"].quantity == 50
    assert lines["gb/50+"].quantity == 432 - 50 - 50


# --- a month of several terms -------------------------------------------------------------------


def test_equal_tariffs_in_a_row_are_one_stretch() -> None:
    middle = datetime(2026, 11, 16, 12, tzinfo=UTC)
    spells = [
        spell(datetime(2026, 10, 5, tzinfo=UTC), middle, PER_MBPS),
        spell(middle, None, PER_MBPS),
    ]
    assert [one.part for one in stretches(spells, NOVEMBER)] == [NOVEMBER]


def test_each_tariff_is_rated_where_it_was_in_force() -> None:
    middle = datetime(2026, 11, 16, tzinfo=UTC)
    dearer = PercentileTariff(Decimal("6.40"), commit_mbps=10)
    spells = [spell(NOVEMBER.start, middle, PER_MBPS), spell(middle, None, dearer)]
    usage = octets(lambda slot: ((20 if slot < 4320 else 30) * MBPS, 0))
    lines = by_label(rate_month(spells, usage, NOVEMBER))
    assert priced(lines.values()) == {
        "p95": (20, 32_000_000_000),
        "p95@2026-11-16T00:00:00Z": (30, 96_000_000_000),
    }


def test_what_has_no_tariff_has_no_charge() -> None:
    assert rate_month([spell(NOVEMBER.start, None, None)], octets(lambda _: (1, 1)), NOVEMBER) == ()
    later = spell(DECEMBER.start, None, PER_MBPS)
    assert rate_month([later], octets(lambda _: (1, 1)), NOVEMBER) == ()


def test_a_call_counts_for_the_terms_of_its_moment_of_answer() -> None:
    middle = datetime(2026, 11, 16, 12, tzinfo=UTC)
    spells = [
        spell(NOVEMBER.start, middle, deck(band("27", "A", "0.06"))),
        spell(middle, None, deck(band("27", "A", "0.60"))),
    ]
    moments = [middle - timedelta(seconds=1), middle, NOVEMBER.end, NOVEMBER.start]
    usage = records([call("+27101234567", 60, at) for at in moments])
    lines = by_label(rate_month(spells, usage, NOVEMBER))
    assert {label: line.nano for label, line in lines.items()} == {
        "A/peak": 60_000_000,
        "A/off-peak": 60_000_000,
        "A/peak@2026-11-16T12:00:00Z": 600_000_000,
    }


def test_a_record_that_comes_twice_counts_once() -> None:
    usage = records([call("+27101234567")])
    spells = [spell(NOVEMBER.start, None, deck(band("27", "A", "0.06")))]
    assert rate_month(spells, usage * 2, NOVEMBER) == rate_month(spells, usage, NOVEMBER)


def test_every_reason_can_be_kept_and_read() -> None:
    tariffs = (PER_MBPS, deck(band("27", "A")), SeatTariff("peak", LADDER, "graduated"), GB)
    usage = [
        *octets(lambda slot: (slot, None)),
        *seats([5]),
        *records([call("+27101234567"), call("+1")]),
    ]
    for tariff in tariffs:
        for line in rate(usage, stretch(tariff)):
            text = documents.canonical(line.reason).decode()
            assert line.reason["rule"]
            assert "e+" not in text.lower().replace("because", "")
