"""`hansa`: the command line of a node. Each noun has a file of its own beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.entrypoints.cli import (
    agreement,
    audit,
    bill,
    catalogue,
    clearing,
    client,
    deck,
    evidence,
    gear,
    inventory,
    keys,
    lab,
    ledger,
    mediation,
    node,
    order,
    partner,
    person,
    quote,
    rating,
    settle,
    ticket,
    usage,
)
from hansa.entrypoints.cli.door import AsJson, Door

app = typer.Typer(
    name="hansa",
    cls=Door,
    help="Run one operator's node in an alliance of telecom operators.",
    epilog=(
        "Begin with `hansa node init --help`, or play two alliances with `hansa demo`. "
        "Exit codes: 0 done, 1 unforeseen, 2 bad usage, 3 refused, 4 not found, 5 try later."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(node.app, name="node")
app.add_typer(partner.app, name="partner")
app.add_typer(keys.app, name="keys")
app.add_typer(client.app, name="client")
app.add_typer(person.app, name="person")
app.add_typer(audit.app, name="audit")
app.add_typer(agreement.app, name="agreement")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(deck.app, name="deck")
app.add_typer(quote.app, name="quote")
app.add_typer(order.app, name="order")
app.add_typer(evidence.app, name="evidence")
app.add_typer(inventory.app, name="inventory")
app.add_typer(ticket.app, name="ticket")
usage.app.add_typer(mediation.app)
app.add_typer(usage.app, name="usage")
app.add_typer(rating.app, name="rating")
app.add_typer(bill.app, name="bill")
app.add_typer(settle.app, name="settle")
app.add_typer(clearing.app, name="clearing")
app.add_typer(lab.app, name="lab")
app.add_typer(gear.app, name="gear")
app.add_typer(ledger.app, name="ledger")


@app.command(epilog="Example: hansa demo bt-mtn --keep")
def demo(
    scenario: Annotated[
        list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Which; else all.")
    ] = None,
    scenarios: Annotated[
        Path, typer.Option("--scenarios", metavar="DIR", help="Where the scenarios are.")
    ] = Path("scenarios"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the nodes running and print their addresses.")
    ] = False,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Deliver nothing for real, whatever the machine can."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play alliances end to end on real nodes of this machine, and prove that all books agree."""
    from hansa.entrypoints.demo import main

    raise typer.Exit(
        main.run(
            scenario or [], scenarios=scenarios, keep=keep, as_json=as_json, simulated=simulated
        )
    )


if __name__ == "__main__":
    app()
