"""BT operates, MTN buys, MCI has a quarter of what connect brings, in dollars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    InvoiceIssued,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import StatementId
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.lifecycle.settlement.model import Held
from tests.databases import unbound
from tests.lifecycle.agreement.examples import ID
from tests.lifecycle.settlement.world import (
    BT,
    MCI,
    MONTH_END,
    MTN,
    NOVEMBER,
    SHIELD,
    TAIL,
    Letter,
    Node,
    World,
    sell,
)


def balances(node: Node) -> dict[str, int]:
    with node.begin() as tx:
        return {one.code: one.balance.minor for one in ledger.balances(tx) if one.balance}


def rename(node: Node, old: str, new: str) -> None:
    """Has a partner's card lost and found again, against what the directory allows."""
    with unbound(node.database.url) as tx:
        run(tx, "set local session_replication_role = replica")
        run(tx, "update federation_partner set party = %s where party = %s", (new, old))
        run(tx, "update federation_key set party = %s where party = %s", (new, old))


def the_share(node: Node) -> Held:
    (found,) = [one for one in node.statements() if one.statement.kind_of == "revenue-share"]
    return found


def month(three: World, *, rates: tuple[str, str] = ("1.2505", "1.2505")) -> None:
    """November as BT sold it; each end's own reference rate of the pound in dollars."""
    sell(three.nodes[BT], three.nodes[MTN], "jnb", monthly=100_000)
    sell(three.nodes[BT], three.nodes[MTN], "soc", offer=SHIELD, family="security", monthly=999)
    for name, rate in zip((BT, MCI), rates, strict=True):
        if rate:
            three.nodes[name].publish("GBP", "USD", rate)
    three.month_ends()
    three.run()


def test_revenue_is_shared_in_another_currency(three: World) -> None:
    sell(three.nodes[MTN], three.nodes[BT], "tail", offer=TAIL, monthly=5_000)
    month(three)
    share = the_share(three.nodes[MCI])
    assert (share.state, str(share.total)) == (StatementState.INVOICED, "312.63 USD")
    (line,) = share.statement.lines
    assert line.description == "Share of connect sold to mtn: 1,000.00 GBP at 1.2505"
    assert share.number == the_share(three.nodes[BT]).number == "MCI-2026-000001"
    assert balances(three.nodes[MCI]) == {"receivable/bt/USD": 31_263, "share-income/USD": -31_263}
    books = balances(three.nodes[BT])
    assert (books["payable/mci/USD"], books["share-expense/USD"]) == (-31_263, 31_263)
    assert books["receivable/mtn/GBP"] == 100_999

    with three.nodes[MCI].begin() as tx:
        (bill,) = billing.bills(tx)
    assert (bill.lines[0].tax_code, bill.tax.minor) == ("reverse-charge", 0)
    for node in three.nodes.values():
        assert not any(position.held_out for position in node.net())
    proof = positions.proof([node.books() for node in three.nodes.values()])
    assert (proof.ok, [str(one) for one in proof.sums]) == (True, ["0.00 GBP", "0.00 USD"])


def test_the_beneficiary_sees_totals_by_offer_and_no_price(three: World) -> None:
    month(three)
    (evidence,) = the_share(three.nodes[MCI]).statement.evidence
    assert evidence.summary.net_by_offer == {"connect": 100_000, "shield": 999}
    seen = str(documents.write(the_share(three.nodes[MCI]).statement.whole))
    assert "hld_" not in seen


def test_nothing_is_shared_before_all_is_invoiced(three: World) -> None:
    three.nodes[MTN].auto_confirm = False
    month(three)
    assert [one.statement.kind_of for one in three.nodes[BT].statements()] == ["services"]
    reasons = {one.partner: one.held_out for one in three.nodes[BT].positions()}
    assert reasons[MCI] == ("revenue under agr_africa.bt is still to be shared",)


def test_a_share_waits_for_the_rate_on_either_side(three: World) -> None:
    month(three, rates=("", ""))
    bt, mci = three.nodes[BT], three.nodes[MCI]
    assert [one.statement.kind_of for one in bt.statements()] == ["services"]
    bt.publish("GBP", "USD", "1.2505")
    three.run()
    assert the_share(mci).waiting.startswith("rate-missing: ")
    mci.publish("GBP", "USD", "1.2505")
    three.run()
    assert the_share(bt).state is the_share(mci).state is StatementState.INVOICED


