"""The figures of the overview: each a handful of sums, asked only for who may open what is behind.

What a role may not open is not asked for at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hansa.drivers import actions as network
from hansa.drivers.model import Available
from hansa.entrypoints.portal.ask import Ask
from hansa.federation.contract import OrderState
from hansa.federation.helpdesk import TicketState
from hansa.federation.papers import StatementState
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money, Rate, Rounding, add_up, price
from hansa.foundation.people.actions import proposals
from hansa.foundation.people.model import ProposalState
from hansa.foundation.plan import actions as plans
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Turnover
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.agreement.model import Agreement, AgreementState, CountryState
from hansa.lifecycle.assurance.actions import overview
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import ReferenceRate
from hansa.lifecycle.clearing.actions import netting
from hansa.lifecycle.clearing.model import PartState
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingState
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.settlement.actions import disputes, looking
from hansa.lifecycle.settlement.model import DisputeState, StatementFilter

MONTHS = 6
"""How many months of revenue are shown, the one that runs among them."""

LATELY = timedelta(hours=1)
"""Over how much of the past availability is added up: a look a minute at each service."""

SHOWN_MAX = 50
"""How many agreements, or proposals, are looked through at most."""

UNDER_WAY = (OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS)
UNSOLVED = frozenset(
    {TicketState.ACKNOWLEDGED, TicketState.IN_PROGRESS, TicketState.PENDING, TicketState.HELD}
)
UNDECIDED = frozenset(
    {
        DisputeState.RAISED,
        DisputeState.ACKNOWLEDGED,
        DisputeState.OFFERED,
        DisputeState.REJECTED,
        DisputeState.INSISTED,
    }
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Orders that are not delivered yet. oldest: None when there are none."""

    count: int
    oldest: KeptOrder | None


@dataclass(frozen=True, slots=True)
class Revenue:
    """Income of one currency. months: first days, in order; rows: by product, one amount each."""

    currency: str
    months: tuple[date, ...]
    rows: tuple[tuple[str, tuple[Money, ...]], ...]

    @property
    def total(self) -> Money:
        return add_up([one for _, row in self.rows for one in row], self.currency)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What is open in one currency, positive either way round.

    settlement: what was netted and is to be paid, to us; below zero, by us.
    """

    receivable: Money
    payable: Money
    settlement: Money

    @property
    def net(self) -> Money:
        return self.receivable - self.payable + self.settlement


@dataclass(frozen=True, slots=True)
class Converted:
    """What is open, net, in our own currency. rates: by which; missing: currencies left out."""

    net: Money
    rates: tuple[ReferenceRate, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much of a partner's credit is used. limit: None where none was agreed."""

    party: PartyId
    used: Money
    limit: Money | None

    @property
    def bp(self) -> int:
        """Hundredths of a percent of the limit, rounded down; 0 without one."""
        return 0 if not self.limit else max(0, self.used.minor) * 10_000 // self.limit.minor


@dataclass(frozen=True, slots=True)
class Launches:
    """Countries that are agreed. ready: all gates passed and signed by all, not launched."""

    live: int
    planned: int
    ready: int


def delivery(ask: Ask, tx: Transaction) -> Delivery:
    us = ask.node.us.id
    count = orders.page(tx, us=us, states=UNDER_WAY, limit=0).total
    if not count:
        return Delivery(0, None)
    oldest = orders.page(tx, us=us, states=UNDER_WAY, offset=count - 1, limit=1).things
    return Delivery(count, oldest[0] if oldest else None)


def held(ask: Ask, tx: Transaction) -> int:
    """Services that others hold from us now."""
    return inventory.search(
        tx, us=ask.node.us.id, side="sold", state=HoldingState.ACTIVE, limit=0
    ).total


def available(ask: Ask, tx: Transaction) -> Available:
    """Our own network in the last hour, as measured; of what partners deliver nothing is kept."""
    target = ask.node.settings.network.targets.available_bp
    return network.available(tx, start=ask.now - LATELY, end=ask.now, target_bp=target)


def unsolved(tx: Transaction) -> int:
    """Tickets on which somebody has to work."""
    return overview.search(tx, states=UNSOLVED, limit=0).total


def stuck(tx: Transaction, besides: Sequence[str]) -> int:
    return plans.stuck(tx, besides=besides)


def undecided(tx: Transaction) -> int:
    return disputes.count(tx, states=UNDECIDED)


def to_answer(tx: Transaction) -> int:
    """Statements of partners that we have neither confirmed nor disputed."""
    wanted = StatementFilter(state=StatementState.ISSUED, direction="heard")
    return looking.page(tx, wanted=wanted, limit=0).total


def to_correct(tx: Transaction) -> int:
    """Statements of ours with which partners do not agree."""
    wanted = StatementFilter(state=StatementState.DISPUTED, direction="issued")
    return looking.page(tx, wanted=wanted, limit=0).total


