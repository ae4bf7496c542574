"""The books on pages: accounts, what moved them, the journal, and its proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hansa.ledger import actions as ledger
from hansa.ledger.model import Fault, Verification
from hansa.node import Node
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module")
def fin(op3: Node, come: Callable[..., Visitor]) -> Visitor:
    """Fin keeps OP3's books, in yen, which have no decimals."""
    return come(op3, "fin", "finance")


def test_accounts_and_what_moved_them(fin: Visitor, op3: Node) -> None:
    with op3.begin() as tx:
        (owed,) = [one for one in ledger.balances(tx) if one.code == "receivable/shop/JPY"]
    shown = fin.open("/ledger?text=receivable")
    assert shown.heading == "Ledger"
    (row,) = shown.rows(table=1)
    assert row == ["receivable/shop/JPY", "Assets", "shop", f"{owed.balance.minor:,} JPY", "1"]
    assert "adds up" in shown.text
    assert "does not" not in shown.text
    account = fin.open("/ledger/account?code=receivable/shop/JPY")
    (leg,) = account.rows()
    assert leg[-2:] == [f"{owed.balance.minor:,} JPY"] * 2
    (entry,) = account.tree.xpath("//tbody//a/@href")
    legs = fin.open(entry).rows()
    assert sum(int(one[3].split()[0].replace(",", "")) for one in legs) == 0


def test_filters_and_pages_work_as_parts_too(fin: Visitor) -> None:
    assert fin.open("/ledger?kind=income&currency=jpy", part=True).rows()[0][1] == "Income"
    assert "No such account" in fin.open("/ledger?text=nobody").text
    assert fin.open("/ledger/account?code=nothing/GBP").status == 404


def test_the_journal_begins_with_the_newest(fin: Visitor, op3: Node) -> None:
    with op3.begin() as tx:
        head = ledger.head(tx)
    numbers = [row[0] for row in fin.open("/ledger/journal").rows() if row[0]]
    assert numbers == [str(number) for number in range(head.entries, 0, -1)]
    assert fin.open("/ledger/journal?number=1").rows()[0][0] == "1"
    text = fin.open("/ledger/journal.csv").answer.text
    assert text.startswith("\ufeffentry,effective,posted,kind,paper,words,account")
    assert text.count("receivable/shop/JPY") == 1
    assert "receivable/shop/JPY,asset,shop,JPY," in fin.open("/ledger/accounts.csv").answer.text
    assert fin.open("/ledger/account.csv?code=receivable/shop/JPY").answer.text.count("\r\n") == 2


def test_the_chain_is_walked_and_it_is_said_how_far(fin: Visitor, op3: Node) -> None:
    assert "Nobody has verified these books yet" in fin.open("/ledger").text
    with op3.begin() as tx:
        head = ledger.head(tx)
    done = fin.send("/ledger/verify")
    assert "The chain held when it was last verified" in done.text
    assert f"up to entry {head.entries}, in {head.batches} links" in done.text
    assert "Fin" not in done.rows()[0]
    assert done.rows()[0][1:3] == ["fin", str(head.entries)]


def test_a_broken_chain_is_shown_where_it_breaks(
    fin: Visitor, op3: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with op3.begin() as tx:
        first = ledger.journal(tx, limit=1)[0]
    fault = Fault(1, first.id, "the digest of the entry is not what was sealed")
    broken = Verification(ok=False, batches=0, head="0" * 64, fault=fault)
    monkeypatch.setattr(ledger, "verify", lambda _tx: broken)
    shown = fin.send("/ledger/verify")
    assert "The chain is broken" in shown.text
    assert "Link 1 is the first that is wrong: the digest of the entry is not what" in shown.text
    assert f"/ledger/entries/{first.id}" in shown.tree.xpath("//main//a/@href")
    assert "broken in link 1" in shown.rows()[0][-1]


def test_who_sells_sees_no_books(op3: Node, come: Callable[..., Visitor]) -> None:
    sal = come(op3, "sal", "sales")
    for path in ("/ledger", "/ledger/journal", "/ledger/journal.csv", "/ledger/chain"):
        assert sal.open(path).status == 403
    assert sal.send("/ledger/verify").status == 403
