"""This node's own network as a Seller: the bottom of the recursion.

Nothing is sold here: the node has it from itself, at no price, in no hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hansa.drivers import actions as network
from hansa.drivers import watching
from hansa.drivers.model import Ask, Fit, KeptOrder, KeptQuote, Product, Service, Stretch
from hansa.drivers.registry import Kit
from hansa.drivers.works import Works
from hansa.federation.contract import (
    CharacteristicSpec,
    Condition,
    Milestone,
    Need,
    NeedItem,
    Offer,
    Order,
    OrderState,
    Progress,
    Provided,
    Qualification,
    QualificationLine,
    Quote,
    QuoteLine,
    Tax,
    Terms,
    UsageRecord,
)
from hansa.federation.mandate import Mandate
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    Ids,
    OrderId,
    QualificationId,
    QuoteId,
    TraceId,
)
from hansa.foundation.money import Money, minor_digits
from hansa.foundation.party import Party
from hansa.foundation.readings import Reading
from hansa.foundation.time import Clock, Instant, Period, midnight
from hansa.foundation.transaction import Begin

NO_TAX = Tax(code="exempt", rate_bp=0)


class OwnNetwork:
    """Seller over this node's drivers; its one buyer is the node itself.

    kit: what makes and counts each family. us: this node's operator; offers are shown in its
    currency, and a need may be in any, for all prices are zero. validity: how long a quote holds.
    """

    def __init__(
        self,
        *,
        begin: Begin,
        kit: Kit,
        ids: Ids,
        clock: Clock,
        us: Party,
        validity: timedelta = timedelta(days=30),
    ) -> None:
        self._begin = begin
        self._works = Works(begin=begin, drivers=kit.drivers, ids=ids, clock=clock, buyer=us.id)
        self._meters, self._recorders = kit.meters, kit.recorders
        self._ids = ids
        self._clock = clock
        self._us = us
        self._validity = validity

    # --- what may be had ------------------------------------------------------------------------

    def offers(self) -> Sequence[Offer]:
        with self._begin() as tx:
            return tuple(
                _offer(product, network.reach(tx, product=product), self._us.currency)
                for product in network.products(tx)
            )

    def qualify(self, need: Need) -> Qualification:
        _check_need(need)
        lines = (
            QualificationLine(item.id, True)
            if isinstance(fit, Fit)
            else QualificationLine(item.id, False, reason=fit.code, words=fit.words)
            for item, fit in zip(need.items, self._fits(need), strict=True)
        )
        return Qualification(self._ids.new(QualificationId), tuple(lines))

    def quote(self, need: Need) -> Quote:
        _check_need(need)
        minor_digits(need.currency)
        now = self._clock.now()
        quote = Quote(
            id=self._ids.new(QuoteId),
            seller=self._us.id,
            buyer=self._us.id,
            currency=need.currency,
            lines=tuple(
                _line(item, fit, need.currency)
                for item, fit in zip(need.items, self._fits(need), strict=True)
            ),
            made_at=now,
            valid_until=now + self._validity,
        )
        document = {"quote": documents.write(quote), "trace": need.trace}
        with self._begin() as tx:
            kept = KeptQuote(quote.id, quote.buyer, now, quote.valid_until, document)
            network.keep_quote(tx, quote=kept)
        return quote

    def _fits(self, need: Need) -> Sequence[Fit | Refused | NotFound]:
        """What each item comes to, or why it cannot be had."""
        asks = [_ask(item, item.id) for item in need.items]
        with self._begin() as tx:
            found = network.fits(tx, buyer=self._us.id, asks=asks)
        return [
            self._can(fit, ask.item) if isinstance(fit, Fit) else fit
            for fit, ask in zip(found, asks, strict=True)
        ]

    def _can(self, fit: Fit, item: str) -> Fit | Refused:
        reason = self._works.driver(fit.product.family).can(fit.intent)
        if reason is None:
            return fit
        return Refused("network-cannot", reason, field=f"items.{item}.characteristics")

    # --- orders ---------------------------------------------------------------------------------

    def order(
        self,
        *,
        quote_id: QuoteId,
        key: BuyerKey,
        mandate: Mandate | None = None,  # noqa: ARG002 - nobody else has to be shown who asked
    ) -> Order:
        return self._shown(self._works.order(quote=quote_id, key=key, read=_asked))

    def cease(
        self,
        *,
        order_id: OrderId,
        key: BuyerKey,
        mandate: Mandate | None = None,  # noqa: ARG002 - as above
    ) -> Order:
        return self._shown(self._works.cease(order_id=order_id, key=key))

    def progress(self, order_id: OrderId) -> Progress:
        order = self._works.find(order_id)
        completed = order.state == "completed"
        return Progress(
            order=order.id,
            key=order.key,
            state=OrderState(order.state),
            milestones=(
                Milestone("entered", "done", order.placed_at),
                Milestone("on the network", order.state, order.finished_at),
            ),
            provided=tuple(
                Provided(line.item, line.holding, line.since)
                for line in order.lines
                if completed and line.since is not None
            ),
            hops=0,
            reason=order.reason,
        )

    def _shown(self, order: KeptOrder) -> Order:
        return Order(
            id=order.id,
            seller=self._us.id,
            buyer=order.buyer,
            key=order.key,
            quote=order.quote,
            state=OrderState(order.state),
            placed_at=order.placed_at,
            trace=order.trace,
        )

    # --- what is held ---------------------------------------------------------------------------

    def condition(self, holding_id: HoldingId) -> Condition:
        service = self._held(holding_id)
        driver = self._works.driver(service.family)
        if service.intent is None:
            return Condition(holding_id, "ended", (), driver.measured)
        series = watching.measured(self._begin, holding=holding_id, clock=self._clock)
        checks = (*driver.verify(service.intent), *series)
        well = all(check.ok for check in checks)
        return Condition(holding_id, "active" if well else "degraded", checks, driver.measured)

    def series(
        self, holding_id: HoldingId, *, start: Instant, end: Instant, step: timedelta
    ) -> Sequence[Stretch]:
        """How a service was from `start` up to `end`, as measured; empty where nothing was."""
        self._held(holding_id)
        with self._begin() as tx:
            return network.series(tx, holdings=[holding_id], start=start, end=end, step=step)

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        service = self._held(holding_id)
        until = period.end if service.ended is None else min(period.end, service.ended)
        if self._clock.now() < until:
            raise TryLater(
                "usage-not-ready",
                f"{period.name} is not over; ask again after {until:%Y-%m-%d %H:%M} UTC.",
                field="period",
            )
        recorder = self._recorders.get(service.family)
        if recorder is not None:
            recorder.take_over(now=self._clock.now())
        meter = self._meters.get(service.family)
        if meter is None:
            return ()
        readings = meter.readings(holding_id, _whole_days(period))
        return tuple(
            record
            for record in _numbered(holding_id, readings, measured=meter.measured)
            if _counts(record.reading, period, service)
        )

    def _held(self, holding_id: HoldingId) -> Service:
        with self._begin() as tx:
            return network.service(tx, buyer=self._us.id, holding=holding_id)


def _line(item: NeedItem, fit: Fit | Refused | NotFound, currency: str) -> QuoteLine:
    if not isinstance(fit, Fit):
        raise fit
    nothing = Money.zero(currency)
    return QuoteLine(
        item=item.id,
        offer=item.offer,
        offer_name=fit.product.name,
        family=fit.product.family,
        site=fit.site,
        characteristics=fit.characteristics,
        quantity=item.quantity,
        terms=Terms(one_off=nothing, monthly=nothing),
        tax=NO_TAX,
        holding=item.holding,
    )


def _offer(product: Product, countries: tuple[str, ...], currency: str) -> Offer:
    return Offer(
        code=product.code,
        name=product.name,
        family=product.family,
        per=product.per,
        countries=countries,
        characteristics=tuple(
            CharacteristicSpec(one.name, one.unit, one.minimum, one.maximum, one.default)
            for one in product.choices
        ),
        currency=currency,
    )


def _check_need(need: Need) -> None:
    if not need.items:
        raise Refused("need-empty", "Ask for at least one item.", field="items")
    names = [item.id for item in need.items]
    if len(set(names)) != len(names):
        raise Refused("item-duplicate", "Give each item a name of its own.", field="items")
    held = [item.holding for item in need.items if item.holding is not None]
    if len(set(held)) != len(held):
        raise Refused("holding-twice", "Two items change the same holding.", field="items")


def _ask(line: NeedItem | QuoteLine, item: str) -> Ask:
    return Ask(item, line.offer, line.site, line.characteristics, line.quantity, line.holding)


def _asked(kept: documents.Json) -> tuple[Sequence[Ask], TraceId]:
    """What the document of a kept quote asks for, and its trace."""
    quote = documents.read(Quote, kept["quote"])
    return [_ask(line, line.item) for line in quote.lines], TraceId(kept["trace"])


def _whole_days(period: Period) -> Period:
    """The period widened to whole UTC days, so that a day's calls are always numbered alike."""
    start, end = midnight(period.start), midnight(period.end)
    return Period(start, end if end == period.end else end + timedelta(days=1))


def _numbered(
    holding: HoldingId, readings: Sequence[Reading], *, measured: bool
) -> Sequence[UsageRecord]:
    """Each reading under its own id: `HOLDING/DAY`, or `HOLDING/DAY/INDEX` for a call."""
    calls: dict[str, int] = {}
    numbered = []
    for reading in readings:
        if reading.kind == "call":
            day = f"{reading.answered_at:%Y-%m-%d}"
            calls[day] = calls.get(day, 0) + 1
            name = f"{day}/{calls[day]}"
        else:
            name = reading.day.isoformat()
        numbered.append(UsageRecord(f"{holding}/{name}", holding, reading, measured))
    return numbered


def _counts(reading: Reading, period: Period, service: Service) -> bool:
    """A call counts while the service is held; a day when any of it is."""
    if service.started is None:
        return False
    in_place = period.meet(service.started, service.ended)
    if in_place is None:
        return False
    if reading.kind == "call":
        return in_place.holds(reading.answered_at)
    start = midnight(reading.day)
    return period.holds(start) and in_place.meet(start, start + timedelta(days=1)) is not None
