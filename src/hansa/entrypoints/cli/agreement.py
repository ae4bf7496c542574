"""`hansa agreement`: who may trade what, in which countries, on which terms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    NodeDir,
    Version,
    group,
    opened,
    version_of,
    who,
)

if TYPE_CHECKING:
    from hansa.entrypoints.operator_files import AgreementFile
    from hansa.federation.papers import AgreementDocument, Deduction
    from hansa.lifecycle.agreement.model import Agreement
    from hansa.node import Node

app = group("Agreements: who may trade what, in which countries, on which terms.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The agreement: agr_…")]
Country = Annotated[str, typer.Argument(metavar="COUNTRY", help="ISO 3166-1, two letters: ZA.")]


@app.command(epilog="Example: hansa agreement draft africa.yaml")
def draft(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="YAML or JSON; see docs/commands.md.")
    ],
    replaces: Annotated[
        str, typer.Option("--next-of", metavar="ID", help="Draft the next version of this one.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Draft an agreement that we lead and send it to its other parties, to be signed by all."""
    from hansa.entrypoints.operator_files import AgreementFile
    from hansa.entrypoints.yaml_files import load
    from hansa.lifecycle.agreement import actions

    read = load(file, AgreementFile)
    with opened(node) as ours:
        document = _document(ours, read, replaces)
        with ours.begin() as tx:
            made = actions.draft(
                tx, us=ours.us.id, document=document, ids=ours.ids, now=ours.clock.now()
            )
    _show(made, as_json=as_json)


