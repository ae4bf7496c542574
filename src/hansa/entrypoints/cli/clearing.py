"""`hansa clearing`: what many owe each other, netted among all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    Month,
    NodeDir,
    group,
    opened,
    version_of,
    who,
)

if TYPE_CHECKING:
    from hansa.lifecycle.clearing.model import Part

app = group("What many owe each other, netted among all, and paid.")

Id = Annotated[str, typer.Argument(metavar="ROUND", help="The round: rnd_…")]
MaybeSvg = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Draw the picture into this file.")
]


@app.command(epilog="Example: hansa clearing call agr_0198… --period 2026-11 --currency EUR")
def call(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement: agr_…")],
    period: Month,
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="As EUR.")],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """As the centre, ask all parties what of a month may be netted among many."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import centre

    with opened(node) as ours:
        ref = version_of(ours, agreement, None)
        with ours.begin() as tx:
            found = centre.call(
                tx,
                us=ours.us,
                agreement=ref,
                period=Period.parse(period),
                currency=currency,
                ids=ours.ids,
                now=ours.clock.now(),
            )
    if as_json:
        render.as_json(found)
    else:
        render.say(f"{found.id} is {found.state}; answers count until {found.until:%Y-%m-%d %H:%M}")


@app.command("list", epilog="Example: hansa clearing list")
def list_rounds(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List the rounds of netting in which we have a part."""
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.parts(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Rounds",
        ("round", "centre", "period", "currency", "our part is", "attempt>", "invoices>", "why"),
        [
            (
                one.id,
                one.centre,
                one.call.period.name,
                one.call.currency,
                one.state,
                one.attempt,
                len(one.lines or one.offered),
                one.why,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa clearing show rnd_0198… --svg november.svg")
def show(
    id: Id, svg: MaybeSvg = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Show our part in a round, and who pays whom before and after, as far as we may know."""
    from hansa.entrypoints.papers import picture
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import centre, netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.part(tx, round=RoundId(id))
        before = centre.debts(tx, us=ours.us.id, part=found)
    after = found.plan.payments if found.plan else ()
    if svg is not None:
        svg.write_text(picture.svg(before, after, found.call.currency), "utf-8")
    if as_json:
        render.as_json(found)
        return
    _show(found)
    for line in picture.text(before, after, found.call.currency).splitlines():
        render.say(line)


def _show(found: Part) -> None:
    render.facts(
        f"Round {found.id} of {found.call.period.name} in {found.call.currency}",
        {
            "centre": found.centre,
            "our part is": found.state,
            "attempt": found.attempt,
            "sign by": found.plan.sign_by if found.plan else None,
            "why": found.why,
        },
    )


@app.command(epilog="Example: hansa clearing sign rnd_0198…")
def sign(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Sign the plan of a round; it is posted once all have signed."""
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.sign(
            tx,
            us=ours.us,
            part=netting.part(tx, round=RoundId(id)),
            keys=ours.keys,
            ids=ours.ids,
            now=ours.clock.now(),
        )
    render.as_json(found) if as_json else _show(found)


@app.command(epilog='Example: hansa clearing refuse rnd_0198… --why "an invoice is in doubt"')
def refuse(
    id: Id,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For the centre to read.")],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say no to the plan of a round; the others net without us."""
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.refuse(
            tx,
            us=ours.us,
            part=netting.part(tx, round=RoundId(id)),
            why=why,
            ids=ours.ids,
            now=ours.clock.now(),
        )
    render.as_json(found) if as_json else _show(found)


# --- paying -------------------------------------------------------------------------------------


@app.command(epilog="Example: hansa clearing account mtn --number ZA… --bic SBZAZAJJ --holder MTN")
def account(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="A partner, or us.")],
    number: Annotated[str, typer.Option("--number", metavar="NUMBER", help="IBAN or other.")],
    bic: Annotated[str, typer.Option("--bic", metavar="BIC", help="Of the bank, as BARCGB22.")],
    holder: Annotated[str, typer.Option("--holder", metavar="NAME", help="Whose account it is.")],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Enter a bank account; it counts once another person has confirmed it."""
    from hansa.federation import directory
    from hansa.foundation.party import party_id
    from hansa.lifecycle.clearing.actions import payments

    with opened(node) as ours, ours.begin() as tx:
        whose = party_id(party)
        if whose != ours.us.id:
            directory.partner(tx, party=whose)
        found = payments.enter_account(
            tx,
            party=whose,
            holder=holder,
            number=number,
            bic=bic,
            by=who(by),
            ids=ours.ids,
            now=ours.clock.now(),
        )
    render.say(f"{found.id} of {found.party} waits for another person: {found.masked}")


@app.command(epilog="Example: hansa clearing confirm bnk_0198… --number ZA… --by Ada")
def confirm(
    id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account: bnk_…")],
    number: Annotated[
        str, typer.Option("--number", metavar="NUMBER", help="As you have it from the party.")
    ],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Confirm a bank account that somebody else has entered."""
    from hansa.foundation.ids import BankAccountId
    from hansa.lifecycle.clearing.actions import payments

    with opened(node) as ours, ours.begin() as tx:
        found = payments.confirm_account(
            tx, account=BankAccountId(id), number=number, by=who(by), now=ours.clock.now()
        )
    render.say(f"{found.id} of {found.party} counts: {found.masked}")


@app.command(epilog="Example: hansa clearing accounts")
def accounts(node: NodeDir = DEFAULT_NODE) -> None:
    """List bank accounts, their numbers masked, and who entered and confirmed them."""
    from hansa.lifecycle.clearing.actions import payments

    with opened(node) as ours, ours.begin() as tx:
        found = payments.accounts(tx)
    render.table(
        "Accounts",
        ("account", "party", "holder", "number", "bank", "entered by", "confirmed by"),
        [
            (one.id, one.party, one.holder, one.masked, one.bic, one.entered_by, one.confirmed_by)
            for one in found
        ],
    )


@app.command(epilog="Example: hansa clearing due --period 2026-11")
def due(period: Month, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show what of a month we owe and have not ordered yet, once all is netted."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import payments

    with opened(node) as ours, ours.begin() as tx:
        found = payments.due(tx, us=ours.us, period=Period.parse(period))
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Due",
        ("payee", "amount>", "settlement", "from", "invoices>"),
        [(one.payee, one.amount, one.settlement, one.source, len(one.remitted)) for one in found],
    )


@app.command(epilog="Example: hansa clearing pay --period 2026-11 --currency EUR --on 2026-12-30 …")
def pay(
    period: Month,
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="As EUR.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="When the bank is to pay.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write it to this file.")],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Order all that is due in a currency, once, as a file for our bank (pain.001.001.09)."""
    from hansa.entrypoints.cli.files import day
    from hansa.entrypoints.papers import pain
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import payments

    when = day(on, option="on")
    with opened(node) as ours, ours.begin() as tx:
        order = payments.order(
            tx,
            us=ours.us,
            period=Period.parse(period),
            currency=currency,
            on=when,
            by=who(by),
            ids=ours.ids,
            now=ours.clock.now(),
        )
        known = {one.id: one for one in payments.accounts(tx)}
        us = ours.us
    render.say(f"{order.id}: {len(order.payments)} payments in {order.currency} are ordered")
    out.write_bytes(pain.write(order, us=us, accounts=known))


@app.command(epilog="Example: hansa clearing ordered pay_0198… --out payments.xml")
def ordered(
    id: Annotated[str, typer.Argument(metavar="ORDER", help="The order: pay_…")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write it to this file.")],
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Write the file of an earlier order again, octet for octet."""
    from hansa.entrypoints.papers import pain
    from hansa.foundation.ids import PaymentId
    from hansa.lifecycle.clearing.actions import payments

    with opened(node) as ours, ours.begin() as tx:
        order = payments.ordered(tx, id=PaymentId(id))
        known = {one.id: one for one in payments.accounts(tx)}
    out.write_bytes(pain.write(order, us=ours.us, accounts=known))