def plans_to_answer(tx: Transaction) -> int:
    """Plans of netting among many that we have neither signed nor refused."""
    return len(netting.parts(tx, states=[PartState.PROPOSED]))


def to_approve(ask: Ask, tx: Transaction) -> tuple[int, int]:
    """Open proposals of others, and this person's own; of the newest."""
    found = proposals.proposals(tx, state=ProposalState.OPEN, limit=SHOWN_MAX)
    own = sum(one.maker == ask.me.login for one in found)
    return len(found) - own, own


def to_sign(ask: Ask, tx: Transaction) -> int:
    """Agreements that wait for our signature."""
    found, _ = agreements.page(tx, state=AgreementState.DRAFT, limit=SHOWN_MAX, now=ask.now)
    return sum(ask.node.us.id in one.shown.unsigned for one in found)


def counting(ask: Ask, tx: Transaction) -> Sequence[Agreement]:
    """The version that counts of each of the newest agreements that have not ended."""
    found, _ = agreements.page(tx, limit=SHOWN_MAX, now=ask.now)
    return [one.shown for one in found if one.shown.state is not AgreementState.ENDED]


def launches(found: Sequence[Agreement]) -> Launches:
    countries = [(one, country) for one in found for country in one.countries]
    planned = [pair for pair in countries if pair[1].state is CountryState.PLANNED]
    ready = [
        country
        for one, country in planned
        if not one.unsigned and set(one.document.gates) <= {passed.gate for passed in country.gates}
    ]
    return Launches(len(countries) - len(planned), len(planned), len(ready))


# --- money ----------------------------------------------------------------------------------------


def months(now: datetime) -> tuple[date, ...]:
    """The first days of the months that are shown, in order."""
    last = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1
    return tuple(date(at // 12, at % 12 + 1, 1) for at in range(last - MONTHS + 1, last + 1))


def revenue(ask: Ask, tx: Transaction) -> Sequence[Revenue]:
    """What the books have as income, by product and month; each currency by itself."""
    shown = months(ask.now)
    since = datetime(shown[0].year, shown[0].month, 1, tzinfo=UTC)
    found = ledger.turnover(tx, kind="income", since=since)
    return [
        _revenue(currency, shown, [one for one in found if one.amount.currency == currency])
        for currency in sorted({one.amount.currency for one in found})
    ]


def _revenue(currency: str, shown: tuple[date, ...], found: Sequence[Turnover]) -> Revenue:
    amounts: dict[tuple[str, date], Money] = {}
    for one in found:
        amounts[_product(one.code), one.month] = -one.amount  # income is credited
    none = Money.zero(currency)
    products = sorted({product for product, _ in amounts})
    return Revenue(
        currency,
        shown,
        tuple((one, tuple(amounts.get((one, month), none) for month in shown)) for one in products),
    )


def _product(code: str) -> str:
    """What an income account is about: `connectivity` of `revenue/connectivity/GBP`."""
    return code.rsplit("/", 1)[0].removeprefix("revenue/")


def outstanding(tx: Transaction) -> Sequence[Outstanding]:
    """What customers and partners owe us and we owe them, by currency."""
    found: Mapping[tuple[str, str], Money] = {
        (head, amount.currency): amount
        for head, amount in ledger.together(tx, heads=("receivable", "payable", "settlement"))
    }
    currencies = sorted({currency for _, currency in found})
    return [
        Outstanding(
            found.get(("receivable", one), Money.zero(one)),
            -found.get(("payable", one), Money.zero(one)),
            found.get(("settlement", one), Money.zero(one)),
        )
        for one in currencies
    ]


def converted(ask: Ask, tx: Transaction, found: Sequence[Outstanding]) -> Converted | None:
    """The net of all currencies in ours, at the newest reference rates; None for one currency."""
    home = ask.node.us.currency
    if [one.net.currency for one in found] in ([], [home]):
        return None
    total, rates, missing = Money.zero(home), [], []
    for one in found:
        try:
            rate = offers.reference_rate(tx, base=one.net.currency, quote=home, day=ask.now.date())
        except NotFound:
            missing.append(one.net.currency)
            continue
        total += price(Rate(rate.rate, home), Fraction(one.net.amount), rounding=Rounding.HALF_UP)
        if rate.base != home:
            rates.append(rate)
    return Converted(total, tuple(rates), tuple(missing))


def exposures(ask: Ask, tx: Transaction, found: Sequence[Agreement]) -> Sequence[Exposure]:
    """What partners to whom we sell have used of their credit, the fullest first."""
    us = ask.node.us.id
    limits: dict[tuple[PartyId, str], Money | None] = {}
    for one in found:
        for item in one.document.items if not one.unsigned else ():
            if item.seller == us:
                limits.setdefault((item.buyer, item.currency), item.credit_limit)
    used = ledger.exposures(tx, of=list(limits))
    listed = [
        Exposure(party, amount, limit)
        for ((party, _), limit), amount in zip(limits.items(), used, strict=True)
    ]
    return sorted(listed, key=lambda one: (-one.bp, one.party))
