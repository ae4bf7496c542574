"""How two computations of a month are laid side by side, and what is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from hansa.federation.packed import KeptStatement, kept
from hansa.federation.papers import (
    Confirmation,
    Credit,
    Difference,
    InvoiceIssued,
    Statement,
    StatementLine,
    StatementState,
    Summary,
)
from hansa.federation.shelf import BillStage, ShelfBill
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId, StatementId
from hansa.foundation.money import Rounding, add_up
from hansa.foundation.time import Instant
from hansa.lifecycle.billing.model import Bill, BillLine, KeptBill
from hansa.lifecycle.settlement.model import Held

NUMBER_MAX = 200
"""The longest id or number of an invoice, in characters."""


def compare(
    theirs: Sequence[StatementLine], ours: Sequence[StatementLine]
) -> tuple[Difference, ...]:
    """Every line on which two computations differ in net or tax, exact to the minor unit.

    By key. A line that only one side has differs. Where only the tax differs the difference
    is of the tax amounts and its key ends in `#tax`.
    """
    left = {line.key: line for line in theirs}
    right = {line.key: line for line in ours}
    found: list[Difference] = []
    for key in sorted(left.keys() | right.keys()):
        their, our = left.get(key), right.get(key)
        known = their or our
        assert known is not None
        if their is None or our is None or their.net != our.net:
            found.append(
                Difference(
                    key=key,
                    description=known.description,
                    theirs=their.net if their else None,
                    ours=our.net if our else None,
                )
            )
        elif their.tax != our.tax:
            found.append(
                Difference(
                    key=f"{key}#tax",
                    description=f"Tax on {known.description}",
                    theirs=their.tax,
                    ours=our.tax,
                )
            )
    return tuple(found)


def mirrored(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The same differences from the other side: its ours is our theirs."""
    return tuple(replace(one, theirs=one.ours, ours=one.theirs) for one in differences)


def check_statement(statement: Statement) -> None:
    """Raises Refused `statement-lines` or `statement-sums` when a statement contradicts itself."""
    keys = [line.key for line in statement.lines]
    if len(set(keys)) < len(keys):
        raise Refused(
            "statement-lines", "Two lines of the statement have the same key.", field="lines"
        )
    if any(
        amount.currency != statement.currency
        for line in statement.lines
        for amount in (line.net, line.tax)
    ):
        raise Refused(
            "statement-lines",
            f"A line of the statement is not in {statement.currency}.",
            field="lines",
        )
    net = add_up((line.net for line in statement.lines), statement.currency)
    tax = add_up((line.tax for line in statement.lines), statement.currency)
    if (net, tax) != (statement.net, statement.tax):
        raise Refused(
            "statement-sums",
            f"The lines add up to {net} and {tax} tax, the statement says {statement.net} "
            f"and {statement.tax} tax.",
            field="net",
        )


def summary(statement: KeptStatement) -> Summary:
    """What a confirmation of this statement signs: totals by offer and a hash of the lines."""
    return Summary(
        statement=statement.id,
        creditor=statement.creditor,
        debtor=statement.debtor,
        agreement=statement.agreement,
        period=statement.period,
        currency=statement.currency,
        net_by_offer=statement.packed.net_by_offer,
        net=statement.net,
        tax=statement.tax,
        lines_fingerprint=statement.packed.fingerprint,
        credits=statement.bare.credits.statement if statement.bare.credits else None,
    )


def stated(
    bill: KeptBill,
    *,
    id: StatementId,
    replaces: StatementId | None = None,
    credits: Credit | None = None,
) -> KeptStatement:
    """The statement of a partner's draft bill."""
    draft = bill.bare
    assert draft.agreement is not None
    bare = Statement(
        id=id,
        kind_of=draft.kind_of,
        agreement=draft.agreement,
        creditor=draft.issuer,
        debtor=draft.buyer,
        period=draft.period,
        currency=draft.currency,
        lines=(),
        net=draft.net,
        tax=draft.tax,
        replaces=replaces,
        credits=credits,
    )
    return kept(bare, bill.packed)


def summed(statement: Statement, lines: tuple[StatementLine, ...]) -> Statement:
    """The statement with these lines and their sums."""
    return replace(
        statement,
        lines=lines,
        net=add_up((line.net for line in lines), statement.currency),
        tax=add_up((line.tax for line in lines), statement.currency),
    )


def invoice_notice(statement: StatementId, bill: Bill) -> InvoiceIssued:
    """What the debtor is told of a final bill."""
    assert bill.issued_at is not None
    return InvoiceIssued(
        statement=statement, bill=bill.id, number=bill.number, issued_at=bill.issued_at
    )


