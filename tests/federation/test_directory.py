"""Two operators exchange their cards."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hansa.federation import directory
from hansa.federation.keys import KeyRing
from hansa.federation.model import Card, Partner
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.party import Party
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from tests.federation.shop import BT, EVE, MTN, START

PARTY = Party(BT, "BT Group plc", "GB", "GBP", "GB245719348")


@pytest.fixture
def card(bt_ring: KeyRing) -> Card:
    return directory.invite(bt_ring, party=PARTY, address="https://bt.test:8443", now=START)


def join(begin: Begin, card: Card, clock: SetClock) -> Partner:
    with begin() as tx:
        return directory.join(tx, card=card, now=clock.now())


def refused(begin: Begin, card: Card, clock: SetClock) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        join(begin, card, clock)
    return caught.value.code, caught.value.field


def test_a_card_is_handed_over_as_a_file(begin: Begin, card: Card, clock: SetClock) -> None:
    text = json.dumps(documents.write(card))
    partner = join(begin, directory.read_card(json.loads(text)), clock)
    assert partner == Partner(PARTY, "https://bt.test:8443", card.public_key, "tmf", clock.now())
    with begin() as tx:
        assert directory.partner(tx, party=BT) == partner
        assert directory.partners(tx) == [partner]
        with pytest.raises(NotFound) as caught:
            directory.partner(tx, party=MTN)
    assert caught.value.code == "partner-unknown"


def test_joining_again_changes_nothing(begin: Begin, card: Card, clock: SetClock) -> None:
    first = join(begin, card, clock)
    clock.move(timedelta(days=1))
    assert join(begin, card, clock) == first


def test_a_newer_card_renews_the_address_and_an_older_one_does_not(
    begin: Begin, card: Card, bt_ring: KeyRing, clock: SetClock
) -> None:
    first = join(begin, card, clock)
    moved = directory.invite(
        bt_ring, party=PARTY, address="http://[::1]:80", now=START + timedelta(days=1)
    )
    assert join(begin, moved, clock) == replace(first, address="http://[::1]:80")
    assert join(begin, card, clock).address == "http://[::1]:80"


def test_a_party_keeps_its_key_and_a_key_its_party(
    begin: Begin, card: Card, bt_ring: KeyRing, mtn_ring: KeyRing, clock: SetClock
) -> None:
    join(begin, card, clock)
    other = directory.invite(mtn_ring, party=PARTY, address=card.address, now=START)
    assert refused(begin, other, clock) == ("partner-key-changed", "public_key")
    eve = directory.invite(bt_ring, party=replace(PARTY, id=EVE), address=card.address, now=START)
    assert refused(begin, eve, clock) == ("partner-key-taken", "public_key")
    with begin() as tx:
        assert [partner.party.id for partner in directory.partners(tx)] == [BT]


def test_the_database_keeps_the_key_too(begin: Begin, card: Card, clock: SetClock) -> None:
    join(begin, card, clock)
    with pytest.raises(psycopg.errors.RestrictViolation), begin() as tx:
        run(tx, "update federation_partner set public_key = 'x'")


@pytest.mark.parametrize(
    "change",
    [
        {"address": "https://eve.test"},
        {"dialect": "sonata"},
        {"party": replace(PARTY, id=EVE)},
        {"party": replace(PARTY, name="Eve")},
        {"party": replace(PARTY, currency="USD")},
        {"party": replace(PARTY, tax_id="")},
    ],
)
def test_a_card_that_was_changed_on_its_way_is_refused(
    begin: Begin, card: Card, clock: SetClock, change: dict[str, Any]
) -> None:
    code, _ = refused(begin, replace(card, **change), clock)
    assert code in ("signature-wrong", "card-invalid")
    later = replace(card.signature, at=START + timedelta(days=1))
    assert refused(begin, replace(card, signature=later), clock)[0] == "signature-wrong"


def test_another_key_on_the_card_is_found_out(
    begin: Begin, card: Card, mtn_ring: KeyRing, clock: SetClock
) -> None:
    assert refused(begin, replace(card, public_key=mtn_ring.public), clock)[0] == "signature-wrong"
    signed = replace(card, signature=replace(card.signature, party=MTN))
    assert refused(begin, signed, clock) == ("card-invalid", "signature.party")


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
    with pytest.raises(Refused) as caught:
        directory.read_card({**documents.write(card), "version": 2})
    assert caught.value.code == "card-version"
    assert refused(begin, replace(card, version=2), clock)[0] == "card-version"
    odd: list[Any] = [[], {}, {"version": 1}, {**documents.write(card), "public_key": 7}]
    for document in odd:
        with pytest.raises(Refused) as caught:
            directory.read_card(document)
        assert caught.value.code == "malformed"
