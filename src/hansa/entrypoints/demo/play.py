"""Plays a scenario's story on real nodes, in its operators' and customers' names."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from hansa.drivers import actions as network
from hansa.entrypoints.demo.model import (
    Act,
    AgreementFile,
    CeaseAct,
    ChangeAct,
    Operator,
    OrderAct,
    RefusedAct,
    Scenario,
    WantedItem,
)
from hansa.entrypoints.demo.show import Show
from hansa.entrypoints.demo.stage import Stage, wait_until
from hansa.entrypoints.yaml_files import load
from hansa.federation import directory
from hansa.federation.contract import AgreementRef, Need, NeedItem, OrderState, Progress, Quote
from hansa.federation.papers import AgreementDocument, StatementState
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, BuyerKey, OrderId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import Period
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.agreement.model import AgreementState
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.catalogue import actions as catalogue
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.lifecycle.settlement.model import BooksProof, Held, Position
from hansa.node import Node
from hansa.storefront import Storefront

ORDER_S = 30
MONTH_S = 120


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of the story: who placed it where, and what it had become when it was done."""

    name: str
    operator: PartyId
    customer: PartyId
    quote: Quote
    progress: Progress
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to."""

    scenario: Scenario
    placed: tuple[Placed, ...]
    bills: tuple[Bill, ...]
    statements: tuple[Held, ...]
    positions: tuple[tuple[PartyId, Position], ...]
    proof: BooksProof
    seconds: float

    @property
    def hops(self) -> int:
        return max((one.progress.hops for one in self.placed), default=0)


class Play:
    """One scenario on one stage. folder: the scenario's own, with its YAML files."""

    def __init__(self, folder: Path, stage_folder: Path, show: Show) -> None:
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
        self.stage = Stage(stage_folder, starts=self.scenario.starts)
        self._placed: dict[str, Placed] = {}
        self._sites = {site.id: site for site in self.scenario.sites}

    def run(self) -> Outcome:
        """The whole story: nodes, partners, agreements, orders, a month, and the books."""
        began = time.monotonic()
        show = self._show
        show.title(self.scenario)
        with show.waiting(f"starting {len(self.operators)} nodes"):
            self.stage.start(self.operators)
        for operator in self.operators:
            show.node(operator.party, self.stage.address(operator.party.id))
            self._furnish(operator)
        self._join()
        for file in self._agreements:
            self._agree(file)
        show.heading("Orders")
        for act in self.scenario.story:
            self._play(act)
        self._end_month()
        return self._settle(began)

    # --- setting up -----------------------------------------------------------------------------

    def _furnish(self, operator: Operator) -> None:
        node = self.stage.nodes[operator.party.id]
        now = node.clock.now()
        with node.begin() as tx:
            network.set_products(tx, products=operator.products)
            network.cover(tx, entries=operator.coverage)
            for offer in operator.offers:
                catalogue.put_offer(tx, offer=offer)
            for price in operator.prices:
                catalogue.put_price(tx, price=price)
            for rule in operator.taxes:
                catalogue.put_tax_rule(tx, rule=rule)
            for rate in self.scenario.rates:
                catalogue.put_rate(tx, rate=rate, now=now)
            for entry in operator.customers:
                agreement.register_customer(
                    tx,
                    party=entry.party,
                    price_list=entry.price_list,
                    credit_limit=entry.credit_limit,
                    now=now,
                )

    def _join(self) -> None:
        for one, other in self.scenario.partners:
            for mine, theirs in ((one, other), (other, one)):
                node, partner = self.stage.nodes[mine], self.stage.nodes[theirs]
                card = directory.invite(
                    partner.keys,
                    party=partner.us,
                    address=partner.settings.address,
                    now=partner.clock.now(),
                )
                with node.begin() as tx:
                    directory.join(tx, card=card, now=node.clock.now())

    def _agree(self, file: AgreementFile) -> None:
        """The lead drafts, every party signs over the same hash, the lead launches countries."""
        lead = next(p.party for p in file.parties if p.role == "lead")
        node = self.stage.nodes[lead]
        document = AgreementDocument(
            id=node.ids.new(AgreementId),
            version=1,
            name=file.name,
            parties=file.parties,
            valid_from=file.valid_from,
            valid_to=file.valid_to,
            items=file.items,
            shares=file.shares,
            gates=file.gates,
        )
        ref = AgreementRef(document.id, 1)
        with node.begin() as tx:
            agreement.draft(tx, us=lead, document=document, ids=node.ids, now=node.clock.now())
        for party in document.parties:
            self._sign(self.stage.nodes[party.party], ref)
        with self._show.waiting("signatures on their way"):
            for party in document.parties:
                self._until_state(party.party, ref, not_in={AgreementState.DRAFT})
        for country, evidence in file.launch.items():
            self._launch(node, ref, country, evidence)
        with self._show.waiting("launch notices on their way"):
            for party in document.parties:
                wait_until(
                    partial(self._is_live, party.party, ref, set(file.launch)),
                    timeout_s=ORDER_S,
                    what=f"{party.party} hearing of the launch",
                )
        with node.begin() as tx:
            self._show.agreement(agreement.show(tx, ref=ref), sorted(file.launch))

    def _sign(self, node: Node, ref: AgreementRef) -> None:
        def has_come() -> bool:
            with node.begin() as tx:
                return any(one.ref == ref for one in agreement.all(tx))

        wait_until(has_come, timeout_s=ORDER_S, what=f"the draft reaching {node.us.id}")
        with node.begin() as tx:
            agreement.sign(
                tx, us=node.us.id, ref=ref, keys=node.keys, ids=node.ids, now=node.clock.now()
            )

    def _launch(
        self, node: Node, ref: AgreementRef, country: str, evidence: Mapping[str, str]
    ) -> None:
        with node.begin() as tx:
            for gate, shown in evidence.items():
                agreement.pass_gate(
                    tx,
                    us=node.us.id,
                    ref=ref,
                    country=country,
                    gate=gate,
                    evidence=shown,
                    by="country lead",
                    now=node.clock.now(),
                )
            agreement.launch(
                tx,
                us=node.us.id,
                ref=ref,
                country=country,
                keys=node.keys,
                ids=node.ids,
                now=node.clock.now(),
            )

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
        )
        self._show.outcome(outcome, {o.party.id: o.party for o in self.operators})
        return outcome

    # --- inside ---------------------------------------------------------------------------------

    def _until_state(
        self, party: PartyId, ref: AgreementRef, *, not_in: set[AgreementState]
    ) -> None:
        def reached() -> bool:
            with self.stage.nodes[party].begin() as tx:
                return agreement.show(tx, ref=ref).state not in not_in

        wait_until(reached, timeout_s=ORDER_S, what=f"{party} knowing all signatures")

    def _is_live(self, party: PartyId, ref: AgreementRef, countries: set[str]) -> bool:
        with self.stage.nodes[party].begin() as tx:
            return set(agreement.show(tx, ref=ref).launched) == countries
