"""What a buyer may choose: whole numbers within bounds, over what it has, over defaults."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hansa.drivers.model import Choice
from hansa.federation.contract import CharacteristicSpec
from hansa.foundation.characteristics import chosen
from hansa.foundation.errors import Refused

SPECS = (
    CharacteristicSpec("speed_mbps", "Mbit/s", 10, 1000),
    CharacteristicSpec("addresses", "IPv4 addresses", 1, 8, 1),
)


@pytest.mark.parametrize(
    ("asked", "has", "values"),
    [
        ({"speed_mbps": 10}, {}, {"speed_mbps": 10, "addresses": 1}),
        ({"speed_mbps": 1000, "addresses": 8}, {}, {"speed_mbps": 1000, "addresses": 8}),
        ({}, {"speed_mbps": 50, "addresses": 4}, {"speed_mbps": 50, "addresses": 4}),
        ({"addresses": 2}, {"speed_mbps": 50}, {"speed_mbps": 50, "addresses": 2}),
    ],
)
def test_what_is_asked_goes_before_what_is_had_and_that_before_defaults(
    asked: Mapping[str, int], has: Mapping[str, int], values: Mapping[str, int]
) -> None:
    assert chosen(SPECS, asked, offer="line", field="c", has=has) == values
    network = [Choice(s.name, s.unit, s.minimum, s.maximum, s.default) for s in SPECS]
    assert chosen(network, asked, offer="line", field="c", has=has) == values


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"speed_mbps": 9}, "characteristic-out-of-range", "c.speed_mbps"),
        ({"speed_mbps": 1001}, "characteristic-out-of-range", "c.speed_mbps"),
        ({"speed_mbps": "50"}, "characteristic-out-of-range", "c.speed_mbps"),
        ({"speed_mbps": True}, "characteristic-out-of-range", "c.speed_mbps"),
        ({"speed_mbps": 50, "addresses": 0}, "characteristic-out-of-range", "c.addresses"),
        ({"addresses": 1}, "characteristic-missing", "c.speed_mbps"),
        ({"speed_mbps": 50, "colour": "red"}, "characteristic-unknown", "c.colour"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(
    asked: Mapping[str, int | str], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        chosen(SPECS, asked, offer="line", field="c")
    assert (refused.value.code, refused.value.field) == (code, field)
