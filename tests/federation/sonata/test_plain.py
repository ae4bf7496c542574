"""A partner that speaks Sonata and has never heard of us: no `hansa…` goes over, or comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hansa.entrypoints.http import dialects, scopes
from hansa.federation import directory
from hansa.federation.clients import actions as clients
from hansa.federation.contract import Offer, OrderState, Progress
from hansa.federation.courier import Bearer, Courier, Reply
from hansa.federation.helpdesk import TicketAsk, TicketState
from hansa.federation.model import Partner
from hansa.federation.papers import InvoiceIssued, OrderMoved
from hansa.federation.sonata.client import SonataPartner
from hansa.federation.sonata.settings import SonataSettings
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BillId, BuyerKey, OrderId, PartyId, QuoteId, StatementId, TraceId
from hansa.foundation.party import Actor
from hansa.foundation.time import Period
from hansa.node import Node
from tests.alliance import LINE, SHOP, Alliance
from tests.federation.openapi3 import FOLDER, Exchange, wrong

OP1, OP2 = PartyId("op1"), PartyId("op2")


class Bare(Courier):
    """Takes every attribute of ours out of what is sent and what is answered."""

    def __init__(self, inner: Courier) -> None:
        self.partner = inner.partner
        self._inner = inner

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        media_type: str = "application/json",
    ) -> Reply:
        bare = None if body is None else _bare(body)
        reply = self._inner.send(method, path, bare, headers, media_type=media_type)
        told = _bare(reply.body) if reply.body else b""
        if FOLDER.exists():
            exchange = Exchange(method, path, bare or b"", reply.status, reply.headers, told)
            assert list(wrong(exchange)) == []
        return Reply(reply.status, reply.headers, told)


def _bare(body: bytes) -> bytes:
    return json.dumps(_without(json.loads(body))).encode()


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(one) for one in value]
    if isinstance(value, dict):
        return {name: _without(one) for name, one in value.items() if not name.startswith("hansa")}
    return value


@pytest.fixture
def op1(world: Alliance) -> SonataPartner:
    """op1, as op2 would know it if it ran something else."""
    buyer = world.nodes[OP2]
    known: dict[str, tuple[Offer, ...]] = {OP1: tuple(buyer.seller(OP1).offers())}
    settings = SonataSettings(offers=known, products={LINE: "access-eline"})
    courier = Bare(bearing_a_token(world))
    return SonataPartner(us=OP2, courier=courier, settings=settings, clock=world.clock, node=None)


def bearing_a_token(world: Alliance) -> Courier:
    """To op1, from another system of op2's than its node."""
    node = world.nodes[OP1]
    served = scopes(dialects(node))
    with node.begin() as tx:
        made = clients.register(
            tx, name="buying", actor=Actor(OP2, "partner"), scopes=served, by="ada",
            ids=node.ids, now=world.clock.now(),
        )  # fmt: skip

    def token() -> str:
        return node.clients.grant(made.client.id, made.secret, served).token

    (reached,) = [one for one in _partners(world.nodes[OP2]) if one.party.id == OP1]
    return Courier(
        partner=OP1, address=reached.address, http=world._connect(reached), trust=Bearer(token)
    )


def _partners(node: Node) -> Sequence[Partner]:
    with node.begin() as tx:
        return directory.partners(tx)


def ordered(world: Alliance, op1: SonataPartner, key: str) -> Progress:
    need = replace(world.need("Durban", "Paarl"), trail=(OP2,))
    quote = op1.quote(need)
    order = op1.order(quote_id=quote.id, key=BuyerKey(key))
    world.work()
    return op1.progress(order.id)


def test_it_sells_and_delivers(world: Alliance, op1: SonataPartner) -> None:
    need = replace(world.need("Durban", "Paarl", speed=200), trail=(OP2,))
    assert [offer.code for offer in op1.offers()] == [LINE]
    assert all(line.feasible for line in op1.qualify(need).lines)
    quote = op1.quote(need)
    assert (quote.seller, quote.buyer, quote.currency) == (OP1, OP2, "GBP")
    assert [line.characteristics for line in quote.lines] == [{"speed_mbps": 200}] * 2
    assert {line.terms.monthly.minor for line in quote.lines} == {15000}
    done = ordered(world, op1, "k1")
    assert (done.state, len(done.provided), done.hops) == (OrderState.COMPLETED, 2, 1)
    condition = op1.condition(done.provided[0].holding)
    assert (condition.state, condition.measured, condition.checks) == ("active", False, ())
    month = Period.month_of(world.clock.now())
    assert op1.usage(holding_id=done.provided[0].holding, period=month) == ()


