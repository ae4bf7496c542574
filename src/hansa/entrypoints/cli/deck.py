"""`hansa deck`: price lists of calls by dial code, of our own and of suppliers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    NodeDir,
    Version,
    group,
    opened,
    who,
)
from hansa.foundation.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.lifecycle.catalogue.actions.imports import Draft
    from hansa.lifecycle.catalogue.model import Deck, DeckVersion, Preview

app = group("Price lists of calls by dial code, of our own and of suppliers.")

SHOWN = 20
"""How many changes are shown, if not all are asked for."""

Name = Annotated[str, typer.Argument(metavar="DECK", help="The deck, by its short name.")]
All = Annotated[bool, typer.Option("--all", help=f"Every change, not only the first {SHOWN}.")]


class KindOption(StrEnum):
    """What becomes of a code that the file does not name."""

    FULL = "full"
    PARTIAL = "partial"


@app.command(
    "import",
    epilog="Example: hansa deck import mtn-az mtn-2026-11-16.xlsx --kind full --terms mtn-az.yaml",
)
def import_file(
    deck: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or spreadsheet.")],
    kind: Annotated[
        KindOption,
        typer.Option(help="full: a code that it does not name is withdrawn; partial: goes on."),
    ],
    terms: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML that describes the deck, if new.")
    ] = None,
    received: Annotated[
        str, typer.Option(metavar="TIME", help="When the file came, UTC; else now.")
    ] = "",
    effective: Annotated[
        str, typer.Option(metavar="TIME", help="From when rows are valid that do not say.")
    ] = "",
    correction: Annotated[
        str, typer.Option(metavar="WHY", help="It may speak of the past, because…; kept.")
    ] = "",
    accept: Annotated[bool, typer.Option("--accept", help="Take it with its warnings.")] = False,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Check a file beside what is in force, show what it changes, and keep it as a version.

    Nobody is bound by it until it is published. Every problem is listed by row; with errors
    nothing is kept, warnings have to be accepted. The same file again changes nothing.
    """
    from hansa.entrypoints.cli.files import instant
    from hansa.lifecycle.catalogue.actions import decks, imports

    with opened(node) as ours, ours.begin() as tx, _progress(file) as tell:
        now = ours.clock.now()
        if terms is not None:
            decks.put_deck(tx, deck=_described(terms, deck), now=now)
        draft = imports.read(
            tx,
            name=deck,
            file=file,
            kind="full" if kind is KindOption.FULL else "partial",
            folder=ours.folder,
            by=who(by),
            now=now,
            received_at=instant(received, "received") if received else None,
            effective_at=instant(effective, "effective") if effective else None,
            correction=correction,
            tell=tell,
        )
        taken = not draft.errors and (accept or not draft.warnings)
        for problem in draft.problems if draft.same is None and not (taken and as_json) else ():
            typer.echo(render.clean(problem.line(file.name)), err=True)
        version, new = imports.keep(tx, draft=draft, folder=ours.folder, accept=accept)
    if as_json:
        render.as_json(_imported(draft, version, new))
    elif new:
        _show_version(version, "is kept; publish it to make it count")
        if draft.preview:
            _show_preview(draft.preview, every=False)
    else:
        _show_version(version, "says the same; nothing was changed")


