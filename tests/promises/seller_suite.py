"""What every Seller promises, written once.

A test of a keeper inherits `SellerSuite` and gives it a `market` fixture: a seller bound to a
buyer, and the few things that differ from keeper to keeper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from hansa.federation.contract import (
    Characteristics,
    Charged,
    Need,
    OrderState,
    Progress,
    Provided,
    Quote,
    Seller,
)
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, OfferCode, OrderId, QuoteId
from hansa.foundation.money import add_up
from hansa.foundation.readings import Reading
from hansa.foundation.site import Site
from hansa.foundation.time import Period, SetClock


@dataclass(frozen=True, slots=True)
class Market:
    """A seller and what its suite has to know.

    stranger: the same seller, bound to another buyer. need: one that can be had, of two items
    at least, with a characteristic in `change`. unreachable: a site where it cannot be had, and
    for what reason.
    change: characteristics of the first item, other than those it is asked with.
    wrong_currency: one that this seller does not sell in. settle: does all work that is due
    now, in every node of the chain. unfinished: places an order and stops before it is done.
    shows: a holding's characteristics as the network below has them; None where it is not.
    hops: sales in the chain. measured: whether the network below is a real one.
    """

    seller: Seller
    stranger: Seller
    clock: SetClock
    need: Need
    unreachable: Site
    unreachable_reason: str
    change: Characteristics
    wrong_currency: str
    settle: Callable[[], None]
    unfinished: Callable[[QuoteId, BuyerKey], OrderId]
    shows: Callable[[HoldingId], Characteristics | None]
    hops: int
    measured: bool

    def ordered(self, key: str, need: Need | None = None) -> Progress:
        """An order of the need, from quote to completion."""
        quote = self.seller.quote(need or self.need)
        order = self.seller.order(quote_id=quote.id, key=BuyerKey(key))
        return self.settled(order.id)

    def settled(self, order: OrderId) -> Progress:
        self.settle()
        return self.seller.progress(order)

    def ceased(self, order: OrderId, key: str) -> Progress:
        return self.settled(self.seller.cease(order_id=order, key=BuyerKey(key)).id)

    def changing(self, holding: HoldingId) -> Need:
        """The need that changes what the first item brought."""
        item = replace(self.need.items[0], characteristics=self.change, holding=holding)
        return replace(self.need, items=(item,))

    def next_month(self) -> Period:
        """Goes on to the second day of the next month; returns the month that is over."""
        month = Period.month_of(self.clock.now())
        self.clock.move(month.end + timedelta(days=1) - self.clock.now())
        self.settle()
        return month


class SellerSuite:
    """Inherit this and give it a `market`."""

    # --- what is on offer -----------------------------------------------------------------------

    def test_what_can_be_asked_for_is_on_offer(self, market: Market) -> None:
        offers = {offer.code: offer for offer in market.seller.offers()}
        for item in market.need.items:
            offer = offers[item.offer]
            assert offer.name
            assert item.site is None or item.site.country in offer.countries
            assert {spec.name for spec in offer.characteristics} >= set(item.characteristics)

    # --- can it be had --------------------------------------------------------------------------

    def test_each_item_is_qualified_in_the_order_asked(self, market: Market) -> None:
        qualification = market.seller.qualify(market.need)
        assert [line.item for line in qualification.lines] == [one.id for one in market.need.items]
        assert all(line.feasible and not line.reason for line in qualification.lines)

    def test_what_cannot_be_had_says_why_and_spoils_nothing_else(self, market: Market) -> None:
        first, *others = market.need.items
        need = replace(market.need, items=(replace(first, site=market.unreachable), *others))
        lines = market.seller.qualify(need).lines
        assert not lines[0].feasible
        assert lines[0].reason == market.unreachable_reason
        assert lines[0].words
        assert all(line.feasible for line in lines[1:])

    # --- at what price --------------------------------------------------------------------------

    def test_a_quote_prices_every_item(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        assert [line.item for line in quote.lines] == [item.id for item in market.need.items]
        for line, item in zip(quote.lines, market.need.items, strict=True):
            assert (line.offer, line.site, line.quantity) == (item.offer, item.site, item.quantity)
            assert {**line.characteristics, **item.characteristics} == dict(line.characteristics)
            assert line.terms.one_off.currency == line.terms.monthly.currency == quote.currency
        assert quote.currency == market.need.currency
        assert quote.made_at == market.clock.now() < quote.valid_until

    def test_an_unknown_product_is_refused(self, market: Market) -> None:
        self._refused(market, "offer-unknown", offer=OfferCode("no-such-thing"))

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_less_than_one_is_refused(self, market: Market, quantity: int) -> None:
        self._refused(market, "quantity-invalid", quantity=quantity)

    def test_a_site_out_of_reach_is_refused(self, market: Market) -> None:
        self._refused(market, market.unreachable_reason, site=market.unreachable)

    def test_a_characteristic_that_is_not_for_choice_is_refused(self, market: Market) -> None:
        self._refused(market, "characteristic-unknown", characteristics={"colour": 3})

    def test_the_wrong_currency_is_refused(self, market: Market) -> None:
        with pytest.raises(Refused) as refusal:
            market.seller.quote(replace(market.need, currency=market.wrong_currency))
        assert refusal.value.code in {"currency-wrong", "currency-unknown"}

    def test_nothing_is_no_need(self, market: Market) -> None:
        with pytest.raises(Refused, match="need-empty"):
            market.seller.quote(replace(market.need, items=()))

    def test_two_items_of_one_name_are_refused(self, market: Market) -> None:
        first = market.need.items[0]
        with pytest.raises(Refused, match="item-duplicate"):
            market.seller.quote(replace(market.need, items=(first, first)))

    def _refused(self, market: Market, code: str, **asked: object) -> None:
        """The first item, asked so, is refused with the code and a field that names the item."""
        first = replace(market.need.items[0], **asked)  # type: ignore[arg-type]
        need = replace(market.need, items=(first, *market.need.items[1:]))
        with pytest.raises(Refused) as refusal:
            market.seller.quote(need)
        assert refusal.value.code == code
        assert refusal.value.words

    # --- yes ------------------------------------------------------------------------------------

    def test_an_order_is_completed_and_provides_every_item(self, market: Market) -> None:
        asked_at = market.clock.now()
        quote = market.seller.quote(market.need)
        order = market.seller.order(quote_id=quote.id, key=BuyerKey("first"))
        assert (order.quote, order.key, order.trace) == (quote.id, "first", market.need.trace)
        assert (order.seller, order.buyer) == (quote.seller, quote.buyer)
        progress = market.settled(order.id)
        assert (progress.order, progress.key) == (order.id, "first")
        assert progress.state is OrderState.COMPLETED
        assert [one.item for one in progress.provided] == [item.id for item in market.need.items]
        assert len({one.holding for one in progress.provided}) == len(market.need.items)
        assert all(asked_at <= one.since <= market.clock.now() for one in progress.provided)
        assert progress.hops == market.hops
        assert progress.milestones
        for one, item in zip(progress.provided, market.need.items, strict=True):
            shown = market.shows(one.holding)
            assert shown is not None
            assert {**shown, **item.characteristics} == dict(shown)

    def test_the_same_key_gives_the_same_order(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        first = market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        again = market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        done = market.settled(first.id)
        later = market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        assert first.id == again.id == later.id
        assert market.settled(first.id).provided == done.provided

    def test_a_reused_key_is_refused_and_nothing_comes_of_it(self, market: Market) -> None:
        quote, other = (market.seller.quote(market.need) for _ in range(2))
        market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        with pytest.raises(Refused, match="key-reused"):
            market.seller.order(quote_id=other.id, key=BuyerKey("one"))
        order = market.seller.order(quote_id=other.id, key=BuyerKey("two"))
        assert market.settled(order.id).state is OrderState.COMPLETED

    def test_a_quote_is_good_for_one_order(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        with pytest.raises(Refused, match="quote-used"):
            market.seller.order(quote_id=quote.id, key=BuyerKey("two"))

    def test_an_expired_quote_is_refused(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        market.clock.move(quote.valid_until - market.clock.now())
        with pytest.raises(Refused, match="quote-expired"):
            market.seller.order(quote_id=quote.id, key=BuyerKey("late"))

    def test_no_quote_no_order(self, market: Market) -> None:
        with pytest.raises(NotFound, match="quote-unknown"):
            market.seller.order(quote_id=QuoteId("quo_none"), key=BuyerKey("one"))

    def test_someone_elses_things_are_not_there(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        with pytest.raises(NotFound, match="quote-unknown"):
            market.stranger.order(quote_id=quote.id, key=BuyerKey("theirs"))
        done = market.ordered("ours")
        with pytest.raises(NotFound, match="order-unknown"):
            market.stranger.progress(done.order)
        with pytest.raises(NotFound, match="order-unknown"):
            market.stranger.cease(order_id=done.order, key=BuyerKey("theirs"))
        holding = done.provided[0].holding
        with pytest.raises(NotFound, match="holding-unknown"):
            market.stranger.condition(holding)
        month = market.next_month()
        with pytest.raises(NotFound, match="holding-unknown"):
            market.stranger.usage(holding_id=holding, period=month)

    # --- is it as promised ----------------------------------------------------------------------

    def test_what_was_provided_is_as_promised(self, market: Market) -> None:
        for one in market.ordered("one").provided:
            condition = market.seller.condition(one.holding)
            assert (condition.holding, condition.state) == (one.holding, "active")
            assert condition.checks
            assert all(check.ok for check in condition.checks)
            assert condition.measured is market.measured

    # --- what was consumed ----------------------------------------------------------------------

    def test_usage_is_told_once_the_month_is_over(self, market: Market) -> None:
        one = market.ordered("one").provided[0]
        this_month = Period.month_of(market.clock.now())
        with pytest.raises(TryLater, match="usage-not-ready"):
            market.seller.usage(holding_id=one.holding, period=this_month)
        month = market.next_month()
        records = market.seller.usage(holding_id=one.holding, period=month)
        assert records == market.seller.usage(holding_id=one.holding, period=month)
        assert records
        assert {record.holding for record in records} == {one.holding}
        assert {record.measured for record in records} == {market.measured}
        assert len({record.id for record in records}) == len(records)
        moments = [_moment(record.reading) for record in records]
        assert moments == sorted(moments)
        assert _moment_of_day(one) <= moments[0]
        assert moments[-1] < month.end.isoformat()

    def test_there_is_no_usage_before_it_was_provided(self, market: Market) -> None:
        one = market.ordered("one").provided[0]
        before = Period.month_of(Period.month_of(one.since).start - timedelta(days=1))
        assert list(market.seller.usage(holding_id=one.holding, period=before)) == []

    # --- change and cease -----------------------------------------------------------------------

    def test_a_change_keeps_the_holding(self, market: Market) -> None:
        one = market.ordered("one").provided[0]
        market.clock.move(timedelta(days=3))
        changed = market.ordered("two", market.changing(one.holding))
        assert changed.state is OrderState.COMPLETED
        assert [new.holding for new in changed.provided] == [one.holding]
        assert changed.provided[0].since > one.since
        assert _has(market, one.holding, market.change)
        assert market.seller.condition(one.holding).state == "active"

    def test_ceasing_a_change_goes_back_to_what_was_before(self, market: Market) -> None:
        one = market.ordered("one").provided[0]
        before = market.shows(one.holding)
        market.clock.move(timedelta(days=3))
        changed = market.ordered("two", market.changing(one.holding))
        market.clock.move(timedelta(days=3))
        back = market.ceased(changed.order, "three")
        assert back.state is OrderState.COMPLETED
        assert market.shows(one.holding) == before
        assert market.seller.condition(one.holding).state == "active"

    def test_a_cease_ends_all_that_the_order_brought(self, market: Market) -> None:
        done = market.ordered("one")
        market.clock.move(timedelta(days=3))
        ceased = market.ceased(done.order, "two")
        assert ceased.state is OrderState.COMPLETED
        assert [(one.item, one.holding) for one in ceased.provided] == [
            (one.item, one.holding) for one in done.provided
        ]
        assert all(one.since == market.clock.now() for one in ceased.provided)
        for one in done.provided:
            assert market.seller.condition(one.holding).state == "ended"
            assert market.shows(one.holding) is None
        with pytest.raises((Refused, NotFound)):
            market.seller.quote(market.changing(done.provided[0].holding))

    def test_ceasing_is_done_once(self, market: Market) -> None:
        done = market.ordered("one")
        first = market.seller.cease(order_id=done.order, key=BuyerKey("two"))
        assert market.seller.cease(order_id=done.order, key=BuyerKey("two")).id == first.id
        ended = market.settled(first.id)
        market.clock.move(timedelta(hours=1))
        assert market.seller.cease(order_id=done.order, key=BuyerKey("two")).id == first.id
        assert market.settled(first.id).provided == ended.provided

    def test_the_key_of_an_order_is_not_the_key_of_a_cease(self, market: Market) -> None:
        done = market.ordered("one")
        with pytest.raises(Refused, match="key-reused"):
            market.seller.cease(order_id=done.order, key=BuyerKey("one"))

    def test_what_was_never_ordered_cannot_be_ceased(self, market: Market) -> None:
        with pytest.raises(NotFound, match="order-unknown"):
            market.seller.cease(order_id=OrderId("ord_none"), key=BuyerKey("one"))

    def test_usage_up_to_the_cease_is_still_told(self, market: Market) -> None:
        done = market.ordered("one")
        market.clock.move(timedelta(days=3))
        market.ceased(done.order, "two")
        ended = market.clock.now()
        month = market.next_month()
        records = market.seller.usage(holding_id=done.provided[0].holding, period=month)
        assert records
        assert max(_moment(record.reading) for record in records) < ended.isoformat()

    def test_an_order_in_progress_is_cancelled(self, market: Market) -> None:
        quote = market.seller.quote(market.need)
        order = market.unfinished(quote.id, BuyerKey("one"))
        before = market.seller.progress(order).state
        assert before not in {OrderState.COMPLETED, OrderState.FAILED, OrderState.CANCELLED}
        assert market.ceased(order, "two").state is OrderState.COMPLETED
        cancelled = market.seller.progress(order)
        assert cancelled.state is OrderState.CANCELLED
        assert cancelled.provided == ()
        price = add_up(
            (line.cancellation for line in quote.lines if line.cancellation), quote.currency
        )
        if before is OrderState.ACKNOWLEDGED or not price:
            assert cancelled.charged is None
        else:
            assert cancelled.charged == Charged(price, market.clock.now())

    def test_quotes_are_locked(self, market: Market) -> None:
        quote: Quote = market.seller.quote(market.need)
        market.clock.move(timedelta(minutes=1))
        order = market.seller.order(quote_id=quote.id, key=BuyerKey("one"))
        assert market.settled(order.id).state is OrderState.COMPLETED
        assert quote.valid_until > market.clock.now()


def _has(market: Market, holding: HoldingId, wanted: Characteristics) -> bool:
    shown = market.shows(holding)
    return shown is not None and {**shown, **wanted} == dict(shown)


def _moment(reading: Reading) -> str:
    """When a reading was taken, in a form that sorts: a day as its first instant."""
    if reading.kind == "call":
        return reading.answered_at.isoformat()
    return f"{reading.day.isoformat()}T00:00:00+00:00"


def _moment_of_day(provided: Provided) -> str:
    return f"{provided.since:%Y-%m-%d}T00:00:00+00:00"
