"""The partners of this node: how they are introduced, how they are found, and who is trusted."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from hansa.federation import store
from hansa.federation.keys import certificates
from hansa.federation.keys.ring import KeyRing, is_signed, key_id, verify
from hansa.federation.model import (
    CARD_VERSION,
    Card,
    CardCertificate,
    CardKey,
    Dialect,
    Grant,
    Partner,
    Standing,
    Trust,
)
from hansa.federation.papers import CardRenewed, Signature
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.money import minor_digits
from hansa.foundation.party import Party, party_id
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

CHANNEL = store.CHANNEL

LEEWAY_S = 120
"""How far the clocks of two nodes may be apart where a key begins or ends."""

KEYS_MAX = 8
"""The most keys, and the most certificates, that a card may show."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
_KEY_NAME = re.compile(r"[0-9a-f]{16,64}")


# --- cards --------------------------------------------------------------------------------------


def invite(
    ring: KeyRing, *, party: Party, address: str, now: Instant, dialect: Dialect = "tmf"
) -> Card:
    """Our card, signed with each key on it, for a partner to join.

    `documents.write(card)` is the JSON document that is handed over. Raises Refused
    `card-invalid` when a partner would not accept it.
    """
    shown = ring.on_card(now)
    signing = {one.id: ring.key(one) for one in shown if one.kind == "signing"}
    pairs = [(one, ring.pair(one)) for one in shown if one.kind == "tls"]
    unsigned = Card(
        version=CARD_VERSION,
        party=party,
        address=address,
        keys=tuple(
            CardKey(one.id, signing[one.id].public, one.made_at, one.valid_to)
            for one in shown
            if one.kind == "signing"
        ),
        certificates=tuple(
            CardCertificate(pair.sha256, pair.der, one.made_at, one.valid_to) for one, pair in pairs
        ),
        dialect=dialect,
        edition=ring.edition,
        signed_at=now,
        signatures={},
    )
    _check(unsigned)
    content = _content(unsigned)
    signatures = {kid: b64encode(key.sign(content)).decode() for kid, key in signing.items()}
    return replace(unsigned, signatures=signatures)


def read_card(document: documents.Json) -> Card:
    """A card from its JSON document; raises Refused `malformed` or `card-version`."""
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != CARD_VERSION:
        raise _version(version)
    return documents.read(Card, document, what="card")


def join(
    tx: Transaction, *, card: Card, now: Instant, confirmed: str = "", by: str = ""
) -> Partner:
    """Makes the card's party a partner of this node.

    The same card again changes nothing. A card that was signed later renews name, address,
    dialect and keys, if a key vouches for it that the party joined with, or was vouched for
    since, and that has neither ended nor been revoked. confirmed: the id of a key on the card
    that the operators have confirmed to each other, so that it needs no other to vouch for it;
    by: who did.

    Raises Refused: `card-invalid`, `card-version`, `public-key-invalid`, `certificate-invalid`,
    `signature-wrong`, `card-unvouched`, `partner-key-taken` when another party has one of its
    keys, `partner-foreign`, `partner-revoked`.
    """
    _check(card)
    content = _content(card)
    signed = _signed(card, content)
    party = card.party.id
    if confirmed and confirmed not in signed:
        raise Refused(
            "card-unvouched",
            f"Key {confirmed} is not on this card, which shows {', '.join(sorted(signed))}.",
            field="confirmed",
        )
    new = store.insert(
        tx,
        card.party,
        address=card.address,
        dialect=card.dialect,
        trust="hansa",
        card_signed_at=card.signed_at,
        now=now,
    )
    known = store.locked(tx, party)
    assert known is not None
    if not new:
        heard = known.card_at is not None and known.card_at >= card.signed_at
        if heard and signed <= {one.kid for one in known.keys}:
            return known
        _check_vouched(tx, known, signed, confirmed, now)
        if confirmed:
            why = "confirmed between the operators"
            store.note(tx, party, kid=confirmed, act="confirm", why=why, by=by or "-", now=now)
    if new or store.renew(tx, card):
        _check_free(tx, card)
        store.put_keys(tx, card, now=now)
    return partner(tx, party=party)


