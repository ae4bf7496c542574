"""`hansa keys`: the keys with which this node signs, and those of its TLS connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened

if TYPE_CHECKING:
    from hansa.node import Node

app = group("Keys: what this node signs with, and how it is replaced.")


@app.command("list", epilog="Example: hansa keys list --json")
def list_keys(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List this node's keys, which are in use, and which partners have not heard of the newest."""
    with opened(node) as ours:
        found = _state(ours)
    if as_json:
        render.as_json(found)
        return
    keys = found["keys"]
    assert isinstance(keys, list)
    render.table(
        "Keys",
        ("kind", "id", "edition>", "in use", "made", "used from", "good until"),
        [
            (
                *(one["kind"], one["id"], one["edition"], one["in_use"]),
                *(one["made_at"], one["used_from"], one["valid_to"]),
            )
            for one in keys
        ],
    )
    render.facts("", {"public key": found["public_key"], "certificate": found["certificate"]})
    if found["waiting"]:
        render.facts("", {"have not answered": found["waiting"]})


@app.command(epilog="Example: hansa keys rotate --overlap 14")
def rotate(
    tls: Annotated[
        bool, typer.Option("--tls", help="Replace the TLS key and certificate instead.")
    ] = False,
    overlap: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=0,
            help="How long the key that is replaced stays good; else keys.overlap_days.",
        ),
    ] = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Replace the key with which this node signs, while everything runs.

    Every partner is told by a notice signed with the key that it knows. The new key takes over
    when all have answered, at the latest when half of the overlap is over.
    """
    from datetime import timedelta

    with opened(node) as ours:
        now = ours.clock.now()
        days = ours.settings.keys.overlap_days if overlap is None else overlap
        span = timedelta(days=days)
        if tls:
            made = ours.keys.rotate_certificate(
                party=ours.us.id, address=ours.settings.address, now=now, overlap=span
            )
        else:
            made = ours.keys.rotate(now=now, overlap=span)
        with ours.begin() as tx:
            ours.renew_cards(tx, now)
        found = _state(ours)
    if as_json:
        render.as_json(found)
        return
    render.facts(
        f"Made key {made.id}; partners are being told",
        {"takes over by": made.used_from, "have to answer": found["waiting"]},
    )


def _state(node: Node) -> dict[str, object]:
    from hansa.federation import renewal

    now, ring = node.clock.now(), node.keys
    tls = ring.generations("tls")
    certificate = ring.certificate(now) if tls else None
    used = {ring.current(now).kid, certificate.sha256[:16] if certificate else ""}
    with node.begin() as tx:
        waiting = renewal.waiting(tx, ring=ring)
    return {
        "keys": [{**render.plain(one), "in_use": one.id in used} for one in ring.generations()],
        "public_key": ring.current(now).public,
        "certificate": str(certificate.certificate) if certificate else None,
        "waiting": list(waiting),
    }
