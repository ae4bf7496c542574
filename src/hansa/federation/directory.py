"""The partners of this node: how they are introduced, and how they are found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hansa.federation import store
from hansa.federation.keys import KeyRing, public_key, verify
from hansa.federation.model import CARD_VERSION, Card, Dialect, Partner
from hansa.federation.papers import Signature
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import minor_digits
from hansa.foundation.party import Party, party_id
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_COUNTRY = re.compile(r"[A-Z]{2}")
_ADDRESS = re.compile(
    r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?", re.IGNORECASE
)


def invite(
    ring: KeyRing, *, party: Party, address: str, now: Instant, dialect: Dialect = "tmf"
) -> Card:
    """Our card, signed with our key, for a partner to join.

    `documents.write(card)` is the JSON document that is handed over. Raises Refused
    `card-invalid` when a partner would not accept it.
    """
    unsigned = Card(
        version=CARD_VERSION,
        party=party,
        address=address,
        public_key=ring.public,
        dialect=dialect,
        signature=Signature(party=party.id, value="", at=now),
    )
    _check(unsigned)
    return replace(unsigned, signature=ring.sign(_fingerprint(unsigned), party=party.id, at=now))


def read_card(document: documents.Json) -> Card:
    """A card from its JSON document; raises Refused `malformed` or `card-version`."""
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != CARD_VERSION:
        raise Refused(
            "card-version",
            f"The card is of version {version}; this node reads version {CARD_VERSION}. "
            "Ask for a card of that version, or bring this node up to date.",
            field="version",
        )
    return documents.read(Card, document, what="card")


def join(tx: Transaction, *, card: Card, now: Instant) -> Partner:
    """Makes the card's party a partner of this node.

    The same card again changes nothing. A card that was signed later with the same key
    renews name, address and dialect. Raises Refused: `card-invalid`, `card-version`,
    `public-key-invalid`, `signature-wrong`, `partner-key-changed` when the party has joined
    with another key, `partner-key-taken` when another party has joined with this key.
    """
    _check(card)
    if card.signature.party != card.party.id:
        raise _invalid("signature.party", "it is not signed by the party that it names")
    verify(card.public_key, _fingerprint(card), card.signature)
    store.insert(tx, card, now)
    known = store.partner(tx, card.party.id)
    if known is None:
        holder = store.holder_of_key(tx, card.public_key)
        raise Refused(
            "partner-key-taken",
            f"The key on this card is already that of {holder.party.id if holder else 'another'}"
            ". Each operator needs a key of its own.",
            field="public_key",
        )
    if known.public_key != card.public_key:
        raise Refused(
            "partner-key-changed",
            f"{card.party.id} has joined with another key. If it has really changed its key, "
            "the two operators have to agree on a new party name for it.",
            field="public_key",
        )
    store.renew(tx, card)
    return partner(tx, party=card.party.id)


def partner(tx: Transaction, *, party: PartyId) -> Partner:
    """One partner; raises NotFound `partner-unknown`."""
    found = store.partner(tx, party)
    if found is None:
        raise NotFound(
            "partner-unknown",
            f"{party} is no partner of this node; let it send its card and join it first.",
            field="party",
        )
    return found


def partners(tx: Transaction) -> Sequence[Partner]:
    """Every partner, by name."""
    return store.partners(tx)


def _fingerprint(card: Card) -> str:
    """What the card's signature is over: all of it but the signature's own value."""
    bare = replace(card, signature=replace(card.signature, value=""))
    return documents.fingerprint(documents.write(bare))


def _check(card: Card) -> None:
    """Whether everything on the card can be what it claims to be."""
    if card.version != CARD_VERSION:
        raise Refused(
            "card-version",
            f"The card is of version {card.version}; this node reads version {CARD_VERSION}.",
            field="version",
        )
    party_id(card.party.id)
    if not card.party.name.strip():
        raise _invalid("party.name", "it does not name its party")
    if not _COUNTRY.fullmatch(card.party.country):
        raise _invalid("party.country", "its country is not an ISO 3166-1 alpha-2 code")
    minor_digits(card.party.currency)
    public_key(card.public_key)
    address = _ADDRESS.fullmatch(card.address)
    if address is None or int(address["port"] or 1) not in range(1, 65536):
        raise _invalid("address", "its address must be http(s)://host or http(s)://host:port")


def _invalid(field: str, why: str) -> Refused:
    return Refused("card-invalid", f"The card cannot be used: {why}.", field=field)
