"""Where we stand with each partner, what is netted between two and among many, and its postings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hansa.entrypoints.portal.ask import BOOKS, Ask, page
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.papers import NettingPayment
from hansa.foundation.ids import PartyId, RoundId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.ledger import actions as ledger
from hansa.ledger.model import Entry
from hansa.lifecycle.clearing.actions import centre
from hansa.lifecycle.clearing.actions import netting as clearing
from hansa.lifecycle.settlement.actions import positions
from hansa.lifecycle.settlement.model import Position

ROUNDS = 100
"""So many rounds are listed, the newest."""
WAYS = ("receivable", "payable")


@dataclass(frozen=True, slots=True)
class Flow:
    """Who owes whom how much."""

    debtor: PartyId
    creditor: PartyId
    amount: Money


def month_of(ask: Ask) -> Period:
    """The month that is asked for, else the last one that is over."""
    now = ask.now
    return lists.month(ask) or Period.month_of(Period.month_of(now).start - timedelta(days=1))


@page("/netting", roles=BOOKS)
def netting(ask: Ask) -> Response:
    """Positions of a month by partner and currency, as a picture too; what was netted of it."""
    us, month = ask.node.us, month_of(ask)
    with ask.node.begin() as tx:
        gross = clearing.gross(tx, us=us, period=month)
        found = positions.positions(tx, us=us.id, period=month, gross=gross)
        netted = positions.nettings(tx, period=month)
        posted = [
            (one, [ledger.get_by_key(tx, key=f"{one.key}/{way}") for way in WAYS]) for one in netted
        ]
    return ask.render(
        "finance/netting.html",
        month=month.name,
        positions=[(one, _is_netted(one)) for one in found],
        pictures=_pictures(found, us.id),
        nettings=[(one, _entries(entries)) for one, entries in posted],
    )


def _is_netted(one: Position) -> bool:
    """Whether all is netted but for what is in dispute."""
    disputed = [one.disputed_receivable, one.disputed_payable]
    out, back = (amount.minor if amount else 0 for amount in disputed)
    return one.net.minor - one.netted.minor in (0, out - back)


def _entries(entries: Iterable[Entry | None]) -> Sequence[Entry]:
    return [one for one in entries if one is not None]


def _pictures(found: Sequence[Position], us: PartyId) -> Sequence[tuple[str, Sequence[Flow]]]:
    """For each currency who owes whom, both directions apart."""
    flows: dict[str, list[Flow]] = {}
    for one in found:
        mine = flows.setdefault(one.currency, [])
        if one.receivable.minor > 0:
            mine.append(Flow(one.partner, us, one.receivable))
        if one.payable.minor > 0:
            mine.append(Flow(us, one.partner, one.payable))
    return [(currency, its) for currency, its in sorted(flows.items()) if its]


@page("/netting/rounds", roles=BOOKS)
def rounds(ask: Ask) -> Response:
    """Netting among many: the rounds in which we have a part, the newest first."""
    with ask.node.begin() as tx:
        found = clearing.parts(tx)
    return ask.render("finance/rounds.html", parts=list(reversed(found))[:ROUNDS])


@page("/netting/rounds/{id}", roles=BOOKS)
def round_of(ask: Ask) -> Response:
    """Our part in one of them: who would pay whom, and who pays whom by the plan."""
    with ask.node.begin() as tx:
        part = clearing.part(tx, round=RoundId(ask.path["id"]))
        before = centre.debts(tx, us=ask.node.us.id, part=part)
        entry = ledger.get_by_key(tx, key=f"clearing/{part.id}")
    plan = part.plan
    owed = {
        party: Money(minor, part.call.currency)
        for party, minor in (sorted(plan.positions.items()) if plan else ())
    }
    return ask.render(
        "finance/round.html",
        ours=part,
        before=_flows(before),
        after=_flows(plan.payments if plan else ()),
        owed=owed,
        entry=entry,
    )


def _flows(payments: Iterable[NettingPayment]) -> Sequence[Flow]:
    return [Flow(one.payer, one.payee, one.amount) for one in payments]


pages = [netting, rounds, round_of]
