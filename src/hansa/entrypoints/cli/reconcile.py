"""`hansa settle reconcile`: our call records beside a partner's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from hansa.entrypoints.cli import progress, render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, opened

if TYPE_CHECKING:
    from hansa.lifecycle.settlement.model import Reconciliation, Tolerance


Seconds = Annotated[
    int, typer.Option("--time", metavar="SECONDS", help="How far times may lie apart.")
]
Lasting = Annotated[
    int, typer.Option("--duration", metavar="SECONDS", help="How far durations may differ.")
]
Day = Annotated[
    int,
    typer.Option(
        "--day", metavar="BP", help="By how much a day may differ, in 1/100 of a percent."
    ),
]


def reconcile(
    theirs: Annotated[
        list[Path],
        typer.Option("--theirs", metavar="FILE", help="The partner's, Parquet or CSV."),
    ],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Where the results get their folder.")
    ],
    ours: Annotated[
        list[Path] | None,
        typer.Option("--ours", metavar="FILE", help="Our call records, Parquet or CSV."),
    ] = None,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Of the amounts, with --ours.")
    ] = "",
    holding: Annotated[
        str,
        typer.Option(metavar="HOLDING", help="Instead of --ours: calls that we have rated."),
    ] = "",
    period: Annotated[
        str, typer.Option(metavar="YYYY-MM", help="The calendar month of these calls, UTC.")
    ] = "",
    seller: Annotated[
        str, typer.Option(metavar="PARTY", help="Whose the holding is, when we bought it.")
    ] = "",
    time_s: Seconds = 2,
    duration_s: Lasting = 1,
    day_bp: Day = 10,
    without_calling: Annotated[
        bool, typer.Option("--without-calling", help="Do not compare calling numbers.")
    ] = False,
    memory_mb: Annotated[
        int, typer.Option("--memory", metavar="MB", help="The most to use; more goes to the disk.")
    ] = 2048,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Lay our call records beside a partner's: every difference, its class and its price."""
    from hansa.lifecycle.settlement.actions import reconciling as actions
    from hansa.lifecycle.settlement.model import Tolerance

    if bool(ours) == bool(holding) or bool(ours) != bool(currency) or bool(holding) != bool(period):
        raise typer.BadParameter("give --ours and --currency, or --holding and --period")
    tolerance = Tolerance(
        time_s=time_s,
        duration_s=duration_s,
        calls_bp=day_bp,
        seconds_bp=day_bp,
        amount_bp=day_bp,
        with_calling=not without_calling,
    )
    with progress.bar() as tell:
        how: _How = {
            "theirs": theirs,
            "to": to,
            "tolerance": tolerance,
            "memory_mb": memory_mb,
            "progress": tell,
        }
        if ours:
            found, folder = actions.reconcile(ours=ours, currency=currency, **how)
        else:
            found, folder = _rated(node, holding, seller, period, how)
    if as_json:
        render.as_json(found)
        return
    _show(found, folder)


class _How(TypedDict):
    theirs: list[Path]
    to: Path
    tolerance: Tolerance
    memory_mb: int
    progress: progress.Tell


def _rated(
    node: Path, holding: str, seller: str, period: str, how: _How
) -> tuple[Reconciliation, Path]:
    """Of calls that this node has rated."""
    from hansa.foundation.ids import HoldingId
    from hansa.foundation.party import party_id
    from hansa.foundation.time import Period
    from hansa.lifecycle.inventory.model import HoldingRef
    from hansa.lifecycle.settlement.actions import reconciling as actions

    with opened(node) as ours:
        ref = HoldingRef(party_id(seller) if seller else ours.us.id, HoldingId(holding))
        return actions.reconcile_holding(
            ours.begin, holding=ref, month=Period.parse(period), folder=ours.folder, **how
        )


def _show(found: Reconciliation, folder: Path) -> None:
    bad = [one for one in found.days if one.off]
    render.facts(
        f"{found.rows_ours} records of ours, {found.rows_theirs} of theirs",
        {
            "days that differ": f"{len(bad)} of {len(found.days)}",
            "they say beyond us": render.exact(found.difference_nano, found.currency),
            "left out": f"{found.unreadable_ours} of ours, {found.unreadable_theirs} of theirs",
            "written to": folder,
        },
    )
    render.table(
        "Days that differ",
        ("day", "our calls>", "their calls>", "our amount>", "their amount>", "by"),
        [
            (
                one.day,
                one.calls_ours,
                one.calls_theirs,
                render.exact(one.amount_ours_nano, found.currency),
                render.exact(one.amount_theirs_nano, found.currency),
                one.off,
            )
            for one in bad
        ],
    )
    render.table(
        "Records of those days",
        ("class", "records>", "seconds>", "difference>", "without a price>"),
        [
            (
                one.name,
                one.records,
                one.seconds,
                render.exact(one.difference_nano, found.currency),
                one.unpriced,
            )
            for one in found.classes
        ],
    )
    for shift in found.shifts:
        render.say(
            f"Their clock is {shift.shift_s // 60} minutes off in {shift.records} records, from "
            f"{_moment(shift.first_s)} to {_moment(shift.last_s)}"
        )
    for row in found.unreadable:
        render.say(f"{row.file}, row {row.row}: {row.why}")


def _moment(at_s: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S}"
