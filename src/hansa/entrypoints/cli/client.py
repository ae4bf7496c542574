"""`hansa client`: systems that are let in by a secret of their own instead of a node's key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, By, NodeDir, group, opened, who
from hansa.foundation.errors import Refused

if TYPE_CHECKING:
    from hansa.federation.clients.model import Client
    from hansa.foundation.party import Actor
    from hansa.node import Node

app = group("Clients: other systems that ask us, with a secret and by scope (OAuth 2).")

Role = Annotated[
    str, typer.Option("--as", metavar="ROLE", help="What it is to us: partner, customer, operator.")
]


@app.command(
    epilog="Example: hansa client add crm --for retailer --as customer --scope tmf622:read"
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the system.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="What it may do, as tmf622:write; repeat.")
    ],
    party: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="For whom it asks; else ourselves.")
    ] = "",
    role: Role = "operator",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Let a system in that asks for a partner, for a customer, or for ourselves.

    Its secret is printed this once and kept nowhere: hand it over by a way that is private.
    """
    from hansa.federation.clients import actions

    with opened(node) as ours:
        actor = _actor(ours, party, role)
        _check_scopes(ours, scope)
        with ours.begin() as tx:
            made = actions.register(
                tx, name=name, actor=actor, scopes=scope, by=who(by), ids=ours.ids,
                now=ours.clock.now(),
            )  # fmt: skip
    if as_json:
        render.as_json(made)
        return
    _draw(made.client)
    render.say(f"Its secret, shown this once: {made.secret}")


@app.command("list", epilog="Example: hansa client list --json")
def list_clients(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List every client there ever was; secrets are not kept."""
    from hansa.federation.clients import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.clients(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Clients",
        ("client", "name", "for", "as", "scopes", "made", "revoked"),
        [
            (
                one.id,
                one.name,
                one.actor.party,
                one.actor.role,
                sorted(one.scopes),
                one.made_at,
                one.revoked_at,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa client revoke cli_0198…")
def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="The client: cli_…")],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Shut a client out at once, with every token that it has."""
    from hansa.federation.clients import actions
    from hansa.foundation.ids import ClientId

    with opened(node) as ours, ours.begin() as tx:
        found = actions.revoke(tx, client_id=ClientId(id), by=who(by), now=ours.clock.now())
    if as_json:
        render.as_json(found)
        return
    _draw(found)


def _actor(node: Node, party: str, role: str) -> Actor:
    """Raises NotFound `partner-unknown`, `customer-unknown`; Refused `choice-unknown`."""
    from hansa.federation import directory
    from hansa.foundation.party import Actor, party_id
    from hansa.lifecycle.agreement import actions as agreement

    name = party_id(party) if party else node.us.id
    with node.begin() as tx:
        if role == "partner":
            return Actor(directory.partner(tx, party=name).party.id, "partner")
        if role == "customer":
            return Actor(agreement.customer(tx, party=name).party.id, "customer")
    if role != "operator" or name != node.us.id:
        raise Refused(
            "choice-unknown",
            f"A system asks for a partner, for a customer, or as operator for {node.us.id}; "
            f"not as {role} for {name}.",
            field="as",
        )
    return Actor(name, "operator")


def _check_scopes(node: Node, wanted: list[str]) -> None:
    from hansa.entrypoints import http

    known = http.scopes(http.dialects(node))
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise Refused(
            "choice-unknown",
            f"{unknown[0]!r} is no scope here; choose of {', '.join(sorted(known))}.",
            field="scope",
        )


def _draw(client: Client) -> None:
    render.facts(
        f"Client {client.id}",
        {
            "name": client.name,
            "asks for": client.actor.party,
            "as": client.actor.role,
            "scopes": sorted(client.scopes),
            "revoked": client.revoked_at,
        },
    )
