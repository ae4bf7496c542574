"""What doors and rooms may ask of the hub."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from hansa.federation.hub import store
from hansa.federation.hub.model import Change, Happening, Subscription
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import EventId, Ids, PartyId, PlanId, SubscriptionId, TaskId, TraceId
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Step
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

KIND = "federation.event"
"""The kind of the plans, and of the tasks, that tell of something."""

SUBSCRIPTIONS_MAX = 100
"""How many one owner may have at one API."""


def subscribe(
    tx: Transaction,
    *,
    subscription_id: SubscriptionId,
    api: str,
    topics: Collection[str],
    owner: Actor,
    callback: str,
    query: str,
    now: Instant,
) -> Subscription:
    """Has the owner told. The same callback and query again is the same subscription, heard anew.

    Raises Refused `subscriptions-too-many`.
    """
    there = store.of_owner(tx, api, owner)
    same = _same(there, callback, query)
    if same is not None:
        store.set_silent(tx, same.id, None)
        return replace(same, silent_since=None)
    if len(there) >= SUBSCRIPTIONS_MAX:
        raise Refused(
            "subscriptions-too-many",
            f"There are {len(there)} subscriptions already, which is the most; delete some.",
        )
    made = Subscription(
        subscription_id, api, tuple(sorted(topics)), owner, callback, query, made_at=now
    )
    if store.insert(tx, made):
        return made
    same = _same(store.of_owner(tx, api, owner), callback, query)
    assert same is not None
    return same


def _same(there: Sequence[Subscription], callback: str, query: str) -> Subscription | None:
    found = (one for one in there if one.callback == callback and one.query == query)
    return next(found, None)


def subscriptions(tx: Transaction, *, api: str, owner: Actor) -> Sequence[Subscription]:
    """What this owner has subscribed to at this API, the oldest first."""
    return store.of_owner(tx, api, owner)


def subscription(tx: Transaction, *, api: str, owner: Actor, subscription_id: str) -> Subscription:
    """Raises NotFound `subscription-unknown`."""
    found = store.one(tx, subscription_id)
    if found is None or found.api != api or found.owner != owner:
        raise NotFound(
            "subscription-unknown", "There is no such subscription of yours.", field="id"
        )
    return found


def unsubscribe(tx: Transaction, *, api: str, owner: Actor, subscription_id: str) -> None:
    """Ends it; what is on its way is not sent. Raises NotFound `subscription-unknown`."""
    found = subscription(tx, api=api, owner=owner, subscription_id=subscription_id)
    store.delete(tx, found.id)


def publish(
    tx: Transaction,
    *,
    ids: Ids,
    topic: str,
    thing: str,
    change: Change,
    party: PartyId,
    now: Instant,
    trace: TraceId | None = None,
    document: str | None = None,
) -> int:
    """Has everyone told who wants to know and may: `party`, whose thing it is, and our own staff.

    Told once `tx` commits, at least once each, in no promised order. Returns how many are told;
    where nobody has subscribed it is one look at an index. For the rest see Happening.
    """
    wanting = store.wanting(tx, topic, party)
    for subscription_id in wanting:
        happening = Happening(ids.new(EventId), topic, change, thing, now, document)
        step = Step(
            id=ids.new(TaskId),
            kind=KIND,
            body={
                "subscription": subscription_id,
                "party": party,
                "happening": documents.write(happening),
            },
            label=f"tell of {topic} {thing}",
        )
        plans.write(
            tx,
            plan_id=ids.new(PlanId),
            subject=happening.id,
            kind=KIND,
            trace=trace or ids.trace(),
            steps=[step],
            now=now,
        )
    return len(wanting)
