"""What is written in the TM Forum dialect is read back to the letter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.federation import contract, disputes, papers
from hansa.federation.contract import (
    Condition,
    Need,
    Offer,
    Order,
    PercentileTariff,
    Progress,
    Qualification,
    Quote,
    UsageRecord,
)
from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.helpdesk import Ticket, TicketAsk
from hansa.federation.papers import (
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    CardRenewed,
    InvoiceIssued,
    OrderMoved,
    StatementAnswered,
    StatementIssued,
    TicketMoved,
)
from hansa.federation.shelf import Cancellation, CancellationState
from hansa.federation.tmf.shapes import (
    agreement,
    bill,
    catalogue,
    common,
    inventory,
    netting,
    order,
    ordered,
    partnership,
    qualification,
    quote,
    ticket,
    usage,
)
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, CancellationId, OrderId
from hansa.foundation.money import Money
from tests.federation.values import moneys, reachable, value

Json = Any
Case = tuple[Any, Callable[[Any], Json], Callable[[Json], Any]]

TRACE = "0" * 31 + "7"


def need_case(shape: Any) -> Case:
    """The trace of a need travels as a header, so it is handed to the reader."""
    return (
        Need,
        lambda need: [need.trace, shape.write_need(need)],
        lambda got: shape.read_need(got[1], got[0]),
    )


CASES: dict[str, Case] = {
    "Offer": (Offer, catalogue.write, lambda got: catalogue.read_all([got])[0]),
    "Need to qualify": need_case(qualification),
    "Need to quote": need_case(quote),
    "Qualification": (Qualification, qualification.write, qualification.read),
    "Quote": (Quote, quote.write, quote.read),
    "Placing": (order.Placing, order.write_placing, order.read_ask),
    "Ceasing": (order.Ceasing, order.write_ceasing, order.read_ask),
    "Order": (Order, lambda made: order.write(made, "add"), order.read),
    "Progress": (Progress, order.write_progress, order.read_progress),
    "Condition": (Condition, inventory.write, inventory.read),
    "UsageRecord": (UsageRecord, usage.write, lambda got: usage.read_all([got])[0]),
    "OrderMoved": (OrderMoved, lambda one: order.write_moved(one, "e"), order.read_moved),
    "Opening a ticket": (
        TicketAsk,
        lambda ask: ticket.write_opening(ask, BuyerKey("k")),
        lambda got: ticket.read_opening(got).ask,
    ),
    "Ticket": (Ticket, ticket.write, ticket.read),
    "TicketMoved": (TicketMoved, lambda one: ticket.write_moved(one, "e"), ticket.read_moved),
    "CardRenewed": (
        CardRenewed,
        lambda one: partnership.write_renewed(one, "e"),
        partnership.read_renewed,
    ),
    "AgreementDrafted": (AgreementDrafted, agreement.write, agreement.read),
    "AgreementSigned": (
        AgreementSigned,
        lambda one: agreement.write_signed(one, "e"),
        agreement.read_signed,
    ),
    "AgreementMoved": (
        AgreementMoved,
        lambda one: agreement.write_moved(one, "e"),
        agreement.read_moved,
    ),
    "StatementIssued": (
        StatementIssued,
        lambda one: bill.write_issued(one, "e"),
        bill.read_issued,
    ),
    "StatementAnswered": (
        StatementAnswered,
        lambda one: bill.write_answered(one, "e"),
        bill.read_moved,
    ),
    "InvoiceIssued": (InvoiceIssued, lambda one: bill.write_invoiced(one, "e"), bill.read_moved),
    "DisputeRaised": (DisputeRaised, lambda one: bill.write_dispute(one, "e"), bill.read_dispute),
    "DisputeMoved": (DisputeMoved, lambda one: bill.write_dispute(one, "e"), bill.read_dispute),
    **{
        kind.__name__: (kind, lambda one: netting.write(one, "e"), netting.read)
        for kind in get_args(papers.NettingNotice)
    },
}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_back_to_the_letter(name: str, data: st.DataObject) -> None:
    kind, write, read = CASES[name]
    before = data.draw(value(kind))
    after = read(parse(render(write(before))))
    assert after == before
    assert documents.write(after) == documents.write(before)


def test_every_value_of_the_contract_travels() -> None:
    travelling: set[Any] = set().union(*(reachable(kind) for kind, _, _ in CASES.values()))
    ours = {
        thing
        for module in (contract, papers, disputes)
        for thing in vars(module).values()
        if dataclasses.is_dataclass(thing)
    }
    assert ours - travelling == set()


@given(moneys)
def test_money_is_a_number_with_exactly_its_decimals(money: Money) -> None:
    text = render(common.write_money(money)).decode()
    assert text == f'{{"unit":"{money.currency}","value":{money.amount}}}'
    assert common.read_money(parse(text.encode()), "price") == money


def test_a_tenth_stays_a_tenth() -> None:
    assert parse(b'{"value":0.1}') == {"value": Decimal("0.1")}
    assert render({"value": Decimal("0.10")}) == b'{"value":0.10}'
    long = b"0.1234567890123456789012345"
    assert render(parse(long)) == long


def refused(read: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        read()
    return caught.value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0.123", "money-too-precise"),
        ("1.00000000000000000000000001", "money-too-precise"),
        ("1e-20", "money-too-precise"),
        ("92233720368547758.08", "malformed"),
    ],
)
def test_money_is_never_made_to_fit(value: str, code: str) -> None:
    shape = parse(b'{"unit":"GBP","value":%s}' % value.encode())
    error = refused(lambda: common.read_money(shape, "quoteItem.0.price"))
    assert (error.code, error.field) == (code, "quoteItem.0.price")


def a_quote(**changes: Json) -> Json:
    """A quote on the wire, with some of its attributes changed."""
    line = {
        "id": "a",
        "action": "add",
        "quantity": 1,
        "productOffering": {"id": "line", "name": "Line"},
        "product": {"productCharacteristic": [{"name": "speed", "value": 10}]},
        "quoteItemPrice": [
            {
                "priceType": kind,
                "price": {"dutyFreeAmount": {"unit": "GBP", "value": 1}, "taxRate": 20},
            }
            for kind in ("oneTime", "recurring")
        ],
        "hansaFamily": "voice",
        "hansaTax": {"code": "standard", "legend": ""},
    }
    parties = [
        {"id": party, "role": role, "@referredType": "Organization"}
        for party, role in (("bt", "seller"), ("mtn", "buyer"))
    ]
    shape = {
        "id": "q",
        "quoteDate": "2026-11-02T08:00:00Z",
        "validFor": {"endDateTime": "2026-12-02T08:00:00+02:00"},
        "quoteItem": [line],
        "relatedParty": parties,
        "hansaCurrency": "GBP",
    }
    for path, changed in changes.items():
        *way, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        inner: Any = shape
        for step in way:
            inner = inner[step]
        inner[last] = changed
    return shape


_CANCELLATION = "quoteItem.0.hansaCancellation"


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        ("id", 7, "id"),
        ("id", "", "id"),
        ("quoteItem", {}, "quoteItem"),
        ("quoteItem__0__quantity", "1", "quoteItem.0.quantity"),
        ("quoteItem__0__quantity", Decimal("1.0"), "quoteItem.0.quantity"),
        ("quoteItem__0__quantity", True, "quoteItem.0.quantity"),
        ("quoteItem__0__quantity", 2**31, "quoteItem.0.quantity"),
        ("quoteItem__0__hansaFamily", "video", "quoteItem.0.hansaFamily"),
        ("quoteItem__0__quoteItemPrice", [], "quoteItem.0.quoteItemPrice"),
        ("quoteItem__0__quoteItemPrice__0__price__taxRate", 21, "quoteItem.0.quoteItemPrice"),
        ("hansaCurrency", "ZAR", "quoteItem.0.quoteItemPrice"),
        ("quoteItem__0__hansaCancellation", {"unit": "ZAR", "value": 1}, _CANCELLATION),
        ("quoteItem__0__hansaCancellation", {"unit": "GBP", "value": -1}, _CANCELLATION),
        ("quoteDate", "yesterday", "quoteDate"),
        ("quoteDate", "2026-11-02T08:00:00", "quoteDate"),
        ("validFor", {}, "validFor.endDateTime"),
        ("relatedParty", [], "relatedParty"),
        ("relatedParty__0__id", "B T", "party"),
        ("agreement", [{"id": "a"}], "agreement.0.hansaVersion"),
        (
            "quoteItem__0__product__productCharacteristic",
            [{"name": "n", "value": 1}, {"name": "n", "value": 2}],
            "quoteItem.0.product.productCharacteristic",
        ),
        (
            "quoteItem__0__product__productCharacteristic",
            [{"name": "n", "value": Decimal("1.5")}],
            "quoteItem.0.product.productCharacteristic.0.value",
        ),
        (
            "quoteItem__0__product__productCharacteristic",
            [{"name": "n", "value": [1]}],
            "quoteItem.0.product.productCharacteristic.0.value",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_field(
    path: str, wrong: Json, field: str
) -> None:
    assert quote.read(a_quote()).valid_until.isoformat() == "2026-12-02T06:00:00+00:00"
    error = refused(lambda: quote.read(a_quote(**{path: wrong})))
    assert error.field == field
    assert error.words


def test_attributes_that_we_do_not_know_are_passed_over() -> None:
    assert quote.read(a_quote(instantSyncQuote=True)) == quote.read(a_quote())


def test_a_tariff_has_numbers_one_can_compute_with() -> None:
    tariff = documents.write(PercentileTariff(Decimal("1.25"), 100))
    assert common.read_tariff(tariff, "t") == PercentileTariff(Decimal("1.25"), 100)
    odd: list[Json] = ["1e999999", "0." + "1" * 40, "NaN", "Infinity", {}, None]
    for rate in odd:
        changed = {**tariff, "rate_per_mbps": rate}
        error = refused(partial(common.read_tariff, changed, "t"))
        assert error.code == "malformed"
        assert str(error.field).startswith("t")


def ask(*actions: str) -> Json:
    return {
        "externalId": "k",
        "productOrderItem": [
            {
                "id": str(number),
                "action": action,
                "quoteItem": {"id": "1", "quoteId": "q"},
                "product": {"productOrderItem": [{"productOrderId": "o"}]},
            }
            for number, action in enumerate(actions)
        ],
    }


def test_a_charge_that_is_not_owed_is_shown_as_nothing() -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    made = Cancellation(
        CancellationId("c"), OrderId("o"), OrderId("p"), CancellationState.DONE, at,
        Money(1110, "GBP"),
    )  # fmt: skip
    assert ordered.write_cancel(made)["hansaCharge"] == {"unit": "GBP", "value": Decimal("11.10")}
    waived = ordered.write_cancel(replace(made, waived=True))
    assert waived["hansaCharge"] == {"unit": "GBP", "value": 0}


def test_an_order_is_a_yes_or_an_end_and_never_both() -> None:
    assert order.read_ask(ask("add", "modify")) == order.Placing("q", "k")  # type: ignore[arg-type]
    assert order.read_ask(ask("delete")) == order.Ceasing("o", "k")  # type: ignore[arg-type]
    for actions in (("add", "delete"), ("noChange",), ()):
        assert refused(partial(order.read_ask, ask(*actions))).field == "productOrderItem"
    bare = ask("add")
    del bare["productOrderItem"][0]["quoteItem"]
    assert refused(lambda: order.read_ask(bare)).field == "quote"
    bare["quote"] = [{"id": "q"}, {"id": "r"}]
    assert refused(lambda: order.read_ask(bare)).field == "quote"


def test_a_bill_event_says_what_has_moved() -> None:
    def event(**bill_shape: Json) -> Json:
        return {"event": {"customerBill": {"id": "s", **bill_shape}}}

    assert refused(lambda: bill.read_moved(event(state="new"))).field == "event.customerBill.state"
    assert refused(lambda: bill.read_moved(event(state="sent"))).field == (
        "event.customerBill.hansaBill"
    )
    assert str(refused(lambda: bill.read_moved(event(state="validated"))).field).startswith(
        "event.customerBill.hansaConfirmation"
    )
    assert bill.read_moved(event(state="onHold")) == StatementAnswered("s", None, ())  # type: ignore[arg-type]
