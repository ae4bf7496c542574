"""What a credit note must say, by the dispute that it ends."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hansa.federation.papers import Statement, StatementLine
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.transaction import Transaction
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
