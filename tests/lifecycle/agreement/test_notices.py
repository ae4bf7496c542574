"""Notices that cannot be true are refused, and those that come too soon have to wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hansa.federation.papers import (
    AgreementAct,
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    Signature,
)
from hansa.foundation.database import run
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import AgreementId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import store
from hansa.lifecycle.agreement.model import AgreementState
from hansa.lifecycle.agreement.rules.standing import fingerprint_to_sign
from tests.lifecycle.agreement.examples import (
    BT,
    ID,
    MCI,
    MTN,
    Letter,
    Office,
    World,
    document,
    item,
    ref,
)


def test_a_tampered_draft_is_found_by_its_fingerprint(two: World) -> None:
    two.bt.draft(document())
    (letter,) = two.collect()
    assert isinstance(letter.notice, AgreementDrafted)
    cheaper = replace(letter.notice.document, items=(item(price_list="cheap"),))
    two.mtn.hear(replace(letter, notice=AgreementDrafted(cheaper)))
    two.bt.sign()
    with pytest.raises(Refused, match="agreement-differs"):
        two.deliver()
    assert two.mtn.show().signatures == ()
    with pytest.raises(Refused, match="agreement-differs"):
        two.mtn.hear(letter)


def signature_of(two: World) -> Letter:
    """BT's signature on its way to MTN, which knows the draft."""
    two.bt.draft(document())
    two.deliver()
    two.bt.sign()
    (letter,) = two.collect()
    return letter


def test_a_signature_by_the_wrong_key_is_refused(two: World) -> None:
    letter = signature_of(two)
    assert isinstance(letter.notice, AgreementSigned)
    forged = two.mtn.keys.sign(letter.notice.fingerprint, party=BT, at=two.bt.now)
    with pytest.raises(Refused, match="signature-wrong"):
        two.mtn.hear(replace(letter, notice=replace(letter.notice, signature=forged)))
    assert two.mtn.show().signatures == ()
    two.mtn.hear(letter)
    assert two.mtn.show().unsigned == (MTN,)


def test_a_party_signs_for_itself_only(three: World) -> None:
    letter = signature_of(three)
    with pytest.raises(Refused, match="agreement-not-party"):
        three.mtn.hear(replace(letter, sender=MCI))
    mine = Signature(MTN, "", three.bt.now)
    assert isinstance(letter.notice, AgreementSigned)
    timeless = replace(letter.notice.signature, at=three.bt.now.replace(tzinfo=None))
    with pytest.raises(Refused, match="agreement-invalid"):
        three.mtn.hear(replace(letter, notice=replace(letter.notice, signature=timeless)))
    with pytest.raises(Refused, match="sender-not-signer"):
        three.mtn.hear(replace(letter, notice=replace(letter.notice, signature=mine)))


def test_a_draft_is_heard_from_its_lead_by_its_parties(three: World) -> None:
    three.bt.draft(document())
    (letter,) = three.collect()
    with pytest.raises(Refused, match="agreement-not-lead"):
        three.mtn.hear(replace(letter, sender=MCI))
    with pytest.raises(Refused, match="agreement-not-party"):
        three.mci.hear(letter)
    bad = document(gates=("tax", "tax"))
    with pytest.raises(Refused, match="agreement-invalid"):
        three.mtn.hear(replace(letter, notice=AgreementDrafted(bad)))
    with pytest.raises(NotFound, match="agreement-unknown"):
        three.mtn.show()


def moved(
    by: Office,
    act: AgreementAct,
    country: str = "",
    evidence: Mapping[str, str] | None = None,
    *,
    version: int = 1,
) -> AgreementMoved:
    """A properly signed move, whether or not it may be made."""
    bare = AgreementMoved(ref(version), act, country, evidence or {}, Signature(by.us, "", by.now))
    signature = by.keys.sign(fingerprint_to_sign(bare), party=by.us, at=by.now)
    return replace(bare, signature=signature)


def at_no_time(notice: AgreementMoved) -> AgreementMoved:
    """The same, signed at a time without a zone."""
    when = notice.signature.at.replace(tzinfo=None)
    return replace(notice, signature=replace(notice.signature, at=when))


