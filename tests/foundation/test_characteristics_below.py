"""What a seller tells the next below of what its buyer chose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hansa.foundation.characteristics import NETWORK_BITS, told_below

BUYERS = st.text("abcdefghij-", min_size=1, max_size=20)
NUMBERS = st.integers(0, 2**NETWORK_BITS - 1)


def test_a_speed_is_told_as_it_is() -> None:
    assert told_below("speed_mbps", 100, buyer="karoo-retail") == 100


@given(buyer=BUYERS, other=BUYERS, number=NUMBERS, second=NUMBERS)
def test_networks_of_two_buyers_never_meet_and_those_of_one_do(
    buyer: str, other: str, number: int, second: int
) -> None:
    told = told_below("network", number, buyer=buyer)
    assert isinstance(told, int)
    assert 0 <= told < 2**NETWORK_BITS
    assert told == told_below("network", number, buyer=buyer)
    if (buyer, number) != (other, second):
        assert told != told_below("network", second, buyer=other)
