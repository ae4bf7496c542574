"""`hansa partner callback`: where a partner, or a system of ours, may have notices sent."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, By, NodeDir, opened, who


def callback(
    party: Annotated[
        str, typer.Argument(metavar="PARTY", help="Whose callbacks: a partner, a customer, us.")
    ],
    host: Annotated[
        str, typer.Argument(metavar="[HOST]", help="A name or an address; none: list them.")
    ] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Send nothing there any more.")] = False,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Let a party have notices sent to a host, beside the one on its card; or list its hosts.

    To addresses of this machine and of private networks nothing is sent, unless the setting
    limits.private_callbacks allows it.
    """
    from hansa.federation.callbacks import actions
    from hansa.foundation.party import party_id

    whose = party_id(party)
    with opened(node) as ours, ours.begin() as tx:
        if host and remove:
            actions.remove(tx, party=whose, host=host)
        elif host:
            actions.add(tx, party=whose, host=host, by=who(by), now=ours.clock.now())
        found = actions.hosts(tx, party=whose)
    if as_json:
        render.as_json(found)
        return
    render.table(
        f"Callback hosts of {whose}",
        ("host", "added", "by"),
        [(one.host, one.added_at, one.added_by) for one in found],
    )
