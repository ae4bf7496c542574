"""Calls that we have rated, laid beside a partner's records of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.settlement.actions.reconciling import reconcile_holding
from hansa.lifecycle.settlement.model import Reconciliation, Tolerance
from tests.lifecycle.rating.test_traffic import BOUGHT, SOLD, Network
from tests.lifecycle.usage.counter import call
from tests.lifecycle.usage.stage import NOVEMBER, SHOP, holding, ref

pq = pytest.importorskip("pyarrow.parquet")

STRICT = Tolerance(calls_bp=0, seconds_bp=0, amount_bp=0)
ANSWERED_S = 1_793_606_400
"""2 November 2026, 08:00 UTC."""


@pytest.fixture
def network(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Network:
    return Network(begin, clock, ids, tmp_path / "node")


def compared(
    network: Network, of: HoldingRef, *theirs: str
) -> tuple[Reconciliation, list[dict[str, object]]]:
    """theirs: what BT says of each call: name, seconds after the first, length, amount."""
    place = network.folder.parent / "theirs.csv"
    head = "source_ref,calling,called,answered_us,duration_s,amount_nano"
    lines = []
    for one in theirs:
        name, later, *rest = one.split()
        answered = (ANSWERED_S + int(later)) * 1_000_000
        lines.append(f"{name},27101234567,22507070000,{answered},{','.join(rest)}")
    place.write_text("\n".join([head, *lines]) + "\n")
    found, folder = reconcile_holding(
        network.begin,
        holding=of,
        month=NOVEMBER,
        folder=network.folder,
        theirs=[place],
        to=network.folder.parent / "results",
        tolerance=STRICT,
    )
    return found, pq.read_table(folder / "differences.parquet").to_pylist()


def test_a_price_that_differs_is_found_without_an_export(network: Network) -> None:
    network.open()
    network.take(call("c1"), call("c2", called="+22600000000"))
    network.take(call("c3", answered="2026-11-02T09:00:00", duration="60"), name="b.csv")
    with pytest.raises(TryLater, match="events-unrated"):
        compared(network, BOUGHT)
    network.rate()
    # BT asks 2.5 ZAR for the first, and agrees with 0.10 GBP at 23.5 ZAR for the other.
    found, rows = compared(network, BOUGHT, "t1 0 61 2500000000", "t3 3600 60 2350000000")
    assert (found.currency, found.rows_ours, found.rows_theirs) == ("ZAR", 3, 2)
    priced = next(row for row in rows if row["class"] == "price")
    assert (priced["ours_ref"], priced["theirs_ref"]) == ("c1", "t1")
    assert priced["difference_nano"] == 2_500_000_000 - 2_389_166_675
    (missing,) = [row for row in rows if row["class"] != "price"]
    assert (missing["class"], missing["ours_ref"]) == ("missing-there", "c2")
    assert missing["ours_amount_nano"] is None  # it has no price with us
    assert sorted(one.name for one in found.ours) == sorted(
        ["1.parquet", "2.parquet", *(Path(str(file.path)).name for file in network.files())]
    )


def test_what_was_sold_has_amounts_of_its_own(network: Network) -> None:
    network.open()
    network.take(call("c1"))
    network.rate()
    found, rows = compared(network, SOLD, "s1 0 61 6100000000")
    assert (rows, found.difference_nano) == ([], 0)
    assert found.ours == compared(network, SOLD, "s1 0 61 6100000000")[0].ours


def test_a_holding_without_calls_by_a_deck_is_said(network: Network) -> None:
    network.open()
    network.take(call("c1"))
    network.rate()
    with pytest.raises(NotFound, match="holding-unknown"):
        compared(network, ref("other"))
    network.stage.enter(holding(ref("plain"), SHOP))
    with pytest.raises(NotFound, match="charge-unknown"):
        compared(network, ref("plain"))
    assert list((network.folder.parent / "results").iterdir()) == []
