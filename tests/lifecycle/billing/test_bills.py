"""Bills in the books of one node: made of rated months, numbered, posted, never changed."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from hansa.federation.contract import Order, OrderState
from hansa.foundation.database import Database, all_rows, run
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import (
    BillId,
    BuyerKey,
    EntryId,
    HoldId,
    Ids,
    OrderId,
    PartyId,
    QuoteId,
    StatementId,
    TraceId,
)
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Begin, Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions, work
from hansa.lifecycle.billing.model import Bill, BillState, SupplierInvoice
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.order import store as order_store
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.usage.store import months as usage_store
from tests.conftest import seeded_entropy
from tests.databases import unbound
from tests.lifecycle.billing.examples import (
    ALLIANCE,
    BT,
    MTN,
    MTN_PARTY,
    NOVEMBER,
    SHOP,
    SHOP_PARTY,
    day,
    holding,
    spell,
)

NOW = day(1, 6, month=12)


def enter(tx: Transaction, *held: Holding) -> None:
    for one in held:
        inventory.activate(tx, holding=one, supports=())


def rate(tx: Transaction, period: Period = NOVEMBER) -> None:
    usage_store.open_period(tx, period, period.end)
    rating.close(tx, period=period, now=period.end)


def sold(id: str, buyer: PartyId = SHOP, **changes: object) -> Holding:
    agreement = None if buyer == SHOP else ALLIANCE
    its = spell(day(1), **changes)  # type: ignore[arg-type]
    return holding(its, id=id, buyer=buyer, agreement=agreement)


def bill_all(begin: Begin, ids: Ids, *, now: Instant = NOW, limit: int = 50) -> int:
    with begin() as tx:
        return work.run(tx, us=MTN, ids=ids, now=now, limit=limit)


def all_bills(begin: Begin) -> list[Bill]:
    with begin() as tx:
        return list(actions.bills(tx, issuer=MTN))


class Undone(Exception):
    """Raised to have a transaction rolled back."""


def number_and_roll_back(begin: Begin, bill: BillId, ids: Ids) -> str:
    """Makes a bill final in a transaction that does not commit; returns the number it had."""
    number = ""
    with contextlib.suppress(Undone), begin() as tx:
        number = actions.finalise(tx, bill=bill, ids=ids, now=NOW).number
        raise Undone
    return number


def test_a_customers_month_is_an_invoice_at_once(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1"), sold("hld_2", one_off=90_000))
        rate(tx)
    assert bill_all(begin, ids) == 1
    (bill,) = all_bills(begin)
    assert (bill.number, bill.state, bill.issued_at) == (
        "MTN-2026-000001",
        BillState.VALIDATED,
        NOW,
    )
    assert [str(one) for one in (bill.net, bill.tax, bill.total)] == [
        "6,900.00 ZAR",
        "1,035.00 ZAR",
        "7,935.00 ZAR",
    ]
    with begin() as tx:
        assert {one.code: one.balance.minor for one in ledger.balances(tx)} == {
            "receivable/shop/ZAR": 793_500,
            "revenue/connectivity/ZAR": -690_000,
            "tax-output/ZAR": -103_500,
        }
        entry = ledger.get_by_key(tx, key=f"bill/{bill.id}")
    assert entry is not None
    assert (entry.ref, entry.effective_at) == ("MTN-2026-000001", NOW)
    assert bill_all(begin, ids) == 0


def test_an_invoice_can_be_printed(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1"))
        rate(tx)
    bill_all(begin, ids)
    (bill,) = all_bills(begin)
    text = actions.paper(bill, issuer=MTN_PARTY, buyer=SHOP_PARTY)
    assert text.startswith("INVOICE MTN-2026-000001\n")
    assert "To        Protea Stores (Pty) Ltd (ZA, tax number 4012345678)\n" in text


def test_a_partners_month_stays_a_draft(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1", BT), sold("hld_2", SHOP))
        rate(tx)
    bill_all(begin, ids)
    assert [(one.buyer, one.state, one.number) for one in all_bills(begin)] == [
        (BT, BillState.NEW, ""),
        (SHOP, BillState.VALIDATED, "MTN-2026-000001"),
    ]
    with begin() as tx:
        assert [one.buyer for one in actions.drafts(tx, us=MTN)] == [BT]


def test_currencies_and_agreements_have_bills_of_their_own(begin: Begin, ids: Ids) -> None:
    other = replace(sold("hld_3", BT), agreement=replace(ALLIANCE, version=2))
    with begin() as tx:
        enter(tx, sold("hld_1", BT), sold("hld_2", BT, currency="GBP"), other)
        rate(tx)
    bill_all(begin, ids)
    assert sorted(
        (one.agreement.version, one.currency) for one in all_bills(begin) if one.agreement
    ) == [(1, "GBP"), (1, "ZAR"), (2, "ZAR")]


def test_a_month_is_billed_in_bounded_turns(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, *(sold(f"hld_{name}", PartyId(name)) for name in ("aa", "bb", "cc")))
        rate(tx)
        assert not actions.billed(tx, us=MTN, period=NOVEMBER)
    assert [bill_all(begin, ids, limit=2) for _ in range(3)] == [2, 1, 0]
    assert [one.buyer for one in all_bills(begin)] == ["aa", "bb", "cc"]
    with begin() as tx:
        assert actions.billed(tx, us=MTN, period=NOVEMBER)
        assert actions.unbilled_periods(tx, us=MTN) == []


def test_every_month_is_billed_once(begin: Begin, ids: Ids) -> None:
    december = Period.month(2026, 12)
    with begin() as tx:
        enter(tx, sold("hld_1"))
        rate(tx)
        rate(tx, december)
    assert bill_all(begin, ids, now=december.end) == 2
    assert [(one.period, one.number) for one in all_bills(begin)] == [
        (NOVEMBER, "MTN-2027-000001"),
        (december, "MTN-2027-000002"),
    ]


def test_numbers_begin_anew_each_year(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1", PartyId("aa")), sold("hld_2", PartyId("bb")))
        rate(tx)
    bill_all(begin, ids)
    first, second = all_bills(begin)
    with begin() as tx:
        actions.finalise(tx, bill=first.id, ids=ids, now=NOW)
        actions.finalise(tx, bill=second.id, ids=ids, now=NOW + timedelta(days=60))
    assert [one.number for one in all_bills(begin)] == ["MTN-2026-000001", "MTN-2027-000001"]


def test_a_number_that_was_rolled_back_is_given_again(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1", PartyId("aa")), sold("hld_2", PartyId("bb")))
        rate(tx)
    bill_all(begin, ids)
    first, second = all_bills(begin)
    assert number_and_roll_back(begin, first.id, ids) == "MTN-2026-000001"
    with begin() as tx:
        assert actions.finalise(tx, bill=second.id, ids=ids, now=NOW).number.endswith("000001")
        assert actions.finalise(tx, bill=second.id, ids=ids, now=NOW).number.endswith("000001")
        assert len(ledger.journal(tx)) == 1


def test_numbers_have_no_gap_when_many_finalise_at_once(database: Database, ids: Ids) -> None:
    buyers = [PartyId(f"b{number:02}") for number in range(12)]
    with database.begin() as tx:
        enter(tx, *(sold(f"hld_{buyer}", buyer) for buyer in buyers))
        rate(tx)
    bill_all(database.begin, ids)
    bills = all_bills(database.begin)

    def finalise(which: int) -> None:
        clock = SetClock(NOW)
        own = Ids(clock, seeded_entropy(bytes([which])))
        for turn, bill in enumerate(bills[which::4]):
            if turn == 1:
                number_and_roll_back(database.begin, bill.id, own)
            with database.begin() as tx:
                actions.finalise(tx, bill=bill.id, ids=own, now=NOW)

    threads = [threading.Thread(target=finalise, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(one.number for one in all_bills(database.begin))
    assert numbers == [f"MTN-2026-{serial:06}" for serial in range(1, 13)]


def test_a_month_billed_by_two_workers_is_billed_once(database: Database, ids: Ids) -> None:
    with database.begin() as tx:
        enter(tx, *(sold(f"hld_{name}", PartyId(name)) for name in ("aa", "bb", "cc")))
        enter(tx, sold("hld_shop"))
        rate(tx)
    done: list[int] = []

    def bill() -> None:
        own = Ids(SetClock(NOW), seeded_entropy(str(threading.get_ident()).encode()))
        done.append(bill_all(database.begin, own))

    threads = [threading.Thread(target=bill) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(all_bills(database.begin)) == 4
    with database.begin() as tx:
        assert len(ledger.journal(tx)) == 1


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("update billing_bill set net_minor = net_minor + 1", "is final"),
        ("update billing_bill set lines = '[]'", "is final"),
        ("update billing_bill set number = null, state = 'new'", "is final"),
        ("update billing_bill set buyer = 'bt'", "keeps its parties"),
        ("delete from billing_bill", "never deleted"),
        ("truncate billing_bill cascade", "never deleted"),
    ],
)
def test_the_database_keeps_a_final_bill_as_it_is(
    database: Database, begin: Begin, ids: Ids, statement: str, why: str
) -> None:
    """Even from the superuser."""
    with begin() as tx:
        enter(tx, sold("hld_1"))
        rate(tx)
    bill_all(begin, ids)
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match=why)
    with refused, unbound(database.url) as tx:
        run(tx, statement)


def test_the_database_refuses_a_number_that_leaves_a_gap(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1", BT))
        rate(tx)
    bill_all(begin, ids)
    with pytest.raises(psycopg.errors.CheckViolation, match="leaves a gap"), begin() as tx:
        run(
            tx,
            """update billing_bill set state = 'validated', year = 2026, serial = 2,
                      number = 'MTN-2026-000002', issued_at = now()""",
        )


def test_a_final_bill_is_not_written_anew(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1"))
        rate(tx)
    bill_all(begin, ids)
    (bill,) = all_bills(begin)
    with begin() as tx:
        with pytest.raises(Refused, match="correct it by a new document"):
            actions.redraft(tx, bill=bill.id)
        with pytest.raises(Refused, match="cannot become onHold"):
            actions.move(tx, bill=bill.id, state=BillState.ON_HOLD)
        with pytest.raises(NotFound, match="no bill"):
            actions.bill(tx, id=BillId("bil_none"))
        assert actions.move(tx, bill=bill.id, state=BillState.SENT).state is BillState.SENT
        assert actions.move(tx, bill=bill.id, state=BillState.SENT).state is BillState.SENT


def test_a_draft_follows_the_holdings_when_it_is_written_anew(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        enter(tx, sold("hld_1", BT))
        rate(tx)
    bill_all(begin, ids)
    (draft,) = all_bills(begin)
    with begin() as tx:
        inventory.end(tx, ref=sold("hld_1", BT).ref, now=day(16))
        actions.move(tx, bill=draft.id, state=BillState.ON_HOLD)
        anew = actions.redraft(tx, bill=draft.id)
    assert (anew.state, str(anew.net)) == (BillState.NEW, "1,500.00 ZAR")
    assert all_bills(begin) == [anew]


def test_the_first_invoice_frees_the_credit_held_for_its_order(begin: Begin, ids: Ids) -> None:
    """The hold counts until the charge is in the books; then the receivable does."""
    with begin() as tx:
        enter(tx, sold("hld_1"))
        rate(tx)
        amount = Money(300_000, "ZAR")
        hold = ledger.hold(
            tx,
            id=ids.new(HoldId),
            key="order/ord_1",
            party=SHOP,
            amount=amount,
            limit=None,
            ref="ord_1",
            expires_at=None,
            now=day(1),
        )
        order = Order(
            id=OrderId("ord_1"),
            seller=MTN,
            buyer=SHOP,
            key=BuyerKey("key-1"),
            quote=QuoteId("quo_1"),
            state=OrderState.ACKNOWLEDGED,
            placed_at=day(1),
            trace=TraceId("0" * 32),
        )
        kept = KeptOrder(
            order, "provide", by_partner=False, ends=None, hold=None, reason="", ended_at=None
        )
        run(
            tx,
            """insert into quote_quote (id, buyer, currency, made_at, valid_until, trace, trail,
                                        document)
               values ('quo_1', 'shop', 'ZAR', %s, %s, '', '{}', '{}')""",
            (day(1), day(2)),
        )
        order_store.add(tx, kept, "0" * 64)
        order_store.set_hold(tx, order.id, hold.id)
        assert ledger.exposure(tx, party=SHOP, currency="ZAR") == amount
    bill_all(begin, ids)
    with begin() as tx:
        assert ledger.get_hold(tx, id=hold.id).state == "posted"
        assert ledger.exposure(tx, party=SHOP, currency="ZAR") == Money(345_000, "ZAR")


def supplier_invoice(ids: Ids, number: str = "BT-2026-000001") -> SupplierInvoice:
    return SupplierInvoice(
        bill=BillId("bil_theirs"),
        number=number,
        kind_of="services",
        issuer=BT,
        statement=StatementId("stm_1"),
        agreement=ALLIANCE,
        period=NOVEMBER,
        currency="GBP",
        net=Money(10_000, "GBP"),
        tax=Money(2_000, "GBP"),
        issued_at=NOW,
        booked_at=NOW,
        entry=ids.new(EntryId),
    )


def test_a_suppliers_invoice_is_booked_once(begin: Begin, ids: Ids) -> None:
    def book(number: str = "BT-2026-000001") -> None:
        with begin() as tx:
            actions.record_supplier_invoice(
                tx,
                us=MTN,
                invoice=supplier_invoice(ids, number),
                document="0" * 64,
                costs=[("voice", Money(4_000, "GBP")), (None, Money(6_000, "GBP"))],
                now=NOW,
            )

    book()
    book()
    with pytest.raises(Refused, match="booked already with other content"):
        book("BT-2026-000002")
    with begin() as tx:
        assert {one.code: one.balance.minor for one in ledger.balances(tx)} == {
            "cost/other/GBP": 6_000,
            "cost/voice/GBP": 4_000,
            "payable/bt/GBP": -12_000,
            "tax-input/GBP": 2_000,
        }
        assert [one.number for one in actions.supplier_invoices(tx, issuer=BT)] == [
            "BT-2026-000001"
        ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), begin() as tx:
        run(tx, "update billing_supplier_invoice set net_minor = 1")


def test_what_we_expect_is_what_the_seller_computes(begin: Begin, ids: Ids) -> None:
    bought = holding(spell(day(16)), seller=BT, buyer=MTN, agreement=ALLIANCE)
    with begin() as tx:
        enter(tx, bought)
        rate(tx)
        lines = actions.expected(
            tx, us=MTN, seller=BT, agreement=ALLIANCE, currency="ZAR", period=NOVEMBER
        )
        assert [str(line.net) for line in lines] == ["1,500.00 ZAR"]
        nothing = actions.expected(
            tx, us=MTN, seller=BT, agreement=ALLIANCE, currency="GBP", period=NOVEMBER
        )
        assert nothing == ()
        assert actions.families(tx, us=MTN, seller=BT, period=NOVEMBER) == {
            "sa-connect": "connectivity"
        }
        assert all_rows(tx, "select from billing_bill") == []