@app.command(epilog="Example: hansa deck preview mtn-az --version 2")
def preview(
    deck: Name,
    version: Version = None,
    every: All = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show what a version changes beside those before it: how many, which, and from when on.

    An increase whose notice is too short is marked: the old rate goes on until it has run.
    """
    from hansa.lifecycle.catalogue.actions import imports

    with opened(node) as ours, ours.begin() as tx:
        now = ours.clock.now()
        found = imports.preview(tx, name=deck, number=version, folder=ours.folder, now=now)
    if as_json:
        render.as_json(found)
    else:
        _show_preview(found, every=every)


@app.command(epilog="Example: hansa deck publish mtn-az --version 2")
def publish(
    deck: Name,
    version: Annotated[int, typer.Option("--version", metavar="N", help="Which version.")],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Make a version count from now on. It is never changed again; another corrects it."""
    from hansa.lifecycle.catalogue.actions import decks

    with opened(node) as ours, ours.begin() as tx:
        now = ours.clock.now()
        done = decks.publish(tx, name=deck, number=version, by=who(by), now=now)
    render.as_json(done) if as_json else _show_version(done, "counts")


@app.command(epilog="Example: hansa deck acknowledge mtn-az --version 2 --for bt")
def acknowledge(
    deck: Name,
    version: Annotated[int, typer.Option("--version", metavar="N", help="Which version.")],
    party: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="The buyer who has it; else ourselves.")
    ] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When, UTC; else now.")] = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Note that a buyer has received a version: from then on the notice of increases runs."""
    from hansa.entrypoints.cli.files import instant
    from hansa.foundation.party import party_id
    from hansa.lifecycle.catalogue.actions import decks

    with opened(node) as ours, ours.begin() as tx:
        now = ours.clock.now()
        done = decks.acknowledge(
            tx,
            name=deck,
            number=version,
            party=party_id(party) if party else ours.us.id,
            at=instant(at, "at") if at else now,
            by=who(by),
            now=now,
        )
    render.as_json(done) if as_json else _show_version(done, "is acknowledged")