def test_moves_that_cannot_be_true_are_refused(two: World) -> None:
    two.agree(document())
    shown = {"licence": "ECNS 0042", "tax": "VAT 4000"}
    launch = moved(two.bt, "launch", "ZA", shown)
    for sender, hearer, notice, code in (
        (MTN, two.bt, moved(two.mtn, "suspend"), "agreement-not-lead"),
        (BT, two.mtn, moved(two.bt, "launch", "NG", shown), "country-not-agreed"),
        (BT, two.mtn, moved(two.bt, "launch", "ZA", {"tax": "VAT 4000"}), "gate-open"),
        (
            BT,
            two.mtn,
            moved(two.bt, "launch", "ZA", {**shown, "licence": ""}),
            "agreement-invalid",
        ),
        (BT, two.mtn, moved(two.bt, "launch", "ZA", {**shown, "\0": "?"}), "agreement-invalid"),
        (BT, two.mtn, moved(two.bt, "end", "ZA"), "agreement-invalid"),
        (BT, two.mtn, at_no_time(launch), "agreement-invalid"),
        (BT, two.mtn, replace(launch, country="GH"), "signature-wrong"),
        (BT, two.mtn, replace(launch, evidence={**shown, "tax": "?"}), "signature-wrong"),
        (MTN, two.bt, launch, "sender-not-signer"),
    ):
        with pytest.raises(Refused) as caught:
            hearer.hear(Letter(sender, hearer.us, notice))
        assert caught.value.code == code
    assert two.mtn.show().state is AgreementState.SIGNED
    two.mtn.hear(Letter(BT, MTN, launch))
    two.mtn.hear(Letter(BT, MTN, launch))
    assert two.mtn.show().launched == ("ZA",)
    other = moved(two.bt, "launch", "GH", shown)
    with pytest.raises(Refused, match="agreement-differs"):
        two.mtn.hear(Letter(BT, MTN, other))


def test_what_overtakes_its_draft_is_asked_to_come_again(two: World) -> None:
    two.bt.draft(document())
    two.bt.sign()
    drafted, signed = two.collect()
    with pytest.raises(TryLater, match="agreement-not-heard"):
        two.mtn.hear(signed)
    with pytest.raises(TryLater, match="agreement-not-heard"):
        two.mtn.hear(Letter(BT, MTN, moved(two.bt, "end", version=2)))
    two.mtn.hear(drafted)
    two.mtn.hear(signed)
    assert two.mtn.show().unsigned == (MTN,)


def test_what_comes_between_a_draft_and_its_commit_does_not_go_unlocked(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its signature would be kept, and another's of the same moment would not be counted."""
    two.bt.draft(document())
    two.bt.sign()
    drafted, signed = two.collect()
    lock = store.lock

    def lock_too_early(tx: Transaction, agreement: AgreementId) -> bool:
        found = lock(tx, agreement)
        monkeypatch.setattr(store, "lock", lock)
        two.mtn.hear(drafted)
        return found

    monkeypatch.setattr(store, "lock", lock_too_early)
    with pytest.raises(TryLater, match="agreement-not-heard"):
        two.mtn.hear(signed)
    assert two.mtn.show().signatures == ()


def test_an_agreement_nobody_knows_is_not_found(two: World) -> None:
    for act in (two.bt.sign, two.bt.suspend, two.bt.end):
        with pytest.raises(NotFound, match=f"agreement-unknown.*{ID} version 1"):
            act()


def test_an_agreement_is_called_so_by_its_lead(two: World) -> None:
    """So that nobody learns from a refusal how others have called theirs."""
    for name in ("agr_1", "agr_1.mtn", "agr_1.mci", "bt", "agr_1bt"):
        with pytest.raises(Refused) as caught:
            two.bt.draft(document(id=AgreementId(name)))
        assert (caught.value.code, caught.value.field) == ("id-not-given", "id")
        with pytest.raises(Refused) as caught:
            two.mtn.hear(Letter(BT, MTN, AgreementDrafted(document(id=AgreementId(name)))))
        assert (caught.value.code, caught.value.field) == ("id-not-given", "id")


def test_an_agreement_of_the_time_when_ids_bore_no_name_goes_on(two: World) -> None:
    old = AgreementId("agr_1")
    for office in two.offices.values():
        with office.begin() as tx:
            run(tx, "insert into agreement_life values (%s, 'bt')", (old,))
    assert two.bt.draft(document(id=old)).ref.id == old
    two.mtn.hear(Letter(BT, MTN, AgreementDrafted(document(id=old))))
