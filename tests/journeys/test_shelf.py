"""What a node keeps between itself and one actor: found again, moved, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hansa.federation.contract import OrderState
from hansa.federation.shelf import CancellationState, QuoteState, Shelf
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QualificationId, QuoteId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.time import SetClock
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import ListPrice
from tests.alliance import LINE, RETAIL, SHOP, Alliance, chain
from tests.databases import Pool
from tests.standing import Standing, standing

OTHER = PartyId("other")


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Two operators and two customers of the upper one, built once."""
    with pool.lend() as databases:
        clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
        alliance = Alliance(databases, tmp_path_factory.mktemp("shelf"), clock, b"shelf")
        chain(alliance, 2)
        alliance.customer(alliance.top, OTHER)
        with standing(alliance) as stood:
            yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


@pytest.fixture
def shelf(alliance: Alliance) -> Shelf:
    """The customer's."""
    return alliance.top.seat(Actor(SHOP, "customer")).shelf


@pytest.fixture
def others(alliance: Alliance) -> Shelf:
    """Another customer's."""
    return alliance.top.seat(Actor(OTHER, "customer")).shelf


@pytest.fixture
def everyones(alliance: Alliance) -> Shelf:
    """The operator's own people's."""
    return alliance.top.seat(Actor(alliance.top.us.id, "operator")).shelf


def caught(act: Callable[[], object]) -> HansaError:
    with pytest.raises(HansaError) as raised:
        act()
    return raised.value


def test_a_quote_is_found_again_with_what_came_with_it(alliance: Alliance, shelf: Shelf) -> None:
    extras = {"note": [{"text": "urgent"}], "weight": Decimal("1.50")}
    made = shelf.make_quote(alliance.need("Durban"), extras=extras)
    assert made.state is QuoteState.APPROVED
    assert shelf.quote(made.quote.id) == made
    assert shelf.quote(made.quote.id).extras == extras
    alliance.clock.move(timedelta(seconds=1))
    bare = shelf.make_quote(alliance.need("Soweto"))
    page = shelf.quotes(limit=1)
    assert ([one.quote.id for one in page.things], page.total) == ([bare.quote.id], 2)
    assert [one.quote.id for one in shelf.quotes(offset=1).things] == [made.quote.id]
    assert shelf.quotes(offset=7).total == 2


@pytest.mark.parametrize("state", [QuoteState.REJECTED, QuoteState.CANCELLED])
def test_a_quote_that_was_said_no_to_cannot_be_ordered(
    alliance: Alliance, shelf: Shelf, state: QuoteState
) -> None:
    quote = shelf.make_quote(alliance.need("Durban")).quote
    moved = shelf.move_quote(quote.id, state=state, reason="too dear")
    assert (moved.state, moved.reason) == (state, "too dear")
    assert shelf.move_quote(quote.id, state=state) == moved
    assert caught(lambda: shelf.place_order(quote.id)).code == "quote-closed"
    assert caught(lambda: shelf.move_quote(quote.id, state=QuoteState.ACCEPTED)).code == (
        "state-move"
    )
    assert shelf.orders().total == 0


def test_a_quote_that_was_ordered_is_accepted_for_good(alliance: Alliance, shelf: Shelf) -> None:
    quote = shelf.make_quote(alliance.need("Durban")).quote
    shelf.move_quote(quote.id, state=QuoteState.ACCEPTED)
    shelf.place_order(quote.id)
    assert shelf.quote(quote.id).state is QuoteState.ACCEPTED
    refusal = caught(lambda: shelf.move_quote(quote.id, state=QuoteState.REJECTED))
    assert refusal.code == "state-move"
    assert [one.quote.id for one in shelf.quotes(state=QuoteState.ACCEPTED).things] == [quote.id]
    assert shelf.quotes(state=QuoteState.APPROVED).total == 0


def test_an_order_shows_its_lines_and_what_they_became(alliance: Alliance, shelf: Shelf) -> None:
    quote = shelf.make_quote(alliance.need("Durban", "Soweto")).quote
    placed = shelf.place_order(quote.id, key=BuyerKey("k1"), extras={"priority": "1"})
    assert [line.action for line in placed.lines] == ["add", "add"]
    assert [line.holding for line in placed.lines] == [None, None]
    alliance.work()
    done = shelf.order(placed.order.id)
    assert done.progress.state is OrderState.COMPLETED
    assert done.extras == {"priority": "1"}
    held = {line.quoted.item: line.holding for line in done.lines}
    assert {one.item: one.id for one in shelf.holdings().things} == held

    ended = shelf.end_order(placed.order.id)
    assert (ended.kind, ended.ends) == ("cease", placed.order.id)
    assert {line.quoted.item: line.holding for line in ended.lines} == held
    assert {line.action for line in ended.lines} == {"delete"}
    alliance.work()
    assert shelf.holdings(state="active").total == 0
    assert {one.until is not None for one in shelf.holdings(state="terminated").things} == {True}


