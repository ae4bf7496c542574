"""How fast a need of thousands of sites is qualified and quoted through a chain of operators.

Starts the real nodes of chain_order.py. The need is asked at the last operator's storefront,
in bulk; timed are the first answer, the last one, and the same need asked again (resumed: all
of it is kept). One site in fifty lies in a country that nobody serves, so some answers say no.

The peer is the same chain asked for one site at a time, by eight threads: what is done where a
standard's quote holds all of a need or none of it, and partial success is wanted.

Prints one JSON object. Example:
    .venv/bin/python bench/bulk_quote.py --hops 3 --sites 10000 > bulk.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chain_order import LINE, Chain

from hansa.federation.bulk import Quoted
from hansa.federation.contract import Need, NeedItem
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey
from hansa.foundation.site import Site

TARGET_S = 10.0
THREADS = 8
ELSEWHERE = 50


def items(count: int, first: int = 0) -> Sequence[NeedItem]:
    return tuple(
        NeedItem(
            f"site-{number}",
            LINE,
            Site(
                f"s{number}", f"Branch {number}", "GH" if not number % ELSEWHERE else "ZA", "Town"
            ),
            {"speed_mbps": 100},
        )
        for number in range(first, first + count)
    )


def in_bulk(chain: Chain, need: Need, key: str) -> dict[str, float | int]:
    began = time.perf_counter()
    first_s = 0.0
    quoted = unquoted = 0
    for answer in chain.front.quote_in_bulk(need, key=BuyerKey(key)):
        first_s = first_s or time.perf_counter() - began
        if isinstance(answer, Quoted):
            quoted += 1
        else:
            unquoted += 1
    took = time.perf_counter() - began
    return {
        "seconds": round(took, 2),
        "first_answer_s": round(first_s, 2),
        "quoted": quoted,
        "unquoted": unquoted,
        "sites_per_s": round(len(need.items) / took, 1),
    }


def one_by_one(chain: Chain, count: int) -> dict[str, float | int]:
    def ask(item: NeedItem) -> bool:
        need = Need((item,), "ZAR", chain.top.ids.trace())
        try:
            return bool(chain.front.quote(need).lines)
        except Refused:
            return False

    wanted = items(count, first=1_000_000)
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        quoted = sum(pool.map(ask, wanted))
    took = time.perf_counter() - began
    return {
        "sites": count,
        "seconds": round(took, 2),
        "quoted": quoted,
        "sites_per_s": round(count / took, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hops", type=int, default=3)
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--single", type=int, default=200, help="sites that the peer asks for")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    try:
        sys.stderr.write(f"{given.hops} hops ...\n")
        chain = Chain(folder / "chain", given.hops)
        try:
            need = Need(items(given.sites), "ZAR", chain.top.ids.trace())
            in_bulk(chain, Need(items(500, 2_000_000), "ZAR", chain.top.ids.trace()), "warm")
            sys.stderr.write(f"{given.sites} sites in bulk ...\n")
            bulk = in_bulk(chain, need, "tender")
            again = in_bulk(chain, need, "tender")
            sys.stderr.write(f"{given.single} sites one by one ...\n")
            peer = one_by_one(chain, given.single)
        finally:
            chain.stage.clear()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    json.dump(
        {
            "bench": "bulk_quote",
            "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            "hops": given.hops,
            "sites": given.sites,
            "target": {"wanted_s": TARGET_S, "measured_s": bulk["seconds"]},
            "hansa": bulk,
            "resumed": again,
            "one_by_one": peer,
            "ratios": {
                "sites_per_s": round(bulk["sites_per_s"] / peer["sites_per_s"], 2),
            },
        },
        sys.stdout,
        indent=2,
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
