"""An invoice is disputed between two nodes, over the wire, and credited; the books agree."""

from __future__ import annotations

from hansa.federation.disputes import LineCredit
from hansa.federation.papers import StatementState
from hansa.foundation.money import Money
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import disputes, statements
from hansa.lifecycle.settlement.model import DisputeState
from tests.alliance import Alliance
from tests.journeys.month import A_MOMENT, NOVEMBER, OP1, OP2, books_agree, build, held, netted


def test_a_dispute_ends_in_a_credit_note_on_both_sides(alliance: Alliance) -> None:
    build(alliance, 2)
    alliance.pass_time(A_MOMENT)
    op1, op2 = alliance.nodes[OP1], alliance.nodes[OP2]
    (invoice,) = held(op2, direction="heard", partner=OP1, states=[StatementState.INVOICED])
    now = alliance.clock.now()
    dear = max(invoice.statement.lines, key=lambda line: line.net.minor)
    with op2.begin() as tx:
        made = disputes.raise_(
            tx, us=op2.us, statement=invoice.id, cause="rate",
            claims={dear.key: Money.zero("GBP")}, words="no", keys=op2.keys, ids=op2.ids, now=now,
        )  # fmt: skip
    alliance.pass_time(A_MOMENT)
    netted(alliance)
    books_agree(alliance)
    for node, act in ((op1, "acknowledge"), (op1, "offer"), (op2, "accept")):
        with node.begin() as tx:
            disputes.move(
                tx, us=node.us, dispute=made.dispute.id, act=act,  # type: ignore[arg-type]
                credits=[LineCredit(dear.key, Money(101, "GBP"))] if act == "offer" else [],
                reason="half of a day", by="Ada", keys=node.keys, ids=node.ids, now=now,
            )  # fmt: skip
        alliance.pass_time(A_MOMENT)
    notes = [one for one in held(op2, direction="heard") if one.statement.kind_of == "credit-note"]
    for one in notes:
        if one.state is StatementState.ISSUED:
            with op2.begin() as tx:
                statements.confirm(
                    tx, us=op2.us, statement=one.id, keys=op2.keys, ids=op2.ids, now=now
                )
    alliance.pass_time(A_MOMENT)
    for node in (op1, op2):
        with node.begin() as tx:
            found = disputes.get(tx, dispute=made.dispute.id)
        assert found.state is DisputeState.ACCEPTED
        assert found.credit_note == notes[0].id
    (note,) = [one for one in held(op1) if one.statement.kind_of == "credit-note"]
    assert (note.state, note.number) == (StatementState.INVOICED, "OP1-CN-2026-000001")
    with op2.begin() as tx:
        booked = billing.supplier_invoices(tx, issuer=OP1, period=NOVEMBER)
    assert [one.net.minor for one in booked if one.kind_of == "credit-note"] == [-101]
    for positions in netted(alliance).values():
        assert all(one.netted == one.net for one in positions if not one.held_out)
    books_agree(alliance)
