"""A node that keeps decks: its own, and what suppliers send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.catalogue.actions import decks, imports, prices
from hansa.lifecycle.catalogue.actions.imports import Draft
from hansa.lifecycle.catalogue.model import (
    OPEN_S,
    Deck,
    DeckKind,
    DeckLayout,
    DeckVersion,
    NewVersion,
)
from hansa.lifecycle.catalogue.rules.notice import seconds
from hansa.lifecycle.catalogue.store import files

BT, MTN = PartyId("bt"), PartyId("mtn")
DECK = Deck(
    "mtn-az", MTN, (BT,), "USD", origins={"eea": ("43", "49")}, layout=DeckLayout(increment="1/1")
)


def day(number: int, hour: int = 0) -> Instant:
    """In November 2026."""
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def row(
    code: str, rate: int, since: Instant, *, origin: str = "", blocked: bool = False, line: int = 2
) -> tuple[object, ...]:
    """A price row at `rate` billionths a minute, open."""
    span = (seconds(since), OPEN_S)
    return (line, code, origin, f"to {code}", rate, rate, 0, 0, 1, 1, *span, blocked)


class Stage:
    """The clock says 2 November 2026, 08:00."""

    def __init__(self, begin: Begin, clock: SetClock, folder: Path) -> None:
        self.begin, self.clock, self.folder = begin, clock, folder

    def put(self, deck: Deck = DECK) -> None:
        with self.begin() as tx:
            decks.put_deck(tx, deck=deck, now=self.clock.now())

    def version(
        self, rows: Sequence[tuple[object, ...]], deck: Deck = DECK, **said: Any
    ) -> DeckVersion:
        """Imported and published, not acknowledged."""
        now = self.clock.now()
        with self.begin() as tx:
            before = [v for v in decks.versions(tx, name=deck.name) if v.published_at]
            new = NewVersion("partial", "deck.csv", "0" * 64, now, now, now, "ann")
            new = replace(new, stands_on=before[-1].version if before else None)
            made = decks.add_version(
                tx,
                name=deck.name,
                said=replace(new, **said),
                rows=files.table(rows),
                folder=self.folder,
            )
            return decks.publish(tx, name=deck.name, number=made.version, by="ann", now=now)

    def acknowledge(self, version: DeckVersion, at: Instant, party: PartyId = BT) -> DeckVersion:
        with self.begin() as tx:
            return decks.acknowledge(
                tx, name=version.deck, number=version.version, party=party, at=at, by="bob",
                now=self.clock.now(),
            )  # fmt: skip

    def read(
        self, content: str | bytes, *, kind: DeckKind = "partial", name: str = "d.csv", **said: Any
    ) -> Draft:
        """A file as it is read and checked; text is in UTF-8."""
        file = self.folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        with self.begin() as tx:
            return imports.read(
                tx,
                name="mtn-az",
                file=file,
                kind=kind,
                folder=self.folder,
                by="ann",
                now=self.clock.now(),
                **said,
            )

    def keep(self, draft: Draft, *, accept: bool = False, publish: bool = True) -> DeckVersion:
        with self.begin() as tx:
            made, _ = imports.keep(tx, draft=draft, folder=self.folder, accept=accept)
            if publish:
                made = decks.publish(
                    tx, name=made.deck, number=made.version, by="ann", now=self.clock.now()
                )
        return made

    def prices(self) -> list[dict[str, Any]]:
        with self.begin() as tx:
            found: list[dict[str, Any]] = prices.price_rows(tx, folder=self.folder).to_pylist()
        return found
