"""The worker: runs tasks as they come due, and the rooms in the order of the path.

It is woken by the database when there is something to do; a timer only serves tasks that
were written for later. Kill it at any moment: the next one takes over.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

from hansa.entrypoints import logs
from hansa.foundation.plan.engine import Engine
from hansa.node import Node, open_node

log = logging.getLogger("hansa.entrypoints.worker")  # not __main__, which it is run as

IDLE_S = 0.5
"""The longest sleep: how late a demonstration's moved clock may be noticed."""

MONTH_ROOMS_EVERY_S = 0.5
"""How often the rooms that work at a month's end are asked, at most."""

AFTER_FAULT_S = 1.0


class Bell:
    """Wakes waiting threads; a ring that comes while nobody waits is not lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, heard: int, timeout_s: float) -> int:
        """Waits for a ring after the `heard`-th; returns how many there have been."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings != heard, timeout_s)
            return self._rings


class Worker:
    """Runs one node's work until it is stopped."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stop = threading.Event()
        self._bell = Bell()
        self._owner = secrets.randbits(31)
        self._months_at = 0.0

    def stop(self) -> None:
        self._stop.set()
        self._bell.ring()

    def run(self) -> None:
        """Returns after `stop`, when the turns under way have ended."""
        threads = [
            threading.Thread(target=self._run_tasks, name=f"tasks-{number}")
            for number in range(self._node.settings.worker.threads)
        ]
        for thread in threads:
            thread.start()
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception:
                log.exception("the worker lost its database and tries again")
                self._stop.wait(AFTER_FAULT_S)
        for thread in threads:
            thread.join()

    def _listen(self) -> None:
        """The main thread: begins with new orders, keeps the timer, asks the month's rooms."""
        engine = self._node.engine(owner=self._owner)
        with self._node.wakeups(self._owner) as wakeups:
            freed = engine.free_dead_leases()
            if freed:
                log.info("took over leased tasks of a worker that died", extra={"tasks": freed})
            while not self._stop.is_set():
                moved = self._begin_orders() + self._ask_month_rooms()
                self._bell.ring()
                if not moved:
                    wakeups.wait(self._until_due(engine))

    def _until_due(self, engine: Engine) -> float:
        due = engine.next_due()
        if due is None:
            return IDLE_S
        left = (due - self._node.clock.now()) / timedelta(seconds=1)
        return min(max(left, 0.01), IDLE_S)

    def _begin_orders(self) -> int:
        with self._node.begin() as tx:
            return self._node.deliver(tx, self._node.clock.now())

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

    def _run_tasks(self) -> None:
        engine = self._node.engine(owner=self._owner)
        heard = 0
        while not self._stop.is_set():
            try:
                while not self._stop.is_set() and engine.run_one():
                    pass
                heard = self._bell.wait(heard, IDLE_S * 4)
            except Exception:
                log.exception("a turn failed and is tried again")
                self._stop.wait(AFTER_FAULT_S)


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs one node's worker until it is told to stop.")
    parser.add_argument("--node", type=Path, required=True, help="the node's data folder")
    node = open_node(parser.parse_args().node)
    logs.set_up(
        party=node.us.id,
        process="worker",
        level=node.settings.log_level,
        shifted_clock=bool(node.settings.clock.shift_file),
    )
    worker = Worker(node)
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
