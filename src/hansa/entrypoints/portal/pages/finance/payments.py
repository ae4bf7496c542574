"""What we owe once all is netted, the orders to our bank, and the accounts that money goes to.

An account counts once another person than who entered it has confirmed it, by typing its number
as that person has it: the rule of clearing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from hansa.entrypoints.papers import pain
from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import money
from hansa.entrypoints.portal.pages.finance import lists
from hansa.entrypoints.portal.pages.finance.netting import month_of
from hansa.federation import directory
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BankAccountId, PartyId, PaymentId
from hansa.foundation.money import Money, add_up
from hansa.foundation.party import party_id
from hansa.lifecycle.clearing.actions import payments as actions
from hansa.lifecycle.clearing.model import BankAccount, Payment


@page("/payments", roles=BOOKS)
def payments(ask: Ask) -> Response:
    month = month_of(ask)
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        due = actions.due(tx, us=ask.node.us, period=month)
        orders = actions.orders(tx, offset=turn.offset, limit=turn.size)
        accounts = actions.accounts(tx)
    return ask.render(
        "finance/payments.html",
        month=month.name,
        due=due,
        sums=_sums(due, accounts, ask.node.us.id),
        today=ask.now.date().isoformat(),
        orders=orders.things,
        accounts=accounts,
        turn=turn,
        total=orders.total,
    )


@dataclass(frozen=True, slots=True)
class Sum:
    """All that is due in one currency. without: who has no account that counts, us among them."""

    total: Money
    payments: int
    without: Sequence[PartyId]


def _sums(due: Sequence[Payment], accounts: Sequence[BankAccount], us: PartyId) -> Sequence[Sum]:
    counting = {one.party for one in accounts if one.confirmed_by}
    found = []
    for currency in sorted({one.amount.currency for one in due}):
        mine = [one for one in due if one.amount.currency == currency]
        without = sorted({us, *(one.payee for one in mine)} - counting)
        total = add_up((one.amount for one in mine), currency)
        found.append(Sum(total, len(mine), without))
    return found


@change("/payments/orders", roles=FINANCE, again=payments)
def order_give(ask: Ask) -> Response:
    """Orders all that is due of the month `?month=` in one currency, as it was shown; each payment
    once, whoever presses how often.
    """
    node, month, currency = ask.node, month_of(ask), ask.typed("currency")
    day = _day(ask)
    with ask.change("payments-ordered", subject=f"{month.name}/{currency}") as tx:
        made = actions.order(
            tx,
            us=node.us,
            period=month,
            currency=currency,
            on=day,
            by=ask.me.login,
            ids=node.ids,
            now=ask.now,
        )
        total = add_up((one.amount for one in made.payments), currency)
        if ask.typed("total") != str(total.minor):
            words = _(
                "What is due is not what you were shown: %(total)s. Look at it, then order it.",
                total=money(total),
            )
            raise Refused("shown-changed", words)
    said = _("All of it is ordered, once. Hand the file to the bank.")
    return ask.back(f"/payments/orders/{made.id}", said=said)


def _day(ask: Ask) -> date:
    """When the bank is to pay. Raises Refused `date-invalid`, `date-past`."""
    day = lists.day(ask, "on")
    if day < ask.now.date():
        raise Refused("date-past", _("That day is over; choose another."), field="on")
    return day


@change("/payments/accounts", roles=FINANCE, again=payments)
def account_enter(ask: Ask) -> Response:
    """Enters where a party is paid; another person has to confirm it."""
    party = party_id(ask.typed("party").strip().lower())
    with ask.change("bank-account-entered", subject=party) as tx:
        if party != ask.node.us.id:
            directory.partner(tx, party=party)
        actions.enter_account(
            tx,
            party=party,
            holder=ask.typed("holder"),
            number=ask.typed("number"),
            bic=ask.typed("bic").strip(),
            by=ask.me.login,
            ids=ask.node.ids,
            now=ask.now,
        )
    return ask.back("/payments", said=_("It counts once another person has confirmed it."))


@page("/payments/accounts/{id}", roles=BOOKS)
def account(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        found = actions.account(tx, id=BankAccountId(ask.path["id"]))
    return ask.render("finance/bank_account.html", account=found)


@change("/payments/accounts/{id}/confirm", roles=BOOKS, again=account)
def account_confirm(ask: Ask) -> Response:
    """By another person than who entered it, with the number as that one has it."""
    id = BankAccountId(ask.path["id"])
    with ask.change("bank-account-confirmed", subject=id) as tx:
        actions.confirm_account(
            tx, account=id, number=ask.typed("number"), by=ask.me.login, now=ask.now
        )
    return ask.back("/payments", said=_("The account counts now."))


@page("/payments/orders/{id}", roles=BOOKS)
def order(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        found = actions.ordered(tx, id=PaymentId(ask.path["id"]))
        known = {one.id: one for one in actions.accounts(tx)}
    return ask.render("finance/order.html", order=found, accounts=known)


@page("/payments/orders/{id}/file", roles=FINANCE)
def order_file(ask: Ask) -> Response:
    """The file for our bank again, octet for octet (pain.001.001.09)."""
    id = PaymentId(ask.path["id"])
    with ask.node.begin() as tx:
        found = actions.ordered(tx, id=id)
        known = {one.id: one for one in actions.accounts(tx)}
    octets = pain.write(found, us=ask.node.us, accounts=known)
    return files.download(octets, "application/xml", f"{id}.xml")


pages = [payments, order_give, account_enter, account, account_confirm, order, order_file]
