"""Decks, their versions and receipts: every line of SQL about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.model import Deck, DeckVersion, NewVersion, Receipt

LOCK = 0x6465636B73
"""The advisory lock under which price ids are given (`decks` in ASCII)."""


def lock(tx: Transaction) -> None:
    """Nobody else adds or publishes a version until the end of tx."""
    run(tx, "select pg_advisory_xact_lock(%s)", (LOCK,))


def put(tx: Transaction, deck: Deck, now: Instant) -> None:
    run(
        tx,
        """insert into catalogue_deck (name, seller, document, added_at) values (%s, %s, %s, %s)
           on conflict (name) do update set document = excluded.document""",
        (deck.name, deck.seller, Jsonb(documents.write(deck)), now),
    )


def deck(tx: Transaction, name: str) -> tuple[int, Deck] | None:
    """A deck and its number."""
    row = one_row(tx, "select number, document from catalogue_deck where name = %s", (name,))
    return (row["number"], documents.read(Deck, row["document"])) if row else None


def decks(tx: Transaction) -> Sequence[tuple[int, Deck]]:
    """Every deck with its number, in the order of these."""
    rows = all_rows(tx, "select number, document from catalogue_deck order by number")
    return [(row["number"], documents.read(Deck, row["document"])) for row in rows]


def add_version(
    tx: Transaction, number: int, name: str, said: NewVersion, rows: int, sha256: str, version: int
) -> DeckVersion:
    """Enters a version with ids for its rows. Hold `lock`."""
    row = one_row(
        tx, "select coalesce(max(first_id + rows), 1) as next from catalogue_deck_version"
    )
    assert row is not None
    run(
        tx,
        """insert into catalogue_deck_version (deck, version, kind, correction, file,
               source_sha256, rows_sha256, rows, first_id, received_at, effective_at, stands_on,
               imported_at, imported_by)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            number,
            version,
            said.kind,
            said.correction,
            said.file,
            said.source_sha256,
            sha256,
            rows,
            row["next"],
            said.received_at,
            said.effective_at,
            said.stands_on,
            said.imported_at,
            said.imported_by,
        ),
    )
    return DeckVersion(name, version, rows, sha256, row["next"], said)


def publish(tx: Transaction, number: int, version: int, by: str, now: Instant) -> bool:
    """False when it was published before."""
    done = run(
        tx,
        """update catalogue_deck_version set published_at = %s, published_by = %s
           where deck = %s and version = %s and published_at is null""",
        (now, by, number, version),
    )
    return done == 1


def put_receipt(tx: Transaction, number: int, version: int, receipt: Receipt) -> bool:
    """False when the party has acknowledged it before."""
    entered = run(
        tx,
        """insert into catalogue_deck_receipt (deck, version, party, at, noted_at, noted_by)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (number, version, receipt.party, receipt.at, receipt.noted_at, receipt.noted_by),
    )
    return entered == 1


def versions(tx: Transaction, name: str | None = None) -> Sequence[DeckVersion]:
    """Every version of a deck, or of all, by deck and version, with its receipts."""
    receipts: defaultdict[tuple[str, int], list[Receipt]] = defaultdict(list)
    for row in all_rows(
        tx,
        """select d.name, r.version, r.party, r.at, r.noted_at, r.noted_by
             from catalogue_deck_receipt r join catalogue_deck d on d.number = r.deck
            where %(name)s::text is null or d.name = %(name)s
            order by r.at, r.party""",
        {"name": name},
    ):
        receipt = Receipt(PartyId(row["party"]), row["at"], row["noted_at"], row["noted_by"])
        receipts[row["name"], row["version"]].append(receipt)
    rows = all_rows(
        tx,
        """select d.name, v.* from catalogue_deck_version v
             join catalogue_deck d on d.number = v.deck
            where %(name)s::text is null or d.name = %(name)s
            order by v.deck, v.version""",
        {"name": name},
    )
    return [
        replace(one, receipts=tuple(receipts[one.deck, one.version])) for one in map(_version, rows)
    ]


def version_of(tx: Transaction, price_id: int) -> DeckVersion | None:
    """The version of which a price row is."""
    row = one_row(
        tx,
        """select d.name, v.* from catalogue_deck_version v
             join catalogue_deck d on d.number = v.deck
            where int4range(v.first_id, v.first_id + v.rows) @> %s::int""",
        (price_id,),
    )
    return _version(row) if row else None


def _version(row: dict[str, Any]) -> DeckVersion:
    said = NewVersion(
        kind=row["kind"],
        file=row["file"],
        source_sha256=row["source_sha256"],
        received_at=row["received_at"],
        effective_at=row["effective_at"],
        imported_at=row["imported_at"],
        imported_by=row["imported_by"],
        correction=row["correction"],
        stands_on=row["stands_on"],
    )
    return DeckVersion(
        row["name"],
        row["version"],
        row["rows"],
        row["rows_sha256"],
        row["first_id"],
        said,
        row["published_at"],
        row["published_by"],
    )
