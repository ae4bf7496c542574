"""Files of decks: read, checked beside what is in force, previewed, kept as versions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.foundation.errors import Refused
from hansa.foundation.extras import need
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import decks, prices
from hansa.lifecycle.catalogue.model import (
    Change,
    Deck,
    DeckKind,
    DeckVersion,
    Kind,
    NewVersion,
    Preview,
    Problem,
    Receipt,
)
from hansa.lifecycle.catalogue.rules import changes as telling
from hansa.lifecycle.catalogue.rules import checks, notice, reading
from hansa.lifecycle.catalogue.store import decks as store

if TYPE_CHECKING:
    import pyarrow as pa

WORDS_MAX = 5
"""How many problems the words of a refusal name; all are in the draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as it was read and checked; nothing is kept yet.

    problems: all of them, by row. preview: None when the file cannot be read to its end. same:
    the version that says the same already.
    """

    deck: Deck
    said: NewVersion
    rows: pa.Table
    problems: tuple[Problem, ...]
    preview: Preview | None
    same: DeckVersion | None = None

    @property
    def errors(self) -> Sequence[Problem]:
        return [one for one in self.problems if one.severity == "error"]

    @property
    def warnings(self) -> Sequence[Problem]:
        return [one for one in self.problems if one.severity == "warning"]


def read(
    tx: Transaction,
    *,
    name: str,
    file: Path,
    kind: DeckKind,
    folder: Path,
    by: str,
    now: Instant,
    received_at: Instant | None = None,
    effective_at: Instant | None = None,
    correction: str = "",
    tell: Callable[[int], None] = lambda _: None,
) -> Draft:
    """Reads and checks a deck's file; nothing is written.

    received_at: when it came; else now. effective_at: from when rows are valid that do not say,
    and from when a full deck withdraws what it leaves out; else its earliest date that is not
    past. correction: what it puts right, if it speaks of the past. tell: as the rows go by.
    Raises Refused `file-missing`, `received-time`; NotFound `deck-unknown`.
    """
    need("numpy", "pyarrow")
    from hansa.lifecycle.catalogue.store import files

    received_at = received_at or now
    if received_at > now:
        raise Refused(
            "received-time", "A file is received before it is imported.", field="received"
        )
    deck = decks.deck(tx, name=name)
    content = _content(file)
    since_s = notice.seconds(effective_at) if effective_at else None
    found = _read(file, content, deck, since_s, tell)
    found.problems += checks.times(found.prices)
    counting = notice.published(store.versions(tx, name))
    said = NewVersion(
        kind=kind,
        file=file.name,
        source_sha256=hashlib.sha256(content).hexdigest(),
        received_at=received_at,
        effective_at=effective_at or _effective(found.prices, received_at, correction),
        imported_at=now,
        imported_by=by,
        correction=correction,
        stands_on=counting[-1].version if counting else None,
    )
    rows = files.table(found.prices)
    preview = None
    if all(one.severity == "warning" for one in found.problems):
        draft = DeckVersion(name, 0, len(rows), "", 0, said)
        preview, kinds = _preview(folder, deck, counting, draft, rows, now)
        found.problems += _doubts(found, preview, kinds, said, counting)
    problems = tuple(sorted(found.problems, key=lambda one: (one.row or 0, one.code)))
    same = _same(tx, folder, deck, said, rows)
    return Draft(deck, said, rows, problems, preview, same)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise Refused("file-missing", f"{file}: {why}.", field="file") from None


def _read(
    file: Path, content: bytes, deck: Deck, since_s: int | None, tell: Callable[[int], None]
) -> reading.Reading:
    from hansa.lifecycle.catalogue.store import sheets

    stopped: list[sheets.Unreadable] = []

    def lines() -> Iterator[reading.Line]:
        try:
            yield from sheets.lines(file, content, deck.layout)
        except sheets.Unreadable as error:
            stopped.append(error)

    found = reading.read(lines(), deck, since_s=since_s, tell=tell)
    for error in stopped:
        found.fault(error.row, "unreadable", error.words)
    if not (found.prices or found.problems):
        found.fault(None, "empty", "it has no prices")
    text = file.suffix.lower() not in sheets.SHEETS
    if text and deck.layout.encoding == "latin-1" and sheets.looks_like_utf8(content):
        words = "the deck's layout says latin-1, and it looks like utf-8"
        found.problems.append(Problem("warning", "encoding", None, words))
    return found


def _effective(rows: Sequence[reading.Price], received_at: Instant, correction: str) -> Instant:
    """The earliest date of the file that is not past; of a correction, any."""
    floor_s = 0 if correction else notice.seconds(received_at)
    first = min((one.from_s for one in rows if one.from_s >= floor_s), default=None)
    at = None if first is None else notice.instant(first)
    return at or received_at


def _doubts(
    found: reading.Reading,
    preview: Preview,
    kinds: Sequence[Kind],
    said: NewVersion,
    counting: Sequence[DeckVersion],
) -> Sequence[Problem]:
    before = counting[-1] if counting else None
    doubts: list[Problem] = []
    if not said.correction:
        received_s = notice.seconds(said.received_at)
        doubts += checks.past(found.prices, preview.changes, received_s, before)
    if before is not None:
        countries = frozenset(checks.country_code(one.code) for one in found.prices)
        doubts += checks.doubts(preview.changes, countries)
        doubts += checks.flags(found.prices, found.flags, kinds)
    return doubts


def _same(
    tx: Transaction, folder: Path, deck: Deck, said: NewVersion, rows: pa.Table
) -> DeckVersion | None:
    """The version that says the same of the same file, unless something came after a draft."""
    from hansa.lifecycle.catalogue.store import files

    kept = store.versions(tx, deck.name)
    for one in reversed(kept[-1:] if said.correction else kept):
        live = one.published_at is not None or one.said.stands_on == said.stands_on
        alike = (one.said.source_sha256, one.said.kind) == (said.source_sha256, said.kind)
        if live and alike and files.rows_of(folder, one).equals(rows):
            return one
    return None


def keep(
    tx: Transaction, *, draft: Draft, folder: Path, accept: bool = False
) -> tuple[DeckVersion, bool]:
    """Keeps a draft as the deck's next version; False for one that was there already.

    Nobody is bound by it until it is published. Raises Refused `deck-refused` for errors,
    `deck-doubtful` for warnings that are not accepted; nothing is written then.
    """
    if draft.same is not None:
        return draft.same, False
    if draft.errors:
        raise Refused("deck-refused", _words(draft, draft.errors, "error"), field="file")
    if draft.warnings and not accept:
        words = _words(draft, draft.warnings, "warning")
        raise Refused("deck-doubtful", f"{words} Take them with --accept.", field="file")
    name = draft.deck.name
    made = decks.add_version(tx, name=name, said=draft.said, rows=draft.rows, folder=folder)
    return made, True


def _words(draft: Draft, problems: Sequence[Problem], what: str) -> str:
    number = f"{len(problems)} {what}{'s' if len(problems) > 1 else ''}"
    file = draft.said.file
    shown = "; ".join(
        f"{file}, row {one.row}: {one.words}" if one.row else f"{file}: {one.words}"
        for one in problems[:WORDS_MAX]
    )
    more = "; …" if len(problems) > WORDS_MAX else ""
    return f"{number}; nothing was written. {shown}{more}."


def preview(
    tx: Transaction, *, name: str, number: int | None, folder: Path, now: Instant
) -> Preview:
    """What a kept version changes beside those that count before it.

    Receipt that nobody has acknowledged yet is supposed to be now. Raises NotFound
    `deck-unknown`, `deck-version-unknown`.
    """
    need("numpy", "pyarrow")
    from hansa.lifecycle.catalogue.store import files

    chosen = decks.version(tx, name=name, number=number)
    deck = decks.deck(tx, name=name)
    before = [
        one for one in notice.published(store.versions(tx, name)) if one.version < chosen.version
    ]
    return _preview(folder, deck, before, chosen, files.rows_of(folder, chosen), now)[0]


def _preview(
    folder: Path,
    deck: Deck,
    before: Sequence[DeckVersion],
    chosen: DeckVersion,
    rows: pa.Table,
    now: Instant,
) -> tuple[Preview, Sequence[Kind]]:
    from hansa.lifecycle.catalogue.store import files

    heard = {one.party for one in chosen.receipts}
    silent = [buyer for buyer in deck.buyers if buyer not in heard]
    supposed = tuple(Receipt(party, now, now, "") for party in silent)
    chosen = replace(chosen, receipts=(*chosen.receipts, *supposed))
    start = sum(one.rows for one in before)
    whole = files.joined([*(files.rows_of(folder, one) for one in before), rows])
    lines = prices.unfold(deck, [*before, chosen], whole)
    kinds = [telling.KINDS[kind] for kind in lines.kind[start:].tolist()]
    alive, from_s, to_s = lines.alive, lines.from_s, lines.to_s
    changed = [start + n for n, kind in enumerate(kinds) if kind not in ("unchanged", "past")]
    references = lines.reference[changed].tolist()
    olds = files.picked(whole, [max(one, 0) for one in references])
    made = []
    news = files.picked(whole, changed)
    for at, row, reference, old in zip(changed, news, references, olds, strict=True):
        begins = int(from_s[at]) if alive[at] else None
        kind = kinds[at - start]
        stated_s = row["from_s"]
        made.append(
            Change(
                kind=kind,
                code=row["code"],
                origin=row["origin"],
                destination=row["destination"],
                row=row["row"],
                before=_rates(old) if reference >= 0 else None,
                after=_rates(row),
                stated_at=notice.instant(stated_s),
                effective_at=None if begins is None else notice.instant(begins),
                late=kind == "increase" and (begins is None or begins > stated_s),
            )
        )
    gone = lines.gone[-1].tolist()
    for at, row in zip(gone, files.picked(whole, gone), strict=True):
        rates = _rates(row)
        ends = notice.instant(int(to_s[at]))
        made.append(
            Change(
                "withdrawn", row["code"], row["origin"], row["destination"], None, rates, None,
                None, ends,
            )
        )  # fmt: skip
    told = telling.preview(
        deck=deck.name,
        currency=deck.currency,
        version=chosen.version or None,
        supposed_at=now if silent else None,
        kinds=kinds,
        changes=made,
    )
    return told, kinds


def _rates(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Peak and off-peak; None for a code that is blocked."""
    return None if row["blocked"] else (row["rate_peak"], row["rate_off"])