def test_a_change_is_a_line_that_modifies(alliance: Alliance, shelf: Shelf) -> None:
    shelf.order_outright(alliance.need("Durban"))
    alliance.work()
    (held,) = shelf.holdings().things
    faster = alliance.need("Durban", speed=200, holding=held.id)
    changed = shelf.place_order(shelf.make_quote(faster).quote.id)
    assert [(line.action, line.holding) for line in changed.lines] == [("modify", held.id)]
    alliance.pass_time(timedelta(minutes=1))
    (now,) = shelf.holdings().things
    assert (now.characteristics, now.order) == ({"speed_mbps": 200}, changed.order.id)
    assert now.began_with != changed.order.id


def test_an_order_outright_is_one_order_for_one_key(alliance: Alliance, shelf: Shelf) -> None:
    need = alliance.need("Durban")
    key = BuyerKey("k1")
    first = shelf.order_outright(need, key=key)
    again = shelf.order_outright(replace(need, trace=alliance.top.ids.trace()), key=key)
    assert again.order.id == first.order.id
    assert shelf.quotes().total == 1, "no price was made for an order that is there already"
    other = alliance.need("Soweto")
    assert caught(lambda: shelf.order_outright(other, key=key)).code == "key-reused"
    assert shelf.order_outright(need).order.id != first.order.id


def test_an_order_that_is_held_is_found_as_held(alliance: Alliance, shelf: Shelf) -> None:
    placed = shelf.order_outright(alliance.need("Durban")).order.id
    assert shelf.orders(state=OrderState.ACKNOWLEDGED).total == 1
    alliance.top.work_once()
    assert [one.order.id for one in shelf.orders(state=OrderState.IN_PROGRESS).things] == [placed]
    assert shelf.orders(state=OrderState.HELD).total == 0


def test_an_order_is_cancelled_before_anything_is_done_at_no_charge(
    alliance: Alliance, shelf: Shelf
) -> None:
    placed = shelf.order_outright(alliance.need("Durban")).order
    asked = shelf.cancel_order(placed.id, reason="changed my mind", extras={"x": 1})
    assert (asked.state, asked.charge) == (CancellationState.ACKNOWLEDGED, Money.zero("GBP"))
    assert shelf.cancel_order(placed.id) == asked, "an order is cancelled once"
    alliance.work()
    done = shelf.cancellation(asked.id)
    assert done.state is CancellationState.DONE
    assert done.effective_at == alliance.clock.now()
    assert (done.reason, done.extras) == ("changed my mind", {"x": 1})
    assert shelf.order(placed.id).cancellation == done
    assert shelf.order(placed.id).progress.state is OrderState.CANCELLED
    assert shelf.cancellations(state=CancellationState.DONE).total == 1
    assert shelf.cancellations(state=CancellationState.IN_PROGRESS).total == 0
    assert shelf.holdings().total == 0


def test_cancelling_costs_what_the_quote_says_once_work_has_begun(
    alliance: Alliance, shelf: Shelf
) -> None:
    """The price list may say something else by then."""
    _charges(alliance, Decimal("12.50"))
    quote = shelf.make_quote(alliance.need("Durban", "Soweto", quantity=2)).quote
    assert [line.cancellation for line in quote.lines] == [Money(2500, "GBP")] * 2
    alliance.clock.move(timedelta(seconds=1))
    _charges(alliance, Decimal(99))
    placed = shelf.place_order(quote.id).order
    alliance.top.work_once()
    asked = shelf.cancel_order(placed.id)
    assert asked.charge == Money(5000, "GBP")
    alliance.work()
    assert shelf.cancellation(asked.id).state is CancellationState.DONE


def _charges(alliance: Alliance, amount: Decimal) -> None:
    with alliance.top.begin() as tx:
        catalogue.put_price(
            tx,
            price=ListPrice(
                RETAIL,
                LINE,
                "GBP",
                Decimal(0),
                Decimal(5),
                alliance.clock.now(),
                margin_bp=1000,
                cancellation=amount,
            ),
        )


def test_what_is_over_is_not_cancelled(alliance: Alliance, shelf: Shelf) -> None:
    placed = shelf.order_outright(alliance.need("Durban")).order
    alliance.work()
    refusal = caught(lambda: shelf.cancel_order(placed.id))
    assert isinstance(refusal, Refused) and refusal.code == "order-not-cancellable"
    ceasing = shelf.end_order(placed.id).order
    assert caught(lambda: shelf.cancel_order(ceasing.id)).code == "order-not-cancellable"