def test_a_qualification_says_why_not(world: Alliance, op1: SonataPartner) -> None:
    need = replace(world.need("Recife", country="BR"), trail=(OP2,))
    (line,) = op1.qualify(need).lines
    assert (line.feasible, line.reason) == (False, "partner-refused")
    assert line.words
    with pytest.raises(Refused, match="partner-refused"):
        op1.quote(need)


def test_what_was_ordered_is_ended(world: Alliance, op1: SonataPartner) -> None:
    done = ordered(world, op1, "k1")
    world.pass_time(timedelta(days=1))
    end = op1.cease(order_id=done.order, key=BuyerKey("k2"))
    assert op1.cease(order_id=done.order, key=BuyerKey("k2")).id == end.id
    world.work()
    assert op1.progress(end.id).state is OrderState.COMPLETED
    assert {op1.condition(one.holding).state for one in done.provided} == {"ended"}


def test_what_is_under_way_is_taken_back(world: Alliance, op1: SonataPartner) -> None:
    need = replace(world.need("Durban"), trail=(OP2,))
    order = op1.order(quote_id=op1.quote(need).id, key=BuyerKey("k1"))
    taken = op1.cease(order_id=order.id, key=BuyerKey("k2"))
    world.work()
    assert (op1.progress(taken.id).state, taken.key) == (OrderState.COMPLETED, "k2")
    assert op1.progress(order.id).state is OrderState.CANCELLED


def test_what_it_does_not_know_is_not_there(op1: SonataPartner) -> None:
    with pytest.raises(NotFound, match="partner-unaware"):
        op1.order(quote_id=QuoteId("quo_none"), key=BuyerKey("k"))
    with pytest.raises(NotFound, match="partner-unaware"):
        op1.progress(OrderId("ord_none"))


def test_a_ticket_is_opened_and_closed(world: Alliance, op1: SonataPartner) -> None:
    held = ordered(world, op1, "k1").provided[0].holding
    ask = TicketAsk("No light.", "critical", "incident", held)
    made = op1.open_ticket(ask=ask, key=BuyerKey("t1"), trace_id=TraceId("1" * 32))
    assert (made.state, made.ask.severity, made.key) == (
        TicketState.ACKNOWLEDGED,
        "extensive",
        "t1",
    )
    noted = op1.note_ticket(ticket_id=made.id, text="Still dark.", key=BuyerKey("n1"))
    assert [(note.author, note.text) for note in noted.notes] == [(OP2, "Still dark.")]
    assert [one.id for one in op1.tickets(state=TicketState.ACKNOWLEDGED).tickets] == [made.id]
    moved = op1.move_ticket(ticket_id=made.id, state=TicketState.CANCELLED)
    assert moved.state is TicketState.CANCELLED
    with pytest.raises(Refused, match="not-served"):
        op1.open_ticket(ask=replace(ask, holding=None), key=BuyerKey("t2"))


def test_papers_have_no_place_in_sonata(world: Alliance, op1: SonataPartner) -> None:
    notice = InvoiceIssued(StatementId("s"), BillId("b"), "1", world.clock.now())
    with pytest.raises(Refused, match="not-served"):
        op1.hear(notice)


def test_its_bare_event_wakes_what_waits(world: Alliance) -> None:
    """op1 tells op2 of its order by no more than the id; op2 asks, and goes on at once."""
    buyer, seller = world.nodes[OP2], world.nodes[OP1]
    shop = buyer.storefront(Actor(SHOP, "customer"))
    order = shop.order(quote_id=shop.quote(world.need("Durban")).id, key=BuyerKey("k1"))
    buyer.work_once()
    world.silent.add(OP2)
    seller.work_once()
    world.silent.clear()
    assert shop.progress(order.id).state is OrderState.IN_PROGRESS
    (done,) = seller.seat(Actor(OP2, "partner")).shelf.orders().things
    courier = Bare(seller.neighbours.partner(OP2)._courier)
    told = SonataPartner(
        us=OP1, courier=courier, settings=SonataSettings(), clock=world.clock, node=None
    )
    told.hear(OrderMoved(done.progress))
    buyer.work_once()
    assert shop.progress(order.id).state is OrderState.COMPLETED