# --- refusing ---------------------------------------------------------------------------------


def check_parties(statement: Statement, *, us: PartyId, sender: PartyId, signer: PartyId) -> None:
    """Raises Refused `statement-party` when this sender has no such statement to make to us.

    Services are stated by the creditor, a share of revenue by the debtor.
    """
    ends = (statement.creditor, statement.debtor)
    if statement.kind_of == "revenue-share":
        ends = (statement.debtor, statement.creditor)
    if ends != (sender, us) or signer != sender:
        raise Refused(
            "statement-party",
            f"{sender} can state to {us} only what is between the two, signed by itself.",
            field="creditor",
        )


def check_invoice(notice: InvoiceIssued) -> None:
    """Raises Refused `malformed` unless the invoice has an id and a number fit for the books."""
    for text, field in ((notice.bill, "bill"), (notice.number, "number")):
        if not (1 <= len(text) <= NUMBER_MAX and text.isprintable()):
            raise Refused(
                "malformed",
                f"The {field} of the invoice is not 1 to {NUMBER_MAX} printable characters.",
                field=field,
            )


def check_confirmation(
    statement: KeptStatement, confirmation: Confirmation, *, sender: PartyId
) -> None:
    """Raises Refused `confirmation-wrong` when this is not the sender's word on the statement."""
    if confirmation.summary != summary(statement) or confirmation.signature.party != sender:
        raise Refused(
            "confirmation-wrong",
            f"The confirmation is not of statement {statement.id} as it was sent to {sender}.",
            field="confirmation",
        )


def differs(differences: Sequence[Difference]) -> Refused:
    """The refusal to confirm; it names the first line that differs."""
    first = differences[0]
    theirs, ours = (
        "no such line" if amount is None else str(amount) for amount in (first.theirs, first.ours)
    )
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Refused(
        "statement-differs",
        f"{first.description}: the statement says {theirs}, our own computation says {ours}"
        f"{more}. Resolve each line, or dispute the statement.",
        field=first.key,
    )


def difference(differences: Sequence[Difference], key: str) -> Difference:
    """The difference of that key. Raises Refused `difference-unknown`."""
    for one in differences:
        if one.key == key:
            return one
    raise Refused("difference-unknown", f"There is no difference on a line {key!r}.", field="key")


def conceded(
    lines: Sequence[BillLine], differences: Sequence[Difference], keys: Collection[str]
) -> tuple[BillLine, ...]:
    """Our lines with the debtor's net on the lines that we concede, taxed as before.

    A line that the debtor does not have at all is dropped. Raises Refused
    `difference-unknown` for a key on which nothing differs or of which we have no line.
    """
    ours = {line.key for line in lines}
    theirs = {key: difference(differences, key).theirs for key in keys}
    for key in theirs:
        if key not in ours:
            raise Refused("difference-unknown", f"We have no line {key!r} to concede.", field="key")
    agreed = ((line, theirs.get(line.key, line.net)) for line in lines)
    return tuple(
        line
        if net == line.net
        else replace(line, net=net, tax=net.part(line.rate_bp, rounding=Rounding.HALF_UP))
        for line, net in agreed
        if net is not None
    )


# --- as both sides find it again ----------------------------------------------------------------

_STAGES = {
    StatementState.ISSUED: BillStage.NEW,
    StatementState.DISPUTED: BillStage.ON_HOLD,
    StatementState.CONFIRMED: BillStage.VALIDATED,
    StatementState.INVOICED: BillStage.SENT,
}


def state_of_stage(stage: BillStage | None) -> tuple[StatementState, bool | None] | None:
    """The state of a statement that is at this stage, and whether it must be netted or not."""
    if stage is BillStage.SETTLED:
        return StatementState.INVOICED, True
    for state, known in _STAGES.items():
        if known is stage:
            return state, False if state is StatementState.INVOICED else None
    return None


def shown(held: Held, made_at: Instant, issued_at: Instant | None) -> ShelfBill:
    """A statement that counts, as both sides see it. issued_at: of the invoice, if known."""
    statement = held.statement
    return ShelfBill(
        id=statement.id,
        kind_of=statement.kind_of,
        creditor=statement.creditor,
        debtor=statement.debtor,
        agreement=statement.agreement,
        period=statement.period,
        currency=statement.currency,
        lines=statement.lines,
        net=statement.net,
        tax=statement.tax,
        state=BillStage.SETTLED if held.netting else _STAGES[held.state],
        made_at=made_at,
        number=held.number,
        issued_at=issued_at,
        bill=held.bill,
    )