def test_a_qualification_is_kept_until_it_expires(alliance: Alliance, shelf: Shelf) -> None:
    made = shelf.qualify(alliance.need("Durban"), extras={"channel": {"id": "web"}})
    assert shelf.qualification(made.qualification.id) == made
    assert shelf.qualifications().total == 1
    alliance.clock.move(timedelta(days=8))
    assert shelf.qualifications().total == 0
    found = caught(lambda: shelf.qualification(made.qualification.id))
    assert isinstance(found, NotFound) and found.code == "qualification-unknown"


def test_what_is_on_offer_says_since_when(shelf: Shelf) -> None:
    (offer,) = shelf.offers()
    assert (offer.offer.code, offer.since.year) == (LINE, 2026)


def test_a_month_is_found_by_both_who_trade(alliance: Alliance, shelf: Shelf) -> None:
    shelf.order_outright(alliance.need("Durban"))
    alliance.work()
    alliance.pass_time(timedelta(days=31))
    (bill,) = shelf.bills().things
    assert bill.number and bill.state.value in {"validated", "sent"}
    assert shelf.bill(bill.id) == bill
    op1, op2 = alliance.nodes.values()
    (theirs,) = op1.seat(Actor(op2.us.id, "partner")).shelf.bills().things
    (ours,) = op2.seat(Actor(op1.us.id, "partner")).shelf.bills().things
    assert (theirs.id, theirs.state, theirs.lines) == (ours.id, ours.state, ours.lines)
    request = shelf.request_bill(extras={"name": "now"})
    assert request.bill == bill.id
    assert shelf.bill_request(request.id) == request
    records = shelf.usage()
    assert [shelf.usage_record(one.id) for one in records.things[:1]] == list(records.things[:1])


def test_an_agreement_is_shown_to_those_who_signed_it(alliance: Alliance, shelf: Shelf) -> None:
    op1, op2 = alliance.nodes.values()
    (found,) = op1.seat(Actor(op2.us.id, "partner")).shelf.agreements().things
    assert (found.state, found.launched, len(found.signatures)) == ("live", ("ZA",), 2)
    again = op1.seat(Actor(op2.us.id, "partner")).shelf.agreement(found.document.id)
    assert again == found
    assert shelf.agreements().total == 0


def test_anothers_things_look_as_if_they_were_not_there(
    alliance: Alliance, shelf: Shelf, others: Shelf, everyones: Shelf
) -> None:
    """By id the same words as for an unknown one, in lists nothing; our own people see all."""
    placed = shelf.order_outright(alliance.need("Durban"))
    alliance.top.work_once()
    cancelled = shelf.cancel_order(placed.order.id)
    kept = shelf.qualify(alliance.need("Durban")).qualification
    quote = shelf.make_quote(alliance.need("Soweto")).quote
    alliance.work()
    shelf.order_outright(alliance.need("Soweto"))
    alliance.work()
    (held,) = shelf.holdings(state="active").things
    asks: list[tuple[Callable[[str], object], str]] = [
        (lambda id: others.quote(QuoteId(id)), quote.id),
        (lambda id: others.move_quote(QuoteId(id), state=QuoteState.REJECTED), quote.id),
        (lambda id: others.place_order(QuoteId(id)), quote.id),
        (lambda id: others.order(OrderId(id)), placed.order.id),
        (lambda id: others.cancel_order(OrderId(id)), placed.order.id),
        (lambda id: others.end_order(OrderId(id)), placed.order.id),
        (lambda id: others.cancellation(type(cancelled.id)(id)), cancelled.id),
        (lambda id: others.holding(HoldingId(id)), held.id),
        (lambda id: others.qualification(QualificationId(id)), kept.id),
    ]
    for ask, theirs in asks:
        nobodys = theirs[:4] + "0" * 32
        told, unknown = caught(lambda: ask(theirs)), caught(lambda: ask(nobodys))  # noqa: B023
        assert (told.code, told.words.replace(theirs, "ID"), told.field) == (
            unknown.code,
            unknown.words.replace(nobodys, "ID"),
            unknown.field,
        )
    for one in (others.quotes(), others.orders(), others.cancellations(), others.holdings()):
        assert (list(one.things), one.total) == ([], 0)
    assert others.qualifications().total == 0
    assert everyones.orders().total == 3
    assert everyones.order(placed.order.id).lines[0].quoted == placed.lines[0].quoted
    assert everyones.quote(quote.id).quote == quote
