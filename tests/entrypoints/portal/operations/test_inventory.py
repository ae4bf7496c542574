"""What is held: found, seen standing on what delivers it, asked how it is, and drawn as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from hansa.drivers import store as network
from hansa.drivers.contract import Figure, Sample
from hansa.foundation.ids import HoldingId
from hansa.foundation.time import Instant
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding
from hansa.node import Node
from tests.entrypoints.portal.operations.world import World
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module", autouse=True)
def lines(world: World) -> None:
    """Two lines of the shop, one of which is faster, and one that has ended."""
    for place, speed in (("Durban", 100), ("Benoni", 200)):
        world.sell(place, key=place.lower(), speed=speed)
        world.alliance.pass_time(timedelta(minutes=1))
    world.clock.move(timedelta(seconds=1))
    gone = world.sell("Pretoria", key="pretoria")
    world.alliance.work()
    world.shop.cease(order_id=gone, key="end")  # type: ignore[arg-type]
    world.alliance.work()


@pytest.fixture(scope="module")
def below(world: World) -> Visitor:
    """Uma, of the operations of op1, who delivers."""
    return world.visitor("uma", "operations", node=world.op1)


def sold(node: Node, place: str = "Durban") -> Holding:
    with node.begin() as tx:
        found = inventory.search(tx, us=node.us.id, side="sold", text=place, limit=2).things
    return found[0]


def own(node: Node) -> Holding:
    """What stands at the bottom of the line to Durban."""
    with node.begin() as tx:
        return inventory.below(tx, ref=sold(node).ref)[0][1]


def path(one: Holding) -> str:
    return f"/inventory/{one.ref.seller}/{one.ref.id}"


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", ["Pretoria", "Benoni", "Durban"]),
        ("side=sold&q=durban", ["Durban"]),
        ("side=sold&state=active", ["Benoni", "Durban"]),
        ("side=sold&state=terminated", ["Pretoria"]),
        ("side=bought", ["Pretoria", "Benoni", "Durban"]),
        ("side=bought&party=OP1&q=benoni", ["Benoni"]),
        ("side=bought&party=shop", []),
        ("side=own", []),
        ("side=upside&family=none&state=what", ["Pretoria", "Benoni", "Durban"]),
        ("family=voice", []),
        ("q=%25", []),
    ],
)
def test_what_is_held_is_found(ops: Visitor, query: str, places: list[str]) -> None:
    shown = ops.open(f"/inventory?{query}")
    assert shown.status == 200
    rows = shown.rows() if shown.tree.xpath("//table") else []
    assert [row[3].split(",")[0] for row in rows] == places
    if not places:
        assert "Nothing is held that is like this" in shown.text


def test_it_is_for_operations_alone(world: World, fin: Visitor) -> None:
    one = path(sold(world.node))
    for asked in ("/inventory", one, f"{one}/condition"):
        assert fin.open(asked).status == 403


def test_there_is_no_such_holding(ops: Visitor) -> None:
    assert ops.open("/inventory/op2/hld_nothing").status == 404
    assert ops.open("/inventory/%3Cb%3E/hld_nothing/condition").status == 404


# --- one holding ----------------------------------------------------------------------------------


def test_what_stands_on_what_is_a_graph_with_its_table(
    world: World, ops: Visitor, below: Visitor
) -> None:
    one = sold(world.node)
    shown = ops.open(path(one))
    assert shown.tree.xpath("//x-chart[@kind='graph']//table")
    ((upper, lower, whose, counts, state),) = shown.rows()
    assert upper == f"Line by op2 …{one.ref.id[-6:]}"
    assert lower.startswith("Line by op1 …")
    assert (whose, counts, state) == ("OP1", "yes", "Active")
    # The same line where it is delivered: the bought one of op2 is op1's own, from its network.
    ((_upper, lower, whose, _counts, _state),) = below.open(path(sold(world.op1))).rows()
    assert (lower[:5], whose) == ("Line ", "our own network")


def test_from_below_it_is_seen_what_stands_on_it(world: World, below: Visitor) -> None:
    shown = below.open(path(own(world.op1)))
    ((upper, lower, *_rest),) = shown.rows()
    assert upper.startswith("Line by op1 …") and lower.startswith("Line …")
    assert shown.tree.xpath(f"//x-chart//a[@href='{path(sold(world.op1))}']")


def test_its_terms_over_time(world: World, ops: Visitor) -> None:
    (spell,) = ops.open(path(sold(world.node))).rows(1)
    assert spell[1:4] == ["still so", "Speed 100", "1"]
    (spell,) = ops.open(path(sold(world.node, "Pretoria"))).rows(1)
    assert spell[1] != "still so"


# --- how it is ------------------------------------------------------------------------------------


def test_a_simulated_network_is_never_shown_as_measured(world: World, ops: Visitor) -> None:
    one = path(sold(world.node))
    shown = ops.open(f"{one}/condition", part=True)
    assert "simulated: nothing was measured" in shown.text
    assert {row[3] for row in shown.rows()} == {"simulated"}
    whole = ops.open(f"{one}/condition")
    assert whole.heading.startswith("Line by op2"), "without script it is a page"
    assert "simulated: nothing was measured" in whole.text


def test_a_silent_partner_is_named_and_the_page_is_there(world: World, ops: Visitor) -> None:
    world.alliance.silent.add(world.op1.us.id)
    try:
        shown = ops.open(f"{path(sold(world.node))}?check=1")
    finally:
        world.alliance.silent.clear()
    assert shown.status == 200
    assert "OP1 does not say how it is" in shown.text
    assert "ask again in a minute" in shown.text


def test_what_has_ended_is_asked_of_nobody(world: World, ops: Visitor) -> None:
    shown = ops.open(f"{path(sold(world.node, 'Pretoria'))}/condition", part=True)
    assert "Nothing to ask about" in shown.text


# --- how it was -----------------------------------------------------------------------------------


def measure(node: Node, holding: HoldingId, at: Instant, **figures: int) -> None:
    found = [
        Sample(at, holding, "" if name == "available" else "ef", cast(Figure, name), value)
        for name, value in figures.items()
    ]
    with node.begin() as tx:
        network.put_samples(tx, found)


def test_without_a_series_it_is_said_why(world: World, ops: Visitor, below: Visitor) -> None:
    assert "Series are kept by who measures them" in ops.open(path(sold(world.node))).text
    shown = below.open(path(sold(world.op1, "Benoni")))
    assert "This network is simulated" in shown.text
    assert not shown.tree.xpath("//x-chart[@kind='line']")


def test_figures_are_drawn_against_their_target(world: World, below: Visitor) -> None:
    line, now = own(world.op1).ref.id, world.clock.now()
    for ago, rtt, lost in ((10, 12_350, 0), (200, 15_000, 2_000), (260, 400_000, 0)):
        measure(
            world.op1,
            line,
            now - timedelta(minutes=ago),
            rtt_us=rtt,
            jitter_us=900,
            loss_ppm=lost,
            available=1,
        )
    measure(world.op1, line, now - timedelta(minutes=300), available=0)
    shown = below.open(f"{path(own(world.op1))}?span=day")
    charts = shown.tree.xpath("//x-chart[@kind='line']")
    assert [(one.get("label"), one.get("data-target"), one.get("data-unit")) for one in charts] == [
        ("Round trip", "200", "ms"),
        ("Jitter", "50", "ms"),
        ("Loss", "0.1", "%"),
        ("Availability", "99.95", "%"),
    ]
    values = [one.xpath(".//td/@data-value") for one in charts]
    assert values[0] == ["400.00", "15.00", "12.35"]
    assert values[3] == ["0.00", "100.00", "100.00", "100.00"]
    assert all(len(one.xpath(".//tbody/tr")) == 48 for one in charts)
    said = shown.all("//div[@id='measures']//h3/following-sibling::p[1]")
    assert "beyond the target" in said[0] and "within the target" in said[1]
    assert "in all 0.067 %, target at most 0.1 %; 3 looks" in said[2]
    assert "in all 75 %, target at least 99.95 %; 4 looks" in said[3]
    assert shown.all("//div[@id='measures']//h3") == [
        "Round trip measured",
        "Jitter measured",
        "Loss measured",
        "Availability measured",
    ]
    # From what is sold on it, too; and only what lies in the time that is asked for.
    above = below.open(f"{path(sold(world.op1))}?span=hour")
    assert above.tree.xpath("//x-chart[@label='Round trip']//td/@data-value") == ["12.35"]
    assert len(above.tree.xpath("//x-chart[@label='Round trip']//tbody/tr")) == 30
    assert below.open(f"{path(own(world.op1))}?span=century").status == 200