def hear_card(tx: Transaction, *, sender: PartyId, notice: CardRenewed, now: Instant) -> None:
    """Takes over the renewed card of a partner; heard again changes nothing.

    Raises Refused as join does, and `card-invalid` for the card of another party than the
    sender; NotFound `partner-unknown`.
    """
    if notice.card.party.id != sender:
        raise _invalid("party.id", f"it is not the card of {sender}, who sent it")
    partner(tx, party=sender)
    join(tx, card=notice.card, now=now)


def _check_vouched(
    tx: Transaction, known: Partner, signed: set[str], confirmed: str, now: Instant
) -> None:
    """Whether somebody we trust says that this card is the partner's."""
    party = known.party.id
    if known.trust != "hansa":
        raise Refused(
            "partner-foreign",
            f"{party} was entered as a partner that runs no node, and has no card. If it runs "
            "one now, let it join under a new party name.",
            field="party",
        )
    if known.revoked_at is not None:
        raise Refused(
            "partner-revoked",
            f"{party} is revoked; restore it first with `hansa partner restore`.",
            field="party",
        )
    usable = store.usable_keys(tx, party, now=now, leeway_s=LEEWAY_S)
    if confirmed or signed & {key_id(one) for one in usable}:
        return
    raise Refused(
        "card-unvouched",
        f"No key of {party} that is good at this node has signed this card. If it has really "
        "lost its key, confirm the new one with its operator by another way, and join the card "
        "with --confirmed and the id of that key.",
        field="signatures",
    )


def _check_free(tx: Transaction, card: Card) -> None:
    """Each key has signed the card, so that only who has it already finds it taken."""
    holder = store.holder(tx, card.party.id, [one.public_key for one in card.keys])
    if holder is not None:
        raise Refused(
            "partner-key-taken",
            f"A key on this card is already that of {holder}. Each operator needs its own.",
            field="keys",
        )


# --- partners -----------------------------------------------------------------------------------


def add_foreign(
    tx: Transaction,
    *,
    party: Party,
    address: str,
    dialect: Dialect,
    grant: Grant | None,
    now: Instant,
) -> Partner:
    """Enters a partner that runs no node of ours, or changes what is known of it.

    grant: how we get a token for it, None where it asks for none. Raises Refused `card-invalid`,
    `currency-unknown`, `party-name`, `partner-exists` when it has joined with a card.
    """
    _check_party(party)
    _check_address(address, path=True)
    if grant is not None:
        _check_address(grant.token_url, path=True, field="token_url")
        if not grant.client_id.strip() or not grant.client_id.isprintable():
            raise _invalid("client_id", "its client id is empty or not printable")
    trust: Trust = "none" if grant is None else "oauth2"
    new = store.insert(
        tx,
        party,
        address=address,
        dialect=dialect,
        trust=trust,
        card_signed_at=None,
        grant=grant,
        now=now,
    )
    known = store.locked(tx, party.id)
    if not new and known is not None and known.trust == "hansa":
        raise Refused(
            "partner-exists",
            f"{party.id} has joined with the card of its node; what changes comes with a new card.",
            field="party",
        )
    store.update_foreign(tx, party, address=address, dialect=dialect, trust=trust, grant=grant)
    return partner(tx, party=party.id)


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


def trusted(tx: Transaction, *, party: PartyId) -> Partner:
    """One partner, to be called. Raises NotFound `partner-unknown`; TryLater `partner-revoked`,
    so that what is on its way to it waits for people to decide.
    """
    found = partner(tx, party=party)
    if found.revoked_at is not None:
        raise TryLater(
            "partner-revoked",
            f"{party} is revoked at this node and is not called. Restore it with "
            "`hansa partner restore`, or give up what waits for it.",
            field="party",
        )
    return found


def partners(tx: Transaction) -> Sequence[Partner]:
    """Every partner, by name."""
    return store.partners(tx)


def page(
    tx: Transaction, *, text: str = "", offset: int = 0, limit: int
) -> tuple[Sequence[Partner], int]:
    """Partners by name from `offset` on, at most `limit`, and how many there are.

    text: a part of a name, a short name or an address.
    """
    return store.page(tx, text, offset, limit)


