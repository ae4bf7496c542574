"""What delivery does unasked: begins with accepted orders, and sees their tasks through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from hansa.federation import notices
from hansa.federation.contract import (
    Order,
    OrderState,
    Progress,
    Provided,
    Seller,
)
from hansa.federation.keys import vouching
from hansa.federation.keys.vouching import Voucher
from hansa.federation.mandate import Mandate
from hansa.federation.papers import OrderMoved
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    Ids,
    OrderId,
    PartyId,
    PlanId,
    QuoteId,
)
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import (
    Done,
    Handlers,
    Inside,
    Outcome,
    Outside,
    Plan,
    PlanState,
    Retry,
    Task,
    Wait,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.delivery import actions, rules
from hansa.lifecycle.delivery.model import (
    CEASE,
    END,
    FAIL,
    PROVIDE,
    SUPPLY,
    WITHDRAW,
    Supplied,
)
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.quote.actions import quotes

log = logging.getLogger(__name__)

Sellers = Callable[[PartyId], Seller]

ORDERS_A_TURN = 20

PATIENCE = Retry(attempts=40)
"""A seller may be silent for about a quarter of an hour before a person is asked."""

FAILED = frozenset({OrderState.FAILED, OrderState.CANCELLED})


def begin_orders(tx: Transaction, *, us: PartyId, ids: Ids, now: Instant) -> int:
    """Takes accepted orders and writes their plans; returns how many it took."""
    taken = orders.take(tx, us=us, limit=ORDERS_A_TURN, ids=ids, now=now)
    for kept in taken:
        _log("order begun", kept)
        if kept.kind == "provide":
            quote = quotes.get(tx, quote_id=kept.order.quote)
            steps = rules.provide_steps(kept.order.id, quote, kept.mandate, ids)
            plans.write(
                tx,
                plan_id=ids.new(PlanId),
                subject=kept.order.id,
                kind="order",
                trace=kept.order.trace,
                steps=steps,
                now=now,
            )
        else:
            _begin_cease(tx, us=us, kept=kept, ids=ids, now=now)
    return len(taken)


def _begin_cease(tx: Transaction, *, us: PartyId, kept: KeptOrder, ids: Ids, now: Instant) -> None:
    """Cancels what is under way, or plans how to end what was brought.

    A plan that is turned back already ends this cease with its own failure (`_fail`).
    """
    assert kept.ends is not None
    under_way = plans.of_subject(tx, subject=kept.ends)
    assert under_way is not None
    if plans.cancel(tx, plan=under_way.id, by=kept.order.buyer, why=kept.order.id, now=now):
        return
    target = orders.get(tx, us=us, order_id=kept.ends)  # the plan is locked: this stands
    if target.order.state is OrderState.COMPLETED:
        quote = quotes.get(tx, quote_id=kept.order.quote)
        plan = plans.of_subject(tx, subject=kept.ends)
        assert plan is not None
        plans.write(
            tx,
            plan_id=ids.new(PlanId),
            subject=kept.order.id,
            kind="cease",
            trace=kept.order.trace,
            now=now,
            steps=rules.cease_steps(kept.order.id, kept.ends, quote, plan, ids),
        )
    elif target.order.state in FAILED:
        _finish(
            tx,
            us=us,
            order_id=kept.order.id,
            state=OrderState.COMPLETED,
            ids=ids,
            now=now,
        )


def handlers(
    *, us: PartyId, begin: Begin, sellers: Sellers, ids: Ids, vouch: Voucher | None = None
) -> Handlers:
    """The handlers of delivery's tasks. vouch: signs our link of a mandate; None: none is sent."""
    supply = partial(_supply_call, sellers, vouch)
    cease = partial(_cease_call, sellers, vouch, partial(_asked_to_end, us, begin))
    return {
        SUPPLY: Outside(
            call=supply, record=partial(_supply_record, us), retry=PATIENCE, heard=_supply_heard
        ),
        WITHDRAW: Outside(
            call=cease, record=partial(_cease_record, us), retry=Retry(attempts=None)
        ),
        CEASE: Outside(call=cease, record=partial(_cease_record, us), retry=PATIENCE),
        PROVIDE: Inside(partial(_provide, us, ids)),
        END: Inside(partial(_end, us, ids)),
        FAIL: Inside(partial(_fail, us, ids)),
    }


# --- supply: order from a seller and wait until it has delivered ---------------------------------


def _supply_call(sellers: Sellers, vouch: Voucher | None, task: Task, now: Instant) -> Json:
    seller = sellers(PartyId(task.body["seller"]))
    if task.output is None:
        order = _order(seller, vouch, task, now)
        if order.state is not OrderState.COMPLETED:
            return documents.write(Supplied(order.id, Progress(order.id, order.key, order.state)))
        return documents.write(Supplied(order.id, seller.progress(order.id)))
    known = rules.supplied(task)
    return documents.write(Supplied(known.order, _heard(seller, task, known.order, task.id)))


