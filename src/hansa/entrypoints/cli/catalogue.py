"""`hansa catalogue`: what is on offer, at what price, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, acting_for, group, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.federation.contract import CharacteristicSpec, Offer
    from hansa.lifecycle.catalogue.model import CatalogueOffer

app = group("What is on offer, at what price, and to whom.")
rates_app = group("Reference rates between currencies.")
customers_app = group("End customers of this node.")
app.add_typer(rates_app, name="rates")
app.add_typer(customers_app, name="customers")

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML; see docs/commands.md.")]


@app.command("import", epilog="Example: hansa catalogue import scenarios/bt-mtn/operators/bt.yaml")
def import_file(file: File, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Enter offers, prices, tax rules, customers, and what our own network makes and where.

    All of the file is entered, or nothing. The same file again changes nothing; an offer of
    the same code is described anew, a price ends the one before it from its day on.
    """
    from hansa.entrypoints import operator_files
    from hansa.entrypoints.yaml_files import load

    operator = load(file, operator_files.Operator)
    with opened(node) as ours, ours.begin() as tx:
        operator_files.put(tx, us=ours.us, operator=operator, now=ours.clock.now())
    kinds = ("products", "coverage", "offers", "prices", "taxes", "customers")
    entered = {kind: len(getattr(operator, kind)) for kind in kinds}
    if as_json:
        render.as_json(entered)
    else:
        render.facts(f"Entered from {file}", {k: number or None for k, number in entered.items()})


@app.command(epilog="Example: hansa catalogue offers --for retailer")
def offers(
    party: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="As this customer or partner sees them.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List our offers: all with what they are made of, or those of one buyer with its prices."""
    from hansa.lifecycle.catalogue.actions import offers as actions

    with opened(node) as ours:
        if party:
            seen = list(acting_for(ours, party, partners=True).offers())
            render.as_json(seen) if as_json else _show_seen(party, seen)
            return
        with ours.begin() as tx:
            made = actions.all_offers(tx)
    if as_json:
        render.as_json(made)
    else:
        _show_made(made)


@rates_app.command("import", epilog="Example: hansa catalogue rates import ecb-2026-11.yaml")
def import_rates(file: File, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Record published reference rates. A rate once recorded is never changed."""
    from hansa.entrypoints.cli.files import RatesFile
    from hansa.entrypoints.yaml_files import load
    from hansa.lifecycle.catalogue.actions import offers as actions

    read = load(file, RatesFile)
    with opened(node) as ours, ours.begin() as tx:
        for rate in read.rates:
            actions.put_rate(tx, rate=rate, now=ours.clock.now())
    if as_json:
        render.as_json({"rates": len(read.rates)})
    else:
        render.say(f"Recorded {len(read.rates)} reference rates")


@customers_app.command(
    epilog="Example: hansa catalogue customers add retailer --name Retailer --country ZA "
    "--currency ZAR --price-list retail --credit-limit 250000.00"
)
def add(
    party: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Short name: retailer.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="The name that papers show.")],
    country: Annotated[str, typer.Option(metavar="CC", help="ISO 3166-1, two letters.")],
    currency: Annotated[str, typer.Option(metavar="CUR", help="ISO 4217: what it pays in.")],
    price_list: Annotated[str, typer.Option(metavar="NAME", help="Which prices it has.")],
    credit_limit: Annotated[
        str, typer.Option(metavar="AMOUNT", help="The most it may owe; else no limit.")
    ] = "",
    tax_id: Annotated[str, typer.Option(metavar="TEXT", help="Its VAT or other number.")] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Enter an end customer with its terms; the same again changes nothing."""
    from hansa.entrypoints.cli.files import amount
    from hansa.foundation.ids import PartyId
    from hansa.foundation.party import Party
    from hansa.lifecycle.agreement import actions

    limit = amount(credit_limit, currency, option="credit-limit") if credit_limit else None
    with opened(node) as ours, ours.begin() as tx:
        customer = actions.register_customer(
            tx,
            party=Party(PartyId(party), name, country, currency, tax_id),
            price_list=price_list,
            credit_limit=limit,
            now=ours.clock.now(),
        )
    if as_json:
        render.as_json(customer)
        return
    render.facts(
        f"{customer.party.name} ({customer.party.id}) is a customer",
        {"price list": customer.price_list, "credit limit": customer.credit_limit or "none"},
    )


@customers_app.command("list", epilog="Example: hansa catalogue customers list")
def list_customers(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List our end customers."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.customers(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Customers",
        ("customer", "name", "country", "currency", "price list", "credit limit>", "since"),
        [
            (
                one.party.id,
                one.party.name,
                one.party.country,
                one.party.currency,
                one.price_list,
                one.credit_limit,
                one.registered_at,
            )
            for one in found
        ],
    )


def _show_seen(party: str, found: list[Offer]) -> None:
    render.table(
        f"Offers to {party}",
        ("offer", "name", "family", "per", "countries", "one-off>", "monthly>", "usage", "choices"),
        [
            (
                one.code,
                one.name,
                one.family,
                one.per,
                one.countries,
                one.terms.one_off if one.terms else "by quote",
                one.terms.monthly if one.terms else "by quote",
                one.terms.tariff.kind if one.terms and one.terms.tariff else "",
                [_choice(spec) for spec in one.characteristics],
            )
            for one in found
        ],
    )


def _show_made(found: Sequence[CatalogueOffer]) -> None:
    render.table(
        "Offers",
        ("offer", "name", "family", "per", "countries", "made of", "choices"),
        [
            (
                one.code,
                one.name,
                one.family,
                one.per,
                one.countries,
                [
                    f"{part.name} from {' or '.join(source.seller for source in part.sources)}"
                    for part in sorted(one.components, key=lambda part: part.stage)
                ],
                [_choice(spec) for spec in one.characteristics],
            )
            for one in found
        ],
    )


def _choice(spec: CharacteristicSpec) -> str:
    usual = "" if spec.default is None else f", else {spec.default}"
    return f"{spec.name} {spec.minimum}-{spec.maximum} {spec.unit}{usual}"
