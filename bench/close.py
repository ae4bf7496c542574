"""How fast a month is closed: from rated lines to statements that both sides have booked.

One operator has sold to many, each with a database of its own, as separate nodes have. Measured
is everything from rated lines on: bills drafted, statements made and signed, sent in the form
they have on the wire, heard, compared line by line with what the buyer has rated itself,
confirmed with a signature, invoiced, posted and booked on both sides. Not measured: sockets, and
what rating does before. The peer is a floor: the same lines read once and written twice, as
the rows of plain tables, by `insert ... select` inside one database. Prints one JSON object.

Example:
    .venv/bin/python bench/close.py --lines 1000000 --largest 500000 --each 10000 > close.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory import peak_mb

from hansa.entrypoints.memory import settle
from hansa.federation import directory, notices
from hansa.federation.contract import AgreementRef, Tax, Terms
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Notice
from hansa.federation.papers import (
    InvoiceIssued,
    StatementAnswered,
    StatementIssued,
    StatementState,
)
from hansa.federation.tmf.shapes import bill as shapes
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.database import Database, all_rows, one_row, run
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import AgreementId, HoldingId, Ids, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.migrations import migrate
from hansa.foundation.money import Money
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Period, SystemClock
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import work as billing
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.settlement import work as settlement
from hansa.lifecycle.settlement.actions import hearing, statements
from hansa.node import SCHEMAS

MONTH = Period.month(2026, 11)
NOW = datetime(2026, 12, 2, tzinfo=UTC)
SELLER = Party(PartyId("seller"), "Seller", "GB", "GBP")
VOICE = OfferCode("voice")
TAX = Tax("standard", 2000)
HOLDING_LINES = 1000
PROCESSES = 2
"""Buyers are worked by so many processes: each of them is a node of its own."""

USAGE = """
insert into rating_line (seller, holding, period, label, description, quantity, unit, nano,
                         currency, reason)
select 'seller', %(holding)s, '2026-11', 'destination ' || to_char(n, 'FM000000') || '/peak',
       'Calls to destination ' || n || ', peak, ' || n::bigint * 7919 %% 9000,
       n::bigint * 104729 %% 500000, 's',
       10000000 + n::bigint * 7919 * 104729 %% 90000000000, 'GBP',
       jsonb_build_object('rule', 'deck', 'destination', n, 'calls', n::bigint * 7919 %% 9000,
                          'prefixes', jsonb_build_array(n, n + 1, n + 2))
from generate_series(%(first)s::int, %(last)s::int) n
"""

PLAIN = """
create table plain_bill_line as
select seller, holding || '/usage/' || label as key, description, quantity, unit,
       round(nano / 10000000) as net, round(nano / 50000000) as tax from rating_line;
create table plain_statement_line as select * from plain_bill_line;
"""


@dataclass
class Node:
    """One operator: a database, its keys, and what it has heard of its outbox."""

    party: Party
    database: Database
    keys: KeyRing
    ids: Ids
    spec: tuple[Party, str, Path]
    fetched: set[str] = field(default_factory=set)

    def work(self) -> int:
        """One turn of billing and of settlement, as the worker takes them."""
        us = self.party
        with self.database.begin() as tx:
            moved = billing.run(tx, us=us.id, ids=self.ids, now=NOW)
        with self.database.begin() as tx:
            moved += settlement.run(
                tx, us=us, keys=self.keys, ids=self.ids, auto_confirm=True, now=NOW
            )
        return moved

    def outbox(self) -> Iterator[tuple[PartyId, Notice]]:
        """What is to be sent, one by one."""
        with self.database.begin() as tx:
            rows = all_rows(tx, "select id from plan_task where kind = %s", (notices.KIND,))
        for id in sorted({row["id"] for row in rows} - self.fetched):
            self.fetched.add(id)
            with self.database.begin() as tx:
                row = one_row(tx, "select body from plan_task where id = %s", (id,))
            assert row is not None
            letter = documents.read(Letter, row["body"])
            yield letter.to, letter.notice

    def hear(self, sender: PartyId, body: bytes) -> None:
        """One notice as it comes over the wire, taken in as the database's guest."""
        us, event = self.party.id, parse(body)
        with self.database.begin_for(Actor(sender, "partner"), us=us)() as tx:
            if event["eventType"] == "CustomerBillCreateEvent":
                notice = shapes.read_issued(event)
                hearing.hear_statement(tx, us=us, sender=sender, notice=notice, now=NOW)
                return
            moved = shapes.read_moved(event)
            if isinstance(moved, InvoiceIssued):
                hearing.hear_invoice(tx, us=us, sender=sender, notice=moved, ids=self.ids, now=NOW)
            else:
                hearing.hear_answer(tx, us=us, sender=sender, notice=moved, ids=self.ids, now=NOW)


@dataclass(frozen=True)
class Letter:
    """What is kept of a notice until it is delivered."""

    to: PartyId
    notice: Notice


