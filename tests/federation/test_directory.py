"""Two operators exchange their cards, renew them, and take trust away."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hansa.federation import directory
from hansa.federation.keys.ring import KeyRing, SigningKey
from hansa.federation.model import Card, CardKey, Partner
from hansa.federation.papers import CardRenewed
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Begin
from tests.federation.shop import BT, EVE, MTN, START

PARTY = Party(BT, "BT Group plc", "GB", "GBP", "GB245719348")
ADDRESS = "https://bt.test:8443"
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
PAPER = documents.fingerprint({"net": 1})


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    """BT's keys, with a certificate."""
    return with_certificate(tmp_path / "bt-tls")


def with_certificate(folder: Path) -> KeyRing:
    ring = KeyRing.load_or_create(folder, now=START)
    ring.have_certificate(party=BT, address=ADDRESS, now=START)
    return ring


def made(ring: KeyRing, at: Instant = START, **other: Any) -> Card:
    return directory.invite(ring, **{"party": PARTY, "address": ADDRESS, "now": at, **other})


@pytest.fixture
def card(ring: KeyRing) -> Card:
    return made(ring)


def join(begin: Begin, card: Card, clock: SetClock, **confirmed: str) -> Partner:
    with begin() as tx:
        return directory.join(tx, card=card, now=clock.now(), **confirmed)


def refused(begin: Begin, card: Card, clock: SetClock, **confirmed: str) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        join(begin, card, clock, **confirmed)
    return caught.value.code, caught.value.field


def comes(begin: Begin, clock: SetClock, certificate: str | None, party: PartyId = BT) -> bool:
    """Whether who shows this certificate may speak as that party, if its signature is good."""
    with begin() as tx:
        return directory.standing(
            tx, party=party, kid="0" * 16, certificate_sha256=certificate, now=clock.now()
        ).may_come


def usable(begin: Begin, clock: SetClock) -> set[str]:
    with begin() as tx:
        return set(directory.usable_keys(tx, party=BT, now=clock.now()))


# --- introduced -----------------------------------------------------------------------------------


def test_a_card_is_handed_over_as_a_file(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    text = json.dumps(documents.write(card))
    partner = join(begin, directory.read_card(json.loads(text)), clock)
    assert (partner.party, partner.address, partner.dialect) == (PARTY, ADDRESS, "tmf")
    assert (partner.trust, partner.joined_at, partner.heard) == ("hansa", clock.now(), None)
    assert [one.public_key for one in partner.keys] == [ring.public]
    assert [one.sha256 for one in partner.certificates] == [ring.certificate(START).sha256]
    with begin() as tx:
        assert directory.partner(tx, party=BT) == partner
        assert directory.partners(tx) == [partner]
        with pytest.raises(NotFound) as caught:
            directory.partner(tx, party=MTN)
    assert caught.value.code == "partner-unknown"
    assert usable(begin, clock) == {ring.public}


def test_joining_again_changes_nothing(begin: Begin, card: Card, clock: SetClock) -> None:
    first = join(begin, card, clock)
    clock.move(DAY)
    assert join(begin, card, clock) == first


def test_a_newer_card_renews_the_address_and_an_older_one_does_not(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    first = join(begin, card, clock)
    moved = made(ring, START + DAY, address="http://[::1]:80")
    renewed = replace(first, address="http://[::1]:80", card_at=START + DAY)
    assert join(begin, moved, clock) == renewed
    assert join(begin, card, clock) == renewed


def test_a_card_that_no_known_key_vouches_for_is_not_taken(
    begin: Begin, card: Card, bt_ring: KeyRing, ring: KeyRing, clock: SetClock
) -> None:
    before = join(begin, card, clock)
    stolen_name = made(bt_ring, START + DAY, address="http://eve.test")
    assert refused(begin, stolen_name, clock) == ("card-unvouched", "signatures")
    eve = made(ring, party=replace(PARTY, id=EVE))
    assert refused(begin, eve, clock) == ("partner-key-taken", "keys")
    with begin() as tx:
        assert directory.partners(tx) == [before]


def test_a_certificate_may_stand_on_anothers_card_too(
    begin: Begin, card: Card, tmp_path: Path, clock: SetClock
) -> None:
    """Whoever was ever shown it has it: it tells nobody whom we know, nor keeps its owner out."""
    eve = with_certificate(tmp_path / "eve")
    with_ours = replace(made(eve, party=replace(PARTY, id=EVE)), certificates=card.certificates)
    join(begin, signed(with_ours, eve.current(START)), clock)
    join(begin, card, clock)
    (shown,) = card.certificates
    for party, kid in ((BT, card.keys[0].kid), (EVE, eve.current(START).kid)):
        with begin() as tx:
            standing = directory.standing(
                tx, party=party, kid=kid, certificate_sha256=shown.sha256, now=START
            )
        assert standing.may_come and standing.public_key is not None
        with begin() as tx:
            strange = directory.standing(
                tx, party=party, kid="0" * 16, certificate_sha256=shown.sha256, now=START
            )
        assert strange.public_key is None


@pytest.mark.parametrize(
    "statement",
    [
        "update federation_key set public_key = 'x'",
        "update federation_key set valid_from = valid_from - interval '1 day'",
        "delete from federation_key",
        "delete from federation_certificate",
        "update federation_certificate set der = 'x'",
        "update federation_partner set party = 'eve'",
        "update federation_trust_act set why = 'no reason'",
    ],
)
def test_the_database_keeps_what_was_known(
    begin: Begin, card: Card, clock: SetClock, statement: str
) -> None:
    join(begin, card, clock)
    with begin() as tx:
        directory.revoke(tx, party=BT, why="stolen", by="ada", now=clock.now())
    with pytest.raises(psycopg.errors.IntegrityError), begin() as tx:
        run(tx, statement)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "https://eve.test"},
        {"dialect": "sonata"},
        {"party": replace(PARTY, id=EVE)},
        {"party": replace(PARTY, name="Eve")},
        {"party": replace(PARTY, currency="USD")},
        {"party": replace(PARTY, tax_id="")},
        {"edition": 7},
        {"certificates": ()},
        {"signed_at": START + DAY},
    ],
)
def test_a_card_that_was_changed_on_its_way_is_refused(
    begin: Begin, card: Card, clock: SetClock, change: dict[str, Any]
) -> None:
    code, _ = refused(begin, replace(card, **change), clock)
    assert code in ("signature-wrong", "card-invalid")