def _order(seller: Seller, vouch: Voucher | None, task: Task, now: Instant) -> Order:
    """Orders what the task is for; another operator is shown who asks for it."""
    key, mandate = BuyerKey(task.id), None
    ask = rules.ask(task)
    if vouch is not None and ask is not None:
        before = task.body["mandate"]
        mandate = vouch(
            documents.read(Mandate, before) if before else None,
            ask=ask,
            key=key,
            trace=task.trace,
            now=now,
        )
    return seller.order(quote_id=QuoteId(task.body["quote"]), key=key, mandate=mandate)


def _supply_heard(task: Task) -> Json:
    """The end that the seller pushed of an order that it is known to have; else nothing."""
    if task.output is None:
        return None
    known = rules.supplied(task)
    pushed = rules.pushed(task, known.order, task.id)
    return documents.write(Supplied(known.order, pushed)) if pushed else None


def _heard(seller: Seller, task: Task, order: OrderId, key: str) -> Progress:
    """What the seller pushed about this order, if it says how it ended; else what it answers."""
    return rules.pushed(task, order, key) or seller.progress(order)


def _supply_record(us: PartyId, tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
    progress = documents.read(Supplied, answer).progress
    if progress.state in FAILED:
        raise Refused("supply-failed", progress.reason or "A supplier could not deliver.")
    if progress.state is not OrderState.COMPLETED:
        return Wait(now + rules.CHECK_EVERY, now + rules.WAIT_AT_MOST, answer)
    with _held_if_refused():
        actions.enter(tx, us=us, task=task, progress=progress)
    return Done(answer)


@contextmanager
def _held_if_refused() -> Iterator[None]:
    """What the seller has done stands: if our own rooms refuse to enter it, a person must look,
    and the plan must not be turned back as if nothing had been delivered.
    """
    try:
        yield
    except Refused as refusal:
        raise HansaError(refusal.code, refusal.words, field=refusal.field) from refusal


# --- withdraw and cease: have the seller end what it delivered -----------------------------------


def _asked_to_end(us: PartyId, begin: Begin, task: Task) -> Mandate | None:
    with begin() as tx:
        return actions.asked_to_end(tx, us=us, task=task)


def _cease_call(
    sellers: Sellers,
    vouch: Voucher | None,
    asked: Callable[[Task], Mandate | None],
    task: Task,
    now: Instant,
) -> Json:
    seller = sellers(PartyId(task.body["seller"]))
    key = BuyerKey(task.id + rules.UNDO if task.undoing else task.id)
    if task.output is None:
        known = _what_to_cease(seller, vouch, task, now)
        if known is None:
            return None
    else:
        known = rules.supplied(task)
    if known.cease is None:
        ask, mandate = rules.ask(task), None
        if vouch is not None and ask is not None:
            ask = vouching.ceasing(ask, known.order)
            mandate = vouch(asked(task), ask=ask, key=key, trace=task.trace, now=now)
        try:
            cease = seller.cease(order_id=known.order, key=key, mandate=mandate)
        except Refused as refusal:
            if task.undoing and seller.progress(known.order).state in FAILED:
                return None  # it came to nothing by itself
            raise TryLater(refusal.code, refusal.words) from refusal
        known = Supplied(known.order, known.progress, cease.id)
        if cease.state is not OrderState.COMPLETED:
            progress = Progress(cease.id, cease.key, cease.state)
            return documents.write(Supplied(known.order, known.progress, cease.id, progress))
    assert known.cease is not None
    heard = _heard(seller, task, known.cease, key)
    before = known.progress
    if task.undoing and heard.state is OrderState.COMPLETED:
        before = seller.progress(known.order)  # it may have been delivered just before
    return documents.write(Supplied(known.order, before, known.cease, heard))


def _what_to_cease(
    seller: Seller, vouch: Voucher | None, task: Task, now: Instant
) -> Supplied | None:
    """The seller's order to end. On the way back it may be unknown whether it was ever placed:
    the same key then tells, and a refusal means that there is nothing to take back.
    """
    if "ends" in task.body:
        order = OrderId(task.body["ends"])
        return Supplied(order, Progress(order, BuyerKey(task.id), OrderState.COMPLETED))
    try:
        placed = _order(seller, vouch, task, now)
    except (Refused, NotFound):
        return None
    return Supplied(placed.id, Progress(placed.id, placed.key, placed.state))


def _cease_record(us: PartyId, tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
    if answer is None:
        return Done()
    known = documents.read(Supplied, answer)
    progress = known.cease_progress
    assert progress is not None
    if progress.state in FAILED:
        raise TryLater("cease-failed", progress.reason or "A supplier could not cease.")
    if progress.state is not OrderState.COMPLETED:
        return Wait(now + rules.CHECK_EVERY, now + rules.WAIT_AT_MOST, answer)
    with _held_if_refused():
        if task.undoing and known.progress.state is OrderState.COMPLETED:
            actions.enter(tx, us=us, task=task, progress=known.progress)
        if task.undoing and known.progress.charged is not None:
            charged = known.progress.charged
            actions.owe(tx, us=us, task=task, order_id=known.order, charged=charged)
        actions.leave(tx, us=us, task=task, brought_by=known.order, progress=progress)
    return Done(answer)


# --- the ends of a plan ---------------------------------------------------------------------------


def _provide(us: PartyId, ids: Ids, tx: Transaction, task: Task, now: Instant) -> Outcome:
    """Everything has been supplied: the buyer's holdings begin and the order is completed."""
    kept, quote = actions.order_and_quote(tx, us=us, task=task)
    plan = plans.of_subject(tx, subject=task.subject)
    assert plan is not None
    provided = []
    for line in quote.quote.lines:
        ref = HoldingRef(us, HoldingId(task.body["holdings"][line.item]))
        actions.hold(
            tx,
            line,
            ref=ref,
            buyer=kept.order.buyer,
            agreement=quote.quote.agreement,
            trace=kept.order.trace,
            spell=rules.spell(kept.order.id, line, now),
            supports=rules.supports(ref, line.item, quote, plan),
        )
        provided.append(Provided(line.item, ref.id, now))
    _finish(
        tx,
        us=us,
        order_id=kept.order.id,
        state=OrderState.COMPLETED,
        ids=ids,
        now=now,
        provided=tuple(provided),
        plan=plan,
    )
    return Done({"provided": documents.write(tuple(provided), tuple[Provided, ...])})


def _end(us: PartyId, ids: Ids, tx: Transaction, task: Task, now: Instant) -> Outcome:
    """Everything below has been ceased: our own holdings end, or go back to what they were."""
    target = orders.get(tx, us=us, order_id=OrderId(task.body["ends"]))
    quote = quotes.get(tx, quote_id=target.order.quote)
    plan = plans.of_subject(tx, subject=target.order.id)
    assert plan is not None
    changed = {line.item for line in quote.quote.lines if line.holding is not None}
    ended = []
    for one in rules.progress(target, plan).provided:
        ref = HoldingRef(us, one.holding)
        if one.item in changed:
            inventory.revert(tx, ref=ref, order=target.order.id, now=now)
        else:
            inventory.end(tx, ref=ref, now=now)
        ended.append(Provided(one.item, one.holding, now))
    _finish(
        tx,
        us=us,
        order_id=OrderId(task.body["order"]),
        state=OrderState.COMPLETED,
        ids=ids,
        now=now,
        provided=tuple(ended),
    )
    return Done({"provided": documents.write(tuple(ended), tuple[Provided, ...])})


def _fail(us: PartyId, ids: Ids, tx: Transaction, task: Task, now: Instant) -> Outcome:
    """Everything has been taken back: the order failed, or was cancelled as asked."""
    order_id = OrderId(task.body["order"])
    plan = plans.of_subject(tx, subject=task.subject)
    assert plan is not None and plan.state is PlanState.UNDOING
    state, reason = rules.failure(plan)
    ceases = orders.ceasing(tx, us=us, order_id=order_id)
    acts = plans.interventions(tx, plan=plan.id)
    _finish(
        tx,
        us=us,
        order_id=order_id,
        state=state,
        reason=reason,
        ids=ids,
        now=now,
        charge=state is OrderState.CANCELLED and rules.taken_back_by(acts, ceases),
    )
    for cease in ceases:
        if cease.order.state is OrderState.IN_PROGRESS:
            _finish(
                tx,
                us=us,
                order_id=cease.order.id,
                state=OrderState.COMPLETED,
                ids=ids,
                now=now,
            )
    return Done()


def _finish(
    tx: Transaction,
    *,
    us: PartyId,
    order_id: OrderId,
    state: OrderState,
    ids: Ids,
    now: Instant,
    reason: str = "",
    provided: tuple[Provided, ...] = (),
    plan: Plan | None = None,
    charge: bool = False,
) -> None:
    """Moves an order to its end and tells the buyer, if the buyer is another node.

    plan: the order's own, where it has just been read. charge: it was the buyer's wish, which
    may cost it something.
    """
    kept = orders.move(tx, us=us, order_id=order_id, state=state, reason=reason, ids=ids, now=now)
    owed = ending.charge_buyer(tx, us=us, order_id=order_id, ids=ids, now=now) if charge else None
    _log("order ended", kept)
    if kept.by_partner:
        plan = plan or plans.of_subject(tx, subject=order_id)
        shown = rules.progress(kept, plan, owed)
        notices.send(
            tx,
            ids=ids,
            to=kept.order.buyer,
            trace=kept.order.trace,
            now=now,
            notice=OrderMoved(replace(shown, provided=provided)),
        )


def _log(what: str, kept: KeptOrder) -> None:
    order = kept.order
    log.info(
        what,
        extra={
            "trace": order.trace,
            "order": order.id,
            "kind": kept.kind,
            "buyer": order.buyer,
            "state": order.state,
        },
    )
