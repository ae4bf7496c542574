"""Operators who sell each other services and settle the month, notice by notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hansa.federation.contract import AgreementRef, Family, Tax, Terms
from hansa.federation.disputes import (
    DisputeAct,
    DisputeCause,
    DisputeMoved,
    DisputeRaised,
    Evidence,
    LineCredit,
)
from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import (
    InvoiceIssued,
    RevenueShare,
    StatementAnswered,
    StatementIssued,
    StatementState,
)
from hansa.foundation.database import Database
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import (
    DisputeId,
    HoldingId,
    Ids,
    OfferCode,
    OrderId,
    PartyId,
    StatementId,
    TraceId,
)
from hansa.foundation.money import NANO, Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import work as billing_work
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import ReferenceRate
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.store import tables as rating_store
from hansa.lifecycle.settlement import work as settlement_work
from hansa.lifecycle.settlement.actions import disputes, hearing, positions, statements
from hansa.lifecycle.settlement.model import Books, Held, HeldDispute, Position
from hansa.lifecycle.usage.store import months as usage_store
from tests.lifecycle.agreement import examples as agreements
from tests.lifecycle.agreement.examples import (
    BT,
    CONNECT,
    MCI,
    MTN,
    PARTIES,
    SHIELD,
    Letter,
    Office,
)

__all__ = ["BT", "CONNECT", "MCI", "MTN", "SHIELD", "Letter"]

NOVEMBER = Period.month(2026, 11)
MONTH_END = NOVEMBER.end + timedelta(hours=6)
TAIL = OfferCode("tail")
REVERSE = Tax("reverse-charge", 0, "Reverse charge: the recipient accounts for the tax.")
ALLIANCE = AgreementRef(agreements.ID, 1)


@dataclass
class Node(Office):
    """One operator's node, as far as agreements and money go."""

    auto_confirm: bool = False

    @property
    def party(self) -> Party:
        return PARTIES[self.us]

    def hear_in(self, tx: Transaction, letter: Letter) -> None:
        notice, sender, us = letter.notice, letter.sender, self.us
        if isinstance(notice, StatementIssued):
            hearing.hear_statement(tx, us=us, sender=sender, notice=notice, now=self.now)
        elif isinstance(notice, StatementAnswered):
            hearing.hear_answer(tx, us=us, sender=sender, notice=notice, ids=self.ids, now=self.now)
        elif isinstance(notice, InvoiceIssued):
            hearing.hear_invoice(
                tx, us=us, sender=sender, notice=notice, ids=self.ids, now=self.now
            )
        elif isinstance(notice, DisputeRaised):
            disputes.hear_raised(tx, us=us, sender=sender, notice=notice, now=self.now)
        elif isinstance(notice, DisputeMoved):
            disputes.hear_moved(tx, us=us, sender=sender, notice=notice, now=self.now)
        else:
            Office.hear_in(self, tx, letter)

    def rate(self, period: Period = NOVEMBER) -> None:
        """Says that this node's usage of the month is all rated."""
        with self.begin() as tx:
            usage_store.open_period(tx, period, self.now)
            rating.close(tx, period=period, now=self.now)

    def use(self, held: HoldingRef, amount: str, currency: str = "GBP", label: str = "za") -> None:
        """Enters rated usage of a holding, as if rating had computed it."""
        line = RatedLine(
            label=label,
            description=f"calls to {label}",
            quantity=Decimal(60),
            unit="min",
            nano=int(Decimal(amount) * NANO),
            currency=currency,
            reason={"rule": "voice"},
        )
        with self.begin() as tx:
            usage_store.open_period(tx, NOVEMBER, self.now)
            rating_store.claim(tx, held, NOVEMBER, missing=False, now=self.now)
            rating_store.insert(tx, held, NOVEMBER, [line])

    def work(self) -> int:
        """Billing and settlement, until nothing moves."""
        moved = 0
        while True:
            with self.begin() as tx:
                turn = billing_work.run(tx, us=self.us, ids=self.ids, now=self.now)
            with self.begin() as tx:
                turn += settlement_work.run(
                    tx,
                    us=self.party,
                    keys=self.keys,
                    ids=self.ids,
                    auto_confirm=self.auto_confirm,
                    now=self.now,
                )
            moved += turn
            if not turn:
                return moved

    def statements(self) -> Sequence[Held]:
        with self.begin() as tx:
            return statements.find(tx)

    def statement(self, state: StatementState | None = None) -> Held:
        """The only statement, or the only one in that state."""
        (found,) = [one for one in self.statements() if state in (None, one.state)]
        return found

    def compare(self, statement: StatementId) -> Held:
        with self.begin() as tx:
            return statements.compare(tx, us=self.party, statement=statement, now=self.now)

    def confirm(self, statement: StatementId) -> Held:
        with self.begin() as tx:
            return statements.confirm(
                tx,
                us=self.party,
                statement=statement,
                keys=self.keys,
                ids=self.ids,
                now=self.now,
            )

    def dispute(self, statement: StatementId) -> Held:
        with self.begin() as tx:
            return statements.dispute(
                tx, us=self.party, statement=statement, ids=self.ids, now=self.now
            )

    def resolve(self, statement: StatementId, key: str) -> Held:
        with self.begin() as tx:
            return statements.resolve(
                tx, statement=statement, key=key, by="Ada", why="seen the meter", now=self.now
            )

    def reissue(self, statement: StatementId, *concede: str) -> Held:
        with self.begin() as tx:
            return statements.reissue(
                tx,
                us=self.party,
                statement=statement,
                concede=concede,
                keys=self.keys,
                ids=self.ids,
                now=self.now,
            )

    def raise_(
        self,
        statement: StatementId,
        cause: DisputeCause,
        claims: dict[str, Money],
        evidence: Sequence[Evidence] = (),
    ) -> HeldDispute:
        with self.begin() as tx:
            return disputes.raise_(
                tx,
                us=self.party,
                statement=statement,
                cause=cause,
                claims=claims,
                words="not what we counted",
                evidence=evidence,
                keys=self.keys,
                ids=self.ids,
                now=self.now,
            )

    def move(
        self, dispute: DisputeId, act: DisputeAct, *credits: LineCredit, reason: str = "looked at"
    ) -> HeldDispute:
        with self.begin() as tx:
            return disputes.move(
                tx,
                us=self.party,
                dispute=dispute,
                act=act,
                credits=credits,
                reason=reason,
                by="Ada",
                keys=self.keys,
                ids=self.ids,
                now=self.now,
            )

    def held_dispute(self, dispute: DisputeId) -> HeldDispute:
        with self.begin() as tx:
            return disputes.get(tx, dispute=dispute)

    def net(self, period: Period = NOVEMBER) -> Sequence[Position]:
        with self.begin() as tx:
            return positions.net(tx, us=self.us, period=period, ids=self.ids, now=self.now)

    def positions(self, period: Period = NOVEMBER) -> Sequence[Position]:
        with self.begin() as tx:
            return positions.positions(tx, us=self.us, period=period)

    def books(self) -> Books:
        with self.begin() as tx:
            return positions.books(tx, us=self.us)

    def publish(self, base: str, quote: str, rate: str, period: Period = NOVEMBER) -> None:
        """Enters the reference rate of the last day of the month."""
        day = (period.end - timedelta(days=1)).date()
        found = ReferenceRate(base, quote, day, "ecb", Decimal(rate))
        with self.begin() as tx:
            catalogue.put_rate(tx, rate=found, now=self.now)


