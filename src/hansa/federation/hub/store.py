"""The table of subscriptions, and every line of SQL about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.hub.model import Subscription
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.ids import PartyId, SubscriptionId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_SELECT = """
select id, api, topics, owner, role, callback, query, made_at, silent_since
from hub_subscription
"""


def _subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(
        id=SubscriptionId(row["id"]),
        api=row["api"],
        topics=tuple(row["topics"]),
        owner=Actor(PartyId(row["owner"]), row["role"]),
        callback=row["callback"],
        query=row["query"],
        made_at=row["made_at"],
        silent_since=row["silent_since"],
    )


def insert(tx: Transaction, made: Subscription) -> bool:
    """False when the owner has the same one already, made at this very moment perhaps."""
    return (
        run(
            tx,
            """
        insert into hub_subscription (id, api, topics, owner, role, callback, query, made_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
            (
                made.id,
                made.api,
                list(made.topics),
                made.owner.party,
                made.owner.role,
                made.callback,
                made.query,
                made.made_at,
            ),
        )
        == 1
    )


def one(tx: Transaction, subscription_id: str) -> Subscription | None:
    row = one_row(tx, _SELECT + " where id = %s", (subscription_id,))
    return None if row is None else _subscription(row)


def of_owner(tx: Transaction, api: str, owner: Actor) -> Sequence[Subscription]:
    rows = all_rows(
        tx,
        _SELECT + " where api = %s and owner = %s and role = %s order by made_at, id",
        (api, owner.party, owner.role),
    )
    return [_subscription(row) for row in rows]


def wanting(tx: Transaction, topic: str, party: PartyId) -> Sequence[SubscriptionId]:
    """Who is to be told of something of this party's: the party itself, and our own staff."""
    rows = all_rows(tx, "select id from hub_wanting(%s, %s) as id", (topic, party))
    return [SubscriptionId(row["id"]) for row in rows]


def set_silent(tx: Transaction, subscription_id: str, since: Instant | None) -> None:
    run(
        tx,
        "update hub_subscription set silent_since = %s where id = %s",
        (since, subscription_id),
    )


def delete(tx: Transaction, subscription_id: str) -> None:
    run(tx, "delete from hub_subscription where id = %s", (subscription_id,))
