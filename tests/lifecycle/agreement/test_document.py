"""What may be signed at all, as a table of what may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from hansa.federation.papers import AgreementDocument, AgreementParty, Deduction
from hansa.foundation.database import one_row
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import AgreementId, OfferCode, PartyId
from hansa.foundation.money import Money
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.rules.document import check_document
from tests.lifecycle.agreement.examples import (
    BT,
    CONNECT,
    FROM,
    MCI,
    MTN,
    SHIELD,
    TRUNK,
    World,
    document,
    item,
    share,
)

LEAD, PARTNER = AgreementParty(BT, "lead"), AgreementParty(MTN, "partner")
SECOND_LEAD = AgreementParty(MTN, "lead")
STRANGER = PartyId("stranger")


def access(minor: int, currency: str = "GBP") -> Deduction:
    return Deduction("access", amount=Money(minor, currency))


def three(*steps: Deduction) -> AgreementDocument:
    """With a share of what these steps leave."""
    return document(three=True, shares=(share(waterfall=steps),))


TAXES, CREDITS, ACCESS = Deduction("taxes", part_bp=500), Deduction("credits"), access(2_000)

REFUSED = [
    ("no id", document(id=AgreementId("")), "agreement-invalid", "id"),
    ("no name", document(name="  "), "agreement-invalid", "name"),
    ("a name over two lines", document(name="Africa\n2026"), "agreement-invalid", "name"),
    ("an endless name", document(name="a" * 201), "agreement-invalid", "name"),
    ("a version beyond all", document(10_000), "agreement-invalid", "version"),
    ("version 0", document(0), "agreement-invalid", "version"),
    (
        "a time without a zone",
        document(valid_from=datetime(2026, 11, 1)),
        "agreement-invalid",
        "valid_from",
    ),
    (
        "a time of another zone",
        document(valid_from=datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=2)))),
        "agreement-invalid",
        "valid_from",
    ),
    ("over before it begins", document(valid_to=FROM), "agreement-invalid", "valid_to"),
    ("one party", document(parties=(LEAD,)), "agreement-invalid", "parties"),
    ("a party twice", document(parties=(LEAD, PARTNER, PARTNER)), "agreement-invalid", "parties"),
    (
        "nobody leads",
        document(parties=(AgreementParty(BT, "partner"), PARTNER)),
        "agreement-invalid",
        "parties",
    ),
    ("two lead", document(parties=(LEAD, SECOND_LEAD)), "agreement-invalid", "parties"),
    (
        "a party without a proper name",
        document(parties=(LEAD, AgreementParty(PartyId("M T N"), "partner"))),
        "party-name",
        "parties.1.party",
    ),
    ("no items", document(items=()), "agreement-invalid", "items"),
    (
        "a stranger sells",
        document(items=(item(seller=STRANGER),)),
        "agreement-invalid",
        "items.0.buyer",
    ),
    (
        "a stranger buys",
        document(items=(item(), item(buyer=STRANGER))),
        "agreement-invalid",
        "items.1.buyer",
    ),
    (
        "bought from oneself",
        document(items=(item(buyer=BT),)),
        "agreement-invalid",
        "items.0.buyer",
    ),
    ("no offers", document(items=(item(offers=()),)), "agreement-invalid", "items.0.offers"),
    (
        "an offer twice",
        document(items=(item(offers=(CONNECT, CONNECT)),)),
        "agreement-invalid",
        "items.0.offers",
    ),
    (
        "an offer without a name",
        document(items=(item(offers=(OfferCode(""),)),)),
        "agreement-invalid",
        "items.0.offers",
    ),
    (
        "no countries",
        document(items=(item(countries=()),)),
        "agreement-invalid",
        "items.0.countries",
    ),
    (
        "a country in full",
        document(items=(item(countries=("Ghana",)),)),
        "country-code",
        "items.0.countries",
    ),
    (
        "a country in small letters",
        document(items=(item(countries=("za",)),)),
        "country-code",
        "items.0.countries",
    ),
    (
        "no price list",
        document(items=(item(price_list=""),)),
        "agreement-invalid",
        "items.0.price_list",
    ),
    (
        "an unknown currency",
        document(items=(item(currency="ZZZ", credit_limit=None),)),
        "currency-unknown",
        "items.0.currency",
    ),
    (
        "a limit in another currency",
        document(items=(item(credit_limit=Money(1, "ZAR")),)),
        "agreement-invalid",
        "items.0.credit_limit",
    ),
    (
        "a limit below zero",
        document(items=(item(credit_limit=Money(-1, "GBP")),)),
        "agreement-invalid",
        "items.0.credit_limit",
    ),
    (
        "a limit beyond all",
        document(items=(item(credit_limit=Money(10**15 + 1, "GBP")),)),
        "agreement-invalid",
        "items.0.credit_limit",
    ),
    (
        "the same offer in the same country at two prices",
        document(items=(item(), item(offers=(SHIELD,), countries=("GH",), price_list="gold"))),
        "agreement-invalid",
        "items.1",
    ),
    (
        "two limits for one buyer",
        document(items=(item(), item(offers=(TRUNK,), credit_limit=None))),
        "agreement-invalid",
        "items.1.credit_limit",
    ),
    (
        "a stranger shares",
        document(three=True, shares=(share(beneficiary=STRANGER),)),
        "agreement-invalid",
        "shares.0.beneficiary",
    ),
    (
        "a share for oneself",
        document(three=True, shares=(share(beneficiary=BT),)),
        "agreement-invalid",
        "shares.0.beneficiary",
    ),
    (
        "nothing to share",
        document(three=True, shares=(share(share_bp=0),)),
        "share-size",
        "shares.0.share_bp",
    ),
    (
        "more than all",
        document(three=True, shares=(share(share_bp=10_001),)),
        "share-size",
        "shares.0.share_bp",
    ),
    (
        "more than all, together",
        document(
            three=True,
            shares=(share(share_bp=6_000), share(beneficiary=MTN, share_bp=4_001)),
        ),
        "share-size",
        "shares.1.share_bp",
    ),
    (
        "a share of what is not sold",
        document(three=True, shares=(share(offers=(TRUNK,)),)),
        "agreement-invalid",
        "shares.0.offers",
    ),
    (
        "a share in no currency",
        document(three=True, shares=(share(currency="usd"),)),
        "currency-unknown",
        "shares.0.currency",
    ),
    (
        "a share at no rate",
        document(three=True, shares=(share(fx_source=""),)),
        "agreement-invalid",
        "shares.0.fx_source",
    ),
    *(
        (f"a waterfall with {name}", three(*steps), code, f"shares.0.waterfall{at}")
        for name, steps, code, at in (
            ("a step twice", (TAXES, CREDITS, TAXES), "agreement-invalid", ""),
            ("a step of nothing", (Deduction("access"),), "agreement-invalid", ".0"),
            ("a step of two sizes", (replace(ACCESS, part_bp=1),), "agreement-invalid", ".0"),
            (
                "credits of a size",
                (TAXES, Deduction("credits", part_bp=1)),
                "agreement-invalid",
                ".1",
            ),
            ("a part below zero", (replace(TAXES, part_bp=-1),), "share-size", ".0.part_bp"),
            (
                "more than is left",
                (CREDITS, replace(TAXES, part_bp=10_001)),
                "share-size",
                ".1.part_bp",
            ),
            ("another currency", (access(1, "USD"),), "agreement-invalid", ".0.amount"),
            ("less than nothing", (access(-1),), "agreement-invalid", ".0.amount"),
            ("a very large amount", (access(10**15 + 1),), "agreement-invalid", ".0.amount"),
        )
    ),
    (
        "an amount off what is sold in two currencies",
        document(
            three=True,
            items=(item(), item(buyer=MCI, currency="EUR", credit_limit=None)),
            shares=(share(waterfall=(ACCESS,)),),
        ),
        "agreement-invalid",
        "shares.0.waterfall.0.amount",
    ),
    (
        "two bases of one offer",
        document(
            three=True,
            shares=(
                share(waterfall=(TAXES, ACCESS)),
                share(beneficiary=MTN, waterfall=(ACCESS, TAXES)),
            ),
        ),
        "agreement-invalid",
        "shares.1.waterfall",
    ),
    ("a gate without a name", document(gates=("tax", " ")), "agreement-invalid", "gates"),
    ("a gate twice", document(gates=("tax", "tax")), "agreement-invalid", "gates"),
]


@pytest.mark.parametrize(
    ("text", "code", "at"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_document_that_cannot_be_signed_is_refused_with_its_field(
    text: AgreementDocument, code: str, at: str
) -> None:
    with pytest.raises(Refused) as refusal:
        check_document(text)
    assert (refusal.value.code, refusal.value.field) == (code, at)


FIT = [
    ("two parties", document()),
    ("three parties and a share", document(three=True)),
    ("no gates", document(gates=())),
    ("no limit", document(items=(item(credit_limit=None),))),
    ("a limit of nothing", document(items=(item(credit_limit=Money(0, "GBP")),))),
    ("until a day", document(valid_to=datetime(2027, 11, 1, tzinfo=UTC))),
    (
        "trade both ways",
        document(items=(item(), item(seller=MTN, buyer=BT, currency="ZAR", credit_limit=None))),
    ),
    (
        "other prices in another country",
        document(items=(item(countries=("ZA",)), item(countries=("GH",), price_list="ghana"))),
    ),
    (
        "two shares of one offer, all of it",
        document(
            three=True, shares=(share(share_bp=6_000), share(beneficiary=MTN, share_bp=4_000))
        ),
    ),
    ("a waterfall", three(TAXES, CREDITS, ACCESS, Deduction("bad-debt", part_bp=10_000))),
    ("a waterfall of no steps", three()),
    (
        "two waterfalls of two offers",
        document(
            three=True,
            shares=(share(waterfall=(TAXES,)), share(offers=(SHIELD,), waterfall=(ACCESS,))),
        ),
    ),
]


@pytest.mark.parametrize("text", [row[1] for row in FIT], ids=[row[0] for row in FIT])
def test_what_is_fit_to_be_signed_is_let_through(text: AgreementDocument) -> None:
    check_document(text)


def test_a_refused_draft_leaves_nothing_behind(two: World) -> None:
    bad = [text for _, text, _, _ in REFUSED]
    for text in bad:
        with pytest.raises(Refused):
            two.bt.draft(text)
    with two.bt.begin() as tx:
        assert actions.all(tx) == []
        kept = one_row(tx, "select count(*) from agreement_life")
    assert kept == {"count": 0}
    assert two.collect() == []


def test_only_the_lead_drafts(two: World) -> None:
    with pytest.raises(Refused, match="agreement-not-lead"):
        two.mtn.draft(document())


def test_a_party_that_has_not_joined_cannot_be_sent_a_draft(two: World) -> None:
    with pytest.raises(NotFound, match=f"partner-unknown: {MCI}"):
        two.bt.draft(document(three=True))
    assert two.collect() == []
