"""What is written in Sonata is read back to the letter, and as MEF's own schemas have it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.federation import exchange
from hansa.federation.contract import Condition, Need, Offer, Progress, Quote, Tax, Terms
from hansa.federation.helpdesk import Ticket
from hansa.federation.hub.model import Happening, Subscription
from hansa.federation.shelf import (
    Cancellation,
    QuoteState,
    ShelfHolding,
    ShelfOffer,
    ShelfOrder,
    ShelfQuote,
)
from hansa.federation.sonata import errors, hub
from hansa.federation.sonata.schemas import ERRATA, faults
from hansa.federation.sonata.shapes import (
    cancellation,
    catalogue,
    common,
    inventory,
    order,
    place,
    product,
    progress,
    qualification,
    quote,
    ticket,
)
from hansa.federation.sonata.shapes.need import Asker
from hansa.federation.wire import parse, render
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, EventId, SubscriptionId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from tests.federation.openapi3 import FOLDER, Exchange, official, wrong
from tests.federation.shop import BT, MTN, TRACE
from tests.federation.values import characters, of, value

Json = Any

NOW = datetime(2026, 11, 2, tzinfo=UTC)
CONTACT = common.write_contact(common.ContactSettings(), party="mtn", role="buyerContact")

many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
layouts = st.sampled_from([{}, {"line": "access-eline"}, {"line": "internet-access"}])


def bare(kind: Any, *without: str) -> st.SearchStrategy[Any]:
    """Any value of a dataclass, without what a client sent beside and the fields named."""
    names = {one.name for one in dataclasses.fields(kind)} - {"extras", *without}
    return st.builds(kind, **{name: of(kind, name) for name in names})


def over(shape: Json) -> Json:
    """As it arrives on the other side."""
    return parse(render(shape))


def asker(need: Need) -> Asker:
    return Asker(need.trace, (), lambda _: need.currency, lambda _: None)


def as_sonata_has_it(need: Need) -> bool:
    """Names that Sonata can carry: an item that is changed names what it changes."""
    return all(item.site is None or len(item.site.id) <= place.SITE_ID_MAX for item in need.items)


@many
@given(value(Need).filter(as_sonata_has_it), layouts)
def test_a_need_arrives(need: Need, products: dict[str, str]) -> None:
    items = tuple(replace(item, offer=_line(item.offer)) for item in need.items)
    need = replace(need, items=items)
    for shape in (qualification, quote):
        written = over(shape.write_need(need, CONTACT, products))
        assert shape.read_asked(written, asker(need)) == need
        if FOLDER.exists() and need.items:
            api = "quote" if shape is quote else "qualification"
            name = "Quote" if shape is quote else "ProductOfferingQualification"
            assert unofficial(api, f"{name}_Create", written) == []
            for item in written.get("quoteItem", []):
                assert misbuilt(item["product"]["productConfiguration"]) == []


def _line(offer: Any) -> Any:
    return type(offer)("line")


def unofficial(api: str, name: str, shape: Json) -> list[Any]:
    schema = {"$ref": f"#/components/schemas/{name}", **official().api(api)}
    return list(faults(schema, shape))


def misbuilt(payload: Json) -> list[Any]:
    schema = official().product(payload["@type"])
    return [] if schema is None else list(faults(schema, payload))


@many
@given(value(Quote), layouts)
def test_a_quote_arrives(made: Quote, products: dict[str, str]) -> None:
    made = replace(made, seller=BT, buyer=MTN)
    if not made.lines:
        return
    kept = ShelfQuote(made, QuoteState.APPROVED, made.made_at, TRACE)
    written = over(quote.write(kept, now=NOW, products=products))
    assert quote.read(written, seller=BT, buyer=MTN) == made
    if FOLDER.exists():
        assert unofficial("quote", "Quote", written) == []
    key = BuyerKey("k")
    placing = over(order.write_placing(made, key, CONTACT, products))
    wish = order.read_asked(placing, Asker(TRACE, (), lambda _: "", lambda _: None))
    assert wish == order.Placing(made.id, frozenset(line.item for line in made.lines), key)
    if FOLDER.exists():
        assert unofficial("order", "ProductOrder_Create", placing) == []


@many
@given(value(Progress))
def test_a_progress_arrives(made: Progress) -> None:
    assert progress.read_progress(over(progress.write_progress(made))) == made


@many
@given(value(Condition), value(ShelfHolding))
def test_a_condition_arrives(made: Condition, holding: ShelfHolding) -> None:
    currency = holding.terms.one_off.currency
    holding = replace(holding, id=made.holding, terms=_terms(currency))
    holding = replace(holding, state="terminated" if made.state == "ended" else "active")
    written = over(inventory.write(holding, made, {}))
    assert inventory.read(written) == made
    if FOLDER.exists():
        assert unofficial("inventory", "MEFProduct", written) == []


def _terms(currency: str) -> Terms:
    return Terms(Money(1, currency), Money(2, currency))


@many
@given(st.lists(value(Offer), max_size=3))
def test_offers_arrive(offers: list[Offer]) -> None:
    written = over([catalogue.write_found(ShelfOffer(one, NOW), {}) for one in offers])
    assert catalogue.read_all(written) == offers
    if FOLDER.exists():
        for shape in written:
            assert unofficial("catalogue", "ProductOffering_Find", shape) == []


@many
@given(bare(Cancellation))
def test_a_cancellation_and_its_charge_are_official(made: Cancellation) -> None:
    for name, shape in (
        ("CancelProductOrder", cancellation.write(made, CONTACT)),
        ("CancelProductOrder_Find", cancellation.write_found(made)),
        ("MEFProductOrderCharge", cancellation.write_charge(made)),
        ("MEFProductOrderCharge_Find", cancellation.write_charge_found(made)),
    ):
        assert unofficial("order", name, over(shape)) == []
    assert cancellation.of_charge(cancellation.charge_id(made)) == made.id


@many
@given(bare(ShelfOrder, "cancellation"), layouts)
def test_an_order_is_official(made: ShelfOrder, products: dict[str, str]) -> None:
    if not made.lines:
        return
    written = over(order.write(made, CONTACT, products))
    assert unofficial("order", "ProductOrder", written) == []
    assert unofficial("order", "ProductOrder_Find", over(order.write_found(made))) == []


@many
@given(value(Ticket))
def test_a_ticket_is_official(made: Ticket) -> None:
    if not made.moves:
        return
    written = over(ticket.write(made, {}, CONTACT))
    assert unofficial("ticket", "TroubleTicket", written) == []
    assert unofficial("ticket", "TroubleTicket_Find", over(ticket.write_found(made, {}))) == []
    heard = ticket.read(written, seller=made.seller, buyer=made.buyer)
    assert (heard.id, heard.key, heard.opened_at) == (made.id, made.key, made.opened_at)
    public = [note.text for note in made.notes if not note.private]
    assert [note.text for note in heard.notes] == public


# --- errors, both ways ------------------------------------------------------------------------

texts = st.text(characters, max_size=40)
codes = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
fields = st.none() | texts
failures: st.SearchStrategy[HansaError] = st.one_of(
    st.builds(Refused, codes | st.sampled_from(["key-reused", "state-move"]), texts, field=fields),
    st.builds(NotFound, codes, texts, field=fields),
    st.builds(
        TryLater,
        codes,
        texts,
        field=fields,
        after_s=st.none() | st.integers(0, 1000 * errors.WAIT_MAX_S).map(lambda ms: ms / 1000),
    ),
)


@given(failures)
def test_an_error_arrives_as_it_was_raised(error: HansaError) -> None:
    answers = [errors.write(error, exchange.status_of(error))]
    if isinstance(error, NotFound):
        answers.append(errors.unprocessable(error, "referenceNotFound"))
    for answer in answers:
        assert isinstance(answer.body, bytes)
        heard = errors.read(answer.status, answer.body, "bt")
        assert type(heard) is type(error)
        assert (heard.code, heard.words, heard.field) == (error.code, error.words, error.field)
        if isinstance(heard, TryLater) and isinstance(error, TryLater):
            assert heard.after_s == error.after_s


@pytest.mark.parametrize(
    ("status", "told", "family", "code"),
    [
        (422, [{"code": "invalidValue", "reason": "No."}], Refused, "partner-refused"),
        (422, [{"code": "referenceNotFound", "reason": "?"}], NotFound, "partner-unaware"),
        (404, {"code": "notFound", "reason": "?"}, NotFound, "partner-unaware"),
        (400, {"code": "invalidBody", "reason": "No."}, Refused, "partner-refused"),
        (501, {"code": "notImplemented", "reason": "No."}, Refused, "partner-refused"),
        (500, {"code": "internalError", "reason": "Oh."}, TryLater, "partner-silent"),
        (401, {"code": "invalidCredentials", "reason": "Who?"}, TryLater, "partner-refused"),
        (422, [], TryLater, "partner-nonsense"),
        (404, "not here", TryLater, "partner-nonsense"),
        (502, "<html>", TryLater, "partner-silent"),
    ],
)
def test_a_stranger_s_error_is_one_of_ours(
    status: int, told: Json, family: type[HansaError], code: str
) -> None:
    heard = errors.read(status, render(told), "acme")
    assert (type(heard), heard.code) == (family, code)


# --- what a plain partner says ----------------------------------------------------------------


def plain_quote(**changes: Json) -> Json:
    """As any seller of Sonata may answer, without a word of ours."""
    price = {"dutyFreeAmount": {"unit": "GBP", "value": Decimal("10.50")}, "taxRate": 20}
    shape = {
        "id": "Q-1",
        "buyerRequestedQuoteLevel": "firm",
        "instantSyncQuote": True,
        "quoteDate": "2026-11-02T08:00:00Z",
        "state": "approved.orderable",
        "validFor": {"endDateTime": "2026-12-02T08:00:00Z"},
        "quoteItem": [
            {
                "id": "a",
                "action": "add",
                "state": "approved.orderable",
                "product": {"productOffering": {"id": "line"}},
                "quoteItemPrice": [
                    {"priceType": "recurring", "recurringChargePeriod": "month", "price": price}
                ],
            }
        ],
    }
    return shape | changes


def test_a_plain_quote_is_understood() -> None:
    made = quote.read(over(plain_quote()), seller=BT, buyer=MTN)
    (line,) = made.lines
    assert (made.currency, line.quantity, line.family) == ("GBP", 1, "connectivity")
    assert line.terms == Terms(Money(0, "GBP"), Money(1050, "GBP"))
    assert line.tax == Tax("standard", 2000)


@pytest.mark.parametrize(
    ("price", "field"),
    [
        ({"priceType": "usageBased"}, "hansaTariff"),
        ({"priceType": "recurring", "recurringChargePeriod": "week"}, "recurringChargePeriod"),
        ({"priceType": "nonRecurring", "price": None}, ""),
        ({"unit": "ZAR"}, "unit"),
    ],
)
def test_what_we_could_not_account_for_is_not_taken(price: Json, field: str) -> None:
    shape = plain_quote()
    (first,) = shape["quoteItem"][0]["quoteItemPrice"]
    if "unit" in price:
        first["price"]["dutyFreeAmount"] = {"unit": "ZAR", "value": 1}
    else:
        first.update(price)
    if price.get("price", 1) is None:
        del first["price"]
    with pytest.raises(Refused) as refusal:
        quote.read(over(shape), seller=BT, buyer=MTN, currency="GBP")
    assert str(refusal.value.field).startswith("quoteItem.0.quoteItemPrice.0")
    assert str(refusal.value.field).endswith(field)


@pytest.mark.parametrize("amount", [{"unit": "ZAR", "value": 1}, {"unit": "GBP", "value": 0}])
def test_what_cancelling_costs_is_more_than_nothing_in_the_quotes_currency(amount: Json) -> None:
    shape = plain_quote()
    shape["quoteItem"][0]["hansaCancellation"] = amount
    with pytest.raises(Refused) as refusal:
        quote.read(over(shape), seller=BT, buyer=MTN, currency="GBP")
    assert refusal.value.field == "quoteItem.0.hansaCancellation"


@pytest.mark.parametrize(
    ("cir", "mbps"),
    [
        ({"irValue": 100, "irUnits": "MBPS"}, 100),
        ({"irValue": Decimal("0.1"), "irUnits": "GBPS"}, 100),
        ({"irValue": 2_000_000, "irUnits": "BPS"}, 2),
        ({"irValue": Decimal("0.5"), "irUnits": "MBPS"}, None),
        ({"irValue": 1, "irUnits": "KNOTS"}, None),
        ({"irValue": "1", "irUnits": "MBPS"}, None),
        ({"irValue": -5, "irUnits": "MBPS"}, None),
    ],
)
def test_a_rate_is_whole_megabits_or_refused(cir: Json, mbps: int | None) -> None:
    payload = product.write("line", {"speed_mbps": 1}, {"line": "access-eline"})
    for point in ("uniEp", "enniEp"):
        (one,) = payload[point]["ingressBandwidthProfilePerClassOfServiceName"]
        one["bwpFlow"]["cir"] = cir
    if mbps is None:
        with pytest.raises(Refused, match="uniEp"):
            product.read(payload, "product")
    else:
        assert product.read(payload, "product") == {"speed_mbps": mbps}


def test_every_layout_is_official() -> None:
    for name, layout in product.LAYOUTS.items():
        payload = product.write("x", {"speed_mbps": 10, "colour": "red"}, {"x": name})
        assert official().product(layout.urn) is not None
        assert misbuilt(over(payload)) == []
    assert official().product(product.OURS) is None


def test_known_errata_are_read_as_they_are_meant() -> None:
    """Each has a reason, and the schemas that it is about can be used."""
    assert all(ERRATA.values())
    misnamed = "urn:mef:lso:spec:sonata:carrier-ethernet-subscriber-uni:v1.0.0:all"
    assert official().product(misnamed) is not None
    prefix = {"ipv4Prefix": {"ipv4Address": "192.0.2.0", "prefixLength": 24}}
    payload = product.write("x", {}, {"x": "internet-access"})
    payload["ipvc"]["reservedPrefixes"] = [prefix]
    assert misbuilt(payload) == []


# --- notices ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "topic", "event"),
    [
        ("quote", "quote", "quoteStateChangeEvent"),
        ("order", "productOrder", "productOrderStateChangeEvent"),
        ("order", "cancelProductOrder", "cancelProductOrderStateChangeEvent"),
        ("ticket", "troubleTicket", "troubleTicketStatusChangeEvent"),
        ("qualification", "productOfferingQualification", "poqStateChangeEvent"),
    ],
)
def test_a_notice_is_an_official_event(api: str, topic: str, event: str) -> None:
    compose = hub.composers(BT)[f"Sonata {api}"]
    owner = Actor(MTN, "partner")
    base = "https://mtn.example/here/"
    one = Subscription(SubscriptionId("s"), api, (topic,), owner, base, "", NOW)
    happening = Happening(EventId("e"), topic, "state", "thing-1", NOW)
    post = compose(one, happening)
    assert post is not None
    path = post.url.removeprefix("https://mtn.example/here")
    assert path.endswith(f"/listener/{event}")
    assert list(wrong(Exchange("POST", path, post.body, 204, {}, b""))) == []
    other = replace(one, query="eventType=somethingElse")
    assert compose(other, happening) is None
    assert compose(replace(one, query=f"eventType = x, {event}"), happening) is not None
    assert compose(one, replace(happening, change="delete")) is None
