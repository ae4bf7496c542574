"""`hansa evidence`: who asked for what, and when, by signatures that anyone can check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.federation.evidence.model import File, Finding, Verdict
    from hansa.node import Node

app = group("Evidence: who asked for what, and when, by signatures that anyone can check.")

Order = Annotated[str, typer.Argument(metavar="ORDER", help="An order placed with us.")]


@app.command(epilog="Example: hansa evidence show ord_0198…")
def show(order: Order, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Verify and show all signed messages about an order, and who asked whom down to us.

    Exit code 3 when any of it does not hold.
    """
    from hansa.federation.evidence import proof

    with opened(node) as ours:
        file = _file(ours, order)
    _tell(file, proof.verify(file), as_json=as_json)


@app.command("list", epilog="Example: hansa evidence list --with mtn --limit 20")
def list_messages(
    party: Annotated[
        str, typer.Option("--with", metavar="PARTY", help="With this partner only.")
    ] = "",
    before: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="Only messages before this one.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List the signed messages that were kept, the newest first."""
    from hansa.federation.evidence import actions
    from hansa.foundation.party import party_id

    with opened(node) as ours, ours.begin() as tx:
        found = actions.newest(
            tx, party=party_id(party) if party else None, before=before, limit=limit
        )
    if as_json:
        render.as_json([{"number": one.number, **_plain(one.message)} for one in found])
        return
    render.table(
        "Evidence",
        ("no.>", "at", "partner", "asked by", "message", "method", "target", "status>", "key"),
        [
            (
                one.number,
                one.message.at,
                one.message.party,
                "them" if one.message.direction == "in" else "us",
                one.message.kind,
                one.message.method,
                one.message.target,
                one.message.status or "",
                one.message.kid,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa evidence export ord_0198… --out order.evidence.json")
def export(
    order: Order,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write it to this file.")],
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Write all evidence about an order to a file that can be verified without this node."""
    import json

    with opened(node) as ours:
        file = _file(ours, order)
    text = json.dumps(render.plain(file), indent=1, ensure_ascii=False) + "\n"
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise Refused(
            "file-unwritable", f"{out} cannot be written: {error.strerror}.", field="out"
        ) from None
    typer.echo(f"{len(file.messages)} messages are in {out}", err=True)


@app.command(epilog="Example: hansa evidence verify order.evidence.json")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What a node has exported.")],
    as_json: AsJson = False,
) -> None:
    """Verify exported evidence: no node, database or network is needed. Exit code 3 if it fails.

    Compare the ids of the keys with those that the operators themselves tell you, for instance
    on their cards: the file cannot prove whose they are.
    """
    import json

    from hansa.federation.evidence import proof

    try:
        document = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Refused(
            "file-unreadable", f"{file} cannot be read: {error.strerror}.", field="file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", f"{file} is not JSON: {error}.", field="file") from None
    read = proof.read(document)
    _tell(read, proof.verify(read), as_json=as_json)


def _file(node: Node, order: str) -> File:
    """All evidence about an order. Raises NotFound `order-unknown`."""
    from hansa.federation.evidence import actions
    from hansa.foundation.ids import OrderId
    from hansa.lifecycle.order.actions import orders

    with node.begin() as tx:
        kept = orders.get(tx, us=node.us.id, order_id=OrderId(order))
        return actions.file_of(
            tx,
            us=node.us.id,
            ring=node.keys,
            order=kept.order.id,
            trace=kept.order.trace,
            mandate=kept.mandate,
            now=node.clock.now(),
        )


def _tell(file: File, verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        render.as_json({"holds": verdict.holds, "verdict": verdict, "keys": file.keys})
    else:
        how = "all of it holds" if verdict.holds else "it does NOT hold"
        if not verdict.findings and not verdict.chain:
            how = "there is none, so that nothing is proved"
        render.say(f"Evidence of {file.node} about order {file.order}: {how}")
        _table("Who asked whom", verdict.chain)
        _table("What was said", verdict.findings)
        render.table(
            "Keys",
            ("party", "key", "good from", "to", "revoked"),
            [
                (one.party, one.kid, one.valid_from, one.valid_to, one.revoked_at)
                for one in file.keys
            ],
        )
    if not verdict.holds:
        raise typer.Exit(3)


def _table(title: str, findings: Sequence[Finding]) -> None:
    render.table(
        title,
        ("signed at", "who", "key", "holds"),
        [(one.at, one.said, one.key, one.fault or "yes") for one in findings],
    )


def _plain(message: object) -> dict[str, object]:
    """A message without its body, which `show` and `export` tell."""
    from dataclasses import fields

    return {
        one.name: getattr(message, one.name)
        for one in fields(message)  # type: ignore[arg-type]
        if one.name != "body"
    }
