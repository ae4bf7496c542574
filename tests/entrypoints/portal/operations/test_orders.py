"""Orders as operations sees them: the list, one order's way through two operators, and live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hansa.entrypoints.portal import live
from hansa.federation.contract import OrderState
from hansa.foundation.ids import BuyerKey, OrderId
from hansa.foundation.people.actions import audit, persons, sessions
from tests.entrypoints.portal.operations.listening import Listening
from tests.entrypoints.portal.operations.world import World, short
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module")
def done(world: World) -> OrderId:
    """A line to Durban that was delivered."""
    order = world.sell("Durban", key="durban")
    world.alliance.pass_time(timedelta(minutes=2))
    assert world.shop.progress(order).state is OrderState.COMPLETED
    return order


@pytest.fixture(scope="module")
def held(world: World, done: OrderId) -> OrderId:
    return world.sell_and_have_them_held("Pretoria")[0]


@pytest.fixture
def waiting(world: World) -> Iterator[OrderId]:
    """An order that its supplier has not answered to yet."""
    world.alliance.silent.add(world.op1.us.id)
    key = f"waits-{world.clock.now():%H%M%S}"
    order = world.sell_quoted("Benoni", key=key)
    world.alliance.work()
    yield order
    world.alliance.silent.clear()
    world.alliance.pass_time(timedelta(minutes=5))


# --- the list -------------------------------------------------------------------------------------


def test_the_newest_comes_first_with_state_and_clock(
    ops: Visitor, done: OrderId, held: OrderId
) -> None:
    shown = ops.open("/orders")
    assert shown.heading == "Orders"
    first, second = shown.rows()
    assert [first[0], *first[1:4]] == [short(held), "Shop", "Line by op2 Pretoria", "Held"]
    assert [second[0], second[3], second[5]] == [short(done), "Completed", "2 minutes"]
    assert "minutes" in first[5]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=durban", 1),
        ("q=DURBAN", 1),
        ("q=nothing-of-that", 0),
        ("state=held", 1),
        ("state=inProgress", 0),
        ("state=completed", 1),
        ("state=what", 2),
        ("party=shop", 2),
        ("party=SHOP&state=held", 1),
        ("party=op1", 0),
        ("page=2", 0),
        ("page=-1", 2),
        ("page=1e9", 2),
        ("q=%27%22%3Cscript%3E", 0),
        ("q=" + "x" * 5000, 0),
    ],
)
def test_it_is_narrowed(ops: Visitor, held: OrderId, query: str, count: int) -> None:
    shown = ops.open(f"/orders?{query}")
    assert shown.status == 200
    found = list(shown.rows()) if shown.tree.xpath("//table") else []
    assert len(found) == count
    if not count:
        assert "Show all orders" in shown.text or "first page of the list" in shown.text
    assert "<script>" not in shown.answer.text.replace('<script type="module"', "")


def test_a_script_gets_the_list_alone(ops: Visitor, held: OrderId) -> None:
    shown = ops.open("/orders?state=held", part=True)
    assert [row[0] for row in shown.rows()] == [short(held)]
    assert not shown.tree.xpath("//h1")


def test_it_is_not_for_everybody(world: World, fin: Visitor, done: OrderId) -> None:
    assert fin.open("/orders").status == 403
    assert fin.open(f"/orders/{done}").status == 403
    assert fin.open(f"/orders/{done}/live").status == 403
    sal = world.visitor("sal", "sales")
    assert sal.send(f"/orders/{done}/cancel", {"why": "x"}).status == 403


def test_who_sells_follows_an_order_and_changes_nothing(
    world: World, held: OrderId, waiting: OrderId
) -> None:
    sal = world.visitor("sam", "sales")
    menu = sal.open("/overview").all("//a[@class='menu-link']/@href")
    assert menu.count("/orders") == 1 and "/fallout" not in menu
    assert sal.open("/orders").status == 200
    for order in (held, waiting):
        shown = sal.open(f"/orders/{order}")
        assert shown.heading == f"Order {order}"
        assert not shown.all(f"//form[starts-with(@action, '/orders/{order}')]")
        links = {one for one in shown.all("//main//a/@href") if one.startswith("/")}
        assert links and all(sal.open(one).status == 200 for one in links)


def test_who_sells_and_delivers_finds_orders_once_in_the_menu(world: World) -> None:
    both = world.visitor("bo", "sales", "operations").open("/overview")
    hrefs = both.all("//a[@class='menu-link']/@href")
    assert [hrefs.count(one) for one in ("/orders", "/fallout", "/quotes")] == [1, 1, 1]
    assert both.all("//*[@class='menu-title']").count("Operations") == 1


# --- one order ------------------------------------------------------------------------------------


def test_its_way_names_every_operator_and_how_long_it_took(ops: Visitor, done: OrderId) -> None:
    shown = ops.open(f"/orders/{done}")
    assert shown.heading == f"Order {done}"
    steps = shown.all("//ol[@aria-label='Steps of the order']/li/div/p[1]")
    assert steps == ["Order entered Completed", "line Completed", "The service itself Completed"]
    whose = shown.all("//ol[@aria-label='Steps of the order']/li/div/p[2]/span[1]")
    assert whose == ["OP2", "OP1", "OP2"]
    below = shown.all("//ol[@aria-label='Steps of the order']/li//ol//p[1]")
    assert below[0] == "line Completed"
    assert "an operator further down" in shown.text
    (line,) = shown.rows()
    assert line[0] == "line-Durban"
    assert line[4].endswith("GBP") and line[5].endswith("GBP")
    assert [row[1] for row in shown.rows(1)] == ["Acknowledged", "In progress", "Completed"]


def test_suppliers_are_asked_when_a_person_wants_it(
    world: World, ops: Visitor, waiting: OrderId
) -> None:
    """A supplier that has taken the order and then falls silent: the page says so, and is there."""
    world.alliance.silent.clear()
    world.node.work_once()
    world.clock.move(timedelta(seconds=20))
    world.node.work_once()
    world.alliance.silent.add(world.op1.us.id)
    shown = ops.open(f"/orders/{waiting}?now=1")
    assert "OP1 does not answer" in shown.text
    assert "Nothing is lost" in shown.text
    world.alliance.silent.clear()
    shown = ops.open(f"/orders/{waiting}?now=1")
    assert "All suppliers have answered" in shown.text


def test_one_that_is_held_says_who_has_to_see_to_it(ops: Visitor, held: OrderId) -> None:
    shown = ops.open(f"/orders/{held}")
    assert "A person has to see to this" in shown.text
    assert "partner-silent" in shown.text
    (link,) = shown.tree.xpath("//a[starts-with(@href, '/fallout/tsk_')]")
    assert "See to it" in link.text_content()


def test_there_is_no_such_order(ops: Visitor) -> None:
    shown = ops.open("/orders/ord_nothing")
    assert shown.status == 404
    assert ops.open("/orders/ord_nothing/live").status == 404


def test_it_is_taken_back_with_a_reason(world: World, ops: Visitor, waiting: OrderId) -> None:
    path = f"/orders/{waiting}/cancel"
    refused = ops.send(path, {"why": " "})
    assert refused.status == 422
    assert "Say why" in refused.text
    shown = ops.send(path, {"why": "ordered twice"})
    assert "being taken back" in shown.text
    assert shown.rows(2)[0][2:4] == ["Took it back", "ordered twice"]
    again = ops.send(path, {"why": "ordered twice"})
    assert again.status == 422
    assert "only one on its way can be cancelled" in again.text
    with world.node.begin() as tx:
        (entry,) = audit.trail(tx, action="order-cancelled", limit=9)
    assert (entry.who, entry.subject, entry.why) == ("olu", waiting, "ordered twice")


def test_a_cancellation_shows_what_it_costs(world: World, ops: Visitor, waiting: OrderId) -> None:
    end = world.shop.cease(order_id=waiting, key=BuyerKey(f"end-{waiting}"))
    world.alliance.work()
    shown = ops.open(f"/orders/{waiting}")
    assert "As the buyer wishes" in shown.text
    assert short(end.id) in shown.text
    other = ops.open(f"/orders/{end.id}")
    assert "It ends what another order brought" in other.text


# --- live -----------------------------------------------------------------------------------------


def test_what_moves_is_told_and_nothing_else(world: World, ops: Visitor, waiting: OrderId) -> None:
    listening = Listening(ops, f"/orders/{waiting}/live")
    name, data = listening.next() or ("", "")
    assert (listening.status, listening.kind) == (200, "text/event-stream; charset=utf-8")
    assert name == ""
    assert "Order entered" in data and "<h1" not in data
    world.alliance.silent.clear()
    world.alliance.pass_time(timedelta(minutes=5))
    while "Completed" not in data or "The service itself" not in data.split("Completed")[-2]:
        told = listening.next()
        assert told is not None, "it ended before the order was done"
        data = told[1]
    listening.close()


def test_it_ends_with_the_session(world: World, done: OrderId) -> None:
    eve = world.visitor("eve", "operations")
    listening = Listening(eve, f"/orders/{done}/live")
    assert listening.next() is not None
    with world.node.begin() as tx:
        who = persons.find(tx, login="eve")
        sessions.revoke_all(tx, person=who.id, now=world.clock.now())
    _, data = listening.next() or ("", "")
    assert "Your session has ended" in data and "The service itself" in data
    assert listening.next() == ("over", "over")
    assert listening.next() is None
    assert eve.open(f"/orders/{done}/live", part=True, follow=False).status == 401


def test_one_watcher_looks_for_all(
    world: World, ops: Visitor, done: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = live.Watcher._look

    def counted(watcher: live.Watcher, looking: list[live.Onlooker]) -> object:
        looks.append(len(looking))
        return look(watcher, looking)

    monkeypatch.setattr(live.Watcher, "_look", counted)
    several = [Listening(ops, f"/orders/{done}/live") for _ in range(5)]
    assert all(one.next() for one in several)
    for one in several:
        one.close()
    assert max(looks) == 5, "all in one look"


def test_looking_makes_no_session_last_longer(world: World, done: OrderId) -> None:
    """Somebody who only leaves a page open is signed out in the end."""
    ida = world.visitor("ida", "operations")
    listening = Listening(ida, f"/orders/{done}/live")
    assert listening.next() is not None
    world.clock.move(timedelta(minutes=301))
    assert "Your session has ended" in (listening.next() or ("", ""))[1]
    listening.close()
