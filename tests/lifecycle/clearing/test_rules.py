"""Netting among many as arithmetic: any alliance, any invoices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    CountryNetting,
    NettingCalled,
    NettingLine,
    NettingPayment,
    NettingTerms,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, PartyId, RoundId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.ledger.model import AccountSpec
from hansa.lifecycle.clearing.rules import netting as rules

NOVEMBER = Period.month(2026, 11)
LATER = datetime(2026, 12, 20, tzinfo=UTC)
CALL = NettingCalled(
    RoundId("rnd_1"), AgreementRef(AgreementId("agr_1"), 1), NOVEMBER, "EUR", LATER
)
PARTIES = [PartyId(f"p{number}") for number in range(12)]


def line(number: int, creditor: PartyId, debtor: PartyId, minor: int) -> NettingLine:
    return NettingLine(StatementId(f"stm_{number:04}"), creditor, debtor, Money(minor, "EUR"))


@st.composite
def alliances(draw: st.DrawFn) -> tuple[NettingLine, ...]:
    """Invoices between 2 to 12 parties, credits among them, amounts up to the ledger's limit."""
    parties = PARTIES[: draw(st.integers(2, 12))]
    pairs = st.tuples(st.sampled_from(parties), st.sampled_from(parties)).filter(
        lambda pair: pair[0] != pair[1]
    )
    found = draw(st.lists(st.tuples(pairs, st.integers(-(10**6), 10**13)), max_size=60))
    return tuple(line(number, *pair, minor) for number, (pair, minor) in enumerate(found))


@given(alliances())
def test_positions_are_nil_in_sum_and_payments_settle_them(lines: tuple[NettingLine, ...]) -> None:
    positions = rules.positions(lines)
    assert sum(positions.values()) == 0
    payments = rules.payments(positions, "EUR")
    left = dict(positions)
    for one in payments:
        assert one.amount.minor > 0 and one.payer != one.payee
        left[one.payer] += one.amount.minor
        left[one.payee] -= one.amount.minor
    assert not any(left.values())
    assert len(payments) <= max(len(positions) - 1, 0)
    assert payments == rules.payments(dict(reversed(list(positions.items()))), "EUR")


@given(alliances())
def test_everyones_books_move_by_the_same_amounts(lines: tuple[NettingLine, ...]) -> None:
    """What one posts against another, that one posts against it with the other sign; each
    entry is nil in sum; and before plus moved is what is to be paid.
    """
    plan = rules.plan(CALL, PARTIES[0], 1, lines, LATER)
    moved: dict[tuple[PartyId, PartyId], int] = {}
    for us in plan.positions:
        legs = rules.legs(plan, rules.of_party(lines, us), us)
        assert sum(leg.amount.minor for leg in legs) == 0
        assert len(legs) != 1
        for leg in legs:
            assert isinstance(leg.account, AccountSpec) and leg.account.party is not None
            moved[us, leg.account.party] = leg.amount.minor
    assert all(moved.get((b, a), 0) == -minor for (a, b), minor in moved.items())
    after: dict[tuple[PartyId, PartyId], int] = dict(moved)
    for one in lines:
        for pair, sign in (((one.creditor, one.debtor), 1), ((one.debtor, one.creditor), -1)):
            after[pair] = after.get(pair, 0) + sign * one.amount.minor
    paid = {
        pair: sign * one.amount.minor
        for one in plan.payments
        for pair, sign in (((one.payee, one.payer), 1), ((one.payer, one.payee), -1))
    }
    assert {pair: minor for pair, minor in after.items() if minor} == paid


@given(alliances(), st.data())
def test_only_what_both_have_offered_is_netted(
    lines: tuple[NettingLine, ...], data: st.DataObject
) -> None:
    offers: Mapping[PartyId, rules.Lines] = {
        party: tuple(data.draw(st.lists(st.sampled_from(own), unique=True))) if own else ()
        for party in PARTIES
        if (own := rules.of_party(lines, party)) is not None
    }
    for one in lines:
        both = one in offers[one.creditor] and one in offers[one.debtor]
        assert (one in rules.matched(offers)) is both


@given(alliances())
def test_a_right_plan_is_signed_by_all(lines: tuple[NettingLine, ...]) -> None:
    plan = rules.plan(CALL, PARTIES[0], 1, lines, LATER)
    for us in plan.positions:
        own = rules.of_party(lines, us)
        rules.check_plan(plan, CALL, us=us, lines=own, offered=own, parties=PARTIES)


def three() -> tuple[NettingLine, ...]:
    a, b, c = PARTIES[:3]
    return (line(1, a, b, 100), line(2, b, c, 70), line(3, c, a, 80))


def test_three_in_a_ring() -> None:
    a, b, c = PARTIES[:3]
    positions = rules.positions(three())
    assert positions == {a: 20, b: -30, c: 10}
    assert rules.payments(positions, "EUR") == (
        NettingPayment(b, a, Money(20, "EUR")),
        NettingPayment(b, c, Money(10, "EUR")),
    )
    assert [str(one.amount) for one in rules.debts(three())] == ["0.80 EUR", "1.00 EUR", "0.70 EUR"]


def refused(plan: object, **changes: object) -> str:
    own = rules.of_party(three(), PARTIES[0])
    given = {"us": PARTIES[0], "lines": own, "offered": own, "parties": PARTIES} | changes
    with pytest.raises(Refused) as refusal:
        rules.check_plan(plan, CALL, **given)  # type: ignore[arg-type]
    assert refusal.value.code == "netting-wrong"
    return refusal.value.words


def test_a_wrong_plan_is_not_signed() -> None:
    a, b, c = PARTIES[:3]
    good = rules.plan(CALL, a, 1, three(), LATER)
    own = rules.of_party(three(), a)
    assert "add up" in refused(replace(good, positions={a: 21, b: -30, c: 10}))
    assert "settle" in refused(replace(good, payments=good.payments[:1]))
    crooked = {a: 0, b: 0, c: 0}
    assert "sum of our lines" in refused(replace(good, positions=crooked, payments=()))
    assert "not called" in refused(replace(good, currency="GBP"))
    assert "not called" in refused(replace(good, period=Period.month(2026, 10)))
    assert "not offered" in refused(good, offered=own[:1])
    assert "twice" in refused(good, lines=(*own, own[0]))
    assert "not those it names" in refused(good, lines=own[:1])
    assert "none of the agreement" in refused(good, parties=PARTIES[:2])
    assert "no part" in refused(good, us=PartyId("stranger"))
    assert "parties differ" in refused(replace(good, lines={a: good.lines[a]}))


def test_the_stricter_country_counts() -> None:
    terms = NettingTerms(
        PARTIES[0],
        (
            CountryNetting("ZA", "gross", "exchange control"),
            CountryNetting("GB", "multilateral", "common law"),
            CountryNetting("PT", "multilateral", "civil code"),
        ),
    )
    assert rules.mode(terms, "GB", "PT") == "multilateral"
    assert rules.mode(terms, "GB", "US") == "bilateral"
    assert rules.mode(terms, "US", "ZA") == rules.mode(terms, "ZA", "GB") == "gross"
    assert rules.mode(None, "ZA", "GB") == "bilateral"
