"""What a credit note must say, by the dispute that it ends; and credit notes to end customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from hansa.federation.papers import Statement, StatementLine
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BillId, Ids
from hansa.foundation.money import Money, Rounding
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.settlement.model import DisputeState
from hansa.lifecycle.settlement.rules import disputes as rules
from hansa.lifecycle.settlement.store import disputes as store
from hansa.lifecycle.settlement.store import papers as statement_store


def expected(tx: Transaction, *, paper: Statement) -> tuple[StatementLine, ...]:
    """The lines that the credit note should have, as this node holds the dispute.

    Raises TryLater `credit-early` while it is not accepted here; Refused `credit-wrong` when it
    is about another invoice.
    """
    link = paper.credits
    held = store.get(tx, link.dispute) if link else None
    if link is None or (held is not None and held.dispute.statement != link.statement):
        raise wrong(paper)
    of = statement_store.get(tx, link.statement)
    if held is None or of is None or held.state is not DisputeState.ACCEPTED:
        raise TryLater(
            "credit-early", f"Dispute {link.dispute} is not accepted here yet; send this after it."
        )
    same = (of.statement.creditor, of.statement.debtor, of.statement.agreement, of.statement.period)
    if same != (paper.creditor, paper.debtor, paper.agreement, paper.period):
        raise wrong(paper)
    invoiced = of.statement.whole
    lines = {line.key: line for line in invoiced.lines}
    return tuple(
        replace(
            lines[key],
            description=f"Credit: {lines[key].description}",
            quantity=Decimal(1),
            unit="credit",
            net=-net,
            tax=-tax,
        )
        for key, net, tax in rules.credit_lines(invoiced, held.credits)
    )


def wrong(paper: Statement) -> Refused:
    """The refusal of a credit note that is not what was agreed."""
    return Refused(
        "credit-wrong", f"Credit note {paper.id} is not what was agreed.", field="credits"
    )


def for_customer(
    tx: Transaction,
    *,
    invoice: BillId,
    lines: Sequence[tuple[str, Money]],
    ids: Ids,
    now: Instant,
) -> Bill:
    """Takes back a part of an end customer's invoice: nets by key; none: all that is left of it.

    The credit note is final and posted with this. What a partner owes is lowered by a dispute
    instead. Raises NotFound `bill-unknown`; Refused `credit-invalid`.
    """
    found = billing.bill(tx, id=invoice)
    if not found.final or found.agreement is not None or found.kind_of != "services":
        raise _invalid("Only a final invoice to an end customer is credited so.")
    left = _left(tx, found)
    if not lines:
        lines = [(key, net) for key, (net, _tax) in left.items() if net.minor > 0]
    wanted = dict(lines)
    if not lines or len(wanted) != len(lines):
        raise _invalid("Name each line once; of this invoice nothing may be left to credit.")
    credits = []
    by_key = {line.key: line for line in found.lines}
    for key, net in lines:
        if key not in left or not 0 < net.minor <= left[key][0].minor:
            raise _invalid(f"Of {key} at most {left[key][0] if key in left else 0} is left.")
        tax = net.part(by_key[key].rate_bp, rounding=Rounding.HALF_UP)
        credits.append((key, net, left[key][1] if net == left[key][0] else tax))
    made = billing.credit(tx, invoice=invoice, lines=credits, ids=ids, now=now)
    return billing.finalise(tx, bill=made.id, ids=ids, now=now)


def left_of(tx: Transaction, *, invoice: BillId) -> Mapping[str, Money]:
    """What of each line of an end customer's invoice has not been credited, net, by key."""
    return {key: net for key, (net, _) in _left(tx, billing.bill(tx, id=invoice)).items()}


def _left(tx: Transaction, invoice: Bill) -> Mapping[str, tuple[Money, Money]]:
    """Net and tax of each line, less what credit notes of the month have taken back of it."""
    left = {line.key: (line.net, line.tax) for line in invoice.lines}
    notes = billing.bills(tx, issuer=invoice.issuer, buyer=invoice.buyer, period=invoice.period)
    for note in notes:
        if note.kind_of == "credit-note" and note.currency == invoice.currency:
            for line in note.lines:
                if note.agreement is None and line.key in left:
                    net, tax = left[line.key]
                    left[line.key] = (net + line.net, tax + line.tax)
    return left


def _invalid(words: str) -> Refused:
    return Refused("credit-invalid", words, field="amount")
