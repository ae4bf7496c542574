"""MTN buys from BT over the wire: every call of a Seller, every notice, in official shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hansa.federation.contract import (
    AgreementRef,
    NeedItem,
    OrderState,
    Progress,
    Provided,
    UsageRecord,
)
from hansa.federation.exchange import Answer, status_of
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Notice
from hansa.federation.model import Card, CardCertificate, CardKey
from hansa.federation.papers import (
    AgreementDocument,
    AgreementDrafted,
    AgreementItem,
    AgreementMoved,
    AgreementParty,
    AgreementSigned,
    CardRenewed,
    Confirmation,
    Deduction,
    Difference,
    InvoiceIssued,
    OrderMoved,
    RevenueShare,
    Signature,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementLine,
    Summary,
)
from hansa.federation.tmf import errors
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.wire import parse
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import (
    AgreementId,
    BillId,
    BuyerKey,
    HoldingId,
    OrderId,
    QuoteId,
    StatementId,
)
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.readings import Call
from hansa.foundation.site import Site
from hansa.foundation.time import Period, SetClock
from tests.federation import swagger
from tests.federation.shop import (
    BT,
    LATER,
    LINE,
    MTN,
    NEED,
    NOVEMBER,
    START,
    TRACE,
    Door,
    Shop,
    some_usage,
)
from tests.signing import SignedBy


def told(answer: Answer) -> Any:
    assert isinstance(answer.body, bytes)
    return parse(answer.body)


HOLDING = HoldingId("hld_1")
KEY = BuyerKey("tsk_1")
REF = AgreementRef(AgreementId("agr_1"), 3)
SIGNATURE = Signature(MTN, "c2lnbmVk", START)

STATEMENT = Statement(
    StatementId("stm_1"),
    "services",
    REF,
    BT,
    MTN,
    NOVEMBER,
    "GBP",
    (
        StatementLine(
            "hld_1/monthly@2026-11-02T08:00:00+00:00",
            LINE,
            "Line, Johannesburg",
            Decimal("0.9544"),
            "month",
            Money(9592, "GBP"),
            Money(0, "GBP"),
        ),
    ),
    Money(9592, "GBP"),
    Money(0, "GBP"),
)
SUMMARY = Summary(
    STATEMENT.id, BT, MTN, REF, NOVEMBER, "GBP", {"line": 9592}, STATEMENT.net, STATEMENT.tax, "ab"
)

TAXES, CREDITS = Deduction("taxes", part_bp=500), Deduction("credits")
ACCESS = Deduction("access", amount=Money(2000, "GBP"))

NOTICES: Sequence[Notice] = (
    AgreementDrafted(
        AgreementDocument(
            REF.id,
            3,
            "South Africa",
            (AgreementParty(BT, "lead"), AgreementParty(MTN, "partner")),
            START,
            START + timedelta(days=365),
            (AgreementItem(BT, MTN, (LINE,), ("ZA", "GH"), "retail", "GBP", Money(10**6, "GBP")),),
            (
                RevenueShare(BT, MTN, 1250, (LINE,), "USD", "ECB"),
                RevenueShare(BT, MTN, 5, (LINE,), "USD", "ECB", (TAXES, CREDITS, ACCESS)),
            ),
            ("licence", "tax"),
        )
    ),
    AgreementSigned(REF, "ab" * 32, SIGNATURE),
    AgreementMoved(REF, "launch", "ZA", {"licence": "no. 7"}, SIGNATURE),
    AgreementMoved(REF, "run-off", "", {}, SIGNATURE),
    OrderMoved(
        Progress(
            OrderId("ord_1"),
            KEY,
            OrderState.COMPLETED,
            provided=(Provided("a", HOLDING, START),),
            hops=3,
        )
    ),
    OrderMoved(Progress(OrderId("ord_2"), KEY, OrderState.FAILED, reason="No ducts.")),
    StatementIssued(STATEMENT, SIGNATURE),
    StatementIssued(replace(STATEMENT, lines=()), SIGNATURE, ("eJw=", "AAAA")),
    StatementAnswered(STATEMENT.id, Confirmation(SUMMARY, SIGNATURE), ()),
    StatementAnswered(
        STATEMENT.id, Confirmation(replace(SUMMARY, credits=StatementId("stm_0")), SIGNATURE), ()
    ),
    StatementAnswered(
        STATEMENT.id, None, (Difference("hld_2/usage", "Usage", Money(1, "GBP"), None),)
    ),
    InvoiceIssued(STATEMENT.id, BillId("bil_1"), "BT-2026-000007", START),
    CardRenewed(
        Card(
            version=2,
            party=Party(BT, "BT", "GB", "GBP"),
            address="https://bt.test",
            keys=(CardKey("ab" * 8, "AAAA", START, None),),
            certificates=(CardCertificate("cd" * 32, "AAAA", START, START + timedelta(days=7)),),
            dialect="tmf",
            edition=2,
            signed_at=START,
            signatures={"ab" * 8: "AAAA"},
        )
    ),
)


def test_offers_come_with_their_prices(bt: TmfPartner, shop: Shop) -> None:
    assert bt.offers() == shop.offers()


def test_a_need_is_qualified_item_by_item(bt: TmfPartner, shop: Shop) -> None:
    moon = NeedItem("c", LINE, Site("m", "Base", "MOON", "Tranquillity"))
    need = replace(NEED, items=(*NEED.items, moon))
    found = bt.qualify(need)
    assert [line.feasible for line in found.lines] == [True, True, False]
    assert (found.lines[2].reason, found.lines[2].words) == (
        "no-coverage",
        "Nobody delivers there.",
    )
    assert shop.needs == [need]


def test_a_quote_comes_back_as_it_was_made(bt: TmfPartner, shop: Shop) -> None:
    need = replace(NEED, items=(*NEED.items, NeedItem("c", LINE, holding=HOLDING)))
    quote = bt.quote(need)
    assert quote == shop.quotes[quote.id]
    assert shop.needs == [need]


def test_an_order_is_placed_once_for_a_key(bt: TmfPartner, shop: Shop) -> None:
    quote = bt.quote(NEED)
    order = bt.order(quote_id=quote.id, key=KEY)
    assert order == shop.orders[KEY][0]
    assert bt.order(quote_id=quote.id, key=KEY) == order
    ended = bt.cease(order_id=order.id, key=BuyerKey("tsk_2"))
    assert ended == shop.orders["tsk_2"][0]
    assert shop.orders["tsk_2"][1] == f"cease {order.id}"
    assert len(shop.orders) == 2


def test_progress_and_condition_are_told(bt: TmfPartner, shop: Shop) -> None:
    order = bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    assert bt.progress(order.id) == shop.progress(order.id)
    assert bt.condition(HOLDING) == shop.condition(HOLDING)


def test_usage_is_read_page_by_page(bt: TmfPartner, shop: Shop, door: Door) -> None:
    shop.readings = some_usage(HOLDING)
    for number in range(2500):
        call = Call(START + timedelta(seconds=number), "+271", "+442", number)
        shop.readings.append(UsageRecord(f"c{number}", HOLDING, call))
    shop.readings.append(UsageRecord("other", HoldingId("hld_2"), call))
    before = len(door.exchanged)
    assert bt.usage(holding_id=HOLDING, period=NOVEMBER) == shop.readings[:-1]
    assert len(door.exchanged) - before == 3
    hour = Period(START + timedelta(minutes=5), START + timedelta(minutes=5, seconds=2))
    assert [one.id for one in bt.usage(holding_id=HOLDING, period=hour)] == ["c300", "c301"]
    assert bt.usage(holding_id=HOLDING, period=Period.month(2026, 12)) == []


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.kind)
def test_a_notice_is_heard_as_it_was_told(bt: TmfPartner, shop: Shop, notice: Notice) -> None:
    bt.hear(notice)
    bt.hear(notice)
    assert shop.heard == [notice, notice]


def test_an_event_has_the_same_id_each_time(bt: TmfPartner, door: Door) -> None:
    for _ in range(2):
        bt.hear(NOTICES[4])
    first, second = (parse(response.content)["id"] for _, response in door.exchanged[-2:])
    assert first == second
    assert len(first) == 32


def test_the_trace_goes_with_a_need_and_comes_back(
    bt: TmfPartner, shop: Shop, door: Door, mtn_ring: KeyRing, clock: SetClock
) -> None:
    bt.quote(NEED)
    request, response = door.exchanged[-1]
    assert request.headers["traceparent"].split("-")[1] == TRACE
    assert response.headers["traceparent"] == request.headers["traceparent"]
    auth = SignedBy(MTN, mtn_ring.current(clock.now()), to=BT, clock=clock)
    for odd in (
        {},
        {"traceparent": "00-" + "0" * 32 + "-" + "1" * 16 + "-01"},
        {"traceparent": "x"},
    ):
        answer = door.post(
            "/tmf-api/quoteManagement/v4/quote", content=request.content, headers=odd, auth=auth
        )
        fresh = shop.needs[-1].trace
        assert answer.headers["traceparent"].split("-")[1] == fresh != TRACE
        assert len(fresh) == 32


def everything(bt: TmfPartner, shop: Shop) -> None:
    """Every operation once."""
    shop.readings = some_usage(HOLDING)
    bt.offers()
    bt.qualify(NEED)
    order = bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    bt.cease(order_id=order.id, key=BuyerKey("tsk_2"))
    bt.progress(order.id)
    bt.condition(HOLDING)
    bt.usage(holding_id=HOLDING, period=NOVEMBER)
    for notice in NOTICES:
        bt.hear(notice)


APIS = {
    "productCatalogManagement": 620,
    "productOfferingQualification": 679,
    "quoteManagement": 648,
    "productOrderingManagement": 622,
    "productInventory": 637,
    "usageManagement": 635,
    "agreementManagement": 651,
    "customerBillManagement": 678,
    "partnershipManagement": 668,
}


def test_requests_and_answers_are_as_the_official_documents_say(
    bt: TmfPartner, shop: Shop, door: Door
) -> None:
    everything(bt, shop)
    found: list[str] = []
    judged = set()
    for request, response in door.exchanged:
        path = request.url.path
        api = APIS[path.split("/")[2]]
        if api == 678:
            found += bill_faults(parse(request.content))
            continue
        operation = swagger.operation(api, request.method, path)
        assert operation is not None, path
        judged.add((api, request.method, path.rsplit("/", 1)[-1]))
        answer = operation["responses"][str(response.status_code)]["schema"]
        found += swagger.faults(api, answer, parse(response.content), f"{path} answer")
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "body":
                found += swagger.faults(
                    api, parameter["schema"], parse(request.content), f"{path} request"
                )
    assert found == []
    assert len(judged) >= 11


def bill_faults(event: Any) -> list[str]:
    """The official bill document has no events; its resources are in ours."""
    bill = event["event"]["customerBill"]
    found = list(swagger.faults(678, {"$ref": "#/definitions/CustomerBill"}, bill, "bill"))
    for rate in bill.get("hansaRate", ()):
        schema = {"$ref": "#/definitions/AppliedCustomerBillingRate"}
        found += swagger.faults(678, schema, rate, "rate")
    return found


def test_errors_are_as_the_official_documents_say() -> None:
    schema = {"$ref": "#/definitions/Error"}
    for error in (Refused("malformed", "Not so.", field="a.b"), LATER):
        assert list(swagger.faults(622, schema, told(errors.write(error, status_of(error))))) == []
    assert list(swagger.faults(622, schema, told(errors.UNFORESEEN))) == []


def test_the_official_documents_would_catch_a_fault() -> None:
    order = {"productOrderItem": [{"id": 1, "action": "buy"}], "state": "lost", "orderDate": "now"}
    schema = {"$ref": "#/definitions/ProductOrder"}
    assert len(list(swagger.faults(622, schema, order))) == 4
    assert len(list(swagger.faults(622, schema, {"productOrderItem": []}))) == 1


def test_an_unknown_thing_is_not_found(bt: TmfPartner) -> None:
    for ask in (
        lambda: bt.progress(OrderId("ord_9")),
        lambda: bt.progress(OrderId("ord?x=1#é")),
        lambda: bt.condition(HoldingId("hld_9")),
        lambda: bt.order(quote_id=QuoteId("quo_9"), key=KEY),
        lambda: bt.cease(order_id=OrderId("ord_9"), key=KEY),
    ):
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code in ("order-unknown", "holding-unknown", "quote-unknown")
