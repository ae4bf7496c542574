"""How fast the ledger posts, beside plain inserts of the same rows.

Starts an embedded PostgreSQL that waits for the disk, on a folder of its own, and measures
both writers in turn on the same server: `post()` with all that it checks, and inserts of the
same entries and legs into two tables that have a primary key and check nothing. Both build
their arguments from the same entries and commit once for each batch. Prints one JSON object.

Example:
    .venv/bin/python bench/posting.py --seconds 3 --accounts 1000 > posting.json
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hansa.foundation.database import Database, one_row, run
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import EntryId, Ids, PartyId
from hansa.foundation.migrations import migrate
from hansa.foundation.money import Money
from hansa.foundation.time import SystemClock
from hansa.ledger import actions as ledger
from hansa.ledger.model import AccountSpec, Leg, NewEntry
from hansa.node import SCHEMAS

CASES = ((1, 1), (10, 1), (100, 1), (1000, 1), (1, 4), (1000, 2))
"""Transfers in a batch, and connections that post at once."""

SLICES = 3
"""Each case is measured in slices, ours and the peer's in turn; medians are reported."""

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PAPER = hashlib.sha256(b"invoice").hexdigest()

PLAIN = """
create table plain_entry (
    number bigint primary key, id text, key text, request bytea, batch bigint, kind text,
    ref text, document bytea, words text, effective_at timestamptz, reverses bigint);
create table plain_leg (
    entry bigint, line integer, account bigint, sequence bigint, amount bigint, balance bigint,
    primary key (entry, line));
"""

