"""How old what is owed is, by party and currency, and whether the books say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.responses import Response

from hansa.entrypoints.papers.table import Cell
from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import BOOKS, Ask, page
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.shelf import Page
from hansa.foundation.errors import NotFound
from hansa.foundation.money import Money
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.actions.looking import Aged

Row = tuple[Aged, Money]
"""What is open, and what the books say of it, as an amount that is owed."""


@page("/ageing", roles=BOOKS)
def ageing(ask: Ask) -> Response:
    us, now = ask.node.us.id, ask.now
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = looking.ageing(tx, us=us, now=now)
        customers = looking.customers_ageing(
            tx, us=us, now=now, offset=turn.offset, limit=turn.size
        )
        owed_to_us = _with_books(tx, "receivable", found.owed_to_us)
        owed_by_us = _with_books(tx, "payable", found.owed_by_us)
        by_customers = _with_books(tx, "receivable", customers.things)
    return ask.render(
        "finance/ageing.html",
        part="finance/_aged_customers.html",
        owed_to_us=owed_to_us,
        owed_by_us=owed_by_us,
        customers=by_customers,
        days=looking.AGES_DAYS,
        all_of_it=found.all_of_it,
        turn=turn,
        total=customers.total,
    )


def _with_books(tx: Transaction, what: str, aged: Sequence[Aged]) -> Sequence[Row]:
    return [(one, _booked(tx, what, one)) for one in aged]


def _booked(tx: Transaction, what: str, one: Aged) -> Money:
    try:
        booked = ledger.balance(tx, code=f"{what}/{one.party}/{one.currency}")
    except NotFound:
        return Money.zero(one.currency)
    return booked if what == "receivable" else -booked


HEADINGS = ("owed", "party", "currency", "0-30", "31-60", "61-90", "91-", "total")


@page("/ageing.csv", roles=BOOKS)
def ageing_csv(ask: Ask) -> Response:
    us, now, node = ask.node.us.id, ask.now, ask.node

    def customers(tx: Transaction, offset: int, limit: int) -> Page[Aged]:
        return looking.customers_ageing(tx, us=us, now=now, offset=offset, limit=limit)

    def rows() -> Iterator[Sequence[Cell]]:
        with node.begin() as tx:
            found = looking.ageing(tx, us=us, now=now)
        for way, some in (("by partner", found.owed_to_us), ("to partner", found.owed_by_us)):
            yield from (_row(way, one) for one in some)
        for one in lists.every(node, customers):
            yield _row("by customer", one)

    return files.as_csv("ageing", HEADINGS, rows())


def _row(way: str, one: Aged) -> Sequence[Cell]:
    return (way, one.party, one.currency, *one.ages, one.total)


pages = [ageing, ageing_csv]
