"""`hansa rating`: what the network's own events cost, and why."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from hansa.entrypoints.cli import progress, render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.extras import need

if TYPE_CHECKING:
    from pathlib import Path

    from hansa.foundation.ids import PartyId
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions.explaining import Explained
    from hansa.lifecycle.rating.actions.samples import MeasuredExplained
    from hansa.lifecycle.rating.model.events import EngineName, Run
    from hansa.lifecycle.rating.model.measured import Measured

app = group("Rating of the network's own records: months, charges and corrections.")

Month = Annotated[
    str, typer.Option("--period", metavar="YYYY-MM", help="The calendar month of usage, UTC.")
]


class EngineOption(StrEnum):
    """What rates; all give the same to the last billionth."""

    KERNEL = "kernel"
    DUCKDB = "duckdb"
    SPARK = "spark"


@app.command(epilog="Example: hansa rating run --period 2026-11")
def run(
    period: Month,
    engine: Annotated[
        EngineOption,
        typer.Option(help="What rates: the compiled kernel, DuckDB, or Apache Spark."),
    ] = EngineOption.KERNEL,
    master: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where Spark is, such as spark://host:7077; the node's folder must lie there "
            "under the same path.",
        ),
    ] = "local[*]",
    anew: Annotated[
        str,
        typer.Option(
            metavar="WHY",
            help="Rate a month again that was billed, by prices and routes as they are known now; "
            "what differs is charged with the next month.",
        ),
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Rate what is not rated yet of a month: calls by decks, and what is measured at points."""
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import adjusting, measuring, months, runs

    month = Period.parse(period)
    with opened(node) as ours:
        how: _How = {"engine": engine.value, "master": master}
        where: _Where = {"us": ours.us.id, "month": month, "folder": ours.folder}
        measured = measuring.run(ours.begin, **where, **how, clock=ours.clock, anew=bool(anew))
        with ours.begin() as tx:
            calls = months.calls_wanted(tx, us=ours.us.id, period=month)
        done = None
        if calls:
            with progress.bar() as tell:
                done = runs.run(
                    ours.begin,
                    **where,
                    **how,
                    clock=ours.clock,
                    anew=anew,
                    progress=partial(tell, f"Rating {period}"),
                )
        with ours.begin() as tx:
            now = ours.clock.now()
            made = adjusting.adjust(tx, **where, why=anew or "late usage", now=now)
    if as_json:
        render.as_json({"run": done, "measured": measured, "adjustments": made})
        return
    _show_calls(done, period)
    _show_measured(measured)
    render.say(f"{len(made)} adjustments of what was charged before")


class _How(TypedDict):
    engine: EngineName
    master: str


class _Where(TypedDict):
    us: PartyId
    month: Period
    folder: Path


def _show_calls(run: Run | None, period: str) -> None:
    if run is None:
        render.say(f"No calls of {period} are rated by a deck.")
        return
    render.facts(
        f"Calls of {run.month}",
        {
            "files": f"{run.rated_files} of {run.files} rated",
            "events": f"{run.events:,}",
            "rated": f"{run.rated:,}",
            "without a price": f"{run.no_price:,}",
            "book": run.book,
        },
    )


def _show_measured(found: Measured) -> None:
    if not found.files and not found.holdings:
        return
    render.facts(
        f"Samples, seats and sessions of {found.month}",
        {
            "files": f"{found.added_files} of {found.files} added up",
            "holdings": found.holdings,
            "records": f"{found.events:,}",
            "charged": f"{found.charged:,}",
            "nobody's, or without a price": f"{found.events - found.charged:,}",
        },
    )


@app.command(epilog="Example: hansa rating status --period 2026-11")
def status(period: Month, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show how far a month's records are rated, and which corrections wait to be charged."""
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import adjusting, measuring, runs

    month = Period.parse(period)
    with opened(node) as ours, ours.begin() as tx:
        found, measured = runs.status(tx, month=month), measuring.status(tx, month=month)
        waiting = adjusting.waiting(tx)
    if as_json:
        render.as_json({"run": found, "measured": measured, "waiting": waiting})
        return
    _show_calls(found, period)
    _show_measured(measured)
    if waiting:
        render.table(
            "Corrections that wait for the next month",
            ("holding", "month", "line", "more"),
            [
                (
                    one.holding.id,
                    one.usage_month,
                    one.line.label,
                    render.exact(one.line.nano, one.line.currency),
                )
                for one in waiting
            ],
        )


@app.command(epilog="Example: hansa rating explain 4294967298")
def explain(
    event: Annotated[
        int, typer.Argument(metavar="EVENT", help="The number of the record, its `event_id`.")
    ],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say why one call costs what it does on each leg of its route, step by step; or what a
    sample, a snapshot of seats or a record of a session has to do with a holding's charges.
    """
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import explaining
    from hansa.lifecycle.rating.actions.samples import MeasuredExplained

    with opened(node) as ours, ours.begin() as tx:
        found = explaining.explain(tx, us=ours.us.id, event=event, folder=ours.folder)
    if as_json:
        render.as_json(found)
    elif isinstance(found, MeasuredExplained):
        _explain_measured(found)
    else:
        _explain_call(found)


def _explain_measured(found: MeasuredExplained) -> None:
    render.facts(
        f"Record {found.event}",
        {
            "of": found.point or "no point",
            "at": f"{found.at:%Y-%m-%d %H:%M:%S} UTC",
            "measured": found.measured,
            "holdings": [one.id for one in found.holdings] or "none",
        },
    )
    for number, step in enumerate(found.steps, 1):
        render.say(f"  {number}. {step}")


def _explain_call(found: Explained) -> None:
    render.facts(
        f"Call {found.event}",
        {
            "from": found.calling or "unknown",
            "to": found.called,
            "answered": f"{found.answered_at:%Y-%m-%d %H:%M:%S.%f} UTC",
            "duration": f"{found.duration_s} s",
            "code": found.code or "none",
            "book": found.book,
        },
    )
    for leg in found.legs:
        name = leg.holding.id if leg.holding else "no holding"
        render.say(f"\nLeg {leg.hop}: {name}")
        for number, step in enumerate(leg.steps, 1):
            render.say(f"  {number}. {step}")
        if not leg.stored:
            render.say("  These steps do not come to what was stored: look for a damaged book.")
