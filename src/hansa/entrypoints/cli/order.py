"""`hansa order`: new, change, cease; and what to do about an order that is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    Customer,
    Key,
    NodeDir,
    acting_for,
    group,
    opened,
    settings_of,
)
from hansa.entrypoints.cli.fallout import by_hand, cancel, fallout, repair, resume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hansa.federation.contract import Need, Order
    from hansa.foundation.ids import BuyerKey, HoldingId, PartyId
    from hansa.lifecycle.delivery.model import Trace
    from hansa.node import Node

app = group("Orders: new, change, cease; and what to do about one that is stuck.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The order: ord_…")]


@app.command(epilog="Example: hansa order place quo_0198… --for retailer --key po-4711")
def place(
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="The quote: quo_…")],
    customer: Customer,
    key: Key,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Accept a quote for a customer. Returns at once; the work goes on."""
    from hansa.foundation.ids import BuyerKey, QuoteId

    with opened(node) as ours:
        placed = acting_for(ours, customer).order(quote_id=QuoteId(quote), key=BuyerKey(key))
    _entered(placed, as_json=as_json)


@app.command(
    epilog="Example: hansa order change hld_0198… --for retailer --key po-4712 --set speed_mbps=200"
)
def change(
    holding: Annotated[str, typer.Argument(metavar="HOLDING", help="What is held: hld_…")],
    customer: Customer,
    key: Key,
    chosen: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="What is to be different.")
    ],
    quantity: Annotated[
        int | None, typer.Option(metavar="N", help="How many, when that changes.")
    ] = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Change what a customer holds: makes a quote for the holding, then places it at once.

    The same as `hansa quote make` with `holding:` in the need, and `hansa order place` after
    it; do those two when the customer wants to see the price first.
    """
    from hansa.entrypoints.cli.files import values
    from hansa.foundation.ids import BuyerKey, HoldingId, PartyId

    wanted = values(settings_of(chosen, option="--set"))
    with opened(node) as ours:
        front = acting_for(ours, customer)
        placed = _placed(ours, PartyId(customer), BuyerKey(key), HoldingId(holding), wanted)
        if placed is None:
            need = _need(ours, PartyId(customer), HoldingId(holding), wanted, quantity)
            placed = front.order(quote_id=front.quote(need).id, key=BuyerKey(key))
    _entered(placed, as_json=as_json)


@app.command(epilog="Example: hansa order cease ord_0198… --for retailer --key po-4713")
def cease(
    id: Id, customer: Customer, key: Key, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """End what an order brought: a new service ends, a change goes back to what was before.

    An order still in progress is cancelled, at what its quote says that costs.
    """
    from hansa.foundation.ids import BuyerKey, OrderId

    with opened(node) as ours:
        placed = acting_for(ours, customer).cease(order_id=OrderId(id), key=BuyerKey(key))
    _entered(placed, as_json=as_json)


@app.command(epilog="Example: hansa order show ord_0198…")
def show(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show an order placed with us: where it is, how it got there, and what it brought."""
    from hansa.foundation.ids import OrderId
    from hansa.lifecycle.delivery import actions as delivery
    from hansa.lifecycle.order.actions import orders

    with opened(node) as ours, ours.begin() as tx:
        kept = orders.get(tx, us=ours.us.id, order_id=OrderId(id))
        progress = delivery.progress(tx, us=ours.us.id, order_id=OrderId(id))
        history = orders.history(tx, order_id=OrderId(id))
    if as_json:
        moves = [{"state": state, "reason": why, "at": at} for state, why, at in history]
        render.as_json({"kept": kept, "progress": progress, "history": moves})
        return
    order = kept.order
    render.facts(
        f"Order {order.id} of {order.buyer}",
        {
            "state": progress.state,
            "reason": progress.reason or kept.reason,
            "kind": kept.kind,
            "ends": kept.ends,
            "quote": order.quote,
            "key": order.key,
            "placed": order.placed_at,
            "hops": progress.hops,
            "charged": progress.charged.amount if progress.charged else None,
            "trace id": order.trace,
        },
    )
    if progress.provided:
        render.table(
            "What it brought",
            ("item", "holding", "since"),
            [(one.item, one.holding, one.since) for one in progress.provided],
        )
    render.table("How it got there", ("state", "why", "at"), history)


