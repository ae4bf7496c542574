"""`hansa usage import` and what belongs to it: a network's own usage records, taken in."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import progress, render, trunk
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    MaybeMonth,
    NodeDir,
    Why,
    group,
    opened,
    who,
)
from hansa.foundation.errors import Refused, TryLater

if TYPE_CHECKING:
    from hansa.lifecycle.usage.actions.events import Known
    from hansa.lifecycle.usage.model import Delivery, Layout
    from hansa.node import Node

app = group("Usage records of the network itself, taken in.")
app.add_typer(trunk.app, name="trunk")

STANDARD_INPUT = Path("-")
PAUSE_S = 1.0
"""How often a watched folder is looked at; a file that has not changed meanwhile is whole."""

Number = Annotated[int, typer.Argument(metavar="FILE", help="Its number: `hansa usage files`.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="CODE", help="Only records set aside for this reason.")
]


@app.command("import", epilog="Example: hansa usage import --layout calls cdr-*.csv")
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Files, folders, or - for standard input."),
    ],
    layout: Annotated[
        str,
        typer.Option(
            metavar="LAYOUT", help="How they are written: a YAML file, or one that is known."
        ),
    ] = "calls",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what is put into the folders; Ctrl-C ends.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Take in usage records of the network: calls, samples, seats, RADIUS accounting.

    A file that has come before changes nothing, nor does an event. Records that cannot be so are
    set aside; see `hansa usage quarantine`. Known layouts: calls, calls-jsonl, calls-parquet,
    kamailio, samples, seats, radius, radius-csv. Exit code 3 when a file could not be read at all.
    """
    how = _layout(layout)
    made: list[Delivery] = []
    with opened(node) as ours:
        codes = _begun(ours)
        try:
            for one in _taken(ours, files, how, codes, watch=watch):
                made.append(one)
                if watch or STANDARD_INPUT in files:
                    render.line(_summary(one)) if as_json else render.say(_words(one))
        except KeyboardInterrupt:
            if not watch:
                raise
    if not (watch or STANDARD_INPUT in files):
        said = [_summary(one) for one in made]
        render.as_json(said) if as_json else _show(made)
    if any(one.state == "refused" for one in made):
        raise typer.Exit(3)


