"""Where we stand with each partner, what is netted between two, and its postings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import ngettext
from hansa.entrypoints.portal.pages.finance import lists
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.ledger import actions as ledger
from hansa.ledger.model import Entry
from hansa.lifecycle.clearing.actions import netting as clearing
from hansa.lifecycle.settlement.actions import positions
from hansa.lifecycle.settlement.model import Position

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
        may_net=ask.has(FINANCE) and any(not one.held_out and not _is_netted(one) for one in found),
    )


@change("/netting/net", roles=FINANCE, again=netting)
def net(ask: Ask) -> Response:
    """Nets and posts what can be netted of the month `?month=`; what is netted stays so."""
    node, month = ask.node, month_of(ask)
    with ask.change("month-netted", subject=month.name) as tx:
        before = {one.key for one in positions.nettings(tx, period=month)}
        gross = clearing.gross(tx, us=node.us, period=month)
        positions.net(tx, us=node.us.id, period=month, ids=node.ids, now=ask.now, gross=gross)
        made = [one for one in positions.nettings(tx, period=month) if one.key not in before]
    said = _("Nothing was left to be netted.")
    if made:
        said = ngettext(
            "%(num)s netting is made and posted.",
            "%(num)s nettings are made and posted.",
            len(made),
        )
    return ask.back(f"/netting?month={month.name}", said=said)


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


pages = [netting, net]
