"""A portal with something on every page: a chain, a month settled, and things under way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page

from hansa.entrypoints.portal.app import portal
from hansa.federation.contract import AgreementRef
from hansa.federation.helpdesk import TicketAsk
from hansa.federation.packed import keep
from hansa.federation.papers import (
    Difference,
    NettingCalled,
    NettingLine,
    NettingPayment,
    NettingPlan,
    StatementState,
)
from hansa.foundation.ids import (
    AgreementId,
    BankAccountId,
    BuyerKey,
    PartyId,
    PaymentId,
    RoundId,
    StatementId,
)
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.people.actions import persons, sessions
from hansa.foundation.people.model import StaffRole
from hansa.foundation.time import Period, SetClock
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.catalogue.actions import decks, imports
from hansa.lifecycle.catalogue.model import Deck
from hansa.lifecycle.clearing.actions import parties, payments
from hansa.lifecycle.clearing.model import Part, Particulars, PartState, PaymentOrder
from hansa.lifecycle.clearing.store import netting as rounds
from hansa.lifecycle.clearing.store import payments as paying
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.settlement.actions import disputes, positions, statements
from hansa.lifecycle.settlement.store import papers
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.databases import Pool
from tests.entrypoints.portal.sales.desk import priced
from tests.entrypoints.portal.visitor import PASSWORD, Visitor, enter
from tests.journeys import month
from tests.portal.serving import door, served

ROLES: Sequence[StaffRole] = tuple(StaffRole)
IBAN = "GB82WEST12345698765432"
SITES = """Name;Country;Town;speed_mbps
Harbour;ZA;Durban;200
Mill;ZA;Johannesburg;
Far shop;BR;Manaus;
"""


@dataclass(frozen=True)
class World:
    """node: of the operator that sells to the end customer. address: of its portal."""

    alliance: Alliance
    node: Node
    address: str

    def park(self, login: str) -> str:
        """The address of a form that somebody filled in for too long."""
        node = self.node
        with node.begin() as tx:
            who = persons.find(tx, login=login)
            (last, *_) = sessions.sessions(tx, person=who.id, now=node.clock.now())
            fields = {"name": ["Ben <b>Ox</b>"], "roles": ["sales", "finance"]}
            id = sessions.park(
                tx, session=last, path="/people/new", fields=fields, now=node.clock.now()
            )
        return f"{self.address}/parked/{id}"


@contextmanager
def world(pool: Pool, folder: Path) -> Iterator[World]:
    """People sign in as their role is called, with `visitor.PASSWORD`."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as another, door() as (listening, _):
        alliance = Alliance(another, folder, clock, b"portal")
        try:
            month.build(alliance, 2)
            node = alliance.nodes[month.OP2]
            settings = replace(node.settings.portal, port=listening.getsockname()[1])
            node.settings = replace(node.settings, portal=settings)
            named(node)
            alliance.work()
            furnish(alliance, node)
            with served(portal(node), listening):
                yield World(alliance, node, settings.url)
        finally:
            alliance.close()


def sign_in(page: Page, login: str) -> None:
    """At the page that asks for it."""
    page.get_by_label("Name").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def named(node: Node) -> None:
    """What invoices want to know of who sells and who buys."""
    node.us = replace(node.us, tax_id="PT123456789")
    for party, city in ((node.us.id, "Lisbon"), (SHOP, "Porto")):
        given = Particulars(party, "1 High Street", city, "1000-001", "12345", "0088:7300010000001")
        with node.begin() as tx:
            parties.enter_particulars(tx, given=given, by="test", now=node.clock.now())


def furnish(alliance: Alliance, node: Node) -> None:
    """What a month alone does not bring: people, a fault reported, an order under way."""
    for role in ROLES:
        enter(node, str(role), role, party=SHOP if role is StaffRole.CUSTOMER else None)
    front = node.storefront(Actor(SHOP, "customer"))
    with node.begin() as tx:
        line = inventory.sold(tx, us=node.us.id, buyer=SHOP)[0]
    _hold(alliance, node)
    ask = TicketAsk("Slow since this morning.", "minor", "incident", line.ref.id)
    front.open_ticket(ask=ask, key=BuyerKey("slow"))
    alliance.work()
    quote = front.quote(alliance.need("Maputo", "Beira", currency=node.us.currency))
    alliance.silent.add(month.OP1)
    front.order(quote_id=quote.id, key=BuyerKey("under way"))
    node.work_once()
    alliance.silent.clear()
    sal = Visitor(node).sign_in("sales")
    priced(sal, "Shops for the spring", SITES)
    _propose(node, sal)
    _publish(node)
    _dispute(node)
    _differ(node)
    _net(node)
    _pay(node)


def _propose(node: Node, sal: Visitor) -> None:
    with node.begin() as tx:
        (ref,) = [one.ref for one in agreement.all(tx) if one.ref.id.endswith(f".{node.us.id}")]
    form = {"version": ref.version, "act": "suspend", "why": "Their cable is cut."}
    sent = sal.send(f"/agreements/{ref.id}/move", form)
    assert sent.status == 200, sent.text


