"""`hansa node`: make a node, run it, see how it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.errors import HansaError, Refused

app = group("Make a node, run it, see how it is.")


@app.command(
    epilog='Example: hansa node init --party bt --name "BT" --country GB --currency GBP --port 7101'
)
def init(
    party: Annotated[str, typer.Option(metavar="NAME", help="Short name: bt, mtn-business.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="The name that papers show.")],
    country: Annotated[str, typer.Option(metavar="CC", help="ISO 3166-1, two letters: GB.")],
    currency: Annotated[str, typer.Option(metavar="CUR", help="ISO 4217, of your books: GBP.")],
    port: Annotated[int, typer.Option(metavar="PORT", help="Where the node listens.")],
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Which address it listens on.")
    ] = "127.0.0.1",
    address: Annotated[
        str, typer.Option(metavar="URL", help="How partners reach it, when not by host and port.")
    ] = "",
    tax_id: Annotated[str, typer.Option(metavar="TEXT", help="Your VAT or other number.")] = "",
    tls: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="mutual: the node serves TLS and knows partners by their certificates. "
            "off: a proxy of yours ends TLS.",
        ),
    ] = "mutual",
    database_url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="A PostgreSQL 18 server of yours, instead of an embedded one."
        ),
    ] = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Make a node's folder with its settings and its key. Nothing is started.

    Refuses a folder that holds a node already. The settings are in node.toml, to be changed
    with an editor while the node is not running.
    """
    from hansa.entrypoints import node_folder
    from hansa.foundation.ids import PartyId
    from hansa.foundation.party import Party
    from hansa.foundation.time import SystemClock
    from hansa.node import SETTINGS, DatabaseSettings, HttpSettings, Settings

    settings = Settings(
        party=Party(PartyId(party), name, country, currency, tax_id),
        http=HttpSettings(port=port, host=host, address=address, tls=_tls(tls)),
        database=DatabaseSettings(url=database_url),
    )
    keys = node_folder.create(node, settings, now=SystemClock().now())
    render.facts(
        f"Made the node of {name} in {node}",
        {
            "settings": node / SETTINGS,
            "address": settings.address,
            "public key": keys.public,
            "key id": keys.generations("signing")[-1].id,
        },
    )
    render.say(f"Start it with: hansa node run --node {node}")


def _tls(text: str) -> Literal["mutual", "off"]:
    """How TLS is served. Raises Refused `choice-unknown`."""
    if text in ("mutual", "off"):
        return "mutual" if text == "mutual" else "off"
    raise Refused("choice-unknown", f"{text!r} is not known; choose mutual or off.", field="tls")


@app.command(epilog="Example: hansa node run --node .hansa/bt")
def run(node: NodeDir = DEFAULT_NODE) -> None:
    """Run the node until it is stopped (Ctrl-C or SIGTERM).

    Starts the embedded database unless database.url is set, brings its tables up to date,
    then runs the API and the worker and starts either again when it dies.
    """
    from hansa.entrypoints import supervisor

    supervisor.run(node, progress=lambda words: typer.echo(f"hansa: {words}", err=True))


@app.command(epilog="Example: hansa node status --json")
def status(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show which processes live, whether the node is well, and what waits for a person.

    Exit code 0 when the node is running and well, else 5.
    """
    from hansa.entrypoints import supervisor
    from hansa.node import load_settings

    settings = load_settings(node)
    health = supervisor.health(node, settings.http)
    well = health is not None and health.get("party") == settings.party.id
    plans, words = _plans(node)
    found: dict[str, object] = {
        "party": settings.party.id,
        "name": settings.party.name,
        "folder": str(node.resolve()),
        "address": settings.address,
        "well": well,
        "processes": supervisor.processes(node),
        "clock": "shifted" if settings.clock.shift_file else "system",
        "database": {
            "kind": "given" if settings.database.url else "embedded",
            "answers": plans is not None,
        },
        "open_plans": plans["open"] if plans else None,
        "fallout": plans["held"] if plans else None,
        "notices_overdue": plans["overdue"] if plans else None,
        "notices_given_up": plans["given_up"] if plans else None,
    }
    if as_json:
        render.as_json(found)
    else:
        _show(found, words)
    if not well:
        raise typer.Exit(5)


def _plans(folder: Path) -> tuple[dict[str, int] | None, str]:
    """How many plans are under way, how many of them are held, and how many notices to partners
    go without an answer; else why that is unknown.
    """
    from hansa.federation import notices
    from hansa.foundation.plan import actions as plans

    try:
        with opened(folder) as node, node.begin() as tx:
            told = notices.backlog(tx, now=node.clock.now())
            return {
                "open": plans.open_plans(tx),
                "held": len(plans.fallout(tx, besides=(notices.KIND,))),
                "overdue": told.overdue,
                "given_up": told.held,
            }, ""
    except HansaError as error:
        return None, error.words


def _show(found: dict[str, object], words: str) -> None:
    processes, database = found["processes"], found["database"]
    assert isinstance(processes, dict)
    assert isinstance(database, dict)
    alive = [f"{name} {pid or 'not running'}" for name, pid in processes.items()]
    answering = "answers" if database["answers"] else f"does not answer: {words}"
    render.facts(
        f"{found['name']} ({found['party']})",
        {
            "address": found["address"],
            "well": found["well"],
            "processes": alive,
            "database": f"{database['kind']}, {answering}",
            "clock": "shifted, for a demonstration" if found["clock"] == "shifted" else "system",
            "open plans": found["open_plans"],
            "held for a person": found["fallout"],
            "notices overdue": found["notices_overdue"],
            "notices given up": found["notices_given_up"],
        },
    )
