"""Decks as rating needs them: which price is in force when, and where it comes from.

What needs Arrow is imported where it is used; without the extra `bulk` these raise `bulk-missing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hansa.foundation.errors import NotFound
from hansa.foundation.extras import need
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import decks
from hansa.lifecycle.catalogue.model import Deck, DeckFacts, DeckVersion, PricedRow
from hansa.lifecycle.catalogue.rules import changes, notice
from hansa.lifecycle.catalogue.store import decks as store

if TYPE_CHECKING:
    import pyarrow as pa

    from hansa.lifecycle.catalogue.rules.effective import Layer, Timelines, Whole


@dataclass(frozen=True, slots=True)
class Codes:
    """Every dial code that any deck names, once and in order; `name` is of just these."""

    name: str
    codes: pa.Array


def price_rows(tx: Transaction, *, folder: Path) -> pa.Table:
    """Every deck's prices with the time in which they are in force, by deck and price id.

    Published versions only; notice, changes and withdrawals are worked in. For one deck, code and
    origin no two rows overlap; a price has at most one row. Columns: deck, price_id, version, row
    (int32), code, origin, destination (string), rate_peak, rate_off, setup, minimum (int64, nano;
    rates for 60 s), first_s, next_s (int32), from_s, to_s (int64, seconds since 1970, to_s
    excluded and 253402300800 for none), blocked. folder: the node's. Raises `deck-file-damaged`.
    """
    need("numpy", "pyarrow")
    from hansa.lifecycle.catalogue.store import files

    found = [files.EFFECTIVE.empty_table()]
    for number, deck in store.decks(tx):
        versions = notice.published(store.versions(tx, deck.name))
        if versions:
            found.append(_in_force(folder, number, deck, versions))
    return files.joined(found)


def _in_force(folder: Path, number: int, deck: Deck, versions: Sequence[DeckVersion]) -> pa.Table:
    from hansa.lifecycle.catalogue.store import files

    rows = files.joined([files.rows_of(folder, one) for one in versions])
    lines = unfold(deck, versions, rows)
    (taken,) = lines.alive.nonzero()
    return files.effective(rows, number, versions, taken, (lines.from_s[taken], lines.to_s[taken]))


def deck_facts(tx: Transaction) -> Sequence[DeckFacts]:
    """What rating has to know of every deck beside its rows, by number.

    Calls without a valid calling number are priced as those of the dearest origin.
    """
    return [
        DeckFacts(
            number=number,
            name=deck.name,
            seller=deck.seller,
            currency=deck.currency,
            zone=deck.zone,
            peak_from_h=deck.peak_from_h,
            peak_to_h=deck.peak_to_h,
            holidays=deck.holidays,
            origins=deck.origins,
        )
        for number, deck in store.decks(tx)
    ]


def codes(tx: Transaction, *, folder: Path) -> Codes:
    """The union of the codes of all published versions and of all origin groups, in order.

    Its name is of its content: another union has another. Raises as `price_rows` does.
    """
    need("pyarrow")
    import pyarrow as pa

    from hansa.lifecycle.catalogue.store import files

    each: list[pa.Array] = [
        files.rows_of(folder, one)["code"] for one in notice.published(store.versions(tx))
    ]
    for _, deck in store.decks(tx):
        each += [pa.array(group, pa.string()) for group in deck.origins.values()]
    found = files.distinct(each)
    return Codes(files.name_of(found), found)


def row_of(tx: Transaction, *, folder: Path, price_id: int) -> PricedRow:
    """Where a price comes from: its deck, version and row, with the row's own values.

    Raises NotFound `price-unknown`, and `deck-file-damaged`.
    """
    need("pyarrow")
    from hansa.lifecycle.catalogue.store import files

    version = store.version_of(tx, price_id)
    if version is None:
        raise NotFound("price-unknown", f"No version of a deck has a price {price_id}.")
    return files.row_of(folder, version, price_id)


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that two versions say differently: `added`, `removed` or `changed`."""

    what: str
    code: str
    origin: str
    from_s: int
    one: str
    other: str


def of_code(tx: Transaction, *, folder: Path, name: str, number: str) -> Sequence[PricedRow]:
    """The prices of the longest code of a deck that begins this number, as they follow in time.

    from_s and to_s are when each is in force. Raises NotFound `deck-unknown`, `code-unknown`.
    """
    need("numpy", "pyarrow")
    from hansa.lifecycle.catalogue.store import files

    deck = decks.deck(tx, name=name)
    versions = notice.published(store.versions(tx, name))
    found = _in_force(folder, 0, deck, versions) if versions else files.EFFECTIVE.empty_table()
    rows = files.of_longest_code(found, number)
    if not rows:
        raise NotFound("code-unknown", f"No code of {name} begins {number}.", field="code")
    named = {one.version: one.said.file for one in versions}
    made = []
    for row in rows:
        del row["deck"]
        made.append(PricedRow(deck=name, file=named[row["version"]], **row))
    return sorted(made, key=lambda one: (one.origin, one.from_s))


def differences(
    tx: Transaction, *, folder: Path, name: str, one: int, other: int
) -> Sequence[Difference]:
    """In which rows two versions of a deck differ, as their files say them.

    Raises NotFound `deck-unknown`, `deck-version-unknown`.
    """
    need("pyarrow")
    from hansa.lifecycle.catalogue.store import files

    left, right = (
        files.said(files.rows_of(folder, decks.version(tx, name=name, number=number)))
        for number in (one, other)
    )
    return [
        Difference(
            what,
            *key,
            changes.shown(left.get(key), right.get(key)),
            changes.shown(right.get(key), left.get(key)),
        )
        for what, key in changes.differences(left, right)
    ]


def unfold(deck: Deck, versions: Sequence[DeckVersion], rows: pa.Table) -> Timelines:
    """The timelines of a deck as these versions make them; rows: of one after the other."""
    from hansa.lifecycle.catalogue.rules import effective
    from hansa.lifecycle.catalogue.store import files

    key, keys = files.indexed(rows["code"], rows["origin"])
    label, _ = files.indexed(rows["destination"])
    whole = {name: _whole(rows[name]) for name in (*CHARGES, "from_s", "to_s")}
    stated = effective.Stated(
        key=_whole(key),
        keys=keys,
        from_s=whole["from_s"],
        to_s=whole["to_s"],
        charges=tuple(whole[name] for name in CHARGES),
        blocked=rows["blocked"].to_numpy(),
        label=_whole(label),
    )
    return effective.unfold(stated, _layers(deck, versions))


CHARGES = ("rate_peak", "rate_off", "setup", "minimum", "first_s", "next_s")
"""What may not grow without notice."""


def _whole(column: pa.ChunkedArray | pa.Array) -> Whole:
    found: Whole = column.cast("int64").to_numpy()
    return found


def _layers(deck: Deck, versions: Sequence[DeckVersion]) -> Sequence[Layer]:
    """When each version may take effect; the first, and a correction, as they say themselves."""
    from hansa.lifecycle.catalogue.rules.effective import Layer

    made: list[Layer] = []
    start = 0
    for one in versions:
        free = not made or one.said.correction
        other_s = 0 if free else notice.others_from(deck, one.said.received_at)
        made.append(
            Layer(
                start=start,
                stop=start + one.rows,
                floor_s=0 if free else notice.seconds(one.said.received_at),
                increase_s=notice.increases_from(deck, one),
                other_s=other_s,
                gone_s=max(other_s, notice.seconds(one.said.effective_at))
                if one.said.kind == "full"
                else None,
            )
        )
        start += one.rows
    return made
