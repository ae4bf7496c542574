"""The tables of partners, their keys and certificates, and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from hansa.federation.model import (
    Card,
    Dialect,
    Grant,
    Partner,
    PartnerCertificate,
    PartnerKey,
    Trust,
)
from hansa.foundation import documents
from hansa.foundation.database import all_rows, one_row, run, some_rows
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

Act = Literal["confirm", "revoke", "restore"]

CHANNEL = "hansa_trust"
"""Where the database tells that partners, or their certificates, are others than before."""

_SELECT = """
select p.*,
    (select jsonb_agg(jsonb_build_object(
        'kid', kid, 'public_key', public_key, 'valid_from', valid_from, 'valid_to', valid_to,
        'revoked_at', k.revoked_at) order by valid_from, heard_at)
     from federation_key k where k.party = p.party) as keys,
    (select jsonb_agg(jsonb_build_object(
        'sha256', sha256, 'der', der, 'valid_from', valid_from, 'valid_to', valid_to,
        'revoked_at', c.revoked_at) order by valid_from, heard_at)
     from federation_certificate c where c.party = p.party) as certificates
from federation_partner p
"""


def _partner(row: dict[str, Any]) -> Partner:
    grant = Grant(row["token_url"], row["client_id"], row["secret_file"])
    return Partner(
        party=Party(
            id=PartyId(row["party"]),
            name=row["name"],
            country=row["country"],
            currency=row["currency"],
            tax_id=row["tax_id"],
        ),
        address=row["address"],
        dialect=row["dialect"],
        joined_at=row["joined_at"],
        trust=row["trust"],
        keys=documents.read(tuple[PartnerKey, ...], row["keys"] or []),
        certificates=documents.read(tuple[PartnerCertificate, ...], row["certificates"] or []),
        heard=row["heard_edition"],
        card_at=row["card_signed_at"],
        revoked_at=row["revoked_at"],
        grant=grant if row["trust"] == "oauth2" else None,
    )


def partner(tx: Transaction, party: PartyId) -> Partner | None:
    row = one_row(tx, _SELECT + "where p.party = %s", (party,))
    return _partner(row) if row else None


def partners(tx: Transaction) -> Sequence[Partner]:
    rows = all_rows(tx, _SELECT + "order by p.party")
    return [_partner(row) for row in rows]


_WANTED = """where %(text)s = '' or strpos(p.party, lower(%(text)s)) > 0
    or strpos(lower(p.name), lower(%(text)s)) > 0 or strpos(p.address, lower(%(text)s)) > 0"""


def page(tx: Transaction, text: str, offset: int, limit: int) -> tuple[list[Partner], int]:
    """Some of the partners that are wanted, by name, and how many there are."""
    sql = f"{_SELECT} {_WANTED}"
    rows, total = some_rows(tx, sql, {"text": text}, order="p.party", offset=offset, limit=limit)
    return [_partner(row) for row in rows], total


def locked(tx: Transaction, party: PartyId) -> Partner | None:
    """The partner, whom nobody else changes until `tx` ends."""
    lock = "select from federation_partner where party = %s for update"
    return partner(tx, party) if run(tx, lock, (party,)) else None


# --- cards ------------------------------------------------------------------------------------


def insert(
    tx: Transaction,
    party: Party,
    *,
    address: str,
    dialect: Dialect,
    trust: Trust,
    card_signed_at: Instant | None,
    grant: Grant | None = None,
    now: Instant,
) -> bool:
    """Enters a new partner; False, and nothing changes, for a party that is there."""
    granted = grant or Grant("", "", "")
    return bool(
        run(
            tx,
            """insert into federation_partner (party, name, country, currency, tax_id, address,
                   dialect, trust, token_url, client_id, secret_file, card_signed_at, joined_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict do nothing""",
            (
                *(party.id, party.name, party.country, party.currency, party.tax_id),
                *(address, dialect, trust),
                *(granted.token_url, granted.client_id, granted.secret_file),
                *(card_signed_at, now),
            ),
        )
    )


def renew(tx: Transaction, card: Card) -> bool:
    """Takes over a card unless the one that we have of this party was signed later; False then."""
    party = card.party
    return bool(
        run(
            tx,
            """update federation_partner
               set (name, country, currency, tax_id, address, dialect, card_signed_at)
                   = (%s, %s, %s, %s, %s, %s, %s)
               where party = %s and card_signed_at <= %s""",
            (
                *(party.name, party.country, party.currency, party.tax_id, card.address),
                *(card.dialect, card.signed_at, party.id, card.signed_at),
            ),
        )
    )


def update_foreign(
    tx: Transaction,
    party: Party,
    *,
    address: str,
    dialect: Dialect,
    trust: Trust,
    grant: Grant | None,
) -> None:
    """Changes what is known of a partner that has no card."""
    granted = grant or Grant("", "", "")
    run(
        tx,
        """update federation_partner
           set (name, country, currency, tax_id, address, dialect, trust,
                token_url, client_id, secret_file) = (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           where party = %s""",
        (
            *(party.name, party.country, party.currency, party.tax_id, address, dialect, trust),
            *(granted.token_url, granted.client_id, granted.secret_file, party.id),
        ),
    )


def put_keys(tx: Transaction, card: Card, *, now: Instant) -> None:
    """Enters the keys and certificates of a card; of those that are there, only the end changes.

    Whatever is not on the card has ended with it.
    """
    for key in card.keys:
        run(
            tx,
            """insert into federation_key
                   (party, kid, public_key, valid_from, valid_to, heard_at)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (party, kid) do update set valid_to = excluded.valid_to
               where federation_key.valid_to is distinct from excluded.valid_to""",
            (card.party.id, key.kid, key.public_key, key.valid_from, key.valid_to, now),
        )
    for one in card.certificates:
        run(
            tx,
            """insert into federation_certificate
                   (party, sha256, der, valid_from, valid_to, heard_at)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (party, sha256) do update set valid_to = excluded.valid_to
               where federation_certificate.valid_to is distinct from excluded.valid_to""",
            (card.party.id, one.sha256, one.der, one.valid_from, one.valid_to, now),
        )
    run(
        tx,
        """update federation_key set valid_to = %s
           where party = %s and kid <> all(%s) and (valid_to is null or valid_to > %s)""",
        (card.signed_at, card.party.id, [key.kid for key in card.keys], card.signed_at),
    )
    run(
        tx,
        """update federation_certificate set valid_to = %s
           where party = %s and sha256 <> all(%s) and (valid_to is null or valid_to > %s)""",
        (
            *(card.signed_at, card.party.id),
            *([one.sha256 for one in card.certificates], card.signed_at),
        ),
    )


def holder(tx: Transaction, party: PartyId, keys: Sequence[str]) -> PartyId | None:
    """Another party that has, or had, one of these public keys."""
    row = one_row(
        tx,
        "select party from federation_key where party <> %s and public_key = any(%s) limit 1",
        (party, list(keys)),
    )
    return PartyId(row["party"]) if row else None


# --- editions of our own card -----------------------------------------------------------------


def untold(tx: Transaction, edition: int, *, before: Instant) -> Sequence[PartyId]:
    """Partners with cards, joined up to then, that have not been told of this edition of ours."""
    rows = all_rows(
        tx,
        """select party from federation_partner
           where trust = 'hansa' and joined_at <= %s and coalesce(told_edition, 0) < %s
           order by party for update""",
        (before, edition),
    )
    return [PartyId(row["party"]) for row in rows]


def tell(tx: Transaction, party: PartyId, edition: int) -> None:
    """The partner is being told; until it has answered it is taken to have the one before."""
    run(
        tx,
        """update federation_partner
           set told_edition = %s, heard_edition = coalesce(heard_edition, %s)
           where party = %s""",
        (edition, edition - 1, party),
    )


def hear(tx: Transaction, party: PartyId, edition: int) -> None:
    run(
        tx,
        """update federation_partner set heard_edition = %s
           where party = %s and coalesce(heard_edition, 0) < %s""",
        (edition, party, edition),
    )


def deaf(tx: Transaction, edition: int) -> Sequence[PartyId]:
    """Trusted partners that were told of this edition, or are to be, and have not answered."""
    rows = all_rows(
        tx,
        """select party from federation_partner
           where trust = 'hansa' and revoked_at is null and heard_edition < %s order by party""",
        (edition,),
    )
    return [PartyId(row["party"]) for row in rows]


# --- who is trusted ---------------------------------------------------------------------------


def usable_keys(tx: Transaction, party: PartyId, *, now: Instant, leeway_s: int) -> list[str]:
    """The public keys by which this partner may prove itself now."""
    rows = all_rows(
        tx,
        """select public_key from federation_key k join federation_partner p using (party)
           where party = %(party)s and p.revoked_at is null and k.revoked_at is null
               and valid_from <= %(now)s::timestamptz + make_interval(secs => %(leeway)s)
               and (valid_to is null
                    or valid_to > %(now)s::timestamptz - make_interval(secs => %(leeway)s))
           order by valid_from desc""",
        {"party": party, "now": now, "leeway": leeway_s},
    )
    return [row["public_key"] for row in rows]


def standing(
    tx: Transaction, party: PartyId, kid: str, sha256: str | None, *, now: Instant, leeway_s: int
) -> dict[str, Any] | None:
    """Of a partner that is trusted: its key of this id, if it is good now; whether it shows a good
    certificate, and has any at all; and which edition of our card it has heard of.
    """
    return one_row(
        tx,
        """select p.heard_edition as heard,
               (select k.public_key from federation_key k
                where k.party = p.party and k.kid = %(kid)s and k.revoked_at is null
                    and k.valid_from <= %(now)s::timestamptz + make_interval(secs => %(leeway)s)
                    and (k.valid_to is null
                        or k.valid_to > %(now)s::timestamptz - make_interval(secs => %(leeway)s))
               ) as public_key,
               exists (select from federation_certificate c where c.party = p.party) as certified,
               exists (select from federation_certificate c
                where c.party = p.party and c.sha256 = %(sha256)s and c.revoked_at is null
                    and (c.valid_to is null
                        or c.valid_to > %(now)s::timestamptz - make_interval(secs => %(leeway)s))
               ) as shown
           from federation_partner p where p.party = %(party)s and p.revoked_at is null""",
        {"party": party, "kid": kid, "sha256": sha256, "now": now, "leeway": leeway_s},
    )


def keys_at(tx: Transaction, party: PartyId, at: Instant) -> list[str]:
    """The public keys with which this partner could sign at this moment, ended since or not."""
    rows = all_rows(
        tx,
        """select public_key from federation_key
           where party = %(party)s and valid_from <= %(at)s
               and (valid_to is null or valid_to > %(at)s)
               and (revoked_at is null or revoked_at > %(at)s)
           order by valid_from desc""",
        {"party": party, "at": at},
    )
    return [row["public_key"] for row in rows]


def trusted_certificates(tx: Transaction, *, now: Instant, leeway_s: int) -> list[str]:
    """Every certificate that some partner may show now, DER in base64."""
    rows = all_rows(
        tx,
        """select der from federation_certificate c join federation_partner p using (party)
           where p.revoked_at is null and c.revoked_at is null
               and (valid_to is null
                    or valid_to > %(now)s::timestamptz - make_interval(secs => %(leeway)s))
           order by sha256""",
        {"now": now, "leeway": leeway_s},
    )
    return [row["der"] for row in rows]


def set_revoked(tx: Transaction, party: PartyId, kid: str, at: Instant | None) -> bool:
    """kid: of a key, or how the SHA-256 of a certificate begins; empty for the party as a whole.
    False: nothing new.
    """
    if not kid:
        changed = run(
            tx,
            """update federation_partner set revoked_at = %s
               where party = %s and (revoked_at is null) <> (%s::timestamptz is null)""",
            (at, party, at),
        )
        return bool(changed)
    changed = run(
        tx,
        """update federation_key set revoked_at = %s
           where party = %s and kid = %s and (revoked_at is null) <> (%s::timestamptz is null)""",
        (at, party, kid, at),
    ) + run(
        tx,
        """update federation_certificate set revoked_at = %s
           where party = %s and starts_with(sha256, %s)
               and (revoked_at is null) <> (%s::timestamptz is null)""",
        (at, party, kid, at),
    )
    return bool(changed)


def note(
    tx: Transaction, party: PartyId, *, kid: str, act: Act, why: str, by: str, now: Instant
) -> None:
    run(
        tx,
        """insert into federation_trust_act (party, kid, act, why, by_whom, at)
           values (%s, %s, %s, %s, %s, %s)""",
        (party, kid, act, why, by, now),
    )


def notes(tx: Transaction, party: PartyId) -> Sequence[dict[str, Any]]:
    """What was done about trust in a partner, the oldest first."""
    return all_rows(
        tx,
        """select kid, act, why, by_whom, at from federation_trust_act
           where party = %s order by number""",
        (party,),
    )
