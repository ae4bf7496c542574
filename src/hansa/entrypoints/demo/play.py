"""Plays a scenario's story on real nodes, in its operators' and customers' names."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from hansa.drivers import actions as network
from hansa.drivers.voice.driver import VoiceTrunks
from hansa.entrypoints.demo import people, prepare, proof
from hansa.entrypoints.demo.model import (
    Act,
    CeaseAct,
    ChangeAct,
    OrderAct,
    Outcome,
    Placed,
    ProveAct,
    RefusedAct,
    Scenario,
    WantedItem,
)
from hansa.entrypoints.demo.proof import Proof
from hansa.entrypoints.demo.show import Show
from hansa.entrypoints.demo.stage import Stage, wait_until
from hansa.entrypoints.operator_files import AgreementFile, Operator
from hansa.entrypoints.yaml_files import load
from hansa.federation.contract import Need, NeedItem, OrderState, Progress
from hansa.federation.papers import StatementState
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.readings import Check
from hansa.foundation.time import Period
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.lifecycle.settlement.model import Held, Position
from hansa.lifecycle.usage.actions import months as usage
from hansa.node import Node
from hansa.storefront.seller import Storefront

ORDER_S = 30
MONTH_S = 120
RECORDS_AROUND = timedelta(minutes=1)


class Play:
    """One scenario on one stage. folder: the scenario's own, with its YAML files.

    simulated: has the network be simulated although the machine could deliver for real.
    portals: whether the nodes have portals.
    """

    def __init__(
        self,
        folder: Path,
        stage_folder: Path,
        show: Show,
        *,
        simulated: bool = False,
        portals: bool = False,
    ) -> None:
        self.scenario = load(folder / "scenario.yaml", Scenario)
        self.operators = [
            load(folder / "operators" / f"{name}.yaml", Operator)
            for name in self.scenario.operators
        ]
        self._agreements = [
            load(folder / "agreements" / f"{name}.yaml", AgreementFile)
            for name in self.scenario.agreements
        ]
        self._show = show
        self._portals = portals
        self._why_not = None if simulated else proof.why_not(self.scenario.real)
        real = () if simulated or self._why_not else self.scenario.real
        self.stage = Stage(
            stage_folder,
            starts=self.scenario.starts,
            real=real,
            portals=portals,
            brands=self.scenario.brands,
        )
        self._measured: list[Check] = []
        self._called: tuple[str, ...] = ()
        self._simulated: set[HoldingId] = set()
        self._placed: dict[str, Placed] = {}
        self._sites = {site.id: site for site in self.scenario.sites}

    def run(self) -> Outcome:
        """The whole story: nodes, partners, agreements, orders, a month, and the books."""
        began = time.monotonic()
        show = self._show
        show.title(self.scenario)
        show.network(bool(self.stage.lab), self._why_not, proof.remedy(self.scenario.real))
        with show.waiting(f"starting {len(self.operators)} nodes"):
            self.stage.start(self.operators)
        for operator in self.operators:
            show.node(operator.party, self.stage.address(operator.party.id))
            prepare.furnish(self.stage, operator, self.scenario.rates)
        for one, other in self.scenario.partners:
            prepare.join(self.stage, one, other)
        for file in self._agreements:
            with show.waiting(f"the agreement {file.name} goes round"):
                signed = prepare.agree(self.stage, file)
            show.agreement(signed, sorted(file.launch))
        show.heading("Orders")
        for act in self.scenario.story:
            self._play(act)
        self._end_month()
        outcome = self._settle(began)
        if self._portals:
            self._begin_quotes()
        return outcome

    def _begin_quotes(self) -> None:
        for wanted in self.scenario.drafts:
            node = self.stage.nodes[wanted.operator]
            had, of = prepare.draft(node, wanted, self._sites, by=people.BY)
            self._show.draft(node.us, wanted.title, had, of)

    # --- the story ------------------------------------------------------------------------------

    def _play(self, act: Act) -> None:
        if act.after_days:
            self.stage.move_clock(self.stage.now() + timedelta(days=act.after_days))
        self._show.say(act.say)
        match act:
            case OrderAct():
                front = self._front(act.operator, act.customer)
                need = self._need(act.operator, act.items)
                self._order(act.id, act.operator, act.customer, front, need)
            case ChangeAct():
                self._change(act)
            case CeaseAct():
                self._cease(act)
            case RefusedAct():
                self._refused(act)
            case ProveAct():
                self._prove(act)

    def _front(self, operator: PartyId, customer: PartyId) -> Storefront:
        return self.stage.nodes[operator].storefront(Actor(customer, "customer"))

    def _need(self, operator: PartyId, items: Sequence[WantedItem]) -> Need:
        node = self.stage.nodes[operator]
        return Need(
            items=tuple(
                NeedItem(
                    id=one.id,
                    offer=one.offer,
                    site=self._sites[one.site] if one.site else None,
                    characteristics=one.characteristics,
                    quantity=one.quantity,
                )
                for one in items
            ),
            currency=node.us.currency,
            trace=node.ids.trace(),
        )

    def _order(
        self, name: str, operator: PartyId, customer: PartyId, front: Storefront, need: Need
    ) -> None:
        quote = front.quote(need)
        self._show.quote(self.stage.nodes[operator].us, customer, quote)
        began = time.monotonic()
        order = front.order(quote_id=quote.id, key=BuyerKey(f"{name}-{len(self._placed)}"))
        progress = self._until_done(operator, front, order.id)
        placed = Placed(name, operator, customer, quote, progress, time.monotonic() - began)
        self._placed[name] = placed
        self._show.order(placed, self._legs(operator, order.id))

    def _until_done(self, operator: PartyId, front: Storefront, order: OrderId) -> Progress:
        done = (OrderState.COMPLETED, OrderState.FAILED, OrderState.CANCELLED, OrderState.HELD)
        with self._show.waiting("the order goes down the chain"):
            wait_until(
                lambda: front.progress(order).state in done,
                timeout_s=ORDER_S,
                what=f"the order at {operator}",
                pause_s=0.005,
            )
        progress = front.progress(order)
        if progress.state is not OrderState.COMPLETED:
            raise Refused("demo-order", f"Order {order} is {progress.state}: {progress.reason}")
        return progress

    def _legs(self, operator: PartyId, order: OrderId) -> list[tuple[int, PartyId, str, str]]:
        """Who delivered what, hop by hop: each node is asked for its own part."""
        node = self.stage.nodes[operator]
        with node.begin() as tx:
            trace = delivery.trace(tx, us=operator, order_id=order)
        found: list[tuple[int, PartyId, str, str]] = []
        for leg in trace.legs:
            found.append((0, leg.seller, leg.label, leg.state))
            if leg.seller != operator and leg.order is not None:
                below = self._legs(leg.seller, leg.order)
                found += [
                    (depth + 1, seller, label, state) for depth, seller, label, state in below
                ]
        return found

    def _change(self, act: ChangeAct) -> None:
        before = self._placed[act.order]
        line = next(one for one in before.quote.lines if one.item == act.item)
        holding = next(p.holding for p in before.progress.provided if p.item == act.item)
        node = self.stage.nodes[before.operator]
        item = NeedItem(
            id=line.item,
            offer=line.offer,
            site=line.site,
            characteristics={**line.characteristics, **act.characteristics},
            quantity=line.quantity,
            holding=holding,
        )
        need = Need(items=(item,), currency=node.us.currency, trace=node.ids.trace())
        front = self._front(before.operator, before.customer)
        self._order(f"{act.order} changed", before.operator, before.customer, front, need)

    def _cease(self, act: CeaseAct) -> None:
        before = self._placed[act.order]
        front = self._front(before.operator, before.customer)
        began = time.monotonic()
        cease = front.cease(order_id=before.progress.order, key=BuyerKey(f"cease-{act.order}"))
        progress = self._until_done(before.operator, front, cease.id)
        placed = replace(
            before, name=f"{act.order} ceased", progress=progress, seconds=time.monotonic() - began
        )
        self._placed[placed.name] = placed
        self._show.order(placed, self._legs(before.operator, cease.id))

    def _refused(self, act: RefusedAct) -> None:
        front = self._front(act.operator, act.customer)
        try:
            front.quote(self._need(act.operator, act.items))
        except Refused as refusal:
            if refusal.code != act.reason:
                raise
            self._show.refused(refusal)
        else:
            raise Refused("demo-not-refused", f"This should have been refused: {act.reason}.")

    def _prove(self, act: ProveAct) -> None:
        if self.stage.lab is None:
            self._show.unmeasured()
            return
        tried, since = Proof(self.stage.lab), self.stage.now()
        source, target = self._sites[act.source], self._sites[act.target]
        with self._show.waiting("the customer tries it out"):
            found = [*(tried.gone if act.gone else tried.reached)(source, target)]
            if act.sold_mbps:
                found += tried.carried(source, target, act.sold_mbps)
            if act.blocked:
                found += tried.blocked(source, act.blocked)
            if act.called:
                found += tried.called(source, act.called)
            if act.cut:
                found += tried.failed_over(source, target)
            if act.called:
                period = Period(since - RECORDS_AROUND, self.stage.now() + RECORDS_AROUND)
                found += tried.recorded(self._trunks(tried), act.called, period)
                self._called += act.called
        self._measured += found
        self._show.measured(found)

    def _trunks(self, tried: Proof) -> VoiceTrunks:
        """The driver of the node whose network has the trunk."""
        holding = HoldingId(tried.trunk.service)
        for party, node in self.stage.nodes.items():
            driver = node.kit.drivers["voice"]
            with node.begin() as tx, suppress(NotFound):
                network.service(tx, buyer=party, holding=holding)
                assert isinstance(driver, VoiceTrunks)
                return driver
        raise NotFound("holding-unknown", f"Nobody here has {holding}.", field="holding")

    # --- the month's end --------------------------------------------------------------------------

    def _end_month(self) -> None:
        period = Period.month_of(self.scenario.starts)
        self._show.heading(f"The month {period.name} ends")
        self.stage.move_clock(period.end + timedelta(hours=6))
        with self._show.waiting("usage is collected and rated, statements are compared"):
            for party in self.stage.nodes:
                wait_until(
                    partial(self._is_closed, party, period),
                    timeout_s=MONTH_S,
                    what=f"the month's end at {party}",
                    pause_s=0.1,
                )
        for party, node in self.stage.nodes.items():
            told = self._used(node, period)
            self._show.used(party, told)
            if self._called:
                self._measured += (found := self._charged(node, period, told["call", True]))
                self._show.measured(found)

    def _used(self, node: Node, period: Period) -> Counter[tuple[str, bool | None]]:
        """How many readings a node has of what it sells, by kind, measured and not."""
        us, folder = node.us.id, node.usage_folder
        with node.begin() as tx:
            found = usage.of_buyer(tx, us=us, buyer=None, period=period, folder=folder)
        self._simulated |= {one.holding for one in found if not one.measured}
        return Counter((one.reading.kind, one.measured) for one in found)

    def _charged(self, node: Node, period: Period, measured: int) -> Sequence[Check]:
        """The calls of the story, and no others, have come to a node and onto its charges."""
        us, wanted = node.us.id, len(self._called)
        with node.begin() as tx:
            lines = [
                line
                for sold in inventory.sold(tx, us=us, period=period)
                for line in rating.rated(tx, holding=sold.ref, period=period)
                if line.reason.get("rule") == "voice"
            ]
        calls = sum(line.reason["calls"] for line in lines)
        nano = sum(line.nano for line in lines)
        cost = f"{calls}, for {node.us.currency} {Decimal(nano).scaleb(-9).normalize():f}"
        return [
            Check(f"calls used at {us}", f"{wanted}", f"{measured}", measured == wanted),
            Check(f"calls charged by {us}", f"{wanted}", cost, calls == wanted),
        ]

    def _is_closed(self, party: PartyId, period: Period) -> bool:
        node = self.stage.nodes[party]
        with node.begin() as tx:
            if not billing.billed(tx, us=party, period=period):
                return False
            return not any(p.held_out for p in positions.positions(tx, us=party, period=period))

    def _settle(self, began: float) -> Outcome:
        """Every operator nets its own books; then they are laid beside each other."""
        period = Period.month_of(self.scenario.starts)
        bills: list[Bill] = []
        held: list[Held] = []
        where: list[tuple[PartyId, Position]] = []
        books = []
        for party, node in self.stage.nodes.items():
            with node.begin() as tx:
                netted = positions.net(
                    tx, us=party, period=period, ids=node.ids, now=node.clock.now()
                )
                where += [(party, position) for position in netted]
                bills += [b for b in billing.bills(tx, issuer=party, period=period) if b.final]
                held += statements.find(
                    tx, direction="issued", period=period, states=[StatementState.INVOICED]
                )
                books.append(positions.books(tx, us=party))
        outcome = Outcome(
            scenario=self.scenario,
            placed=tuple(self._placed.values()),
            bills=tuple(bills),
            statements=tuple(held),
            positions=tuple(where),
            proof=positions.proof(books),
            seconds=time.monotonic() - began,
            measured=tuple(self._measured),
            simulated=frozenset(self._simulated),
        )
        self._show.outcome(outcome, {o.party.id: o.party for o in self.operators})
        return outcome
