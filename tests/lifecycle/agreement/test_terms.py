"""Which of several agreements counts, and which reason is given when none does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import AgreementItem, Signature
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId
from hansa.lifecycle.agreement.model import (
    Agreement,
    AgreementState,
    Country,
    CountryState,
    InForce,
    TradeTerms,
)
from hansa.lifecycle.agreement.rules.terms import terms, version_at
from tests.lifecycle.agreement.examples import (
    BT,
    CONNECT,
    FROM,
    MTN,
    SHIELD,
    TRUNK,
    document,
    item,
)

NOW = FROM + timedelta(days=10)


def agreement(
    name: str,
    state: str = "live",
    *items: AgreementItem,
    live: str = "ZA",
    version: int = 1,
    start: int = 0,
    end: int | None = None,
) -> Agreement:
    """One that says so of itself; start, end: days after FROM in which it is in force."""
    text = document(version, id=AgreementId(name), items=items or (item(),))
    signed = [Signature(BT, "…", FROM), Signature(MTN, "…", FROM)]
    drafted = state == "draft"
    until = None if end is None else FROM + timedelta(days=end)
    return Agreement(
        ref=AgreementRef(text.id, version),
        document=text,
        fingerprint="0" * 64,
        state=AgreementState(state),
        in_force=None if drafted else InForce(FROM + timedelta(days=start), until),
        signatures=() if drafted else tuple(signed),
        countries=tuple(Country(code, CountryState.LIVE, FROM) for code in live.split(",") if code),
    )


def ask(*agreements: Agreement, country: str | None = "ZA", ordering: bool = True) -> TradeTerms:
    return terms(
        [[one] for one in agreements],
        seller=BT,
        buyer=MTN,
        offer=CONNECT,
        country=country,
        at=NOW,
        ordering=ordering,
    )


SOLD_ELSEWHERE = item(countries=("GH",))
OTHER_OFFER = item(offers=(TRUNK,))
OTHER_WAY = item(seller=MTN, buyer=BT)

REASONS = [
    ("none at all", [], "agreement-missing"),
    ("one the other way", [agreement("a", "live", OTHER_WAY)], "agreement-missing"),
    ("a draft", [agreement("a", "draft")], "agreement-unsigned"),
    ("signed, not launched", [agreement("a", "signed", live="")], "country-not-launched"),
    ("not yet", [agreement("a", start=11)], "agreement-not-in-force"),
    ("no longer", [agreement("a", end=10)], "agreement-not-in-force"),
    ("suspended", [agreement("a", "suspended")], "agreement-suspended"),
    ("suspended before launched", [agreement("a", "suspended", live="")], "agreement-suspended"),
    ("running off", [agreement("a", "run-off")], "agreement-run-off"),
    ("ended", [agreement("a", "ended")], "agreement-ended"),
    ("another offer", [agreement("a", "live", OTHER_OFFER)], "offer-not-agreed"),
    ("another country", [agreement("a", "live", SOLD_ELSEWHERE)], "country-not-agreed"),
    (
        "an old one ended, a new one is drafted",
        [agreement("a", "ended"), agreement("b", "draft")],
        "agreement-unsigned",
    ),
    (
        "the one that has the offer is suspended",
        [agreement("a", "live", OTHER_OFFER), agreement("b", "suspended")],
        "agreement-suspended",
    ),
    (
        "the one that has the country is a draft",
        [agreement("a", "live", SOLD_ELSEWHERE, live="GH"), agreement("b", "draft")],
        "agreement-unsigned",
    ),
]


@pytest.mark.parametrize(
    ("agreements", "code"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS]
)
def test_the_reason_is_that_of_the_agreement_that_comes_nearest(
    agreements: list[Agreement], code: str
) -> None:
    for order in (agreements, agreements[::-1]):
        with pytest.raises(Refused) as caught:
            ask(*order)
        assert caught.value.code == code


def test_what_is_held_goes_on_while_suspended_or_running_off() -> None:
    for state in ("suspended", "run-off"):
        assert ask(agreement("a", state), ordering=False).ref.id == "a"
    with pytest.raises(Refused, match="agreement-ended"):
        ask(agreement("a", "ended"), ordering=False)


def test_the_agreement_that_came_into_force_last_counts() -> None:
    older, newer = agreement("b", start=1), agreement("a", start=2)
    assert ask(older, newer).ref == newer.ref
    assert ask(newer, older).ref == newer.ref
    assert ask(older, replace(newer, state=AgreementState.SUSPENDED)).ref == older.ref


def test_of_two_items_the_one_with_the_country_counts() -> None:
    ghana = item(countries=("GH",), price_list="ghana", offers=(CONNECT, SHIELD))
    both = agreement("a", "live", item(countries=("ZA",)), ghana, live="GH,ZA")
    assert ask(both).item.price_list == "africa"
    assert ask(both, country="GH").item.price_list == "ghana"
    half = agreement("a", "live", item(countries=("ZA",)), ghana, live="GH")
    assert ask(half, country=None).item.price_list == "ghana"


def test_a_draft_does_not_hide_the_version_in_force() -> None:
    first, second = agreement("a"), agreement("a", "draft", version=2)
    assert version_at([first, second], NOW) == first
    lapsed = agreement("a", end=5)
    assert version_at([lapsed, second], NOW) == lapsed
    assert version_at([replace(first, state=AgreementState.DRAFT, in_force=None), second], NOW) == (
        second
    )
