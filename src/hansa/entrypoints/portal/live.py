"""What is live on a page: a part of it that is sent anew whenever what it shows has changed.

Server-sent events (HTML Living Standard, 9.2). One watcher looks after all browsers of a process:
at each beat it asks the database once for what is watched, and once for whose sessions last. A
part is made again only when its stamp is another one, in the language of who looks at it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from hansa.entrypoints.portal.ask import Ask, Handler
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import SessionId
from hansa.foundation.people.actions import sessions
from hansa.foundation.people.model import StaffRole
from hansa.foundation.transaction import Transaction
from hansa.node import Node

log = logging.getLogger(__name__)

BEAT_S = 1.0
SILENCE_S = 20.0
"""After so long without news a line is sent that says nothing, for what closes idle connections."""
WATCHED_MAX = 500
"""How many parts one process keeps up to date at a time."""

Stamps = Callable[[Transaction, Collection[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Live:
    """A part of a page that follows what it shows. stamps: a short text for each id, another one
    when what `handle` renders of it has changed; the id is the `id` of the path.
    """

    path: str
    roles: frozenset[StaffRole]
    handle: Handler
    stamps: Stamps


@dataclass(eq=False)
class Onlooker:
    """One browser that looks at one part."""

    live: Live
    id: str
    session: SessionId
    stamp: str | None = None
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Watcher:
    """Looks for all browsers of this process; does nothing while there are none."""

    def __init__(
        self, node: Node, threads: CapacityLimiter, *, beat_s: float | None = None
    ) -> None:
        self._node = node
        self._threads = threads
        self._beat_s = BEAT_S if beat_s is None else beat_s
        self._looking: set[Onlooker] = set()
        self._task: asyncio.Task[None] | None = None
        self._new = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return len(self._looking) >= WATCHED_MAX

    async def follow(
        self, live: Live, ask: Ask, make: Callable[[], str], ended: Callable[[str], str]
    ) -> AsyncIterator[str]:
        """Events for one browser, the first at once, until its session ends.

        make: renders the part. ended: what is shown in its place then, the last part in it.
        """
        assert ask.session is not None
        onlooker = Onlooker(live, ask.path["id"], ask.session.id)
        self._begin(onlooker)
        shown = ""
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        await onlooker.news.wait()
                except TimeoutError:
                    yield ":\n\n"
                    continue
                onlooker.news.clear()
                if onlooker.over:
                    yield event(ended(shown))
                    yield "event: over\ndata: over\n\n"
                    return
                with suppress(HansaError):  # gone, or not now: what was shown last stays
                    made = await to_thread.run_sync(make, limiter=self._threads)
                    if made != shown:
                        yield event(made)
                    shown = made
        finally:
            self._looking.discard(onlooker)

    def _begin(self, onlooker: Onlooker) -> None:
        self._looking.add(onlooker)
        self._new.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while self._looking:
            self._new.clear()
            looking = tuple(self._looking)
            try:
                stamps, lasting = await to_thread.run_sync(
                    self._look, looking, limiter=self._threads
                )
            except Exception:  # the next beat may see again; browsers keep what they have
                log.exception("nothing seen of what is live")
            else:
                for one in looking:
                    stamp = stamps[one.live.path].get(one.id, "")
                    one.over = one.session not in lasting
                    if one.over or stamp != one.stamp:
                        one.stamp = stamp
                        one.news.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._beat_s):
                    await self._new.wait()

    def _look(
        self, looking: Collection[Onlooker]
    ) -> tuple[Mapping[str, Mapping[str, str]], Collection[SessionId]]:
        watched: dict[str, tuple[Live, set[str]]] = {}
        for one in looking:
            watched.setdefault(one.live.path, (one.live, set()))[1].add(one.id)
        with self._node.begin() as tx:
            lasting = sessions.lasting(
                tx,
                sessions={one.session for one in looking},
                idle=self._node.settings.portal.idle,
                now=self._node.clock.now(),
            )
            stamps = {path: live.stamps(tx, ids) for path, (live, ids) in watched.items()}
        return defaultdict(dict, stamps), lasting


def event(text: str) -> str:
    """A message with this text as its data."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return (lines or "data:\n") + "\n"