# --- who is trusted -----------------------------------------------------------------------------


def revoke(
    tx: Transaction, *, party: PartyId, why: str, by: str, now: Instant, key: str = ""
) -> Partner:
    """Trusts a partner no more, or one of its keys or certificates: from the next request on.

    key: the id of a key, or how the SHA-256 of a certificate begins; empty for the party as a
    whole. Revoked again, nothing changes. Raises NotFound `partner-unknown`,
    `partner-key-unknown`; Refused `why-missing`.
    """
    return _set_revoked(tx, party, key, "revoke", why=why, by=by, now=now)


def restore(
    tx: Transaction, *, party: PartyId, why: str, by: str, now: Instant, key: str = ""
) -> Partner:
    """Takes a revocation back; raises as revoke does."""
    return _set_revoked(tx, party, key, "restore", why=why, by=by, now=now)


def _set_revoked(
    tx: Transaction, party: PartyId, key: str, act: store.Act, *, why: str, by: str, now: Instant
) -> Partner:
    known = partner(tx, party=party)
    names = [one.kid for one in known.keys] + [one.sha256 for one in known.certificates]
    if key and (not _KEY_NAME.fullmatch(key) or not any(one.startswith(key) for one in names)):
        raise NotFound(
            "partner-key-unknown",
            f"{party} has no key or certificate {key}; see `hansa partner show {party}`.",
            field="key",
        )
    if not why.strip():
        raise Refused("why-missing", "Say why; it is kept.", field="why")
    at = now if act == "revoke" else None
    if store.set_revoked(tx, party, key, at):
        store.note(tx, party, kid=key, act=act, why=why.strip(), by=by, now=now)
    return partner(tx, party=party)


def trust_acts(tx: Transaction, *, party: PartyId) -> Sequence[dict[str, object]]:
    """What was done about trust in a partner: kid, act, why, by_whom, at; the oldest first."""
    return store.notes(tx, party)


def usable_keys(tx: Transaction, *, party: PartyId, now: Instant) -> Sequence[str]:
    """The public keys by which a partner may prove itself now: none for whoever is not trusted.

    Asked of the database each time, so that a revocation counts from the next request on.
    """
    return store.usable_keys(tx, party, now=now, leeway_s=LEEWAY_S)


def standing(
    tx: Transaction, *, party: PartyId, kid: str, certificate_sha256: str | None, now: Instant
) -> Standing:
    """How far a party may be believed that signs with the key of this id and shows this
    certificate, all in one question: it is asked for every message.

    A party that joined with certificates has to show one of them, not ended and not revoked.
    Empty: it has shown none. None: a proxy of ours ended TLS, and looked at certificates or not.
    """
    found = store.standing(tx, party, kid, certificate_sha256, now=now, leeway_s=LEEWAY_S)
    if found is None:
        return Standing(None, may_come=False, heard=None)
    bare = certificate_sha256 is None or not found["certified"]
    may = found["shown"] if certificate_sha256 else bare
    return Standing(found["public_key"], may_come=may, heard=found["heard"])


def trusted_certificates(tx: Transaction, *, now: Instant) -> Sequence[str]:
    """Every certificate that a partner may show at our door now, DER in base64."""
    return store.trusted_certificates(tx, now=now, leeway_s=LEEWAY_S)


def certificates_of(partner: Partner, now: Instant) -> Sequence[str]:
    """The certificates that a partner may show when we call it, DER in base64."""
    return [
        one.der
        for one in partner.certificates
        if one.revoked_at is None
        and (one.valid_to is None or (now - one.valid_to).total_seconds() < LEEWAY_S)
    ]


def verify_paper(
    tx: Transaction, *, party: PartyId, fingerprint: str, signature: Signature
) -> None:
    """Returns when this party signed a paper of this fingerprint, with a key good at that time.

    Raises Refused `signature-wrong`; NotFound `partner-unknown`.
    """
    signer(tx, party=party, fingerprint=fingerprint, signature=signature)


