"""What a session border controller is told, word by word; what is refused; what records say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.drivers.voice import config, keys, orders, records, tables
from hansa.drivers.voice.intent import (
    Controller,
    Destination,
    Numbers,
    Partner,
    Trunk,
    Way,
    check,
    check_ways,
)
from hansa.foundation.errors import Refused
from hansa.foundation.readings import Call
from hansa.foundation.time import Period

GOLDEN = Path(__file__).parent / "golden" / "voice"

CONTROLLER = Controller(
    inside=IPv4Address("10.50.0.60"),
    outside=IPv4Address("203.0.113.2"),
    prober=IPv4Address("10.50.0.61"),
    key="stir",
    certificate="https://certificates.example/voice.pem",
    partners=(
        Partner("dear", IPv4Address("198.18.0.6")),
        Partner("cheap", IPv4Address("198.18.0.10"), 5080),
    ),
    destinations=(
        Destination("+", (Way("dear", 12), Way("cheap", 9))),
        Destination("+44", (Way("dear", 5),)),
    ),
)
SHOP = Trunk(
    "hld_shop",
    (IPv4Network("10.50.1.0/24"), IPv4Network("10.60.0.7/32")),
    10,
    (Numbers("+2711555", 2), Numbers("+27871234567", 0)),
)
DESK = Trunk(
    "hld_desk.2f.b", (IPv4Network("10.50.2.0/24"),), 500, (Numbers("+4420794600", 2),), "any"
)

HERE = config.render(CONTROLLER, home="/mnt/hansa/net-2/voice")
SAME = files("hansa.drivers.voice").joinpath("sbc.cfg").read_text("utf-8")
TEXTS = {
    "here.cfg": HERE.removesuffix(SAME),
    **{
        name.rpartition("/")[2]: text
        for name, text in tables.render(CONTROLLER, (SHOP, DESK)).items()
    },
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_controller_is_told_word_by_word(name: str) -> None:
    assert TEXTS[name] == (GOLDEN / name).read_text()


def test_nothing_but_what_is_defined_differs_between_networks() -> None:
    assert HERE.endswith(SAME)
    defined = {line.split("!")[2] for line in HERE.splitlines() if line.startswith("#!substdef")}
    left = SAME
    for name in defined:
        assert name in SAME, "what is defined is used"
        left = left.replace(name, "")
    assert "HANSA_" not in left


def test_what_it_says_it_has_is_read_as_what_it_should_have() -> None:
    should = tables.wanted(CONTROLLER, (SHOP,))
    answers: list[dict[str, Any]] = [
        {"result": [
            {"table": 1, "group": 2, "item": {"ip": "10.50.0.61", "port": 0, "tag": "prober"}},
            {"table": 2, "group": 1, "item": {"ip": "10.60.0.7", "port": 0, "tag": "hld_shop"}},
        ]},
        {"result": [{"id": 0, "group": 1, "item": {
            "ip": "10.50.1.0", "mask": 24, "port": 0, "tag": "hld_shop"}}]},
        {"result": [
            {"entry": 8, "size": 1, "slot": [{"name": "hld_shop::channels", "value": 10}]},
            {"entry": 9, "size": 2, "slot": [
                {"name": "hld_shop::numbers",
                 "value": "^[+](2711555[0-9]{2}|27871234567)$"},
                {"name": "hld_shop::callers", "value": "own"},
            ]},
        ]},
        {"result": {"gw": [
            {"gw_index": 1, "gw_name": "dear", "ip_addr": "198.18.0.6", "port": 5060},
            {"gw_index": 2, "gw_name": "cheap", "ip_addr": "198.18.0.10", "port": 5080},
        ]}},
        {"result": {"rule": [
            {"prefix": "+", "gw": [
                {"gw_index": 1, "priority": 1}, {"gw_index": 2, "priority": 0}]},
            {"prefix": "+44", "gw": {"gw_index": 1, "priority": 0}},
        ], "prefix_len": [3, 1]}},
    ]  # fmt: skip
    assert tables.differing(tables.loaded(answers), should) == ()
    answers[2]["result"][0]["slot"][0]["value"] = 99
    assert tables.differing(tables.loaded(answers), should) == ("trunks",)
    nothing = tables.loaded([{"error": {"code": 500}}] * 5)
    assert tables.differing(nothing, should) == ("peers", "trunks", "partners", "destinations")


# --- numbers --------------------------------------------------------------------------------------

RANGES = st.builds(
    Numbers,
    st.from_regex(r"\+[1-9][0-9]{6,8}", fullmatch=True),
    st.integers(0, 6),
)


@given(st.lists(RANGES, min_size=1, max_size=4))
def test_ranges_are_found_again_in_their_expression(numbers: list[Numbers]) -> None:
    assert tables.ranges(tables.pattern(numbers)) == tuple(map(str, numbers))
    assert [Numbers.read(str(one)) for one in numbers] == numbers


@given(RANGES, RANGES)
def test_ranges_meet_where_a_number_is_in_both(one: Numbers, other: Numbers) -> None:
    assert one.meets(other) == other.meets(one)
    if one.prefix.startswith(other.prefix) and one.digits + len(one.prefix) == other.digits + len(
        other.prefix
    ):
        assert one.meets(other)
        assert tables.ranges(tables.pattern([one])) == (str(one),)


def test_what_is_not_a_range_is_told_as_it_is() -> None:
    assert tables.ranges(".*") == (".*",)


@pytest.mark.parametrize(
    "text",
    ["0115550001", "+0115550001", "+27", "+27115", "+2711555x1x", "+271155500012345x", "+27 11"],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Numbers.read(text)
    assert (refused.value.code, refused.value.field) == ("range-invalid", "numbers")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"id": "a|b"}, "trunk-invalid", "id"),
        ({"id": "../x"}, "trunk-invalid", "id"),
        ({"channels": 0}, "trunk-invalid", "channels"),
        ({"channels": 2_001}, "trunk-invalid", "channels"),
        ({"callers": "theirs"}, "trunk-invalid", "callers"),
        ({"numbers": ()}, "trunk-invalid", "numbers"),
        ({"sources": ()}, "trunk-invalid", "sources"),
        ({"numbers": (Numbers("+2787", 7), Numbers("+44207946001", 1))}, "number-taken",
         "numbers[1]"),
        ({"numbers": (Numbers("+4420", 8),)}, "number-taken", "numbers[0]"),
        ({"sources": (IPv4Network("10.50.1.0/24"), IPv4Network("10.50.2.128/25"))}, "source-taken",
         "sources[1]"),
        ({"sources": (IPv4Network("10.50.0.0/16"),)}, "source-taken", "sources[0]"),
    ],
)  # fmt: skip
def test_what_no_trunk_can_be_is_refused_with_its_field(
    change: dict[str, Any], code: str, field: str
) -> None:
    taken = {DESK.id: DESK.numbers, SHOP.id: SHOP.numbers}
    check(SHOP, beside=(SHOP, DESK), taken=taken)
    with pytest.raises(Refused) as refused:
        check(replace(SHOP, **change), beside=(SHOP, DESK), taken=taken)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"partners": (*CONTROLLER.partners, CONTROLLER.partners[0])}, "partners[2].name"),
        ({"destinations": (Destination("44", (Way("dear", 1),)),)}, "destinations[0].prefix"),
        (
            {"destinations": (*CONTROLLER.destinations, CONTROLLER.destinations[0])},
            "destinations[2].prefix",
        ),
        ({"destinations": (Destination("+44", ()),)}, "destinations[0].ways"),
        (
            {"destinations": (Destination("+44", (Way("dear", 1), Way("dear", 2))),)},
            "destinations[0].ways",
        ),
        ({"destinations": (Destination("+44", (Way("nobody", 1),)),)}, "destinations[0].ways"),
    ],
)
def test_ways_that_lead_nowhere_are_refused(change: dict[str, Any], field: str) -> None:
    check_ways(CONTROLLER)
    with pytest.raises(Refused) as refused:
        check_ways(replace(CONTROLLER, **change))
    assert (refused.value.code, refused.value.field) == ("destination-invalid", field)


def test_no_two_services_have_one_name_in_records() -> None:
    services = ["hld_1", "hld_1/a", "hld_1.2f.a", "hld_1|a", "hld_1%2Fa", "hld_é"]
    named = [orders.trunk_id(one) for one in services]
    assert len(set(named)) == len(services)
    assert named[:2] == ["hld_1", "hld_1.2f.a"]
    for one in named:
        check(replace(SHOP, id=one))


# --- keys and records -----------------------------------------------------------------------------


def test_a_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    made = keys.private(tmp_path / "secrets", "stir")
    assert keys.private(tmp_path / "secrets", "stir") == made
    assert made.startswith("-----BEGIN EC PRIVATE KEY-----")
    (file,) = (tmp_path / "secrets").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


LINE = "2026-11-0{day} 08:00:0{s}|2026-11-02 09:00:00|{took}|{id}|{trunk}|+2711555|+4420|dear|A|x|"


def line(day: int = 2, s: int = 0, took: str = "3.000000", id: str = "1", trunk: str = "a") -> str:
    return LINE.format(day=day, s=s, took=took, id=id, trunk=trunk)


def test_calls_are_read_from_records(tmp_path: Path) -> None:
    (tmp_path / "o.cdrs_1.000000000000.log").write_text(
        "\n".join([line(s=5), line(id="2", took="3.000001"), line(id="3", trunk="b"), ""])
    )
    (tmp_path / "o.cdrs_2.000000000000.log").write_text(
        "\n".join(
            [line(day=3, id="4"), "2026-11-02 08:00:00|2026-11-02", line(id="5", took="0"), ""]
        )
    )
    day = Period(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    at = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert records.calls(tmp_path, "a", day) == (
        Call(at, "+2711555", "+4420", 4),
        Call(at, "+2711555", "+4420", 0),
        Call(at.replace(second=5), "+2711555", "+4420", 3),
    )
