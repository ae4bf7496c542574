"""Operators draft, sign, launch, suspend, amend and end an agreement, each on its own node."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hansa.federation.papers import AgreementDrafted, AgreementParty
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.ids import AgreementId, OfferCode, PartyId
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import AgreementState, TradeTerms
from tests.lifecycle.agreement.examples import (
    BT,
    CONNECT,
    MCI,
    MTN,
    SHIELD,
    TRUNK,
    Letter,
    Office,
    World,
    document,
    item,
    ref,
    share,
)


def terms(
    office: Office,
    offer: OfferCode = CONNECT,
    country: str | None = "ZA",
    *,
    seller: PartyId = BT,
    buyer: PartyId = MTN,
    ordering: bool = True,
    at: Instant | None = None,
) -> TradeTerms:
    with office.begin() as tx:
        return actions.terms_for(
            tx,
            seller=seller,
            buyer=buyer,
            offer=offer,
            country=country,
            at=at or office.now,
            ordering=ordering,
        )


def refusal(office: Office, offer: OfferCode = CONNECT, country: str | None = "ZA") -> HansaError:
    with pytest.raises(Refused) as caught:
        terms(office, offer, country)
    return caught.value


# --- two parties --------------------------------------------------------------------------------


def test_two_operators_agree_and_launch_one_of_two_countries(two: World) -> None:
    assert refusal(two.mtn).code == "agreement-missing"

    two.bt.draft(document())
    two.deliver()
    assert two.mtn.show().state is AgreementState.DRAFT
    assert refusal(two.mtn).code == "agreement-unsigned"

    two.bt.sign()
    two.deliver()
    assert two.mtn.show().unsigned == (MTN,)
    two.mtn.sign()
    two.deliver()
    assert two.bt.show().state is AgreementState.SIGNED
    assert refusal(two.bt).code == "country-not-launched"

    two.launch("ZA")
    for office in (two.bt, two.mtn):
        agreed = terms(office)
        assert (agreed.ref, agreed.countries) == (ref(), ("ZA",))
        assert agreed.item == item()
    assert two.bt.show().fingerprint == two.mtn.show().fingerprint
    assert two.bt.show().signatures == two.mtn.show().signatures


def test_ghana_is_agreed_but_not_launched(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    said = refusal(two.mtn, SHIELD, "GH")
    assert (said.code, said.field) == ("country-not-launched", "country")
    assert said.words.startswith("shield in GH is in the agreement Africa 2026")
    assert "but not launched" in said.words


def test_what_is_not_agreed_is_refused_by_its_nearest_reason(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    assert refusal(two.mtn, TRUNK, "ZA").code == "offer-not-agreed"
    assert refusal(two.mtn, CONNECT, "NG").code == "country-not-agreed"
    with pytest.raises(Refused, match="agreement-missing"):
        terms(two.mtn, seller=MTN, buyer=BT)


def test_an_item_for_the_whole_order_needs_one_live_country(two: World) -> None:
    two.agree(document())
    said = refusal(two.mtn, SHIELD, None)
    assert said.code == "country-not-launched"
    assert "shield in any of its countries" in said.words
    two.launch("GH")
    assert terms(two.mtn, SHIELD, None).countries == ("GH",)


def test_an_agreement_is_in_force_from_its_first_day_to_its_last(two: World) -> None:
    first, last = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)
    two.agree(document(valid_from=first, valid_to=last))
    two.launch("ZA")
    said = refusal(two.mtn)
    assert said.code == "agreement-not-in-force"
    assert "from 2026-12-01 00:00 until 2027-12-01 00:00 UTC" in said.words
    assert terms(two.mtn, at=first).ref == ref()
    with pytest.raises(Refused, match="agreement-not-in-force"):
        terms(two.mtn, at=last)


def test_the_catalogue_learns_what_a_buyer_may_have_now(two: World) -> None:
    text = document(items=(item(countries=("ZA",)), item(offers=(TRUNK,), countries=("GH",))))
    two.agree(text)

    def between() -> list[tuple[tuple[OfferCode, ...], tuple[str, ...]]]:
        with two.mtn.begin() as tx:
            found = actions.items_between(tx, seller=BT, buyer=MTN, at=two.mtn.now)
        return [(one.item.offers, one.countries) for one in found]

    assert between() == []
    two.launch("ZA")
    assert between() == [((CONNECT, SHIELD), ("ZA",))]
    two.launch("GH")
    assert between() == [((CONNECT, SHIELD), ("ZA",)), ((TRUNK,), ("GH",))]
    two.bt.suspend()
    two.deliver()
    assert between() == []


def test_a_seller_that_offers_it_under_two_agreements_sells_under_the_newer(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    two.bt.clock.move(timedelta(days=1))
    newer = replace(ref(), id=two.bt.ids.given(AgreementId, by=BT))
    text = document(id=newer.id, gates=(), items=(item(price_list="gold"),))
    two.bt.draft(text)
    two.deliver()
    for office in (two.bt, two.mtn):
        with office.begin() as tx:
            actions.sign(
                tx, us=office.us, ref=newer, keys=office.keys, ids=office.ids, now=office.now
            )
    two.deliver()
    assert terms(two.mtn).item.price_list == "africa"
    with two.bt.begin() as tx:
        actions.launch(
            tx,
            us=BT,
            ref=newer,
            country="ZA",
            keys=two.bt.keys,
            ids=two.bt.ids,
            now=two.bt.now,
        )
    two.deliver()
    assert (terms(two.mtn).ref, terms(two.mtn).item.price_list) == (newer, "gold")


# --- gates --------------------------------------------------------------------------------------


def test_a_country_is_launched_when_all_its_gates_are_passed(two: World) -> None:
    two.agree(document())
    with pytest.raises(Refused, match="licence, tax") as caught:
        two.bt.launch("ZA")
    assert caught.value.code == "gate-open"
    two.bt.pass_gate("ZA", "licence", "ECNS 0042")
    two.bt.pass_gate("GH", "tax", "C0001")
    with pytest.raises(Refused, match=r"for tax\.") as caught:
        two.bt.launch("ZA")
    assert caught.value.code == "gate-open"
    two.bt.pass_gate("ZA", "tax", "VAT 4000")
    two.bt.launch("ZA")
    two.deliver()
    shown = next(one for one in two.mtn.show().countries if one.code == "ZA")
    assert [(gate.gate, gate.evidence) for gate in shown.gates] == [
        ("licence", "ECNS 0042"),
        ("tax", "VAT 4000"),
    ]
    assert shown.live_since == two.bt.now


def test_a_gate_is_passed_once_and_by_the_lead(two: World) -> None:
    two.agree(document())
    two.bt.pass_gate("ZA", "tax", "VAT 4000")
    two.bt.pass_gate("ZA", "tax", "VAT 4000")
    for office, country, gate, evidence, code in (
        (two.bt, "ZA", "tax", "VAT 4001", "gate-passed"),
        (two.bt, "ZA", "board", "minutes", "gate-unknown"),
        (two.bt, "NG", "tax", "VAT 1", "country-not-agreed"),
        (two.bt, "ZA", "licence", " ", "agreement-invalid"),
        (two.mtn, "ZA", "licence", "ECNS 0042", "agreement-not-lead"),
    ):
        with pytest.raises(Refused) as caught:
            office.pass_gate(country, gate, evidence)
        assert caught.value.code == code
    assert two.collect() == []


def test_a_country_cannot_be_launched_before_all_have_signed(two: World) -> None:
    two.bt.draft(document())
    two.bt.sign()
    two.bt.pass_gates("ZA")
    with pytest.raises(Refused, match=r"agreement-unsigned.*not signed by mtn"):
        two.bt.launch("ZA")


# --- three parties ------------------------------------------------------------------------------


def test_three_parties_sign_the_same_text_and_one_shares_the_revenue(three: World) -> None:
    three.bt.draft(document(three=True))
    three.deliver()
    three.mci.sign()
    three.bt.sign()
    three.deliver()
    assert three.mtn.show().unsigned == (MTN,)
    assert three.bt.show().state is AgreementState.DRAFT
    three.mtn.sign()
    three.deliver()
    assert len({office.show().fingerprint for office in three.offices.values()}) == 1
    assert {office.show().state for office in three.offices.values()} == {AgreementState.SIGNED}
    three.launch("ZA")
    with three.mci.begin() as tx:
        november = Period.month(2026, 11)
        (found,) = actions.shares_of(tx, operator=BT, period=november)
        assert (found.ref, found.share) == (ref(), share())
        assert actions.shares_of(tx, operator=MCI, period=november) == []
        assert actions.shares_of(tx, operator=BT, period=Period.month(2026, 10)) == []


def test_a_share_is_owed_as_long_as_the_agreement_is_in_force(three: World) -> None:
    three.agree(document(three=True))
    three.launch("ZA")
    three.bt.clock.move(timedelta(days=10))
    three.agree(document(2, three=True, shares=(share(share_bp=3_000),)))
    three.bt.clock.move(timedelta(days=10))
    three.bt.run_off()
    three.bt.clock.move(timedelta(days=20))
    three.bt.end()
    three.deliver()
    with three.mci.begin() as tx:
        months = {
            month: [
                (one.ref.version, one.share.share_bp)
                for one in actions.shares_of(tx, operator=BT, period=Period.month(2026, month))
            ]
            for month in (10, 11, 12)
        }
        january = actions.shares_of(tx, operator=BT, period=Period.month(2027, 1))
    assert months == {10: [], 11: [(2, 3_000)], 12: [(2, 3_000)]}
    assert january == []


# --- suspended, running off, ended ----------------------------------------------------------------


def test_a_suspension_stops_orders_and_not_what_is_held(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    two.bt.suspend()
    two.deliver()
    said = refusal(two.mtn)
    assert said.code == "agreement-suspended"
    assert "until bt resumes it" in said.words
    assert terms(two.mtn, ordering=False).ref == ref()
    two.bt.resume()
    two.deliver()
    assert terms(two.mtn).ref == ref()


def test_running_off_keeps_what_is_held_until_the_end(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    two.bt.run_off()
    two.deliver()
    assert refusal(two.mtn).code == "agreement-run-off"
    assert terms(two.mtn, ordering=False).ref == ref()
    with pytest.raises(Refused, match="state-move"):
        two.bt.resume()
    two.bt.end()
    two.deliver()
    for office in (two.bt, two.mtn):
        assert refusal(office).code == "agreement-ended"
        with pytest.raises(Refused, match="agreement-ended"):
            terms(office, ordering=False)


def test_any_party_may_end_and_only_the_lead_may_do_the_rest(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    for act in (two.mtn.suspend, two.mtn.resume, two.mtn.run_off):
        with pytest.raises(Refused, match="agreement-not-lead"):
            act()
    with pytest.raises(Refused, match="agreement-not-lead"):
        two.mtn.launch("GH")
    two.mtn.end()
    two.deliver()
    assert two.bt.show().state is AgreementState.ENDED
    with pytest.raises(Refused, match="agreement-ended"):
        two.bt.draft(document(2))
    with pytest.raises(Refused, match="state-move: The agreement is ended"):
        two.bt.suspend()


def test_a_draft_nobody_wants_is_ended_and_cannot_be_signed(two: World) -> None:
    two.bt.draft(document())
    two.deliver()
    two.mtn.end()
    two.deliver()
    for office in (two.bt, two.mtn):
        with pytest.raises(Refused, match="agreement-ended"):
            office.sign()


def test_doing_it_again_changes_nothing_and_tells_nobody(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    assert two.collect() == []
    two.bt.draft(document())
    two.bt.sign()
    two.mtn.sign()
    two.bt.launch("ZA")
    two.bt.resume()
    assert two.collect() == []
    two.bt.suspend()
    assert len(two.collect()) == 1
    two.bt.suspend()
    assert two.collect() == []


def test_it_cannot_be_signed_after_its_time(two: World) -> None:
    two.bt.draft(document(valid_to=two.bt.now + timedelta(days=1)))
    two.bt.clock.move(timedelta(days=1))
    with pytest.raises(Refused, match="agreement-not-in-force"):
        two.bt.sign()


# --- the second version ---------------------------------------------------------------------------


def test_a_second_version_takes_over_on_its_day_once_all_have_signed(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    day = two.bt.now + timedelta(days=9)
    two.bt.draft(document(2, valid_from=day, items=(item(price_list="gold"),)))
    two.deliver()
    two.bt.sign(2)
    two.deliver()
    assert two.mtn.show(2).state is AgreementState.DRAFT
    assert terms(two.mtn, at=day).ref == ref(1)
    two.mtn.sign(2)
    two.deliver()
    for office in (two.bt, two.mtn):
        assert terms(office, at=day - timedelta(seconds=1)).item.price_list == "africa"
        after = terms(office, at=day)
        assert (after.ref, after.item.price_list, after.countries) == (ref(2), "gold", ("ZA",))


def test_a_version_signed_late_takes_over_when_the_last_has_signed(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    before = two.bt.now
    two.bt.draft(document(2))
    two.deliver()
    two.bt.sign(2)
    two.bt.clock.move(timedelta(hours=3))
    two.mtn.sign(2)
    two.deliver()
    assert terms(two.bt, at=before).ref == ref(1)
    assert terms(two.bt).ref == ref(2)


def test_versions_follow_each_other_with_the_same_parties(three: World) -> None:
    three.agree(document())
    for text, code in (
        (document(3), "agreement-version"),
        (document(2, three=True), "agreement-parties"),
        (document(1, name="Africa 2027"), "agreement-differs"),
    ):
        with pytest.raises(Refused) as caught:
            three.bt.draft(text)
        assert caught.value.code == code
    with three.bt.begin() as tx:
        assert [one.ref for one in actions.all(tx)] == [ref(1)]
    usurper = document(2, parties=(AgreementParty(MTN, "lead"), AgreementParty(BT, "partner")))
    with pytest.raises(Refused, match="agreement-parties"):
        three.mtn.draft(usurper)
    with pytest.raises(Refused, match="agreement-parties"):
        three.bt.hear(Letter(MTN, BT, AgreementDrafted(usurper)))


def test_a_suspension_outlives_a_new_version(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    two.bt.suspend()
    two.deliver()
    two.agree(document(2))
    assert two.mtn.show(2).state is AgreementState.SUSPENDED
    assert refusal(two.mtn).code == "agreement-suspended"
    two.bt.resume(2)
    two.deliver()
    assert terms(two.mtn).ref == ref(2)
