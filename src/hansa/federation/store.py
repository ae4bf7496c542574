"""The table of partners, and every line of SQL about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.model import Card, Partner
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_SELECT = """
select party, name, country, currency, tax_id, address, public_key, dialect, joined_at
from federation_partner
"""


def _partner(row: dict[str, Any]) -> Partner:
    return Partner(
        party=Party(
            id=PartyId(row["party"]),
            name=row["name"],
            country=row["country"],
            currency=row["currency"],
            tax_id=row["tax_id"],
        ),
        address=row["address"],
        public_key=row["public_key"],
        dialect=row["dialect"],
        joined_at=row["joined_at"],
    )


def insert(tx: Transaction, card: Card, now: Instant) -> None:
    """Enters a new partner; a party or a key that is already there changes nothing."""
    run(
        tx,
        """insert into federation_partner (party, name, country, currency, tax_id, address,
               public_key, dialect, joined_at, card_signed_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (*_values(card), now, card.signature.at),
    )


def renew(tx: Transaction, card: Card) -> None:
    """Takes over a card that was signed later than the one we have of this party."""
    run(
        tx,
        """update federation_partner
           set (name, country, currency, tax_id, address, public_key, dialect, card_signed_at)
               = (%s, %s, %s, %s, %s, %s, %s, %s)
           where party = %s and card_signed_at < %s""",
        (*_values(card)[1:], card.signature.at, card.party.id, card.signature.at),
    )


def _values(card: Card) -> tuple[str, ...]:
    party = card.party
    return (
        party.id,
        party.name,
        party.country,
        party.currency,
        party.tax_id,
        card.address,
        card.public_key,
        card.dialect,
    )


def partner(tx: Transaction, party: PartyId) -> Partner | None:
    row = one_row(tx, _SELECT + "where party = %s", (party,))
    return _partner(row) if row else None


def holder_of_key(tx: Transaction, public_key: str) -> Partner | None:
    row = one_row(tx, _SELECT + "where public_key = %s", (public_key,))
    return _partner(row) if row else None


def partners(tx: Transaction) -> Sequence[Partner]:
    rows = all_rows(tx, _SELECT + "order by party")
    return [_partner(row) for row in rows]