def test_every_key_on_a_card_has_signed_it(
    begin: Begin, card: Card, mtn_ring: KeyRing, clock: SetClock
) -> None:
    (key,) = card.keys
    other = replace(key, kid=mtn_ring.current(START).kid, public_key=mtn_ring.public)
    for keys, code, field in (
        ((replace(key, kid="0" * 16),), "card-invalid", "keys.0.kid"),
        ((replace(key, public_key="AAAA"),), "public-key-invalid", "public_key"),
        ((key, other), "card-invalid", "signatures"),
        ((), "card-invalid", "keys"),
        ((key,) * 9, "card-invalid", "keys"),
        ((replace(key, valid_to=START - DAY),), "card-invalid", "keys.0.valid_to"),
    ):
        assert refused(begin, replace(card, keys=keys), clock) == (code, field)
    claimed = {**card.signatures, other.kid: card.signatures[key.kid]}
    both = replace(card, keys=(key, other), signatures=claimed)
    assert refused(begin, both, clock)[0] == "signature-wrong"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"der": "AAAA"}, "certificate-invalid", "certificates.0.der"),
        ({"der": "?"}, "certificate-invalid", "certificates.0.der"),
        ({"der": "AAAA" * 9000}, "certificate-invalid", "certificates.0.der"),
        ({"sha256": "0" * 64}, "card-invalid", "certificates.0.sha256"),
        ({"valid_to": START - DAY}, "card-invalid", "certificates.0.valid_to"),
    ],
)
def test_a_certificate_on_a_card_is_looked_at(
    begin: Begin, card: Card, clock: SetClock, change: dict[str, Any], code: str, field: str
) -> None:
    (one,) = card.certificates
    assert refused(begin, replace(card, certificates=(replace(one, **change),)), clock) == (
        code,
        field,
    )


