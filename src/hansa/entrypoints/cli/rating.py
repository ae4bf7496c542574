"""`hansa rating`: what the network's own events cost, and why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.extras import need

app = group("Rating of the network's own calls by decks: months, charges and corrections.")

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
    """Rate what is not rated yet of a month's calls; may be interrupted and gone on with."""
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import adjusting, runs

    month = Period.parse(period)
    with opened(node) as ours:
        with _progress(period) as tell:
            done = runs.run(
                ours.begin,
                us=ours.us.id,
                month=month,
                folder=ours.folder,
                clock=ours.clock,
                engine=engine.value,
                master=master,
                anew=anew,
                progress=tell,
            )
        with ours.begin() as tx:
            made = adjusting.adjust(
                tx,
                us=ours.us.id,
                month=month,
                folder=ours.folder,
                why=anew or "late usage",
                now=ours.clock.now(),
            )
    if as_json:
        render.as_json({"run": done, "adjustments": made})
        return
    render.facts(
        f"Calls of {period}",
        {
            "files": done.files,
            "events": f"{done.events:,}",
            "rated": f"{done.rated:,}",
            "without a price": f"{done.no_price:,}",
            "book": done.book,
            "adjustments": len(made),
        },
    )


@app.command(epilog="Example: hansa rating status --period 2026-11")
def status(period: Month, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show how far a month's calls are rated, and which corrections wait to be charged."""
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import adjusting, runs

    with opened(node) as ours, ours.begin() as tx:
        found = runs.status(tx, month=Period.parse(period))
        waiting = adjusting.waiting(tx)
    if as_json:
        render.as_json({"run": found, "waiting": waiting})
        return
    if found is None:
        render.say(f"No calls of {period} are rated; `hansa rating run --period {period}` does it.")
    else:
        render.facts(
            f"Calls of {period}",
            {
                "files": f"{found.rated_files} of {found.files} rated",
                "events": f"{found.events:,}",
                "rated": f"{found.rated:,}",
                "without a price": f"{found.no_price:,}",
                "book": found.book,
            },
        )
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
        int, typer.Argument(metavar="EVENT", help="The number of the call, its `event_id`.")
    ],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say why one call costs what it does on each leg of its route, step by step."""
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import explaining

    with opened(node) as ours, ours.begin() as tx:
        found = explaining.explain(tx, event=event, folder=ours.folder)
    if as_json:
        render.as_json(found)
        return
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


@contextmanager
def _progress(period: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of events, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("Rating {task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(period, total=0)
        yield lambda done, of: progress.update(task, completed=done, total=of)