@app.command("list", epilog="Example: hansa order list --for retailer --state completed")
def list_orders(
    buyer: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="Of this customer or partner only.")
    ] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="In this state only, as completed.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List orders placed with us, the newest first."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.federation.contract import OrderState
    from hansa.foundation.party import party_id
    from hansa.lifecycle.order.actions import orders as actions

    wanted = one_of(OrderState, state, option="state") if state else None
    with opened(node) as ours, ours.begin() as tx:
        found = actions.orders(
            tx,
            us=ours.us.id,
            buyer=party_id(buyer) if buyer else None,
            state=wanted,
            limit=limit,
        )
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Orders",
        ("order", "buyer", "kind", "state", "placed", "ended", "reason"),
        [
            (
                one.order.id,
                one.order.buyer,
                one.kind,
                one.order.state,
                one.order.placed_at,
                one.ended_at,
                one.reason,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa order trace ord_0198…")
def trace(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show an order through all hops, as far as this node may see.

    Suppliers are asked how far unfinished parts are; where one does not answer, what was
    heard last is shown. Deeper than our own suppliers there are steps, and no names.
    """
    from hansa.foundation.ids import OrderId
    from hansa.lifecycle.delivery import actions

    with opened(node) as ours:
        us = ours.us.id
        found = actions.trace_now(ours.begin, us=us, order_id=OrderId(id), sellers=ours.seller)
    if as_json:
        render.as_json(found)
    else:
        _draw(us, found)


app.command(epilog="Example: hansa order fallout")(fallout)
app.command(
    epilog='Example: hansa order repair tsk_0198… --set quote=quo_0199… --why "supplier requoted"'
)(repair)
app.command(epilog='Example: hansa order resume tsk_0198… --why "partner is back"')(resume)
app.command("by-hand", epilog='Example: hansa order by-hand tsk_0198… --why "done by phone"')(
    by_hand
)
app.command(epilog='Example: hansa order cancel ord_0198… --why "customer withdrew"')(cancel)


def _entered(order: Order, *, as_json: bool) -> None:
    if as_json:
        render.as_json(order)
        return
    render.facts(
        f"Order {order.id} of {order.buyer}",
        {"state": order.state, "key": order.key, "quote": order.quote, "trace id": order.trace},
    )
    render.say(f"Follow it with: hansa order trace {order.id}")


def _need(
    node: Node,
    customer: PartyId,
    holding: HoldingId,
    wanted: Mapping[str, int | str],
    quantity: int | None,
) -> Need:
    """What is held, with what is to be different, as a need. NotFound `holding-unknown`."""
    from hansa.federation.contract import Need, NeedItem
    from hansa.lifecycle.inventory import actions as inventory
    from hansa.lifecycle.inventory.model import HoldingRef

    with node.begin() as tx:
        held = inventory.get(tx, ref=HoldingRef(node.us.id, holding), buyer=customer)
    now = held.spells[-1]
    item = NeedItem(
        id=held.item,
        offer=held.offer,
        site=held.site,
        characteristics={**now.characteristics, **wanted},
        quantity=quantity or now.quantity,
        holding=holding,
    )
    return Need((item,), now.terms.monthly.currency, node.ids.trace())


def _placed(
    node: Node,
    customer: PartyId,
    key: BuyerKey,
    holding: HoldingId,
    wanted: Mapping[str, int | str],
) -> Order | None:
    """The order that this key has brought already, as a change that is asked for again.

    Raises Refused `key-reused` when it brought something else.
    """
    from hansa.foundation.errors import Refused
    from hansa.lifecycle.order.actions import orders
    from hansa.lifecycle.quote.actions import quotes

    with node.begin() as tx:
        known = orders.orders(tx, us=node.us.id, buyer=customer, limit=10_000)
        before = next((one.order for one in known if one.order.key == key), None)
        if before is None:
            return None
        lines = quotes.get(tx, quote_id=before.quote).quote.lines
    chosen = lines[0].characteristics
    same = [line.holding for line in lines] == [holding]
    if same and all(chosen.get(name) == value for name, value in wanted.items()):
        return before
    raise Refused(
        "key-reused", f"Key {key!r} was used for another request; use a new key.", field="key"
    )


def _draw(us: PartyId, found: Trace) -> None:
    from rich.text import Text
    from rich.tree import Tree

    order = found.kept.order
    hops = f"{found.hops} {'hop' if found.hops == 1 else 'hops'}"
    words = f"{us}: order {order.id} for {order.buyer}, {found.state}, {hops}"
    reason = f" ({found.kept.reason})" if found.kept.reason else ""
    root = Tree(Text(render.clean(words + reason)))
    for leg in found.legs:
        whose = "own network" if leg.seller == us else leg.seller
        placed = f", order {leg.order}" if leg.order else ""
        error = f" ({leg.error})" if leg.error else ""
        branch = root.add(Text(render.clean(f"{whose}: {leg.label}, {leg.state}{placed}{error}")))
        branches = [branch]
        for one in leg.milestones:
            at = f" at {render.text(one.at)}" if one.at else ""
            del branches[one.depth + 1 :]
            branches.append(branches[-1].add(Text(render.clean(f"{one.name}, {one.state}{at}"))))
    root.add(Text(f"{us}: the service itself, {found.state}"))
    render.tree(root)
