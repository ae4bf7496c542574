"""An operator whose customer has made calls, each rated and charged on an invoice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hansa.foundation.ids import Ids
from hansa.foundation.party import Party
from hansa.foundation.time import SetClock
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.billing import work as billing_work
from hansa.node import HttpSettings, Node, Settings
from tests.conftest import seeded_entropy
from tests.databases import Pool
from tests.lifecycle.rating.test_traffic import Network
from tests.lifecycle.usage.counter import call
from tests.lifecycle.usage.stage import MTN, SHOP


@contextmanager
def calling(pool: Pool, folder: Path) -> Iterator[Node]:
    """MTN sells SHOP a trunk by its deck; November is rated, call by call, and invoiced."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        made = Node(
            Settings(
                party=Party(MTN, "MTN", "ZA", "ZAR", tax_id="ZA4010101010"),
                http=HttpSettings(port=1, address="http://mtn.test"),
            ),
            folder=folder,
            database_url=databases().url,
            clock=clock,
            ids=Ids(clock, seeded_entropy(b"invoices")),
        )
        made.open()
        with made.begin() as tx:
            agreements.register_customer(
                tx,
                party=Party(SHOP, "Shop", "ZA", "ZAR", tax_id="ZA4020202020"),
                price_list="retail",
                credit_limit=None,
                now=clock.now(),
            )
        network = Network(made.begin, clock, made.ids, made.folder)
        network.open()
        network.take(
            call("c1"),
            call("c2", called="+22507999999", duration="61"),
            call("c3", answered="2026-11-02T09:00:00", duration="3600"),
        )
        network.rate(engine="duckdb")  # nothing is compiled for three calls
        network.close()
        with made.begin() as tx:
            billing_work.run(tx, us=MTN, ids=made.ids, now=clock.now())
        yield made
        made.close()