def wire(notice: Notice) -> bytes:
    """A notice as it goes over the wire."""
    match notice:
        case StatementIssued():
            return render(shapes.write_issued(notice, "1"))
        case StatementAnswered():
            return render(shapes.write_answered(notice, "1"))
        case InvoiceIssued():
            return render(shapes.write_invoiced(notice, "1"))
    raise TypeError(notice)


# --- the month ----------------------------------------------------------------------------------


def sizes(lines: int, largest: int, each: int) -> list[int]:
    """How many lines each buyer has: one the most, the others alike."""
    first = [largest] if largest else []
    rest = lines - largest
    return first + [each] * (rest // each) + ([rest % each] if rest % each else [])


def hold(nodes: Sequence[Node], buyer: PartyId, number: int, first: int, last: int) -> None:
    """One holding with its rated lines, in the books of both sides."""
    ref = HoldingRef(SELLER.id, HoldingId(f"hld_{buyer}.{number:06}"))
    spell = Spell(
        start=MONTH.start,
        end=None,
        order=OrderId(f"ord_{buyer}.{number:06}"),
        characteristics={},
        quantity=1,
        terms=Terms(Money(0, "GBP"), Money(0, "GBP")),
        tax=TAX,
    )
    holding = Holding(
        ref=ref,
        buyer=buyer,
        item="voice",
        offer=VOICE,
        offer_name="Voice",
        family="voice",
        site=None,
        agreement=AgreementRef(AgreementId(f"agr_{buyer}.seller"), 1),
        state=HoldingState.ACTIVE,
        trace=TraceId("0" * 32),
        spells=(spell,),
    )
    for node in nodes:
        with node.database.begin() as tx:
            inventory.activate(tx, holding=holding, supports=())
            run(
                tx,
                """insert into rating_holding (seller, holding, period, rated_at, missing)
                   values ('seller', %s, '2026-11', %s, false)""",
                (ref.id, NOW),
            )
            run(tx, USAGE, {"holding": ref.id, "first": first, "last": last})


def rated(node: Node) -> None:
    """Says that all of the month is rated."""
    with node.database.begin() as tx:
        run(
            tx,
            "insert into usage_period (period, opened_at, closed_at) values ('2026-11', %s, %s)",
            (NOW, NOW),
        )
        rating.close(tx, period=MONTH, now=NOW)


@contextmanager
def prepared(counts: Sequence[int]) -> Iterator[tuple[EmbeddedServer, Node, list[Node]]]:
    """Seller and buyers who know each other, and a month that both have rated alike."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    nodes: list[Node] = []

    def node(party: Party) -> Node:
        server.create_database(party.id, template="close")
        nodes.append(opened(party, server.url(party.id), folder / party.id))
        return nodes[-1]

    try:
        with EmbeddedServer(folder / "database") as server:
            server.create_database("close")
            migrate(server.url("close"), SCHEMAS)
            seller = node(SELLER)
            buyers = [
                node(Party(PartyId(f"b{n}"), f"B{n}", "GB", "GBP")) for n in range(len(counts))
            ]
            for buyer, count in zip(buyers, counts, strict=True):
                introduce(seller, buyer)
                introduce(buyer, seller)
                for number, first in enumerate(range(1, count + 1, HOLDING_LINES)):
                    last = min(first + HOLDING_LINES - 1, count)
                    hold((seller, buyer), buyer.party.id, number, first, last)
                rated(buyer)
            rated(seller)
            yield server, seller, buyers
            for one in nodes:
                one.database.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def introduce(one: Node, to: Node) -> None:
    """Makes the one a partner of the other."""
    card = directory.invite(
        one.keys, party=one.party, address="http://127.0.0.1:1", now=NOW - timedelta(days=1)
    )
    with to.database.begin() as tx:
        directory.join(tx, card=card, now=NOW)


# --- what is measured ---------------------------------------------------------------------------


@dataclass
class Stopwatch:
    """Wall and processor seconds of each step; the processor's are this process's own."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, float]]:
        wall, cpu = time.perf_counter(), time.process_time()
        found = self.steps.setdefault(name, {"wall_s": 0.0, "cpu_s": 0.0})
        yield found
        found["wall_s"] = round(found["wall_s"] + time.perf_counter() - wall, 3)
        found["cpu_s"] = round(found["cpu_s"] + time.process_time() - cpu, 3)
        print(f"{name}: {found}", file=sys.stderr)

    @property
    def wall_s(self) -> float:
        return round(sum(one["wall_s"] for one in self.steps.values()), 3)


def answer(
    given: tuple[tuple[Party, str, Path], bytes],
) -> tuple[list[tuple[PartyId, bytes]], float, float]:
    """What one buyer makes of a statement, in a process of its own as another node's worker:
    its answers, processor seconds, and the most memory that the process ever had.
    """
    (party, url, folder), body = given
    node = opened(party, url, folder)
    began = time.process_time()
    try:
        node.hear(SELLER.id, body)
        while node.work():
            pass
        answers = [(party.id, wire(notice)) for _, notice in node.outbox()]
    finally:
        node.database.close()
    return answers, time.process_time() - began, peak_mb()


def opened(party: Party, url: str, folder: Path) -> Node:
    """A node whose database is there."""
    database = Database(url, connections_max=2)
    database.open()
    return Node(
        party, database, KeyRing.load_or_create(folder), Ids(SystemClock()), (party, url, folder)
    )


def close(seller: Node, buyers: Sequence[Node], watch: Stopwatch, pool: Executor) -> dict[str, int]:
    """The month, from rated lines to books on both sides; returns octets sent, by kind."""
    by_name = {one.party.id: one for one in [seller, *buyers]}
    sent: dict[str, int] = {}

    back: list[tuple[PartyId, bytes]] = []

    def send(notice: Notice) -> bytes:
        body = wire(notice)
        sent[notice.kind] = sent.get(notice.kind, 0) + len(body)
        return body

    with watch.step("draft and state"):
        while seller.work():
            pass
    with watch.step("hear, compare and confirm") as found:
        statements = [(to, send(notice)) for to, notice in seller.outbox()]
        largest_first = sorted(statements, key=lambda one: -len(one[1]))
        given = [(by_name[to].spec, body) for to, body in largest_first]
        for answers, cpu_s, most_mb in pool.map(answer, given):
            found["cpu_s"] += cpu_s
            found["peak_mb"] = max(found.get("peak_mb", 0), most_mb)
            back += answers
    with watch.step("hear answers, invoice and post"):
        for sender, body in back:
            seller.hear(sender, body)
    with watch.step("hear invoices and book"):
        for to, notice in seller.outbox():
            by_name[to].hear(SELLER.id, send(notice))
    return sent


def plain(server: EmbeddedServer, seller: Node) -> float:
    """The floor: seconds for the same lines as rows of plain tables."""
    database = Database(server.url(seller.party.id), connections_max=1, role=None)
    database.open()
    began = time.perf_counter()
    for statement in PLAIN.strip().split(";\n"):
        with database.begin() as tx:
            run(tx, statement)
    took = time.perf_counter() - began
    database.close()
    return took


def check(seller: Node, buyers: Sequence[Node]) -> bool:
    """Whether every statement is invoiced on both sides, for the same, and the books hold."""
    with seller.database.begin() as tx:
        ours = {one.id: one for one in statements.find(tx)}
        balances = {one.code: one.balance for one in ledger.balances(tx)}
    good = len(ours) == len(buyers)
    for buyer in buyers:
        with buyer.database.begin() as tx:
            (theirs,) = statements.find(tx)
            owed = {one.code: one.balance for one in ledger.balances(tx)}
        held = ours[theirs.id]
        good &= held.state is theirs.state is StatementState.INVOICED
        good &= held.total == theirs.total and held.number == theirs.number
        good &= balances[f"receivable/{buyer.party.id}/GBP"] == held.total
        good &= owed["payable/seller/GBP"] in (held.total, -held.total)
    return good


def bench(lines: int, largest: int, each: int) -> dict[str, object]:
    counts = sizes(lines, largest, each)
    with prepared(counts) as (server, seller, buyers):
        print("prepared", file=sys.stderr)
        base_mb = peak_mb()
        watch = Stopwatch()
        load = os.getloadavg()[0]
        settle()  # as the processes of a node do
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, spawn, settle) as pool:
            list(pool.map(abs, range(PROCESSES)))  # they are there when the clock starts
            sent = close(seller, buyers, watch, pool)
        most_mb = peak_mb()
        good = check(seller, buyers)
        floor = plain(server, seller)
        return {
            "bench": "close",
            "machine": {"cpus": os.cpu_count(), "load_1m": [load, os.getloadavg()[0]]},
            "python": platform.python_version(),
            "lines": sum(counts),
            "statements": len(counts),
            "largest": max(counts),
            "wall_s": watch.wall_s,
            "lines_per_s": round(sum(counts) / watch.wall_s),
            "steps": watch.steps,
            "sent_octets": sent,
            "peak_mb": most_mb,
            "peak_before_mb": base_mb,
            "floor_s": round(floor, 3),
            "over_floor": round(watch.wall_s / floor, 1),
            "correct": good,
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="in all (%(default)s)")
    parser.add_argument("--largest", type=int, default=500_000, help="of one buyer (%(default)s)")
    parser.add_argument("--each", type=int, default=10_000, help="of each other (%(default)s)")
    given = parser.parse_args()
    if given.each < 1 or not 0 <= given.largest <= given.lines:
        parser.error("--each must be at least 1 and --largest at most --lines")
    result = bench(given.lines, given.largest, given.each)
    print(json.dumps(result, indent=2))
    return 0 if result["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
