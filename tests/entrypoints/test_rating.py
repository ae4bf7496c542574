"""From a file of samples to a line of a bill, by commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.entrypoints.desk import SOON, Desk, set_clock
from tests.entrypoints.test_trade import Need, held, placed, quoted
from tests.lifecycle.usage.counter import csv

SLOT = timedelta(minutes=5)
BY_THEN = datetime(2026, 12, 4, 9, tzinfo=UTC)
"""When files of the last days of November are not waited for any more."""


def samples(file: Path, octets: int, until: datetime) -> str:
    """Five-minute samples of one port, from when it was surely ordered."""
    slots = range(1, (until - SOON) // SLOT)
    times = [f"{SOON + slot * SLOT:%Y-%m-%dT%H:%M:%S}" for slot in slots]
    head = "point,slot,octets_in,octets_out"
    file.write_bytes(csv(*(f"ge-1,{at},{octets},0" for at in times), head=head))
    return str(file)


def test_a_month_of_samples(shop: Desk, need: Need, tmp_path: Path, clock_file: Path) -> None:
    order = placed(shop, quoted(shop, need()))
    shop.work()
    holding = held(shop, order)
    shop("usage", "trunk", "put", "ge-1", holding, "--side", "in", "--from", "2026-11-01")
    december = datetime(2026, 12, 1, tzinfo=UTC)
    set_clock(clock_file, BY_THEN)
    file = samples(tmp_path / "samples.csv", 375_000_000, december)
    (taken,) = shop.json("usage", "import", "--layout", "samples", file)
    assert "0 of 1 added up" in shop("rating", "status", "--period", "2026-11").out
    shop.work()
    told = shop.json("rating", "status", "--period", "2026-11")["measured"]
    assert told["files"] == told["added_files"] == told["holdings"] == 1
    assert told["events"] == told["charged"] == taken["events"]
    assert shop.json("usage", "balance")["sum"]["waiting"] == 0
    (charge,) = shop.json("usage", "show", holding, "--period", "2026-11")["charges"]
    assert (charge["label"], charge["quantity"]) == ("p95", "10.000")
    (bill,) = shop.json("bill", "list", "--period", "2026-11")
    assert f"{holding}/usage/p95" in shop("bill", "show", bill["id"]).out

    event = str((taken["file"] << 32) + 2)
    said = shop("rating", "explain", event).out
    assert "in 375000000 octets, 10.000 Mbit/s, out 0 octets" in said
    assert f"1. {holding}, p95, in: " in said
    assert "event-unknown" in shop.refused("rating", "explain", "1", exit_code=4)
    again = shop.json("rating", "run", "--period", "2026-11", "--anew", "to see")
    assert (again["run"], again["adjustments"]) == (None, [])
    assert "1 of 1 added up" in shop("rating", "run", "--period", "2026-11").out


def test_a_comparison_needs_to_know_whose_calls(shop: Desk, tmp_path: Path) -> None:
    compare = ("settle", "reconcile", "--theirs", "x.csv", "--to", str(tmp_path / "found"))
    for words in ((), ("--holding", "hld_x"), ("--ours", "y"), ("--ours", "y", "--holding", "z")):
        assert "--holding and --period" in shop(*compare, *words, exit_code=2).err
    unknown = shop.refused(*compare, "--holding", "hld_x", "--period", "2026-11", exit_code=4)
    assert "holding-unknown" in unknown
