"""A subscription, and what has happened to something that its owner may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.foundation.ids import EventId, SubscriptionId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant

Change = Literal["create", "attribute", "state", "delete"]
"""What can happen to a thing: it is there, something about it or its state changed, it is gone."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """api: where it was made, e.g. `TMF622`. topics: the kinds of things that it is about.

    query: which notices are wanted, as the dialect reads it; empty for all. silent_since: since
    when nothing is sent any more, because nobody took it.
    """

    id: SubscriptionId
    api: str
    topics: tuple[str, ...]
    owner: Actor
    callback: str
    query: str
    made_at: Instant
    silent_since: Instant | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something has happened to one thing.

    topic: the kind of thing, by its TMF name, e.g. `productOrder`. thing: its id. document: the
    thing as it was then, as JSON, if whoever says so has it; else it is looked up when told.
    """

    id: EventId
    topic: str
    change: Change
    thing: str
    at: Instant
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A notice as it is sent: where to, and its body."""

    url: str
    body: bytes
