"""A month between two nodes that is invoiced, and then disputed."""

from __future__ import annotations

from hansa.foundation.money import Money
from hansa.lifecycle.settlement.actions import disputes, statements
from hansa.node import Node


def confirmed(node: Node, buyer: Node) -> None:
    """The buyer signs that the month is right, accepting every line; it is invoiced with that."""
    now = node.clock.now()
    with buyer.begin() as tx:
        (held,) = statements.find(tx, direction="heard")
        if held.confirmation is not None:
            return
        held = statements.compare(tx, us=buyer.us, statement=held.id, now=now)
        for one in held.differences:
            statements.resolve(
                tx, statement=held.id, key=one.key, by="Bea", why="be it so", now=now
            )
        statements.confirm(
            tx, us=buyer.us, statement=held.id, keys=buyer.keys, ids=buyer.ids, now=now
        )


def disputed(node: Node, buyer: Node) -> None:
    """The buyer disputes a line of what it was invoiced, and asks once more."""
    now = node.clock.now()
    with node.begin() as tx:
        terms = disputes.terms(tx, partner=buyer.us.id)
        disputes.enter_terms(tx, partner=buyer.us.id, given=terms, by="Ada", now=now)
    with buyer.begin() as tx:
        (held,) = statements.find(tx, direction="heard")
        dear = max(held.statement.lines, key=lambda line: line.net.minor)
        made = disputes.raise_(
            tx, us=buyer.us, statement=held.id, cause="rate",
            claims={dear.key: Money.zero("GBP")}, words="too dear", keys=buyer.keys,
            ids=buyer.ids, now=now,
        )  # fmt: skip
        disputes.move(
            tx, us=buyer.us, dispute=made.dispute.id, act="withdraw", reason="looked again",
            by="Bea", keys=buyer.keys, ids=buyer.ids, now=now,
        )  # fmt: skip