@app.command(epilog="Example: hansa agreement sign agr_0198…")
def sign(
    id: Id, version: Version = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Sign a version in our name, over its fingerprint, and tell all other parties."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours:
        ref = version_of(ours, id, version)
        with ours.begin() as tx:
            signed = actions.sign(
                tx, us=ours.us.id, ref=ref, keys=ours.keys, ids=ours.ids, now=ours.clock.now()
            )
    _show(signed, as_json=as_json)


@app.command(epilog="Example: hansa agreement show agr_0198… --json")
def show(
    id: Id, version: Version = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Show one version: its text, its signatures, and which countries are live."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours:
        ref = version_of(ours, id, version)
        with ours.begin() as tx:
            found = actions.show(tx, ref=ref)
    _show(found, as_json=as_json)


@app.command("list", epilog="Example: hansa agreement list")
def list_agreements(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List every version of every agreement that this node knows."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.all(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Agreements",
        ("agreement", "version>", "name", "lead", "parties", "state", "live in", "valid from"),
        [
            (
                one.ref.id,
                one.ref.version,
                one.document.name,
                one.lead,
                one.parties,
                one.state,
                one.launched,
                one.document.valid_from,
            )
            for one in found
        ],
    )


@app.command(epilog='Example: hansa agreement gate agr_0198… ZA licence --evidence "ECNS 0123"')
def gate(
    id: Id,
    country: Country,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="As the agreement names it.")],
    evidence: Annotated[str, typer.Option(metavar="TEXT", help="What was shown.")],
    by: By = "",
    version: Version = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Record what was shown at one gate of a country's launch, and who looked at it."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours:
        ref = version_of(ours, id, version)
        with ours.begin() as tx:
            passed = actions.pass_gate(
                tx,
                us=ours.us.id,
                ref=ref,
                country=country,
                gate=gate,
                evidence=evidence,
                by=who(by),
                now=ours.clock.now(),
            )
    _show(passed, as_json=as_json)


@app.command(epilog="Example: hansa agreement launch agr_0198… ZA")
def launch(
    id: Id,
    country: Country,
    version: Version = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Make a country live once all have signed and every gate was passed; for its lead."""
    from hansa.lifecycle.agreement import actions

    with opened(node) as ours:
        ref = version_of(ours, id, version)
        with ours.begin() as tx:
            launched = actions.launch(
                tx,
                us=ours.us.id,
                ref=ref,
                country=country,
                keys=ours.keys,
                ids=ours.ids,
                now=ours.clock.now(),
            )
    _show(launched, as_json=as_json)


@app.command(epilog="Example: hansa agreement suspend agr_0198…")
def suspend(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Stop new orders for now; what is held goes on. For its lead."""
    _move("suspend", id, node, as_json=as_json)


@app.command(epilog="Example: hansa agreement resume agr_0198…")
def resume(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Take a suspension back. For its lead."""
    _move("resume", id, node, as_json=as_json)


@app.command("run-off", epilog="Example: hansa agreement run-off agr_0198…")
def run_off(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Stop new orders for good; what is held goes on. For its lead."""
    _move("run_off", id, node, as_json=as_json)


@app.command(epilog="Example: hansa agreement end agr_0198…")
def end(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """End an agreement for all, draft or live. Any of its parties may."""
    _move("end", id, node, as_json=as_json)


def _move(how: str, id: str, folder: Path, *, as_json: bool) -> None:
    from hansa.lifecycle.agreement import actions

    moves = {
        "suspend": actions.suspend,
        "resume": actions.resume,
        "run_off": actions.run_off,
        "end": actions.end,
    }
    with opened(folder) as ours:
        ref = version_of(ours, id, None)
        with ours.begin() as tx:
            moved = moves[how](
                tx, us=ours.us.id, ref=ref, keys=ours.keys, ids=ours.ids, now=ours.clock.now()
            )
    _show(moved, as_json=as_json)


def _document(ours: Node, read: AgreementFile, replaces: str) -> AgreementDocument:
    """The file's text as a document: a new agreement, or the next version of one."""
    from hansa.foundation.ids import AgreementId

    if not replaces:
        return read.document(id=ours.ids.given(AgreementId, by=ours.us.id), version=1)
    before = version_of(ours, replaces, None)
    return read.document(id=before.id, version=before.version + 1)


def _show(agreement: Agreement, *, as_json: bool) -> None:
    if as_json:
        render.as_json(agreement)
        return
    document = agreement.document
    render.facts(
        f"{document.name}: {agreement.ref.id} version {agreement.ref.version}",
        {
            "state": agreement.state,
            "parties": [f"{one.party} ({one.role})" for one in document.parties],
            "valid from": document.valid_from,
            "valid to": document.valid_to,
            "fingerprint": agreement.fingerprint,
            "signed by": [one.party for one in agreement.signatures],
            "not signed by": agreement.unsigned,
        },
    )
    render.table(
        "What is traded",
        ("seller", "buyer", "offers", "countries", "price list", "currency", "credit limit>"),
        [
            (
                one.seller,
                one.buyer,
                one.offers,
                one.countries,
                one.price_list,
                one.currency,
                one.credit_limit,
            )
            for one in document.items
        ],
    )
    if document.shares:
        render.table(
            "Revenue shares",
            ("operator", "beneficiary", "share", "less first", "offers", "currency", "rates from"),
            [
                (
                    one.operator,
                    one.beneficiary,
                    _percent(one.share_bp),
                    [_deduction(step) for step in one.waterfall or ()],
                    one.offers,
                    one.currency,
                    one.fx_source,
                )
                for one in document.shares
            ],
        )
    render.table(
        "Countries",
        ("country", "state", "live since", "gates passed", "gates open"),
        [
            (
                one.code,
                one.state,
                one.live_since,
                [f"{passed.gate}: {passed.evidence} ({passed.by})" for passed in one.gates],
                [gate for gate in document.gates if gate not in {p.gate for p in one.gates}],
            )
            for one in agreement.countries
        ],
    )


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02} %"


def _deduction(step: Deduction) -> str:
    """`taxes 5.00 %`, `access 20.00 GBP` or `credits`."""
    size = step.amount if step.part_bp is None else _percent(step.part_bp)
    return f"{step.kind} {size or ''}".rstrip()