Writer = Callable[[Sequence[NewEntry]], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """transfers, over wall-clock seconds; CPU seconds of the server and of this process."""

    transfers: int
    wall_s: float
    server_s: float
    client_s: float


class Transfers:
    """An endless supply of transfers between accounts, spread evenly and never the same."""

    def __init__(self, accounts: int) -> None:
        self._ids = Ids(SystemClock())
        self._accounts = [
            AccountSpec(f"receivable/p{n}/GBP", "asset", PartyId(f"p{n}"), "GBP")
            for n in range(accounts)
        ]
        self._numbers = itertools.count(1)

    def take(self, count: int) -> list[NewEntry]:
        return [self._one(next(self._numbers)) for _ in range(count)]

    def _one(self, number: int) -> NewEntry:
        size = len(self._accounts)
        debit = self._accounts[number * 7919 % size]
        credit = self._accounts[(number * 7919 + 1 + number % (size - 1)) % size]
        amount = Money(1 + number % 100_000, "GBP")
        return NewEntry(
            id=self._ids.new(EntryId),
            key=f"invoice {number}",
            kind="invoice",
            ref=f"INV-{number}",
            document=PAPER,
            words="Managed connectivity for November",
            effective_at=NOW,
            legs=(Leg(debit, amount), Leg(credit, -amount)),
        )


def posting(database: Database) -> Writer:
    """Our writer."""

    def write(batch: Sequence[NewEntry]) -> None:
        with database.begin() as tx:
            ledger.post(tx, entries=batch, now=NOW)

    return write


class Plain:
    """The peer: the rows that `post()` would store, inserted without any question."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(1)
        self._accounts: dict[str, int] = {}

    def write(self, batch: Sequence[NewEntry]) -> None:
        numbers = [next(self._numbers) for _ in batch]
        legs = [(n, leg) for n, new in zip(numbers, batch, strict=True) for leg in new.legs]
        with self._database.begin() as tx:
            run(
                tx,
                """insert into plain_entry
                   select *, null::bigint from unnest(%b::bigint[], %b::text[], %b::text[],
                       %b::bytea[], %b::bigint[], %b::text[], %b::text[], %b::bytea[],
                       %b::text[], %b::timestamptz[])""",
                (
                    numbers,
                    [new.id for new in batch],
                    [new.key for new in batch],
                    [bytes.fromhex(new.document) for new in batch],
                    numbers,
                    [new.kind for new in batch],
                    [new.ref for new in batch],
                    [bytes.fromhex(new.document) for new in batch],
                    [new.words for new in batch],
                    [new.effective_at for new in batch],
                ),
            )
            run(
                tx,
                """insert into plain_leg
                   select * from unnest(%b::bigint[], %b::int[], %b::bigint[], %b::bigint[],
                       %b::bigint[], %b::bigint[])""",
                (
                    [number for number, _ in legs],
                    [1, 2] * len(batch),
                    [self._account(leg.account) for _, leg in legs],
                    [number for number, _ in legs],
                    [leg.amount.minor for _, leg in legs],
                    [leg.amount.minor for _, leg in legs],
                ),
            )

    def _account(self, account: AccountSpec | str) -> int:
        assert isinstance(account, AccountSpec)
        return self._accounts.setdefault(account.code, len(self._accounts) + 1)


def server_cpu(server: EmbeddedServer) -> float:
    """CPU seconds of the server's processes so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == server.pid or stat.parent.name == str(server.pid):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(
    server: EmbeddedServer, write: Writer, supply: Transfers, size: int, writers: int, wall_s: float
) -> Measure:
    """Lets the writers write batches for so long. Making the transfers is not measured."""
    stock = [supply.take(size) for _ in range(max(2, 200 // size) * writers)]
    done = [0] * writers
    spent = [0.0] * writers
    client = [0.0] * writers
    lock = threading.Lock()

    def work(me: int) -> None:
        while spent[me] < wall_s:
            with lock:
                batch = stock.pop() if stock else supply.take(size)
            began, cpu = time.perf_counter(), time.thread_time()
            write(batch)
            spent[me] += time.perf_counter() - began
            client[me] += time.thread_time() - cpu
            done[me] += size

    before = server_cpu(server)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Measure(sum(done), sum(spent) / writers, server_cpu(server) - before, sum(client))


def summary(slices: Sequence[Measure]) -> dict[str, float]:
    """Medians over the slices: transfers a second, and microseconds of CPU for a transfer."""
    return {
        "transfers_per_s": round(statistics.median(s.transfers / s.wall_s for s in slices)),
        "server_cpu_us": round(statistics.median(s.server_s / s.transfers * 1e6 for s in slices)),
        "client_cpu_us": round(statistics.median(s.client_s / s.transfers * 1e6 for s in slices)),
    }


@contextmanager
def prepared(accounts: int) -> Iterator[tuple[EmbeddedServer, Database, Transfers]]:
    """A server, a database with the ledger and the peer's tables, and transfers to write."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedServer(folder / "database") as server:
            server.create_database("posting")
            url = server.url("posting")
            migrate(url, [one for one in SCHEMAS if one[0] in ("foundation", "ledger")])
            database = Database(url, role=None)
            database.open()
            with database.begin() as tx:
                for statement in PLAIN.strip().split(";\n"):
                    run(tx, statement)
            yield server, database, Transfers(accounts)
            database.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bench(seconds: float, accounts: int) -> dict[str, object]:
    """Every case, then what was written is verified and weighed."""
    with prepared(accounts) as (server, database, supply):
        ours, peer = posting(database), Plain(database).write
        for writer in (ours, peer):
            writer(supply.take(2 * accounts))
        results = []
        for size, writers in CASES:
            slices: dict[str, list[Measure]] = {"post": [], "plain": []}
            for _ in range(SLICES):
                for name, writer in (("post", ours), ("plain", peer)):
                    slices[name].append(
                        measure(server, writer, supply, size, writers, seconds / SLICES)
                    )
            post, plain = summary(slices["post"]), summary(slices["plain"])
            ratio = post["transfers_per_s"] / plain["transfers_per_s"]
            results.append(
                {
                    "batch": size,
                    "connections": writers,
                    "post": post,
                    "plain": plain,
                    "post_over_plain": round(ratio, 3),
                }
            )
            print(f"batch {size}, connections {writers}: done", file=sys.stderr)
        return {
            "bench": "posting",
            "machine": {"cpus": os.cpu_count(), "load_1m": os.getloadavg()[0]},
            "python": platform.python_version(),
            "seconds_for_a_case_and_writer": seconds,
            "accounts": accounts,
            "cases": results,
            **weigh(database),
        }


def weigh(database: Database) -> dict[str, object]:
    """That the books are right after all this, how long the proof takes, and their size."""
    with database.begin() as tx:
        head = ledger.head(tx)
        began = time.perf_counter()
        verified = ledger.verify(tx)
        took = time.perf_counter() - began
        sizes = one_row(
            tx,
            """select (select sum(pg_total_relation_size(t::regclass)) from unnest(array[
                       'ledger_entry', 'ledger_leg', 'ledger_batch']) t)::bigint as ours,
                      (pg_total_relation_size('plain_entry')
                       + pg_total_relation_size('plain_leg'))::bigint as plain,
                      (select count(*) from plain_entry) as plain_entries""",
        )
    assert sizes is not None
    return {
        "verified": verified.ok,
        "verified_entries_per_s": round(head.entries / took),
        "bytes_per_transfer": {
            "post": round(sizes["ours"] / head.entries),
            "plain": round(sizes["plain"] / sizes["plain_entries"]),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.4,
        help="how long each writer writes in each case (default: %(default)s)",
    )
    parser.add_argument(
        "--accounts",
        type=int,
        default=1000,
        help="accounts over which transfers are spread, at least 3 (default: %(default)s)",
    )
    given = parser.parse_args()
    if given.seconds <= 0 or given.accounts < 3:
        parser.error("--seconds must be more than 0 and --accounts at least 3")
    result = bench(given.seconds, given.accounts)
    print(json.dumps(result, indent=2))
    return 0 if result["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