def test_another_rate_is_a_difference_and_a_new_statement_follows(three: World) -> None:
    bt, mci = three.nodes[BT], three.nodes[MCI]
    month(three, rates=("1.2505", "1.26"))
    share = the_share(mci)
    assert [(str(one.theirs), str(one.ours)) for one in share.differences] == [
        ("312.63 USD", "315.00 USD")
    ]
    with pytest.raises(Refused, match="it can be replaced while it is disputed"):
        bt.reissue(share.id)
    mci.dispute(share.id)
    three.deliver()
    with pytest.raises(Refused, match="the partner answers with a new statement"):
        mci.confirm(share.id)
    with pytest.raises(Refused, match="says the same"):
        bt.reissue(share.id)
    with bt.begin() as tx:
        run(tx, "update catalogue_reference_rate set rate = 1.26")
    bt.reissue(share.id)
    three.deliver()
    three.run()
    done = [one for one in mci.statements() if one.state is StatementState.INVOICED]
    assert [str(one.total) for one in done] == ["315.00 USD"]
    assert balances(mci)["receivable/bt/USD"] == -balances(bt)["payable/mci/USD"] == 31_500


def test_a_share_waits_for_a_buyer_whose_key_is_not_known(three: World) -> None:
    mci = three.nodes[MCI]
    rename(mci, "mtn", "mtn-elsewhere")
    month(three)
    assert the_share(mci).waiting.startswith("partner-unknown: ")
    rename(mci, "mtn-elsewhere", "mtn")
    three.run()
    assert the_share(mci).state is StatementState.INVOICED


def test_forged_evidence_is_refused(three: World) -> None:
    """BT may not say that MTN confirmed less than it did."""
    three.nodes[MCI].auto_confirm = False
    month(three)
    paper = the_share(three.nodes[MCI]).statement.whole
    (good,) = paper.evidence
    base = replace(good.summary, net_by_offer={"connect": 1, "shield": 100_998})
    forged = replace(
        paper, id=StatementId("stm_forged.bt"), evidence=(replace(good, summary=base),)
    )
    assert told(three, forged) == "signature-wrong"
    twice = replace(paper, id=StatementId("stm_twice.bt"), evidence=(good, good))
    assert told(three, twice) == "evidence-wrong"
    other = replace(paper, id=StatementId("stm_other.bt"), agreement=AgreementRef(ID, 7))
    assert told(three, other) == "agreement-not-heard"


def told(three: World, statement: Statement) -> str:
    """Why MCI does not take this statement from BT."""
    fingerprint = documents.fingerprint(documents.write(statement))
    signature = three.nodes[BT].keys.sign(fingerprint, party=BT, at=MONTH_END)
    with pytest.raises(HansaError) as caught:
        three.nodes[MCI].hear(Letter(BT, MCI, StatementIssued(statement, signature)))
    return caught.value.code


def test_the_number_of_a_share_may_overtake_its_confirmation(three: World) -> None:
    three.nodes[MCI].auto_confirm = False
    month(three)
    bt, mci = three.nodes[BT], three.nodes[MCI]
    mci.confirm(the_share(mci).id)
    letters = {type(letter.notice): letter for letter in three.collect()}
    with pytest.raises(TryLater, match="confirmation has not arrived"):
        bt.hear(letters[InvoiceIssued])
    three.deliver([letters[InvoiceIssued], letters[StatementAnswered], letters[InvoiceIssued]])
    assert the_share(bt).state is StatementState.INVOICED
    assert balances(bt)["payable/mci/USD"] == -31_263


def test_a_month_is_shared_once(three: World) -> None:
    month(three)
    bt = three.nodes[BT]
    with bt.begin() as tx:
        assert statements.unshared(tx, us=bt.party) == []
        again = statements.share(
            tx,
            us=bt.party,
            agreement=the_share(bt).statement.agreement.id,
            period=NOVEMBER,
            keys=bt.keys,
            ids=bt.ids,
            now=MONTH_END,
        )
    assert list(again) == []
