"""The worker: runs tasks as they come due, and the rooms in the order of the path.

The database wakes it when there is something to do, one thread for each thing; a timer only
serves tasks that were written for later. Kill it at any moment: the next one takes over.
"""

from __future__ import annotations

import logging
import secrets
import signal
import threading
import time
from datetime import timedelta

from hansa.entrypoints import memory, process
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import ROOM
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.node import Node

log = logging.getLogger("hansa.entrypoints.worker")  # not __main__, which it is run as

IDLE_S = 0.5
"""The longest sleep: how late a demonstration's moved clock may be noticed."""

MONTH_ROOMS_EVERY_S = 1.0
"""How often the rooms that work at a month's end are asked, at most."""

AFTER_FAULT_S = 1.0


class Bell:
    """Wakes one waiting thread for each ring; one that comes while nobody waits is not lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify()

    def wait(self, timeout_s: float) -> None:
        """Waits for a ring that no other thread has answered."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings > 0, timeout_s)
            self._rings = 0


class Worker:
    """Runs one node's work until it is stopped."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stop = threading.Event()
        self._bell = Bell()
        self._owner = secrets.randbits(31)
        self._months_at = 0.0
        self._orders = threading.Event()

    def stop(self) -> None:
        self._stop.set()
        self._bell.ring()

    def run(self) -> None:
        """Returns after `stop`, when the turns under way have ended."""
        threads = [
            threading.Thread(target=self._run_tasks, name=f"tasks-{number}")
            for number in range(self._node.settings.worker.threads)
        ]
        if self._node.watch().has_work:
            threads.append(threading.Thread(target=self._watch, name="watch"))
        for thread in threads:
            thread.start()
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception:
                log.exception("the worker lost its database and tries again")
                self._stop.wait(AFTER_FAULT_S)
        for thread in threads:
            while thread.is_alive():
                self._bell.ring()
                thread.join(IDLE_S)

    def goes_on(self) -> bool:
        """Whether an engine of ours may take more before it comes back."""
        return not self._stop.is_set()

    def call(self) -> None:
        """Another engine of ours is needed."""
        self._bell.ring()

    # --- the main thread: hears what others write, keeps the timer, asks the month's rooms --------

    def _listen(self) -> None:
        with self._node.wakeups(self._owner) as wakeups:
            freed = self._node.engine(owner=self._owner).free_dead_leases()
            if freed:
                log.info("took over leased tasks of a worker that died", extra={"tasks": freed})
            look_at = 0.0
            while not self._stop.is_set():
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + IDLE_S
                    self._orders.set()
                    self._bell.ring()
                if self._ask_month_rooms():
                    self._bell.ring()
                    continue
                wait_s = max(0.0, look_at - time.monotonic())
                # Our own engines look for more themselves when they have written something.
                heard = wakeups.wait(wait_s, deaf_to=self._node.database.backends)
                if ROOM in heard:
                    self._orders.set()
                if heard:
                    self._bell.ring()

    def _ask_month_rooms(self) -> int:
        if time.monotonic() < self._months_at:
            return 0
        self._months_at = time.monotonic() + MONTH_ROOMS_EVERY_S
        moved = 0
        for name, room in self._node.month_rooms():
            try:
                with self._node.begin() as tx:
                    moved += room(tx, self._node.clock.now())
            except Exception:
                log.exception("a room could not do its work", extra={"room": name})
        if moved:
            self._months_at = 0.0
        return moved

    # --- a thread of its own: looks after what is in service -----------------------------------

    def _watch(self) -> None:
        watch = self._node.watch()
        while not self._stop.wait(self._node.settings.network.measure_every_s):
            try:
                watch.round()
            except Exception:
                log.exception("a round of measuring failed; there will be another")

    # --- the other threads: begin with orders, and run tasks --------------------------------------

    def _run_tasks(self) -> None:
        engine = self._node.engine(owner=self._owner, crew=self)
        while not self._stop.is_set():
            try:
                while not self._stop.is_set() and self._turn(engine):
                    pass
                self._bell.wait(self._until(engine.next_at))
            except Exception:
                log.exception("a turn failed and is tried again")
                self._stop.wait(AFTER_FAULT_S)

    def _turn(self, engine: Engine) -> bool:
        """Orders that could not be begun with are looked at again when the timer says so."""
        if not self._orders.is_set():
            return engine.run_one()
        self._orders.clear()
        return engine.run_one(first=self._begin_orders)

    def _begin_orders(self, tx: Transaction, now: Instant) -> None:
        if self._node.deliver(tx, now) > 1:
            self._orders.set()  # there may be more than one turn takes
            self._bell.ring()

    def _until(self, next_at: Instant | None) -> float:
        if next_at is None:
            return IDLE_S * 4
        left = (next_at - self._node.clock.now()) / timedelta(seconds=1)
        return min(max(left, 0.01), IDLE_S * 4)


def main() -> None:
    node = process.begin("worker", "Runs one node's worker until it is told to stop.")
    worker = Worker(node)
    memory.settle()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    log.info("worker started")
    try:
        worker.run()
    finally:
        node.close()
    log.info("worker stopped")


if __name__ == "__main__":
    main()
