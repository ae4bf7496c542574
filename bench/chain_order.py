"""How fast an order goes through a chain of 1 to 5 operators, beside a bare chain.

Starts real nodes on loopback: each its own API and worker process, database that waits for
the disk, and key. Every operator resells the line of the one before; the first delivers it
from a simulated network, which costs nothing to speak of. Orders are placed at the last
operator's storefront, from quotes made before the clock starts, and are timed from the
moment that they are placed to the moment that they are completed, as the node's database
has them. `idle`: one at a time. `loaded`: placed by several threads as fast as they can.
`steady`: placed at an even pace, whether or not those before are completed, and timed from the
moment that each was due to be placed. All protections are on: TLS with certificates on both
sides, signatures, evidence, row security. --without leaves out one at a time, as no setting can.

The peer (peers/bare_hop.py) hands each order down the same number of processes with an insert, an
HTTP request and an update per hop, all before it answers: the least that it takes.

Prints one JSON object. Examples:
    .venv/bin/python bench/chain_order.py --hops 1 2 3 --orders 60 > chain.json
    .venv/bin/python bench/chain_order.py --hops 3 --rate 20 --seconds 30 > steady.json
    .venv/bin/python bench/chain_order.py --hops 3 --without tls signatures evidence > costs.json
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
from typing import Any

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
from hansa.lifecycle.order.actions import orders
from hansa.storefront.seller import Storefront

LINE = OfferCode("line")
SHOP = PartyId("shop")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
THREADS = 8
WAIT_S = 120
HANDS = 16
"""Threads that place orders at an even pace: enough that none waits for another to be placed."""

TARGET_HOPS, TARGET_RATE_PER_S = 3, 20.0
TARGET_MS = {"idle_p50_ms": 150.0, "steady_p99_ms": 500.0}
LACKING = Path(__file__).parent / "lacking"
WITHOUT = ("tls", "signatures", "evidence", "row security")
HOW = {"": "as every node is", "tls": "http.tls = off, as behind a proxy that ends TLS"}


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


class PlainStage(Stage):
    """A stage whose nodes leave TLS to a proxy that is not there."""

    def _settings(self, operator: Operator) -> str:
        return super()._settings(operator).replace("[http]\n", '[http]\ntls = "off"\n')


class Chain:
    """A chain of real nodes, ready to take orders at its last storefront."""

    def __init__(self, folder: Path, hops: int, *, plain: bool = False) -> None:
        stage = PlainStage if plain else Stage
        self.stage = stage(folder, starts=SystemClock().now())
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

    def cpu_s(self) -> float:
        """Processor time of all processes of all nodes so far, their databases included."""
        return sum(cpu_s(node.pid) for node in self.stage._processes.values())

    def place(self, quote: str) -> OrderId:
        return self.front.order(quote_id=quote, key=BuyerKey(quote)).id  # type: ignore[arg-type]

    def is_done(self, order: OrderId) -> bool:
        return self.milliseconds(order) is not None

    def milliseconds(self, order: OrderId, since: datetime | None = None) -> float | None:
        """From placed, or a given moment, to completed; None while it is under way.

        Raises if it failed.
        """
        with self.top.begin() as tx:
            kept = orders.get(tx, us=self.top.us.id, order_id=order)
        if kept.ended_at is None:
            return None
        if kept.order.state is not OrderState.COMPLETED:
            raise RuntimeError(f"{order} is {kept.order.state}: {kept.reason}")
        return (kept.ended_at - (since or kept.order.placed_at)) / timedelta(milliseconds=1)


def measure(chain: Chain, count: int) -> dict[str, Any]:
    warm = [chain.place(quote) for quote in chain.quotes(5)]
    wait_until(lambda: all(map(chain.is_done, warm)), timeout_s=WAIT_S, what="the warm-up")
    idle = []
    for quote in chain.quotes(count):
        order = chain.place(quote)
        wait_until(lambda o=order: chain.is_done(o), timeout_s=WAIT_S, what="an order")  # type: ignore[misc]
        idle.append(order)
    quotes = chain.quotes(count)
    cpu_before = chain.cpu_s()
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
        "cpu_ms_per_order": round((chain.cpu_s() - cpu_before) * 1000 / count, 1),
    }


def steady(chain: Chain, rate: float, seconds: float) -> dict[str, object]:
    """Orders at an even pace, each timed from the moment that it was due."""
    quotes = chain.quotes(round(rate * seconds))
    cpu_before = chain.cpu_s()
    began, first = time.monotonic(), chain.top.clock.now()

    def place(number: int) -> OrderId:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        return chain.place(quotes[number])

    with ThreadPoolExecutor(HANDS) as pool:
        placed = list(pool.map(place, range(len(quotes))))
    wait_until(
        lambda: chain.is_done(placed[-1]) and all(map(chain.is_done, placed)),
        timeout_s=WAIT_S,
        what="the steady orders",
        pause_s=0.25,
    )
    took = [
        chain.milliseconds(order, first + timedelta(seconds=number / rate)) or 0.0
        for number, order in enumerate(placed)
    ]
    last_s = max(number / rate + ms / 1000 for number, ms in enumerate(took))
    return {
        "wanted_per_s": rate,
        "achieved_per_s": round(len(placed) / last_s, 1),
        "orders": len(placed),
        "ms": spread(took),
        "cpu_ms_per_order": round((chain.cpu_s() - cpu_before) * 1000 / len(placed), 1),
    }


def cpu_s(root: int) -> float:
    """Processor time of a process and all below it, those that have ended included."""
    parents: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            fields = text[text.rindex(")") + 2 :].split()
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    found, total = [root], 0
    while found:
        pid = found.pop()
        total += ticks.get(pid, 0)
        found += parents.get(pid, [])
    return total / os.sysconf("SC_CLK_TCK")


def lacking(given: argparse.Namespace) -> list[dict[str, object]]:
    """The longest chain asked for, whole and then with one protection left out at a time."""
    results: list[dict[str, object]] = []
    whole: dict[str, Any] = {}
    for without in ("", *given.without):
        sys.stderr.write(f"without {without or 'nothing'}: ")
        command = [sys.executable, __file__, "--alone", "--hops", str(max(given.hops))]
        command += ["--orders", str(given.orders), *(["--plain"] if without == "tls" else [])]
        environment = dict(os.environ)
        if without not in HOW:
            path = [str(LACKING), environment.get("PYTHONPATH", "")]
            environment |= {
                "PYTHONPATH": os.pathsep.join(filter(None, path)),
                "HANSA_BENCH_WITHOUT": without,
            }
        ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        measured = json.loads(ran.stdout)["results"][0]["hansa"]
        whole = whole or measured
        results.append(
            {
                "without": without or "nothing",
                "how": HOW.get(without, "in this bench only: no setting of a node does it"),
                "hansa": measured,
                "cpu_whole_over_this": ratio(whole, measured, "cpu_ms_per_order"),
                "idle_p50_whole_over_this": ratio(whole["idle_ms"], measured["idle_ms"], "p50"),
            }
        )
    return results


def ratio(one: dict[str, Any], other: dict[str, Any], name: str) -> float:
    return round(float(one[name]) / float(other[name]), 2)


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
    parser.add_argument("--rate", type=float, help="orders a second, placed at an even pace")
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long, with --rate")
    parser.add_argument("--without", nargs="+", choices=WITHOUT, default=[], metavar="PROTECTION")
    parser.add_argument("--alone", action="store_true", help="leave the bare chain out")
    parser.add_argument("--plain", action="store_true", help="nodes without TLS")
    given = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    results = [] if given.without else chains(given)
    found: dict[str, object] = {
        "bench": "chain_order",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": load,
        },
        "orders": given.orders,
        "threads": THREADS,
        "target": [target(result) for result in results if result["hops"] == TARGET_HOPS],
        "results": results,
    }
    if given.without:
        found["protections"] = lacking(given)
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


def chains(given: argparse.Namespace) -> list[dict[str, Any]]:
    """A chain of each length that was asked for, beside the bare one."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    results: list[dict[str, Any]] = []
    try:
        for hops in given.hops:
            sys.stderr.write(f"{hops} hops ...\n")
            chain = Chain(folder / f"chain-{hops}", hops, plain=given.plain)
            try:
                ours = measure(chain, given.orders)
                if given.rate:
                    ours["steady"] = steady(chain, given.rate, given.seconds)
            finally:
                chain.stage.clear()
            result: dict[str, Any] = {"hops": hops, "hansa": ours}
            if not given.alone:
                peer = bare(folder / f"bare-{hops}", hops, given.orders)
                result |= {"bare": peer, "ratios": ratios(ours, peer)}
            results.append(result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def target(result: dict[str, Any]) -> dict[str, object]:
    """What is wanted of a chain of three operators, and what was measured of it."""
    ours = result["hansa"]
    measured = {"idle_p50_ms": ours["idle_ms"]["p50"]}
    if "steady" in ours and ours["steady"]["wanted_per_s"] == TARGET_RATE_PER_S:
        measured["steady_p99_ms"] = ours["steady"]["ms"]["p99"]
        measured["steady_achieved_per_s"] = ours["steady"]["achieved_per_s"]
    return {
        "hops": TARGET_HOPS,
        "rate_per_s": TARGET_RATE_PER_S,
        **{
            name: {
                "wanted": f"below {TARGET_MS[name]:.0f}",
                "measured": ms,
                "met": ms < TARGET_MS[name],
            }
            if name in TARGET_MS
            else {"measured": ms}
            for name, ms in measured.items()
        },
    }


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
