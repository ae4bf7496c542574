"""What others may ask or tell delivery."""

from __future__ import annotations

from hansa.federation.contract import Progress
from hansa.federation.papers import OrderMoved
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OrderId, PartyId
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.delivery import rules
from hansa.lifecycle.delivery.model import CEASE, SUPPLY, Trace
from hansa.lifecycle.order import actions as orders


def progress(
    tx: Transaction, *, us: PartyId, order_id: OrderId, buyer: PartyId | None = None
) -> Progress:
    """How far an order is, as its buyer may see it. Raises NotFound `order-unknown`."""
    kept = orders.get(tx, us=us, order_id=order_id, buyer=buyer)
    return rules.progress(kept, plans.of_subject(tx, subject=order_id))


def trace(tx: Transaction, *, us: PartyId, order_id: OrderId) -> Trace:
    """An order through all hops as far as this node may see; for its own people.

    Raises NotFound `order-unknown`.
    """
    kept = orders.get(tx, us=us, order_id=order_id)
    plan = plans.of_subject(tx, subject=order_id)
    if plan is None:
        return Trace(kept, kept.order.state, "none", (), 0)
    return Trace(
        kept, rules.progress(kept, plan).state, plan.state, rules.legs(plan), rules.hops(plan)
    )


def unheard(tx: Transaction, *, since: Instant) -> bool:
    """Whether a seller may have delivered or ended something before that moment that we do not
    know of: we have asked it to, and have not heard how far it is from that moment on.

    What is held for a person does not count; nobody knows how long that takes.
    """
    asked = plans.moving(tx, kinds=(SUPPLY, CEASE))
    return any(rules.is_unheard(task, since) for task in asked)


def hear_order(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: OrderMoved, now: Instant
) -> None:
    """A seller says that an order of ours has moved: the task that placed it goes on.

    Raises Refused `order-not-yours` when the key is not of an order that we placed with the
    sender. The same notice again changes nothing.
    """
    task = rules.task_of(notice.progress.key)
    message = documents.write(notice.progress)
    if not plans.told(tx, task=task, seller=sender, message=message, now=now):
        raise Refused(
            "order-not-yours",
            f"{us} has placed no order with {sender} under that key.",
            field="key",
        )