def signer(tx: Transaction, *, party: PartyId, fingerprint: str, signature: Signature) -> str:
    """The id of the key with which this party signed a paper of this fingerprint, good then.

    Raises as verify_paper.
    """
    keys = store.keys_at(tx, party, signature.at)
    if not keys:
        partner(tx, party=party)
    return key_id(verify(keys, fingerprint, signature))


# --- what a card may say ------------------------------------------------------------------------


def check(*, party: Party, address: str) -> None:
    """Whether a partner would take these on our card. Raises Refused as invite does."""
    _check_party(party)
    _check_address(address)


def _content(card: Card) -> bytes:
    """What signatures on a card are over: the fingerprint of all of it but the signatures."""
    return documents.fingerprint(documents.write(replace(card, signatures={}))).encode()


def _signed(card: Card, content: bytes) -> set[str]:
    """The keys on the card, each of which has signed it."""
    keys = {one.kid: one.public_key for one in card.keys}
    if keys.keys() != card.signatures.keys():
        raise _invalid("signatures", "it is not signed by each key on it, and by no other")
    for kid, public in keys.items():
        if not is_signed(public, content, card.signatures[kid]):
            raise Refused(
                "signature-wrong",
                f"The signature of key {kid} is not over this card, or not by that key. Ask for "
                "the card again.",
                field=f"signatures.{kid}",
            )
    return set(keys)


def _check(card: Card) -> None:
    """Whether everything on the card can be what it claims to be."""
    if card.version != CARD_VERSION:
        raise _version(card.version)
    _check_party(card.party)
    _check_address(card.address)
    for name, number in (("keys", len(card.keys)), ("certificates", len(card.certificates))):
        if number > KEYS_MAX:
            raise _invalid(name, f"it shows more than {KEYS_MAX} of them")
    if not card.keys:
        raise _invalid("keys", "it shows no key")
    for index, key in enumerate(card.keys):
        if key.kid != key_id(key.public_key):
            raise _invalid(f"keys.{index}.kid", "it is not the id of its key")
        _check_span(f"keys.{index}", key)
    for index, one in enumerate(card.certificates):
        if one.sha256 != certificates.check(one.der, field=f"certificates.{index}.der"):
            raise _invalid(f"certificates.{index}.sha256", "it is not that of its certificate")
        _check_span(f"certificates.{index}", one)
    if urlsplit(card.address).scheme == "https" and not card.certificates:
        raise _invalid("certificates", "its address is https, and it shows no certificate")
    if card.edition < 1:
        raise _invalid("edition", "its edition is not counted from 1")


def _check_span(field: str, one: CardKey | CardCertificate) -> None:
    times = [one.valid_from, *([one.valid_to] if one.valid_to else [])]
    if any(time.tzinfo is None for time in times) or times != sorted(times):
        raise _invalid(f"{field}.valid_to", "it ends before it begins, or has no time zone")


def _check_party(party: Party) -> None:
    party_id(party.id)
    if not party.name.strip():
        raise _invalid("party.name", "it does not name its party")
    if not _COUNTRY.fullmatch(party.country):
        raise _invalid("party.country", "its country is not an ISO 3166-1 alpha-2 code")
    minor_digits(party.currency)


def _check_address(address: str, *, path: bool = False, field: str = "address") -> None:
    scheme, _, rest = address.partition("://")
    host, slash, below = rest.partition("/")
    match = _HOST.fullmatch(host)
    if (
        scheme.lower() not in ("http", "https")
        or match is None
        or int(match["port"] or 1) not in range(1, 65536)
        or (slash and not (path and _PATH.fullmatch(slash + below)))
    ):
        form = "http(s)://host or http(s)://host:port"
        raise _invalid(field, f"its address must be {form}{', with a path' if path else ''}")


def _version(version: int) -> Refused:
    return Refused(
        "card-version",
        f"The card is of version {version}; this node reads version {CARD_VERSION}. "
        "Ask for a card of that version, or bring this node up to date.",
        field="version",
    )


def _invalid(field: str, why: str) -> Refused:
    return Refused("card-invalid", f"The card cannot be used: {why}.", field=field)