@pytest.mark.parametrize(
    ("party", "address", "code", "field"),
    [
        (replace(PARTY, id="B T"), "https://bt.test", "party-name", "party"),  # type: ignore[arg-type]
        (replace(PARTY, name=" "), "https://bt.test", "card-invalid", "party.name"),
        (replace(PARTY, country="UK1"), "https://bt.test", "card-invalid", "party.country"),
        (replace(PARTY, currency="XXQ"), "https://bt.test", "currency-unknown", "currency"),
        (PARTY, "ftp://bt.test", "card-invalid", "address"),
        (PARTY, "https://user:word@bt.test", "card-invalid", "address"),
        (PARTY, "https://bt.test/path", "card-invalid", "address"),
        (PARTY, "https://bt.test?query", "card-invalid", "address"),
        (PARTY, "https://bt.test:0", "card-invalid", "address"),
        (PARTY, "https://bt.test:65536", "card-invalid", "address"),
        (PARTY, "https://bt .test", "card-invalid", "address"),
        (PARTY, "https://bt.test", "card-invalid", "certificates"),
        (PARTY, "", "card-invalid", "address"),
    ],
)
def test_a_card_that_nobody_would_accept_is_not_made(
    bt_ring: KeyRing, party: Party, address: str, code: str, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        directory.invite(bt_ring, party=party, address=address, now=START)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_card_of_another_version_is_not_guessed_at(
    begin: Begin, card: Card, clock: SetClock
) -> None:
    former = {"version": 1, "party": {}, "public_key": "x", "signature": {}}
    for document in (former, {**documents.write(card), "version": 3}):
        with pytest.raises(Refused) as caught:
            directory.read_card(document)
        assert (caught.value.code, caught.value.field) == ("card-version", "version")
    assert refused(begin, replace(card, version=1), clock)[0] == "card-version"
    odd: list[Any] = [[], {}, {"version": 2}, {**documents.write(card), "keys": 7}]
    for document in odd:
        with pytest.raises(Refused) as caught:
            directory.read_card(document)
        assert caught.value.code == "malformed"


# --- renewed --------------------------------------------------------------------------------------


def test_a_key_that_is_known_vouches_for_the_next(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    join(begin, card, clock)
    old = ring.public
    signed_then = ring.sign(PAPER, party=BT, at=clock.now())
    clock.move(DAY)
    ring.rotate(now=clock.now(), overlap=WEEK)
    with begin() as tx:
        notice = CardRenewed(made(ring, clock.now()))
        for _ in range(2):
            directory.hear_card(tx, sender=BT, notice=notice, now=clock.now())
    assert usable(begin, clock) == {old, ring.public}
    clock.move(WEEK + timedelta(minutes=5))
    assert usable(begin, clock) == {ring.public}
    with begin() as tx:
        keys = directory.partner(tx, party=BT).keys
        directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=signed_then)
        now = ring.sign(PAPER, party=BT, at=clock.now())
        directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=now)
        for late in (replace(signed_then, at=clock.now()), replace(now, at=START)):
            with pytest.raises(Refused, match="signature-wrong"):
                directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=late)
        with pytest.raises(NotFound, match="partner-unknown"):
            directory.verify_paper(tx, party=MTN, fingerprint=PAPER, signature=now)
    assert [one.valid_to for one in keys] == [START + DAY + WEEK, None]


def test_a_partner_can_rotate_again_and_again(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    join(begin, card, clock)
    for _ in range(4):
        clock.move(WEEK)
        ring.rotate(now=clock.now(), overlap=timedelta())
        join(begin, made(ring, clock.now()), clock)
        clock.move(timedelta(minutes=5))
        assert usable(begin, clock) == {ring.public}
    with begin() as tx:
        assert len(directory.partner(tx, party=BT).keys) == 5


def test_a_key_that_has_ended_vouches_for_nothing(
    begin: Begin, card: Card, ring: KeyRing, tmp_path: Path, clock: SetClock
) -> None:
    join(begin, card, clock)
    thief = KeyRing.load_or_create(tmp_path / "thief", now=START)
    stolen = ring.current(START)
    ring.rotate(now=START + DAY, overlap=DAY)
    join(begin, made(ring, START + DAY), clock)
    clock.move(3 * DAY)
    theirs = made(thief, START + DAY + DAY / 2, address="http://eve.test")
    forged = also_signed(theirs, thief, stolen)
    assert refused(begin, forged, clock) == ("card-unvouched", "signatures")


def also_signed(card: Card, ring: KeyRing, stolen: SigningKey) -> Card:
    """The card with one more key on it, whose thief signs with it too."""
    also = CardKey(stolen.kid, stolen.public, START, None)
    return signed(replace(card, keys=(*card.keys, also)), ring.current(START), stolen)


def signed(card: Card, *keys: SigningKey) -> Card:
    bare = documents.write(replace(card, signatures={}))
    content = documents.fingerprint(bare).encode()
    values = {key.kid: b64encode(key.sign(content)).decode() for key in keys}
    return replace(card, signatures=values)


def test_the_card_of_another_is_not_heard(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    with begin() as tx:
        with pytest.raises(NotFound, match="partner-unknown"):
            directory.hear_card(tx, sender=BT, notice=CardRenewed(card), now=clock.now())
        with pytest.raises(Refused, match="card-invalid") as caught:
            directory.hear_card(tx, sender=MTN, notice=CardRenewed(card), now=clock.now())
    assert caught.value.field == "party.id"


# --- trust taken away -----------------------------------------------------------------------------


def test_a_partner_is_revoked_and_restored(begin: Begin, card: Card, clock: SetClock) -> None:
    join(begin, card, clock)
    certificate = card.certificates[0].sha256

    assert comes(begin, clock, certificate)
    for _ in range(2):
        with begin() as tx:
            directory.revoke(tx, party=BT, why="stolen", by="ada", now=clock.now())
    assert usable(begin, clock) == set()
    assert not comes(begin, clock, certificate)
    with begin() as tx:
        assert directory.trusted_certificates(tx, now=clock.now()) == []
        with pytest.raises(TryLater, match="partner-revoked"):
            directory.trusted(tx, party=BT)
    assert refused(begin, replace(card, signed_at=START + DAY), clock)[0] == "signature-wrong"
    with begin() as tx:
        directory.restore(tx, party=BT, why="found again", by="bob", now=clock.now())
        acts = [
            (one["act"], one["why"], one["by_whom"]) for one in directory.trust_acts(tx, party=BT)
        ]
    assert acts == [("revoke", "stolen", "ada"), ("restore", "found again", "bob")]
    assert comes(begin, clock, certificate)
    assert usable(begin, clock) == {card.keys[0].public_key}


def test_a_revoked_partner_does_not_join_its_way_back(
    begin: Begin, card: Card, ring: KeyRing, clock: SetClock
) -> None:
    join(begin, card, clock)
    with begin() as tx:
        directory.revoke(tx, party=BT, why="stolen", by="ada", now=clock.now())
    newer = made(ring, START + DAY)
    assert refused(begin, newer, clock) == ("partner-revoked", "party")
    kid = newer.keys[0].kid
    assert refused(begin, newer, clock, confirmed=kid) == ("partner-revoked", "party")


def test_one_key_is_revoked_and_another_is_confirmed_by_people(
    begin: Begin, card: Card, ring: KeyRing, tmp_path: Path, clock: SetClock
) -> None:
    join(begin, card, clock)
    signed_before = ring.sign(PAPER, party=BT, at=clock.now())
    clock.move(DAY)
    stolen = ring.current(START).kid
    with begin() as tx:
        directory.revoke(tx, party=BT, key=stolen, why="stolen", by="ada", now=clock.now())
    assert usable(begin, clock) == set()
    ring.rotate(now=clock.now(), overlap=timedelta())
    assert refused(begin, made(ring, clock.now()), clock) == ("card-unvouched", "signatures")
    with begin() as tx:
        directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=signed_before)
        late = ring.sign(PAPER, party=BT, at=clock.now())
        with pytest.raises(Refused, match="signature-wrong"):
            directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=late)
    anew = with_certificate(tmp_path / "anew")
    fresh = made(anew, clock.now())
    assert refused(begin, fresh, clock, confirmed="0" * 16) == ("card-unvouched", "confirmed")
    join(begin, fresh, clock, confirmed=fresh.keys[0].kid, by="ada")
    clock.move(timedelta(minutes=5))
    assert usable(begin, clock) == {anew.public}
    with begin() as tx:
        acts = [(one["act"], one["kid"]) for one in directory.trust_acts(tx, party=BT)]
    assert acts == [("revoke", stolen), ("confirm", fresh.keys[0].kid)]


