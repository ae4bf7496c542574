"""`hansa partner`: whom this node trades with, and how they are introduced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.errors import Refused

if TYPE_CHECKING:
    from hansa.foundation.documents import Json
    from hansa.node import Node

app = group("Partners: operators whose nodes trade with this one.")

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write our card to this file.")
]


@app.command(epilog="Example: hansa partner invite --out bt.card.json")
def invite(out: Out = None, node: NodeDir = DEFAULT_NODE) -> None:
    """Make our card, which another operator joins; signed with our key, and not secret.

    Without --out it is printed. Let the other operator confirm the public key with you by
    another way, for instance by telephone.
    """
    with opened(node) as ours:
        card = _card(ours)
    _hand_over(card, out)


@app.command(epilog="Example: hansa partner join mtn.card.json --out bt.card.json")
def join(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The other operator's card.")],
    out: Out = None,
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Make the operator of this card a partner; it has to join our card too.

    The same card again changes nothing; a newer one renews name, address and dialect.
    """
    from hansa.federation import directory

    card = directory.read_card(_read(file))
    with opened(node) as ours:
        with ours.begin() as tx:
            partner = directory.join(tx, card=card, now=ours.clock.now())
        if out is not None:
            _hand_over(_card(ours), out)
    render.facts(
        f"{partner.party.name} ({partner.party.id}) is a partner",
        {"address": partner.address, "dialect": partner.dialect, "public key": partner.public_key},
    )


@app.command("list", epilog="Example: hansa partner list --json")
def list_partners(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List our partners."""
    from hansa.federation import directory

    with opened(node) as ours, ours.begin() as tx:
        found = directory.partners(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Partners",
        ("party", "name", "country", "currency", "address", "dialect", "joined"),
        [
            (
                one.party.id,
                one.party.name,
                one.party.country,
                one.party.currency,
                one.address,
                one.dialect,
                one.joined_at,
            )
            for one in found
        ],
    )


def _card(node: Node) -> Json:
    from hansa.federation import directory

    card = directory.invite(
        node.keys, party=node.us, address=node.settings.address, now=node.clock.now()
    )
    return render.plain(card)


def _hand_over(card: Json, out: Path | None) -> None:
    import json

    if out is None:
        render.as_json(card)
        return
    try:
        out.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise Refused(
            "file-unwritable", f"{out} cannot be written: {error.strerror}.", field="out"
        ) from None
    typer.echo(f"Our card is in {out}", err=True)


def _read(file: Path) -> Json:
    """A card's JSON. Raises Refused `file-unreadable`, `malformed`."""
    import json

    from hansa.entrypoints.yaml_files import text_of

    text = text_of(file)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", f"{file} is not JSON: {error}.", field="file") from None
