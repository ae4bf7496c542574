"""A credit limit holds, also against two orders that come at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hansa.foundation.database import Database
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import HoldId, Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.transaction import Begin, Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Hold, HoldState
from tests.ledger.book import entry
from tests.ledger.test_properties import at_once

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MTN = PartyId("mtn")
LIMIT = Money.of("1000", "GBP")


def place(
    tx: Transaction,
    ids: Ids,
    minor: int,
    *,
    key: str,
    party: PartyId = MTN,
    limit: Money | None = LIMIT,
    expires_at: datetime | None = None,
    now: datetime = NOW,
) -> Hold:
    return ledger.hold(
        tx,
        id=ids.new(HoldId),
        key=key,
        party=party,
        amount=Money(minor, "GBP"),
        limit=limit,
        ref="ORD-1",
        expires_at=expires_at,
        now=now,
    )


def test_two_orders_at_once_cannot_both_slip_under_the_limit(database: Database, ids: Ids) -> None:
    """Twelve orders of a fifth of the limit, from twelve sides: five are accepted."""
    accepted: list[str] = []
    refused: list[str] = []

    def order(key: str) -> None:
        try:
            with database.begin() as tx:
                accepted.append(place(tx, ids, 20_000, key=key).key)
        except Refused as error:
            refused.append(error.code)

    keys = [f"order {number}" for number in range(12)]
    at_once(*[lambda key=key: order(key) for key in keys])
    assert len(accepted) == 5
    assert refused == ["credit-limit"] * 7
    with database.begin() as tx:
        assert ledger.exposure(tx, party=MTN, currency="GBP") == LIMIT


def test_the_same_order_from_two_sides_is_held_once(database: Database, ids: Ids) -> None:
    made: set[HoldId] = set()

    def order() -> None:
        with database.begin() as tx:
            made.add(place(tx, ids, 20_000, key="order").id)

    at_once(order, order, order)
    assert len(made) == 1
    with database.begin() as tx:
        assert ledger.exposure(tx, party=MTN, currency="GBP") == Money(20_000, "GBP")


def test_what_was_refused_can_be_written_down_in_the_same_transaction(
    begin: Begin, ids: Ids
) -> None:
    with begin() as tx:
        place(tx, ids, 90_000, key="first")
        with pytest.raises(Refused) as refused:
            place(tx, ids, 10_001, key="second")
        ledger.post(
            tx,
            entries=[entry(ids, "INV-1", ("receivable/bt/GBP", 5), ("revenue/voice/GBP", -5))],
            now=NOW,
        )
    words = refused.value.words
    assert refused.value.code == "credit-limit"
    assert all(figure in words for figure in ("1,000.00 GBP", "900.00 GBP", "100.01 GBP")), words
    with begin() as tx:
        assert [held.key for held in ledger.holds(tx)] == ["first"]
        assert ledger.head(tx).entries == 1


def test_a_hold_remembers_when_it_was_placed_and_when_it_ended(begin: Begin, ids: Ids) -> None:
    later = NOW + timedelta(hours=1)
    with begin() as tx:
        placed = place(tx, ids, 500, key="order", expires_at=NOW + timedelta(days=7))
        assert (placed.state, placed.placed_at, placed.moved_at) == (HoldState.ACTIVE, NOW, None)
        assert (placed.amount, placed.limit) == (Money(500, "GBP"), LIMIT)
        posted = ledger.post_hold(tx, id=placed.id, now=later)
        assert (posted.state, posted.placed_at, posted.moved_at) == (HoldState.POSTED, NOW, later)
        again = ledger.post_hold(tx, id=placed.id, now=later + timedelta(hours=1))
        assert again == posted == ledger.get_hold(tx, id=placed.id)
        with pytest.raises(Refused, match="state-move"):
            ledger.void_hold(tx, id=placed.id, now=later)
        assert ledger.holds(tx, party=MTN, state=HoldState.ACTIVE) == []
        assert ledger.holds(tx, party=MTN, state=HoldState.POSTED) == [posted]


def test_a_hold_whose_time_is_up_is_ended_once(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        week = place(tx, ids, 500, key="week", expires_at=NOW + timedelta(days=7))
        place(tx, ids, 500, key="open")
        assert ledger.expire_holds(tx, now=NOW + timedelta(days=6)) == []
        assert ledger.expire_holds(tx, now=NOW + timedelta(days=7)) == [week.id]
        assert ledger.expire_holds(tx, now=NOW + timedelta(days=8)) == []
        ended = ledger.get_hold(tx, id=week.id)
        assert (ended.state, ended.moved_at) == (HoldState.EXPIRED, NOW + timedelta(days=7))


def test_two_that_end_a_hold_at_once_do_it_once(database: Database, ids: Ids) -> None:
    with database.begin() as tx:
        held = place(tx, ids, 500, key="order")
    ends: list[str] = []

    def end(post: bool) -> None:
        try:
            with database.begin() as tx:
                end_it = ledger.post_hold if post else ledger.void_hold
                ends.append(end_it(tx, id=held.id, now=NOW).state)
        except Refused as error:
            ends.append(error.code)

    at_once(lambda: end(True), lambda: end(False))
    with database.begin() as tx:
        stands = ledger.get_hold(tx, id=held.id).state
    assert sorted(ends) == sorted([stands, "state-move"])


@pytest.mark.parametrize(
    ("minor", "key", "limit", "code"),
    [
        (0, "order", LIMIT, "hold-amount"),
        (-5, "order", LIMIT, "hold-amount"),
        (10**15 + 1, "order", None, "amount-too-large"),
        (5, "", LIMIT, "hold-incomplete"),
        (5, "two\nlines", LIMIT, "hold-incomplete"),
        (5, "order", Money.of("1000", "EUR"), "currency-mixed"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(
    begin: Begin, ids: Ids, minor: int, key: str, limit: Money | None, code: str
) -> None:
    with begin() as tx, pytest.raises(HansaError) as refused:
        place(tx, ids, minor, key=key, limit=limit)
    assert refused.value.code == code


def test_a_hold_that_is_not_there(begin: Begin) -> None:
    with begin() as tx, pytest.raises(NotFound, match="hold-unknown"):
        ledger.void_hold(tx, id=HoldId("hol_none"), now=NOW)