@app.command("files", epilog="Example: hansa usage files --period 2026-11")
def list_files(
    period: MaybeMonth = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """List the files that have been taken in, and those that could not be read."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.usage.actions import events

    month = Period.parse(period).name if period else None
    with opened(node) as ours, ours.begin() as tx:
        found = events.deliveries(tx, month=month)
    if as_json:
        render.as_json([_summary(one) for one in found])
    else:
        _show(found)


@app.command(epilog="Example: hansa usage quarantine 17 --reason number-invalid")
def quarantine(
    file: Number,
    reason: Reason = "",
    most: Annotated[int, typer.Option("--max", metavar="N", help="At most so many.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List the records of a file that were set aside and have not been replayed."""
    from itertools import islice

    from hansa.entrypoints.cli.files import one_of
    from hansa.lifecycle.usage.actions import quarantine as actions
    from hansa.lifecycle.usage.model import Fault

    fault = one_of(Fault, reason, option="reason") if reason else None
    with opened(node) as ours, ours.begin() as tx:
        of = actions.delivery(tx, number=file)
        records = actions.records(tx, of=of, folder=ours.folder, reason=fault)
        found = [
            {
                "row": one.row,
                "reason": one.fault.value,
                "field": one.field,
                "month": one.month,
                "record": one.raw.decode("utf-8", "backslashreplace"),
            }
            for one in islice(records, most)
        ]
    if as_json:
        render.as_json(found)
        return
    render.table(
        f"Set aside of file {file}, {of.name}",
        ("row>", "reason", "field", "record"),
        [(one["row"], one["reason"], one["field"], one["record"]) for one in found],
    )


@app.command(
    epilog="Example: hansa usage repair 17 --reason number-invalid --field called "
    '--pattern "^tel:" --value "" --why "the new switch writes tel:"'
)
def repair(
    file: Number,
    field: Annotated[
        str, typer.Option(metavar="NAME", help="Of ours, as called; or line for all of a record.")
    ],
    value: Annotated[str, typer.Option(metavar="TEXT", help="What it should say.")],
    why: Why,
    row: Annotated[int | None, typer.Option(metavar="N", help="This record only.")] = None,
    reason: Reason = "",
    pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Replace only what matches it, not the whole field."),
    ] = None,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Correct one record that was set aside, or many by a rule; it counts when replayed."""
    from hansa.lifecycle.usage.actions import quarantine as actions
    from hansa.lifecycle.usage.model import Repair

    with opened(node) as ours, ours.begin() as tx:
        said = Repair(
            file, row, reason or None, field, pattern, value, who(by), why, ours.clock.now()
        )
        fitting = actions.repair(tx, repair=said, folder=ours.folder)
    if as_json:
        render.as_json({"file": file, "records": fitting})
    else:
        render.say(f"Corrected {fitting} records; take them in with: hansa usage replay {file}")


@app.command(epilog="Example: hansa usage replay 17")
def replay(
    file: Number,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that nobody has corrected.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Take the corrected records of a file in, as a file of their own that points back."""
    from hansa.lifecycle.usage.actions import quarantine as actions

    with opened(node) as ours:
        made = actions.replay(
            ours.begin,
            number=file,
            codes=_begun(ours),
            folder=ours.folder,
            now=ours.clock.now(),
            everything=everything,
        )
    render.as_json(_summary(made)) if as_json else _show([made])


@app.command(epilog="Example: hansa usage balance --period 2026-11")
def balance(
    period: MaybeMonth = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Show where every record is: in = rated + waiting + quarantined + duplicate.

    By file and month of usage. Exit code 1 when it does not add up.
    """
    from hansa.foundation.time import Period
    from hansa.lifecycle.usage.actions import events

    month = Period.parse(period).name if period else None
    with opened(node) as ours, ours.begin() as tx:
        found = events.balances(tx, month=month)
    counts = ("rows", "rated", "waiting", "quarantined", "no_price", "duplicate")
    sums = {name: sum(getattr(one, name) for one in found) for name in counts}
    even = all(one.even for one in found)
    if as_json:
        render.as_json({"files": found, "sum": sums, "even": even})
    else:
        rows = [
            (one.delivery, one.name, one.month or "unknown", one.accounting or "unknown",
             *(getattr(one, name) for name in counts))
            for one in found
        ]  # fmt: skip
        render.table(
            "Usage records",
            ("file>", "name", "month", "booked in", "in>", "rated>", "waiting>", "quarantined>",
             "no price>", "duplicate>"),
            [*rows, ("", "all", "", "", *sums.values())] if rows else [],
        )  # fmt: skip
        render.say("It adds up." if even else "It does not add up.")
    if not even:
        raise typer.Exit(1)


# --- taking in ----------------------------------------------------------------------------------


def _begun(ours: Node) -> Known:
    """Sweeps what interrupted runs left, and gets all price lists' codes ready."""
    from hansa.lifecycle.catalogue.actions import prices
    from hansa.lifecycle.usage.actions import events, intake

    intake.sweep(ours.begin, folder=ours.folder)
    with ours.begin() as tx:
        return events.ready(prices.codes(tx, folder=ours.folder))


def _taken(
    ours: Node, files: list[Path], layout: Layout, codes: Known, *, watch: bool
) -> Iterator[Delivery]:
    from hansa.lifecycle.usage.actions import intake, stream

    now = ours.clock.now
    yield from stream.left_behind(ours.begin, codes=codes, folder=ours.folder, now=now())
    if STANDARD_INPUT in files:
        yield from stream.follow(
            ours.begin,
            octets=_standard_input(),
            layout=layout,
            codes=codes,
            folder=ours.folder,
            now=now,
            name="standard input",
        )
    for place in _watched(files) if watch else _found(files):
        with progress.bar(counted=False) as tell:
            try:
                made, _ = intake.take(
                    ours.begin,
                    place=place,
                    layout=layout,
                    codes=codes,
                    folder=ours.folder,
                    now=now(),
                    progress=partial(_tell, tell, place.name),
                )
            except TryLater:
                if not watch:
                    raise
                continue
        yield made


def _tell(tell: progress.Tell, name: str, octets: int, of: int, rows: int) -> None:
    tell(f"{name} {rows:,}", octets, of)


def _found(files: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and those in folders, without hidden ones."""
    for one in files:
        if one == STANDARD_INPUT:
            continue
        if one.is_dir():
            inside = sorted(each for each in one.iterdir() if each.is_file())
            yield from (each for each in inside if not each.name.startswith("."))
        else:
            yield one


def _watched(files: list[Path]) -> Iterator[Path]:
    """Files as they come, each when it has been left alone for a while, and again when changed."""
    seen: dict[Path, tuple[int, int]] = {}
    done: dict[Path, tuple[int, int]] = {}
    while True:
        for place in _found(files):
            try:
                state = (place.stat().st_size, place.stat().st_mtime_ns)
            except FileNotFoundError:
                continue
            if seen.get(place) == state and done.get(place) != state:
                done[place] = state
                yield place
            seen[place] = state
        time.sleep(PAUSE_S)


def _standard_input() -> Iterator[bytes]:
    """What comes, as it comes; empty blocks while nothing does."""
    handle = sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([handle], [], [], PAUSE_S)
        if not ready:
            yield b""
            continue
        block = os.read(handle, 1 << 20)
        if not block:
            return
        yield block


def _layout(text: str) -> Layout:
    """A layout that is known by this name, or is in this file. Raises Refused `choice-unknown`."""
    from hansa.entrypoints.yaml_files import load
    from hansa.lifecycle.usage.actions import intake
    from hansa.lifecycle.usage.model import Layout

    known = intake.layouts_known()
    if text in known:
        return known[text]
    if not Path(text).exists():
        raise Refused(
            "choice-unknown",
            f"{text!r} is no file, and no layout that is known: {', '.join(known)}.",
            field="layout",
        )
    return load(Path(text), Layout)


# --- showing ------------------------------------------------------------------------------------


def _summary(one: Delivery) -> dict[str, object]:
    return {
        "file": one.number,
        "name": one.name,
        "kind": one.layout.kind.value,
        "source": one.layout.source,
        "state": one.state,
        "reason": one.reason,
        "words": one.words,
        "rows": one.rows,
        "events": one.events,
        "quarantined": one.quarantined,
        "duplicate": one.duplicate,
        "replays": one.replays,
        "sha256": one.sha256,
        "learned_at": one.learned_at,
        "months": one.files,
    }


def _words(one: Delivery) -> str:
    if one.state == "refused":
        return f"{one.name}: refused ({one.reason}): {one.words}"
    return (
        f"{one.name}: file {one.number}, {one.rows} records, {one.events} events, "
        f"{one.quarantined} quarantined, {one.duplicate} duplicate"
    )


def _show(found: Iterable[Delivery]) -> None:
    every = list(found)
    render.table(
        "Usage files",
        ("file>", "name", "kind", "months", "in>", "events>", "quarantined>", "duplicate>",
         "late>", "replays>", "state"),
        [
            (
                one.number,
                one.name,
                one.layout.kind,
                [file.month or "unknown" for file in one.files],
                one.rows,
                one.events,
                one.quarantined,
                one.duplicate,
                sum(file.events for file in one.files if file.late),
                one.replays,
                one.state,
            )
            for one in every
        ],
    )  # fmt: skip
    for one in every:
        if one.state == "refused":
            render.say(_words(one))