def _hold(alliance: Alliance, node: Node) -> None:
    """An order of which a step waits for a person, since its seller was silent for too long."""
    front = node.storefront(Actor(SHOP, "customer"))
    quote = front.quote(alliance.need("Durban", "Paarl", currency=node.us.currency))
    alliance.silent.add(month.OP1)
    front.order(quote_id=quote.id, key=BuyerKey("held"))
    for _ in range(45):
        alliance.pass_time(timedelta(minutes=1))
    alliance.silent.clear()


def _publish(node: Node) -> None:
    """A deck with one version that nobody has published."""
    now, file = node.clock.now(), node.folder / "az.csv"
    file.write_text(
        "code,destination,peak,offpeak,increment,valid from\n"
        "27,South Africa,0.0250,0.0200,60/1,2027-03-01\n"
    )
    with node.begin() as tx:
        decks.put_deck(tx, deck=Deck("north-az", node.us.id, (SHOP,), "GBP"), now=now)
        draft = imports.read(
            tx, name="north-az", file=file, kind="full", folder=node.folder, by="test", now=now
        )
        imports.keep(tx, draft=draft, folder=node.folder, accept=True)


def _dispute(node: Node) -> None:
    with node.begin() as tx:
        (heard,) = statements.find(tx, direction="heard", partner=month.OP1, period=month.NOVEMBER)
        line = heard.statement.lines[0]
        disputes.raise_(
            tx, us=node.us, statement=heard.id, cause="rate", words="The price was lowered.",
            claims={line.key: Money.of("1.00", line.net.currency)},
            evidence=disputes.reconciled('{"lines": 1}', []), keys=node.keys, ids=node.ids,
            now=node.clock.now(),
        )  # fmt: skip


def _differ(node: Node) -> None:
    """A partner does not agree with a statement of ours, made up for the page about that."""
    with node.begin() as tx:
        (heard,) = statements.find(tx, direction="heard", partner=month.OP1, period=month.NOVEMBER)
        line = heard.statement.lines[0]
        paper = replace(
            heard.statement.bare,
            id=node.ids.given(StatementId, by=node.us.id),
            creditor=node.us.id,
            debtor=month.OP1,
            period=Period.month(2026, 10),
            evidence=(),
        )
        kept = keep(replace(paper, lines=(line,), net=line.net, tax=line.tax))
        differs = Difference(line.key, line.description, theirs=None, ours=line.net)
        ours = replace(
            heard,
            statement=kept,
            direction="issued",
            state=StatementState.DISPUTED,
            differences=(differs,),
            bill=None,
            number="",
            confirmation=None,
        )
        assert papers.insert(tx, ours, node.clock.now() - timedelta(days=1))
        papers.update(tx, ours)


def _pay(node: Node) -> None:
    """Something is due and can be ordered, and something was, made up for the page about that;
    one bank account waits for a second person.
    """
    now, by = node.clock.now(), ("finance", "approver")
    accounts: dict[PartyId, BankAccountId] = {}
    with node.begin() as tx:
        positions.net(tx, us=node.us.id, period=month.NOVEMBER, ids=node.ids, now=now)
        for party in (month.OP1, node.us.id, month.MEMBER):
            made = payments.enter_account(
                tx, party=party, holder=party, number=IBAN, bic="BARCGB22", by=by[0],
                ids=node.ids, now=now,
            )  # fmt: skip
            if party != month.MEMBER:
                payments.confirm_account(tx, account=made.id, number=IBAN, by=by[1], now=now)
                accounts[party] = made.id
        due = payments.due(tx, us=node.us, period=month.NOVEMBER)[0]
        paid = replace(
            due, settlement="before", source="netting/before", account=accounts[due.payee]
        )
        given = PaymentOrder(
            id=node.ids.new(PaymentId), account=accounts[node.us.id], currency=due.amount.currency,
            on=now.date(), payments=(paid,), ordered_by=by[0], ordered_at=now,
        )  # fmt: skip
        paying.insert_order(tx, given)


def _net(node: Node) -> None:
    """A plan of netting among many that waits for this operator's signature."""
    until = node.clock.now() + timedelta(days=2)
    ref, amount = AgreementRef(AgreementId("agr_1"), 1), Money.of("60", "GBP")
    called = NettingCalled(RoundId("rnd_1"), ref, month.NOVEMBER, "GBP", until)
    line = NettingLine(StatementId("stm_1"), month.OP1, node.us.id, amount)
    plan = NettingPlan(
        called.round,
        1,
        month.OP1,
        ref,
        month.NOVEMBER,
        "GBP",
        {month.OP1: amount.minor, node.us.id: -amount.minor},
        {},
        (NettingPayment(node.us.id, month.OP1, amount),),
        until,
    )
    part = Part(called, month.OP1, PartState.PROPOSED, 1, (line,), plan, (line,))
    with node.begin() as tx:
        rounds.insert_part(tx, part)
        rounds.update_part(tx, part)