def test_a_certificate_is_revoked(begin: Begin, card: Card, ring: KeyRing, clock: SetClock) -> None:
    join(begin, card, clock)
    sha256 = card.certificates[0].sha256
    with begin() as tx:
        partner = directory.revoke(
            tx, party=BT, key=sha256[:16], why="proxy broken into", by="ada", now=clock.now()
        )
    assert not comes(begin, clock, sha256)
    assert directory.certificates_of(partner, clock.now()) == []
    assert usable(begin, clock) == {ring.public}


def test_who_shows_no_certificate_or_that_of_another(
    begin: Begin, card: Card, bt_ring: KeyRing, mtn_ring: KeyRing, clock: SetClock
) -> None:
    join(begin, card, clock)
    bare = replace(PARTY, id=MTN)
    join(begin, made(mtn_ring, party=bare, address="http://mtn.test"), clock)
    sha256 = card.certificates[0].sha256
    assert {
        (party, how): comes(begin, clock, shown, party)
        for party in (BT, MTN, EVE)
        for how, shown in (("BT's", sha256), ("none", ""), ("proxy", None))
    } == {
        (BT, "BT's"): True,
        (BT, "none"): False,
        (BT, "proxy"): True,
        (MTN, "BT's"): False,
        (MTN, "none"): True,
        (MTN, "proxy"): True,
        (EVE, "BT's"): False,
        (EVE, "none"): False,
        (EVE, "proxy"): False,
    }


@pytest.mark.parametrize(
    ("party", "key", "why", "code", "field"),
    [
        (EVE, "", "x", "partner-unknown", "party"),
        (BT, "0" * 16, "x", "partner-key-unknown", "key"),
        (BT, "%", "x", "partner-key-unknown", "key"),
        (BT, "", " ", "why-missing", "why"),
    ],
)
def test_what_cannot_be_revoked(
    begin: Begin, card: Card, clock: SetClock, party: Any, key: str, why: str, code: str, field: str
) -> None:
    join(begin, card, clock)
    for act in (directory.revoke, directory.restore):
        with pytest.raises(HansaError) as caught, begin() as tx:
            act(tx, party=party, key=key, why=why, by="ada", now=clock.now())
        assert (caught.value.code, caught.value.field) == (code, field)
