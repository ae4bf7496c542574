"""Decks as people keep them: made, published, acknowledged, looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.money import minor_digits
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.model import Deck, DeckVersion, NewVersion, Receipt
from hansa.lifecycle.catalogue.rules import notice
from hansa.lifecycle.catalogue.store import decks as store

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_CODE = re.compile(r"[0-9]{1,15}")


def put_deck(tx: Transaction, *, deck: Deck, now: Instant) -> None:
    """Enters a deck, or what may change of it: its layout, more buyers, holidays to come.

    Raises Refused `deck-invalid`, `deck-fixed`, `currency-unknown`.
    """
    _check(deck)
    store.lock(tx)
    known = store.deck(tx, deck.name)
    if known is not None:
        _check_same(known[1], deck, now)
    store.put(tx, deck, now)


def _check(deck: Deck) -> None:
    minor_digits(deck.currency)
    try:
        ZoneInfo(deck.zone)
        zone = True
    except (ZoneInfoNotFoundError, ValueError):
        zone = False
    wrong = (
        "its name is not 2 to 40 lower-case letters, digits and hyphens"
        if not _NAME.fullmatch(deck.name)
        else "it names no buyer, or its seller as one"
        if not deck.buyers or deck.seller in deck.buyers
        else f"{deck.zone!r} is not a time zone of IANA's list"
        if not zone
        else "its peak hours are not from 0 up to 24"
        if not 0 <= deck.peak_from_h <= deck.peak_to_h <= 24
        else "its days of notice are not 0 to 365"
        if not 0 <= deck.notice.increase_days <= 365
        else "an origin group has no name, or no codes of 1 to 15 digits"
        if not all(
            name.strip() and group and all(map(_CODE.fullmatch, group))
            for name, group in deck.origins.items()
        )
        else None
    )
    if wrong:
        raise Refused("deck-invalid", f"Deck {deck.name}: {wrong}.", field="deck")


def _check_same(known: Deck, new: Deck, now: Instant) -> None:
    """What rated calls stand on does not change."""
    today = now.date()
    past = {day for day in known.holidays if day <= today}
    if (
        replace(new, layout=known.layout, buyers=known.buyers, holidays=known.holidays) != known
        or not set(known.buyers) <= set(new.buyers)
        or {day for day in new.holidays if day <= today} != past
    ):
        raise Refused(
            "deck-fixed",
            f"Of deck {new.name} only the layout, more buyers and holidays to come can be entered "
            "anew: calls were rated by all the rest. Make a deck of another name.",
            field="deck",
        )


def deck(tx: Transaction, *, name: str) -> Deck:
    """One deck. Raises NotFound `deck-unknown`."""
    return _deck(tx, name)[1]


def decks(tx: Transaction) -> Sequence[Deck]:
    """Every deck, in the order in which they were entered."""
    return [one for _, one in store.decks(tx)]


def versions(tx: Transaction, *, name: str | None = None) -> Sequence[DeckVersion]:
    """Every version of a deck, or of all decks, with its receipts."""
    return store.versions(tx, name)


def version(tx: Transaction, *, name: str, number: int | None = None) -> DeckVersion:
    """One version, the newest when none is named. Raises NotFound `deck-version-unknown`."""
    _deck(tx, name)
    found = [one for one in store.versions(tx, name) if number in (None, one.version)]
    if not found:
        raise NotFound(
            "deck-version-unknown",
            f"Deck {name} has no version{f' {number}' if number else ''}; import one.",
            field="version",
        )
    return found[-1]


def add_version(
    tx: Transaction, *, name: str, said: NewVersion, rows: pa.Table, folder: Path
) -> DeckVersion:
    """Keeps the rows of a new version, which nobody is bound by until it is published.

    rows: as read and checked. Raises NotFound `deck-unknown`.
    """
    need("pyarrow")
    from hansa.lifecycle.catalogue.store import files

    store.lock(tx)
    number, _ = _deck(tx, name)
    before = store.versions(tx, name)
    new = before[-1].version + 1 if before else 1
    sha256 = files.keep(folder, name, new, rows)
    return store.add_version(tx, number, name, said, len(rows), sha256, new)


def publish(tx: Transaction, *, name: str, number: int, by: str, now: Instant) -> DeckVersion:
    """From now on this version counts; again it changes nothing.

    Raises Refused `deck-stale` when another was published since it was checked; NotFound
    `deck-unknown`, `deck-version-unknown`.
    """
    store.lock(tx)
    deck_number, _ = _deck(tx, name)
    chosen = version(tx, name=name, number=number)
    if chosen.published_at is not None:
        return chosen
    counting = notice.published(store.versions(tx, name))
    newest = counting[-1].version if counting else None
    if newest != chosen.said.stands_on:
        raise Refused(
            "deck-stale",
            f"Version {number} of {name} was checked before version {newest} was published; "
            "import its file again.",
            field="version",
        )
    store.publish(tx, deck_number, number, by, now)
    return version(tx, name=name, number=number)


def acknowledge(
    tx: Transaction, *, name: str, number: int, party: PartyId, at: Instant, by: str, now: Instant
) -> DeckVersion:
    """Notes that a buyer has received a version; from then on its notice runs.

    The same again changes nothing. Raises Refused `not-a-buyer`, `receipt-time`,
    `receipt-on-record`; NotFound `deck-unknown`, `deck-version-unknown`.
    """
    store.lock(tx)
    deck_number, deck = _deck(tx, name)
    chosen = version(tx, name=name, number=number)
    if party not in deck.buyers:
        raise Refused("not-a-buyer", f"{party} is no buyer of deck {name}.", field="party")
    if not chosen.said.received_at <= at <= now:
        raise Refused(
            "receipt-time",
            f"Version {number} was received at {chosen.said.received_at:%Y-%m-%d %H:%M:%S}; "
            "acknowledged it was after that, and not in time to come.",
            field="at",
        )
    if not store.put_receipt(tx, deck_number, number, Receipt(party, at, now, by)):
        kept = next(one for one in chosen.receipts if one.party == party)
        if kept.at != at:
            raise Refused(
                "receipt-on-record",
                f"{party} acknowledged version {number} at {kept.at:%Y-%m-%d %H:%M:%S}, and that "
                "stays on record.",
                field="at",
            )
    return version(tx, name=name, number=number)


def _deck(tx: Transaction, name: str) -> tuple[int, Deck]:
    found = store.deck(tx, name)
    if found is None:
        raise NotFound("deck-unknown", f"There is no deck {name!r}.", field="deck")
    return found