@dataclass
class World(agreements.World):
    """The nodes, and what is between them."""

    nodes: dict[PartyId, Node] = field(default_factory=dict)
    refused: list[tuple[Letter, str]] = field(default_factory=list)

    def deliver(self, letters: Sequence[Letter] | None = None) -> None:
        """Delivers all that is on its way, and what is sent in answer, until all is quiet."""
        waiting = list(self.collect() if letters is None else letters)
        patience = 500
        while waiting:
            letter, patience = waiting.pop(0), patience - 1
            assert patience > 0, f"nobody takes {letter}"
            try:
                self.nodes[letter.to].hear(letter)
            except TryLater:
                waiting.append(letter)
            except Refused as refusal:
                self.refused.append((letter, refusal.code))
            waiting += self.collect()

    def run(self) -> None:
        """All nodes work and all notices arrive, until nothing moves."""
        while sum(node.work() for node in self.nodes.values()):
            self.deliver()

    def month_ends(self, period: Period = NOVEMBER) -> None:
        for node in self.nodes.values():
            node.rate(period)


def world(
    databases: Callable[[], Database],
    folder: Path,
    ids: Ids,
    clock: SetClock,
    *names: PartyId,
    auto_confirm: bool = False,
    shares: tuple[RevenueShare, ...] = (agreements.share(),),
) -> World:
    """Nodes of these names, each a partner of all others, under one agreement for all.

    BT sells to MTN and MTN to BT, in pounds. With MCI, that has a quarter of what BT earns
    with connect, in dollars, unless `shares` say otherwise.
    """
    nodes = {
        name: Node(
            name,
            databases(),
            KeyRing.load_or_create(folder / name),
            ids,
            clock,
            auto_confirm=auto_confirm,
        )
        for name in names
    }
    made = World(offices=dict(nodes), nodes=nodes)
    for node in nodes.values():
        for other in nodes.values():
            if other is not node:
                agreements.introduce(node, to=other)
    clock.at = agreements.FROM
    made.agree(
        agreements.document(
            three=MCI in names,
            shares=shares if MCI in names else (),
            items=(
                agreements.item(credit_limit=None),
                agreements.item(seller=MTN, buyer=BT, offers=(TAIL,), credit_limit=None),
            ),
        )
    )
    clock.at = MONTH_END
    return made


def sell(
    seller: Node,
    buyer: Node,
    name: str,
    *,
    offer: OfferCode = CONNECT,
    family: Family = "connectivity",
    monthly: int = 100_000,
    one_off: int = 0,
    start: Instant = NOVEMBER.start,
    end: Instant | None = None,
    tax: Tax = REVERSE,
    told: int | None = None,
) -> HoldingRef:
    """Enters a holding in the books of both; told: the monthly price that the buyer knows."""
    ref = HoldingRef(seller.us, HoldingId(f"hld_{name}"))
    for node, price in ((seller, monthly), (buyer, monthly if told is None else told)):
        spell = Spell(
            start=start,
            end=None,
            order=OrderId(f"ord_{name}"),
            characteristics={},
            quantity=1,
            terms=Terms(Money(one_off, "GBP"), Money(price, "GBP")),
            tax=tax,
        )
        held = Holding(
            ref=ref,
            buyer=buyer.us,
            item=name,
            offer=offer,
            offer_name=offer.capitalize(),
            family=family,
            site=None,
            agreement=ALLIANCE,
            state=HoldingState.ACTIVE,
            trace=TraceId("0" * 32),
            spells=(spell,),
        )
        with node.begin() as tx:
            inventory.activate(tx, holding=held, supports=())
            if end is not None:
                inventory.end(tx, ref=ref, now=end)
    return ref
