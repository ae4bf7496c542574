"""`hansa audit`: what people did on this node."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened

app = group("The audit log: who has changed what, and why. It only grows.")


@app.command("list", epilog="Example: hansa audit list --who ada --limit 20")
def list_entries(
    who: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="By this person; or console:USER.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only this, as person-entered.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="ID", help="Done to this: an order, a login …")
    ] = None,
    before: Annotated[
        int | None, typer.Option(metavar="N", help="Only entries with a lower number.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="So many, the newest.")
    ] = 50,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List what was done in the portal, and about persons at the command line; the newest first."""
    from hansa.foundation.people.actions import audit

    with opened(node) as ours, ours.begin() as tx:
        found = audit.trail(tx, who=who, action=action, subject=subject, before=before, limit=limit)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Audit log",
        ("number>", "at", "who", "roles", "action", "subject", "why"),
        [
            (one.number, one.at, one.who, one.roles, one.action, one.subject, one.why)
            for one in found
        ],
    )
