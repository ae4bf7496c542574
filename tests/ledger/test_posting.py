"""Accounts that are opened by the way, calls that are refused whole, and callers that clash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from hansa.foundation.database import Database
from hansa.foundation.errors import HansaError, TryLater
from hansa.foundation.ids import EntryId, HoldId, Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.transaction import Begin, Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Account, AccountSpec, Leg, NewEntry
from tests.ledger.book import check_books, entry
from tests.ledger.test_properties import at_once

NOW = datetime(2026, 11, 30, tzinfo=UTC)
MTN, BT = PartyId("mtn"), PartyId("bt")
SALE = (("receivable/mtn/GBP", 100), ("revenue/voice/GBP", -100))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(HansaError) as refused:
        call()
    return refused.value.code


def test_an_account_is_opened_once_and_stays_what_it_is(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        opened = ledger.account(
            tx, code="receivable/mtn/GBP", kind="asset", party=MTN, currency="GBP"
        )
        assert opened == Account("receivable/mtn/GBP", "asset", MTN, Money(0, "GBP"), 0)
        ledger.post(tx, entries=[entry(ids, "INV-1", *SALE)], now=NOW)
        again = ledger.account(
            tx, code="receivable/mtn/GBP", kind="asset", party=MTN, currency="GBP"
        )
        assert (again.balance, again.legs) == (Money(100, "GBP"), 1)
        assert [a.code for a in ledger.balances(tx)] == ["receivable/mtn/GBP", "revenue/voice/GBP"]
        assert [a.code for a in ledger.balances(tx, party=MTN)] == ["receivable/mtn/GBP"]
        assert ledger.balances(tx, party=BT) == []


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (AccountSpec("receivable/mtn/GBP", "liability", MTN, "GBP"), "account-differs"),
        (AccountSpec("receivable/mtn/GBP", "asset", BT, "GBP"), "account-differs"),
        (AccountSpec("receivable/mtn/GBP", "asset", None, "GBP"), "account-differs"),
        (AccountSpec("receivable/mtn/GBP", "asset", MTN, "EUR"), "account-code"),
        (AccountSpec("receivable/mtn", "asset", MTN, "GBP"), "account-code"),
        (AccountSpec("GBP", "asset", MTN, "GBP"), "account-code"),
        (AccountSpec("receivable//GBP", "asset", MTN, "GBP"), "account-code"),
        (AccountSpec("receivable/mtn/XXX", "asset", MTN, "XXX"), "currency-unknown"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    begin: Begin, ids: Ids, spec: AccountSpec, code: str
) -> None:
    sale = entry(ids, "INV-2", *SALE)
    with begin() as tx:
        ledger.post(tx, entries=[entry(ids, "INV-1", *SALE)], now=NOW)
        leg = Leg(spec, Money(100, spec.currency))
        legs = (leg, Leg("revenue/voice/GBP", Money(-100, "GBP")))
        assert (
            code_of(
                lambda: ledger.account(
                    tx, code=spec.code, kind=spec.kind, party=spec.party, currency=spec.currency
                )
            )
            == code
        )
        assert code_of(lambda: ledger.post(tx, entries=[replace(sale, legs=legs)], now=NOW)) == code
        check_books(tx)


def test_one_account_may_be_described_once_and_named_after_that(begin: Begin, ids: Ids) -> None:
    described = entry(ids, "INV-1", *SALE)
    named = replace(
        entry(ids, "INV-2", *SALE),
        legs=(
            Leg("receivable/mtn/GBP", Money(70, "GBP")),
            Leg("revenue/voice/GBP", Money(-100, "GBP")),
            Leg("receivable/mtn/GBP", Money(30, "GBP")),
        ),
    )
    other = AccountSpec("receivable/mtn/GBP", "asset", BT, "GBP")
    clash = replace(
        entry(ids, "INV-3", *SALE), legs=(Leg(other, Money(100, "GBP")), described.legs[1])
    )
    with begin() as tx:
        assert code_of(lambda: ledger.post(tx, entries=[named], now=NOW)) == "account-unknown"
        assert (
            code_of(lambda: ledger.post(tx, entries=[described, clash], now=NOW))
            == "account-differs"
        )
        assert ledger.balances(tx) == []
        ledger.post(tx, entries=[named, described], now=NOW)
        assert ledger.balance(tx, code="receivable/mtn/GBP") == Money(200, "GBP")
        check_books(tx)


def test_a_call_is_posted_whole_or_not_at_all(begin: Begin, ids: Ids) -> None:
    """The last of three entries is wrong in every way that only the books can know."""
    good = [entry(ids, "INV-1", *SALE), entry(ids, "INV-2", *SALE)]
    gone = EntryId("ent_gone")
    with begin() as tx:
        (first,) = ledger.post(tx, entries=[entry(ids, "INV-0", *SALE)], now=NOW)
        head = ledger.head(tx)
        wrong: dict[str, NewEntry] = {
            "key-reused": entry(ids, "INV-9", *SALE, key="INV-0"),
            "entry-unknown": replace(entry(ids, "INV-9", *SALE), reverses=gone),
            "account-unknown": replace(
                good[0], key="INV-9", legs=(Leg("cash/GBP", Money(100, "GBP")), good[0].legs[1])
            ),
        }
        for code, last in wrong.items():
            call = [*good, last]
            assert code_of(lambda call=call: ledger.post(tx, entries=call, now=NOW)) == code  # type: ignore[misc]
            assert ledger.head(tx) == head
        assert ledger.post(tx, entries=[], now=NOW) == ()
        assert ledger.get_by_key(tx, key="INV-1") is None
        assert ledger.get_by_key(tx, key="INV-0") == ledger.get(tx, entry=first or gone)


def test_one_key_with_two_contents_in_one_call(begin: Begin, ids: Ids) -> None:
    one, other = (entry(ids, ref, *SALE, key="same") for ref in ("INV-1", "INV-2"))
    with begin() as tx:
        assert code_of(lambda: ledger.post(tx, entries=[one, other], now=NOW)) == "key-reused"
        assert ledger.post(tx, entries=[one, one], now=NOW) == [one.id, None]


def test_an_id_is_good_for_one_entry(begin: Begin, ids: Ids) -> None:
    one = entry(ids, "INV-1", *SALE)
    other = replace(entry(ids, "INV-2", *SALE), id=one.id)
    with begin() as tx:
        ledger.post(tx, entries=[one], now=NOW)
    with begin() as tx:
        assert code_of(lambda: ledger.post(tx, entries=[other], now=NOW)) == "id-reused"


def test_an_entry_is_not_reversed_twice_in_one_call(begin: Begin, ids: Ids) -> None:
    wrong = entry(ids, "INV-1", *SALE)
    back = tuple(Leg(leg.account, -leg.amount) for leg in wrong.legs)
    undo = [
        replace(entry(ids, "INV-1", *SALE, key=key), legs=back, reverses=wrong.id)
        for key in ("one", "two")
    ]
    with begin() as tx:
        ledger.post(tx, entries=[wrong], now=NOW)
    with begin() as tx:
        assert code_of(lambda: ledger.post(tx, entries=undo, now=NOW)) == "entry-reversed"


def test_a_reversal_is_itself_reversed(begin: Begin, ids: Ids) -> None:
    wrong = entry(ids, "INV-1", *SALE)

    def undo(tx: Transaction, taken_back: EntryId, key: str) -> EntryId:
        made = ledger.reverse(
            tx, entry=taken_back, id=ids.new(EntryId), key=key, now=NOW, words="A mistake"
        )
        assert made is not None
        return made

    with begin() as tx:
        ledger.post(tx, entries=[wrong], now=NOW)
        undo(tx, undo(tx, wrong.id, "first"), "second")
        assert ledger.balance(tx, code="receivable/mtn/GBP") == Money(100, "GBP")
        check_books(tx)


def test_a_time_without_a_zone_is_a_mistake_of_the_program(begin: Begin, ids: Ids) -> None:
    naive = replace(entry(ids, "INV-1", *SALE), effective_at=datetime(2026, 11, 30))
    with begin() as tx, pytest.raises(ValueError, match="time zone"):
        ledger.post(tx, entries=[naive], now=NOW)


def test_callers_that_lock_each_other_out_may_try_again(database: Database, ids: Ids) -> None:
    """One holds and then posts, the other posts and then holds: against the rule, and mended."""
    both = threading.Barrier(2)
    outcomes: list[str] = []

    def hold(tx: Transaction, name: str) -> None:
        ledger.hold(
            tx,
            id=ids.new(HoldId),
            key=name,
            party=MTN,
            amount=Money(5, "GBP"),
            limit=None,
            ref="ORD-1",
            expires_at=None,
            now=NOW,
        )

    def post(tx: Transaction, name: str) -> None:
        ledger.post(tx, entries=[entry(ids, name, *SALE)], now=NOW)

    def caller(name: str, *steps: Callable[[Transaction, str], None]) -> Callable[[], None]:
        def work() -> None:
            for attempt in (1, 2):
                try:
                    with database.begin() as tx:
                        steps[0](tx, name)
                        if attempt == 1:
                            both.wait(timeout=10)
                        steps[1](tx, name)
                except TryLater as busy:
                    outcomes.append(busy.code)
                else:
                    outcomes.append("done")
                    return

        return work

    at_once(caller("one", hold, post), caller("two", post, hold))
    assert sorted(outcomes) == ["done", "done", "ledger-busy"]
    with database.begin() as tx:
        assert ledger.exposure(tx, party=MTN, currency="GBP") == Money(210, "GBP")
        check_books(tx)


def test_a_fault_that_nobody_foresaw_is_not_dressed_up(begin: Begin, ids: Ids) -> None:
    bad = replace(entry(ids, "INV-1", *SALE), id=EntryId("no id of an entry"))
    with pytest.raises(psycopg.errors.CheckViolation), begin() as tx:
        ledger.post(tx, entries=[bad], now=NOW)


def test_accounts_and_legs_come_page_by_page(begin: Begin, ids: Ids) -> None:
    with begin() as tx:
        sales = [entry(ids, f"INV-{n}", ("receivable/mtn/GBP", n), ("revenue/voice/GBP", -n))
                 for n in range(1, 6)]  # fmt: skip
        ledger.post(tx, entries=sales, now=NOW)
        ledger.post(
            tx, entries=[entry(ids, "B-1", ("receivable/bt/EUR", 7), ("cash/EUR", -7))], now=NOW
        )
        first, total = ledger.page(tx, limit=2)
        assert ([one.code for one in first], total) == (["cash/EUR", "receivable/bt/EUR"], 4)
        rest, total = ledger.page(tx, text="receivable", offset=1, limit=2)
        assert ([one.code for one in rest], total) == (["receivable/mtn/GBP"], 2)
        assert ledger.page(tx, kind="income", limit=9)[1] == 1
        assert [one.code for one in ledger.page(tx, text="%", currency="GBP", limit=9)[0]] == []
        latest = ledger.legs(tx, code="receivable/mtn/GBP", below=6, limit=2)
        assert [one.ref for one in latest] == ["INV-5", "INV-4"]
        assert [leg.amount.minor for one in latest for leg in one.legs] == [5, 4]
        older = ledger.legs(tx, code="receivable/mtn/GBP", below=4, limit=9)
        assert [one.legs[0].sequence for one in older] == [3, 2, 1]
        by_currency: dict[str, int] = {}
        for _kind, amount in ledger.sums(tx):
            by_currency[amount.currency] = by_currency.get(amount.currency, 0) + amount.minor
        assert by_currency == {"GBP": 0, "EUR": 0}
