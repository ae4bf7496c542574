"""How fast an order goes through a chain of 1 to 5 operators, beside a bare chain.

Starts real nodes on loopback: each its own API and worker process, database that waits for
the disk, and key. Every operator resells the line of the one before; the first delivers it
from a simulated network, which costs nothing to speak of. Orders are placed at the last
operator's storefront, from quotes made before the clock starts, and are timed from the
moment that they are placed to the moment that they are completed, as the node's database
has them. `idle`: one at a time. `loaded`: placed by several threads as fast as they can.

The peer (peers/bare_hop.py) hands each order down the same number of processes with an insert, an
HTTP request and an update per hop, all before it answers: the least that it takes.

Prints one JSON object. Example:
    .venv/bin/python bench/chain_order.py --hops 1 2 3 --orders 60 > chain.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx2

from hansa.drivers.model import Choice, Coverage, Product
from hansa.entrypoints.demo import prepare
from hansa.entrypoints.demo.stage import Stage, wait_until
from hansa.entrypoints.operator_files import AgreementFile, CustomerEntry, Operator
from hansa.federation.contract import CharacteristicSpec, Need, NeedItem, OrderState, Tax
from hansa.federation.papers import AgreementItem, AgreementParty
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import BuyerKey, OfferCode, OrderId, PartyId
from hansa.foundation.party import Actor, Party
from hansa.foundation.site import Site
from hansa.foundation.time import SystemClock
from hansa.lifecycle.catalogue.model import (
    CatalogueOffer,
    Component,
    ListPrice,
    Source,
    TaxRule,
)
from hansa.lifecycle.order import actions as orders
from hansa.storefront import Storefront

LINE = OfferCode("line")
SHOP = PartyId("shop")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
THREADS = 8
WAIT_S = 120


def operator(number: int) -> Operator:
    """The n-th operator of a chain; the first has a network, the others resell."""
    party = Party(PartyId(f"op{number}"), f"Operator {number}", "ZA", "ZAR")
    below = PartyId(f"op{max(1, number - 1)}")
    return Operator(
        party=party,
        products=(
            Product(
                LINE, "Line", "connectivity", "site", (Choice("speed_mbps", "Mbit/s", 1, 1000),)
            ),
        ),
        coverage=(Coverage(LINE, "ZA"),) if number == 1 else (),
        offers=(
            CatalogueOffer(
                LINE,
                "Line",
                "connectivity",
                "site",
                ("ZA",),
                (CharacteristicSpec("speed_mbps", "Mbit/s", 1, 1000),),
                (Component("line", (Source(below, LINE),), passes=("speed_mbps",)),),
            ),
        ),
        prices=(
            ListPrice("retail", LINE, "ZAR", Decimal(100), Decimal(50), LONG_AGO, margin_bp=1000),
        ),
        taxes=(TaxRule("ZA", "*", LONG_AGO.date(), Tax("standard", 1500, "VAT")),),
        customers=(CustomerEntry(Party(SHOP, "Shop", "ZA", "ZAR"), "retail"),),
    )


def agreement(seller: int) -> AgreementFile:
    one, other = PartyId(f"op{seller}"), PartyId(f"op{seller + 1}")
    return AgreementFile(
        name=f"{one} to {other}",
        parties=(AgreementParty(one, "lead"), AgreementParty(other, "partner")),
        valid_from=LONG_AGO,
        items=(AgreementItem(one, other, (LINE,), ("ZA",), "retail", "ZAR"),),
        launch={"ZA": {}},
    )


class Chain:
    """A chain of real nodes, ready to take orders at its last storefront."""

    def __init__(self, folder: Path, hops: int) -> None:
        self.stage = Stage(folder, starts=SystemClock().now())
        operators = [operator(number) for number in range(1, hops + 1)]
        self.stage.start(operators)
        for one in operators:
            prepare.furnish(self.stage, one, ())
        for number in range(1, hops):
            prepare.join(self.stage, PartyId(f"op{number}"), PartyId(f"op{number + 1}"))
            prepare.agree(self.stage, agreement(number))
        self.top = self.stage.nodes[PartyId(f"op{hops}")]
        self.front: Storefront = self.top.storefront(Actor(SHOP, "customer"))
        self._number = 0

    def quotes(self, count: int) -> list[str]:
        made = []
        for _ in range(count):
            self._number += 1
            site = Site(f"s{self._number}", "Shop", "ZA", "Durban")
            item = NeedItem("line", LINE, site, {"speed_mbps": 100})
            need = Need((item,), "ZAR", self.top.ids.trace())
            made.append(self.front.quote(need).id)
        return made

    def place(self, quote: str) -> OrderId:
        return self.front.order(quote_id=quote, key=BuyerKey(quote)).id  # type: ignore[arg-type]

    def is_done(self, order: OrderId) -> bool:
        return self.milliseconds(order) is not None

    def milliseconds(self, order: OrderId) -> float | None:
        """From placed to completed; None while it is under way. Raises if it failed."""
        with self.top.begin() as tx:
            kept = orders.get(tx, us=self.top.us.id, order_id=order)
        if kept.ended_at is None:
            return None
        if kept.order.state is not OrderState.COMPLETED:
            raise RuntimeError(f"{order} is {kept.order.state}: {kept.reason}")
        return (kept.ended_at - kept.order.placed_at) / timedelta(milliseconds=1)


def measure(chain: Chain, count: int) -> dict[str, object]:
    warm = [chain.place(quote) for quote in chain.quotes(5)]
    wait_until(lambda: all(map(chain.is_done, warm)), timeout_s=WAIT_S, what="the warm-up")
    idle = []
    for quote in chain.quotes(count):
        order = chain.place(quote)
        wait_until(lambda o=order: chain.is_done(o), timeout_s=WAIT_S, what="an order")  # type: ignore[misc]
        idle.append(order)
    quotes = chain.quotes(count)
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        loaded = list(pool.map(chain.place, quotes))
    placed_s = time.perf_counter() - began
    wait_until(
        lambda: chain.is_done(loaded[-1]) and all(map(chain.is_done, loaded)),
        timeout_s=WAIT_S,
        what="the loaded orders",
        pause_s=0.05,
    )
    took = time.perf_counter() - began
    return {
        "idle_ms": spread([chain.milliseconds(order) or 0.0 for order in idle]),
        "loaded_ms": spread([chain.milliseconds(order) or 0.0 for order in loaded]),
        "orders_per_s": round(count / took, 1),
        "placed_per_s": round(count / placed_s, 1),
    }


def bare(folder: Path, hops: int, count: int) -> dict[str, object]:
    """The same number of orders through the peer's chain."""
    folder.mkdir(parents=True)
    processes: list[subprocess.Popen[bytes]] = []
    servers = []
    following = ""
    try:
        for hop in range(hops):
            server = EmbeddedServer(folder / str(hop))
            server.start()
            servers.append(server)
            server.create_database("bare")
            port = free_port()
            processes.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        str(Path(__file__).parent / "peers" / "bare_hop.py"),
                        "--url",
                        server.url("bare"),
                        "--port",
                        str(port),
                        "--next",
                        following,
                    ]
                )
            )
            following = f"http://127.0.0.1:{port}"
            wait_until(lambda p=port: listens(p), timeout_s=30, what="a bare hop")  # type: ignore[misc]
        with httpx2.Client(base_url=following, timeout=60) as client:

            def place(number: int) -> float:
                began = time.perf_counter()
                client.post("/order", json={"id": str(number)}).raise_for_status()
                return (time.perf_counter() - began) * 1000

            for number in range(5):
                place(-1 - number)
            idle = [place(number) for number in range(count)]
            began = time.perf_counter()
            with ThreadPoolExecutor(THREADS) as pool:
                loaded = list(pool.map(place, range(count, 2 * count)))
            took = time.perf_counter() - began
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(15)
        for server in servers:
            server.stop()
    return {
        "idle_ms": spread(idle),
        "loaded_ms": spread(loaded),
        "orders_per_s": round(count / took, 1),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        "max": round(ordered[-1], 1),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hops", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--orders", type=int, default=60, help="how many, idle and loaded each")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    results = []
    try:
        for hops in given.hops:
            sys.stderr.write(f"{hops} hops ...\n")
            chain = Chain(folder / f"chain-{hops}", hops)
            try:
                ours = measure(chain, given.orders)
            finally:
                chain.stage.clear()
            peer = bare(folder / f"bare-{hops}", hops, given.orders)
            results.append(
                {"hops": hops, "hansa": ours, "bare": peer, "ratios": ratios(ours, peer)}
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    json.dump(
        {
            "bench": "chain_order",
            "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            "orders": given.orders,
            "threads": THREADS,
            "results": results,
        },
        sys.stdout,
        indent=2,
    )
    sys.stdout.write("\n")


def ratios(ours: dict[str, object], peer: dict[str, object]) -> dict[str, float]:
    """Ours over the bare chain: how many times as long, and as many orders."""

    def at(side: dict[str, object], name: str) -> float:
        spread = side[name]
        assert isinstance(spread, dict)
        return float(spread["p50"])

    return {
        "idle_p50": round(at(ours, "idle_ms") / at(peer, "idle_ms"), 2),
        "loaded_p50": round(at(ours, "loaded_ms") / at(peer, "loaded_ms"), 2),
        "orders_per_s": round(
            float(str(ours["orders_per_s"])) / float(str(peer["orders_per_s"])), 2
        ),
    }


if __name__ == "__main__":
    main()
