"""What was delivered before a month's end, and is heard of only after it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from hansa.federation.papers import StatementState
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import SetClock
from tests.alliance import Alliance, chain
from tests.databases import Pool
from tests.journeys.month import (
    NOVEMBER,
    OP1,
    OP2,
    ORDERED,
    TARIFF,
    books_agree,
    held,
    netted,
    services,
)


@pytest.mark.parametrize("what", ["a new line", "a faster line", "no line any more"])
def test_what_is_heard_of_in_the_next_month_only(pool: Pool, tmp_path: Path, what: str) -> None:
    """Two operators lose sight of each other half a day before midnight, just as the lower one
    delivers. The upper one does not close its month before it has heard what became of it.
    """
    clock = SetClock(ORDERED)
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path, clock, b"midnight")
        front = chain(alliance, 3, tariff=TARIFF)
        op1, op2, op3 = alliance.nodes.values()
        held_before = front.order(
            quote_id=front.quote(alliance.need("Paarl")).id, key=BuyerKey("first")
        )
        alliance.work()
        clock.at = NOVEMBER.end - timedelta(hours=12)
        if what == "no line any more":
            last = front.cease(order_id=held_before.id, key=BuyerKey("last"))
        else:
            need = alliance.need("Durban")
            if what == "a faster line":
                (line,) = front.progress(held_before.id).provided
                need = alliance.need("Paarl", speed=300, holding=line.holding)
            last = front.order(quote_id=front.quote(need).id, key=BuyerKey("last"))
        for node in (op3, op2):
            node.work_once()
        alliance.silent |= {OP1, OP2}
        op1.work_once()
        for wait in (timedelta(hours=42), *[timedelta(minutes=1)] * 5):
            alliance.pass_time(wait)
        assert front.progress(last.id).state == "inProgress"
        alliance.silent.clear()
        for _ in range(6):
            alliance.pass_time(timedelta(minutes=10))
        assert front.progress(last.id).state == "completed"

        (stated,) = services(op1, op2)
        starts = Counter(line.key.partition("@")[2] for line in stated.statement.lines)
        expected = {"a new line": 2, "a faster line": 1, "no line any more": 0}
        assert starts["2026-11-30T12:00:00Z"] == expected[what]
        for node in alliance.nodes.values():
            assert {one.state for one in held(node)} == {StatementState.INVOICED}
            assert all(one.differences == () for one in held(node))
        assert not [one for found in netted(alliance).values() for one in found if one.held_out]
        books_agree(alliance)
        alliance.close()