@app.command("list", epilog="Example: hansa deck list")
def list_decks(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List the decks, with the version of each that counts and the newest."""
    from hansa.lifecycle.catalogue.actions import decks

    with opened(node) as ours, ours.begin() as tx:
        found = [(one, decks.versions(tx, name=one.name)) for one in decks.decks(tx)]
    if as_json:
        render.as_json([{"deck": one, "versions": versions} for one, versions in found])
        return
    render.table(
        "Decks",
        ("deck", "seller", "buyers", "currency", "counts>", "newest>", "rows>", "received"),
        [
            (
                one.name,
                one.seller,
                one.buyers,
                one.currency,
                max((v.version for v in versions if v.published_at), default=None),
                versions[-1].version if versions else None,
                versions[-1].rows if versions else None,
                versions[-1].said.received_at if versions else None,
            )
            for one, versions in found
        ],
    )


@app.command(epilog="Example: hansa deck show mtn-az --code 27710")
def show(
    deck: Name,
    code: Annotated[
        str, typer.Option(metavar="DIGITS", help="The prices of the dial code of this number.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show a deck with its versions and receipts, and the prices of a code as time goes by."""
    from hansa.lifecycle.catalogue.actions import decks, prices

    with opened(node) as ours, ours.begin() as tx:
        found, versions = decks.deck(tx, name=deck), decks.versions(tx, name=deck)
        spans = prices.of_code(tx, folder=ours.folder, name=deck, number=code) if code else ()
    if as_json:
        said = {"deck": found, "versions": versions}
        render.as_json({**said, "prices": spans} if code else said)
        return
    _show_deck(found, versions)
    if code:
        render.table(
            f"Prices of {code}",
            ("code", "origin", "destination", "peak>", "off-peak>", "increment", "from", "to",
             "version>", "row>"),
            [
                (
                    one.code,
                    one.origin or "any",
                    one.destination,
                    "blocked" if one.blocked else _rate(one.rate_peak),
                    "" if one.blocked else _rate(one.rate_off),
                    f"{one.first_s}/{one.next_s}",
                    _when(one.from_s),
                    _when(one.to_s),
                    one.version,
                    one.row,
                )
                for one in spans
            ],
        )  # fmt: skip


@app.command(epilog="Example: hansa deck diff mtn-az 1 2")
def diff(
    deck: Name,
    one: Annotated[int, typer.Argument(metavar="VERSION", help="A version.")],
    other: Annotated[int, typer.Argument(metavar="OTHER", help="Another version.")],
    every: All = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show in which rows two versions differ, as their files say them."""
    from hansa.lifecycle.catalogue.actions import prices

    with opened(node) as ours, ours.begin() as tx:
        found = prices.differences(tx, folder=ours.folder, name=deck, one=one, other=other)
    if as_json:
        render.as_json(found)
        return
    render.table(
        f"Rows of {deck} that differ between version {one} and version {other}: {len(found)}",
        ("what", "code", "origin", "from", f"version {one}", f"version {other}"),
        [
            (each.what, each.code, each.origin or "any", _when(each.from_s), each.one, each.other)
            for each in (found if every else found[:SHOWN])
        ],
    )


# --- read ---------------------------------------------------------------------------------------


def _described(file: Path, name: str) -> Deck:
    """The deck that a file of terms describes. Raises Refused `deck-invalid`, and for YAML."""
    from hansa.entrypoints.yaml_files import load
    from hansa.lifecycle.catalogue.model import Deck

    found = load(file, Deck)
    if found.name != name:
        raise Refused("deck-invalid", f"{file} describes deck {found.name}.", field="terms")
    return found


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """Rows as they are read, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    words = TextColumn("Reading {task.description}: {task.completed:,.0f} rows")
    with Progress(
        words,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(file.name, total=None)
        yield lambda row: progress.update(task, completed=row)


# --- show ---------------------------------------------------------------------------------------


def _imported(draft: Draft, version: DeckVersion, new: bool) -> dict[str, object]:
    return {
        "version": version,
        "new": new,
        "problems": draft.problems if new else (),
        "preview": draft.preview if new else None,
    }


def _show_version(version: DeckVersion, words: str) -> None:
    render.facts(
        f"Version {version.version} of {version.deck} {words}",
        {
            "file": version.said.file,
            "kind": version.said.kind,
            "corrects": version.said.correction or None,
            "price rows": version.rows,
            "received": version.said.received_at,
            "acknowledged": [f"{one.party} {render.text(one.at)}" for one in version.receipts],
            "published": version.published_at,
        },
    )


def _show_deck(deck: Deck, versions: Sequence[DeckVersion]) -> None:
    hours = f"Monday to Friday {deck.peak_from_h:02}:00 to {deck.peak_to_h:02}:00 in {deck.zone}"
    notice = deck.notice
    render.facts(
        f"Deck {deck.name}",
        {
            "seller": deck.seller,
            "buyers": deck.buyers,
            "currency": deck.currency,
            "peak": hours,
            "holidays": deck.holidays,
            "origin groups": sorted(deck.origins),
            "notice": f"increases {notice.increase_days} days, all else {notice.others}",
        },
    )
    render.table(
        "Versions",
        ("version>", "kind", "file", "rows>", "received", "acknowledged", "published", "corrects"),
        [
            (
                one.version,
                one.said.kind,
                one.said.file,
                one.rows,
                one.said.received_at,
                [f"{receipt.party} {render.text(receipt.at)}" for receipt in one.receipts],
                one.published_at,
                one.said.correction,
            )
            for one in versions
        ],
    )


def _show_preview(found: Preview, *, every: bool) -> None:
    render.facts("What it changes", {kind: f"{n:,}" for kind, n in found.counts.items()})
    if found.supposed_at:
        render.say(f"Supposed that receipt is acknowledged at {render.text(found.supposed_at)}.")
    if found.late:
        render.say(
            f"Increases at shorter notice than agreed: {found.late:,}. The old rate goes on until "
            "it has run."
        )
    render.table(
        "When",
        ("from", "what", "codes>"),
        [(at or "never", kind, f"{number:,}") for at, kind, number in found.dates],
    )
    render.table(
        f"Changes, in {found.currency} a minute, peak and off-peak",
        (
            "what",
            "code",
            "origin",
            "destination",
            "before>",
            "after>",
            "it says",
            "in force",
            "row>",
        ),
        [
            (
                one.kind,
                one.code,
                one.origin or "any",
                one.destination,
                _rates(one.before),
                _rates(one.after),
                one.stated_at,
                f"{render.text(one.effective_at) or 'never'}{', notice' if one.late else ''}",
                one.row,
            )
            for one in (found.changes if every else found.changes[:SHOWN])
        ],
    )


def _rates(rates: tuple[int, int] | None) -> str:
    return " / ".join(_rate(one) for one in dict.fromkeys(rates)) if rates else ""


def _rate(nano: int) -> str:
    from decimal import Decimal

    return f"{Decimal(nano).scaleb(-9).normalize():f}"


def _when(second: int) -> datetime | None:
    from hansa.lifecycle.catalogue.model import OPEN_S

    return None if second >= OPEN_S else datetime.fromtimestamp(second, UTC)
