"""What the hub does unasked: it tells of what has happened until it is taken or too old."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from hansa.federation.hub import store
from hansa.federation.hub.actions import KIND
from hansa.federation.hub.model import Happening, Post, Subscription
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.plan.model import Done, Handlers, Outcome, Outside, Retry, Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction

log = logging.getLogger(__name__)

PATIENCE = Retry(first_s=1.0, max_s=1800.0, attempts=None)
"""A notice that nobody takes is sent again, each time after twice as long."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""So old a notice is sent no more, and its subscription falls silent until it is made again."""

Compose = Callable[[Subscription, Happening], Post | None]
"""What a dialect makes of a happening for a subscription; None when its query wants it not."""

Deliver = Callable[[Subscription, Post], None]
"""Sends a notice. Raises TryLater when it was not taken, Refused when it may not be sent."""


def handlers(*, begin: Begin, compose: Mapping[str, Compose], deliver: Deliver) -> Handlers:
    """The one handler of notices. compose: by the api of a subscription."""

    def call(task: Task, now: Instant) -> Json:
        happening = documents.read(Happening, task.body["happening"], what="happening")
        with begin() as tx:
            subscription = store.one(tx, task.body["subscription"])
        if subscription is None or subscription.silent_since is not None:
            return {"sent": False, "why": "not wanted any more"}
        owner = subscription.owner
        if owner.role != "operator" and owner.party != task.body["party"]:
            return {"sent": False, "why": "not its owner's"}
        try:
            post = compose[subscription.api](subscription, happening)
        except NotFound:
            post = None
        if post is None:
            return {"sent": False, "why": "not asked for"}
        try:
            deliver(subscription, post)
        except Refused as refusal:
            return {"sent": False, "why": refusal.words, "silent": subscription.id}
        except TryLater as error:
            if now - happening.at < GIVEN_UP_AFTER:
                raise
            return {"sent": False, "why": error.words, "silent": subscription.id}
        return {"sent": True}

    return {KIND: Outside(call=call, record=_record, retry=PATIENCE)}


def _record(tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
    if "silent" in answer:
        store.set_silent(tx, answer["silent"], now)
        log.warning(
            "subscription silent",
            extra={"subscription": answer["silent"], "task": task.id, "words": answer["why"]},
        )
    return Done(answer)
