"""`hansa ledger`: the books: balances, journal, proof, exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened

if TYPE_CHECKING:
    from hansa.ledger.model import Head

app = group("The books: balances, journal, proof, exposure.")

MaybeParty = Annotated[
    str, typer.Option("--party", metavar="PARTY", help="With this partner or customer only.")
]


@app.command(epilog="Example: hansa ledger balances --party mtn")
def balances(party: MaybeParty = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List every account with its balance; debits are positive."""
    from hansa.foundation.party import party_id
    from hansa.ledger import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.balances(tx, party=party_id(party) if party else None)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Balances",
        ("account", "kind", "party", "balance>", "legs>"),
        [(one.code, one.kind, one.party, one.balance, one.legs) for one in found],
    )


@app.command(epilog="Example: hansa ledger journal --account receivable/mtn/GBP --limit 20")
def journal(
    account: Annotated[
        str, typer.Option("--account", metavar="CODE", help="With a leg on this account only.")
    ] = "",
    party: MaybeParty = "",
    after: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="Only entries after this one.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List entries in the order of posting, with their legs."""
    from hansa.foundation.party import party_id
    from hansa.ledger import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.journal(
            tx,
            code=account or None,
            party=party_id(party) if party else None,
            limit=limit,
            after=after,
        )
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Journal",
        ("no.>", "effective", "paper", "words", "account", "amount>", "balance>"),
        [
            (
                entry.number if first else "",
                entry.effective_at if first else "",
                entry.ref if first else "",
                entry.words if first else "",
                leg.account.code,
                leg.amount,
                leg.balance,
            )
            for entry in found
            for first, leg in zip([True] + [False] * len(entry.legs), entry.legs, strict=False)
        ],
    )


@app.command(epilog="Example: hansa ledger verify --head 12:40:9f86…")
def verify(
    heads: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="BATCHES:ENTRIES:HASH",
            help="A head that a counterparty was told earlier; the chain must lead through it.",
        ),
    ] = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Recompute the whole chain of the books from what is stored. Exit code 3 when it breaks."""
    from hansa.ledger import actions

    known = [_head(one) for one in heads or []]
    with opened(node) as ours, ours.begin() as tx:
        found = actions.verify(tx, known=known)
        head = actions.head(tx)
    if as_json:
        render.as_json({"verification": found, "head": head})
    else:
        render.facts(
            "The books hold" if found.ok else "The books are BROKEN",
            {
                "batches": found.batches,
                "entries": head.entries,
                "head": f"{head.batches}:{head.entries}:{head.hash}",
                "fault": found.fault.words if found.fault else None,
                "in batch": found.fault.batch if found.fault else None,
                "entry": found.fault.entry if found.fault else None,
            },
        )
    if not found.ok:
        raise typer.Exit(3)


@app.command(epilog="Example: hansa ledger exposure mtn --currency GBP")
def exposure(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="A partner or a customer.")],
    currency: Annotated[
        str, typer.Option(metavar="CUR", help="ISO 4217; else that of our books.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show what a party may cost us: what it owes, and what is held for its open orders."""
    from hansa.foundation.money import minor_digits
    from hansa.foundation.party import party_id
    from hansa.ledger import actions
    from hansa.ledger.model import HoldState

    with opened(node) as ours, ours.begin() as tx:
        unit = currency or ours.us.currency
        minor_digits(unit)
        total = actions.exposure(tx, party=party_id(party), currency=unit)
        every = actions.holds(tx, party=party_id(party), state=HoldState.ACTIVE)
    holds = [one for one in every if one.amount.currency == unit]
    if as_json:
        render.as_json({"party": party, "exposure": total, "holds": holds})
        return
    render.facts(f"Exposure to {party}", {"in all": total})
    render.table(
        "Held for open orders",
        ("hold", "for", "amount>", "limit>", "placed"),
        [(one.id, one.ref, one.amount, one.limit, one.placed_at) for one in holds],
    )


def _head(text: str) -> Head:
    """A head as `verify` prints it. Raises Refused `head-invalid`."""
    import re

    from hansa.foundation.errors import Refused
    from hansa.ledger.model import Head

    parts = re.fullmatch(r"([0-9]{1,15}):([0-9]{1,15}):([0-9a-f]{64})", text)
    if parts is None:
        raise Refused(
            "head-invalid",
            f"{text!r} is no head; give BATCHES:ENTRIES:HASH as `hansa ledger verify` prints it.",
            field="head",
        )
    return Head(int(parts[1]), int(parts[2]), parts[3])
