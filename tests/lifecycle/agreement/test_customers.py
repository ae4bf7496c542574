"""The end customers of a node, and the terms on which each of them buys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import Customer
from tests.lifecycle.agreement.examples import PARTIES, World

SHOP = Party(PartyId("karoo-retail"), "Karoo Retail", "ZA", "ZAR", "4000000001")
LIMIT = Money(10_000_000, "ZAR")


def register(
    begin: Begin,
    clock: SetClock,
    party: Party = SHOP,
    price_list: str = "business",
    limit: Money | None = LIMIT,
) -> Customer:
    with begin() as tx:
        return actions.register_customer(
            tx, party=party, price_list=price_list, credit_limit=limit, now=clock.now()
        )


def test_a_customer_is_registered_once_and_found_by_name(begin: Begin, clock: SetClock) -> None:
    first = register(begin, clock)
    clock.move(timedelta(days=1))
    assert register(begin, clock) == first
    free = register(begin, clock, replace(SHOP, id=PartyId("cape-wines"), tax_id=""), limit=None)
    none = register(begin, clock, replace(SHOP, id=PartyId("new-shop")), limit=Money(0, "ZAR"))
    with begin() as tx:
        assert actions.customer(tx, party=SHOP.id) == first
        assert actions.customers(tx) == [free, first, none]
    assert first.credit_limit == LIMIT
    assert free.credit_limit is None
    assert none.credit_limit == Money(0, "ZAR")


@pytest.mark.parametrize(
    "other",
    [
        {"party": replace(SHOP, currency="USD"), "limit": None},
        {"party": replace(SHOP, name="Karoo")},
        {"price_list": "gold"},
        {"limit": Money(1, "ZAR")},
        {"limit": None},
    ],
)
def test_other_terms_under_a_known_name_are_refused(
    begin: Begin, clock: SetClock, other: dict[str, object]
) -> None:
    first = register(begin, clock)
    with pytest.raises(Refused, match="customer-differs"):
        register(begin, clock, **other)  # type: ignore[arg-type]
    with begin() as tx:
        assert actions.customers(tx) == [first]


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        ({"party": replace(SHOP, id=PartyId("Karoo"))}, "party-name", "party.id"),
        ({"party": replace(SHOP, name="")}, "agreement-invalid", "party.name"),
        ({"party": replace(SHOP, country="South Africa")}, "country-code", "party.country"),
        ({"party": replace(SHOP, currency="RAND")}, "currency-unknown", "party.currency"),
        ({"party": replace(SHOP, tax_id="\x00")}, "agreement-invalid", "party.tax_id"),
        ({"price_list": ""}, "agreement-invalid", "price_list"),
        ({"limit": Money(1, "GBP")}, "agreement-invalid", "credit_limit"),
        ({"limit": Money(-1, "ZAR")}, "agreement-invalid", "credit_limit"),
    ],
)
def test_bad_terms_are_refused_with_their_field(
    begin: Begin, clock: SetClock, bad: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        register(begin, clock, **bad)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.field) == (code, field)
    with begin() as tx:
        assert actions.customers(tx) == []


def test_a_partner_is_no_customer(two: World, clock: SetClock) -> None:
    with pytest.raises(Refused, match="customer-is-partner"):
        register(two.mtn.begin, clock, PARTIES[two.bt.us], limit=None)


def test_an_unknown_customer_is_not_found(begin: Begin) -> None:
    with begin() as tx, pytest.raises(NotFound, match="customer-unknown"):
        actions.customer(tx, party=SHOP.id)
