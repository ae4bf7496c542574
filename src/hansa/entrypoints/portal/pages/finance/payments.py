"""What we owe once all is netted, the orders to our bank, and the accounts that money goes to.

An account counts once another person than who entered it has confirmed it, by typing its number
as that person has it: the rule of clearing itself.
"""

from __future__ import annotations

from starlette.responses import Response

from hansa.entrypoints.papers import pain
from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance import lists
from hansa.entrypoints.portal.pages.finance.netting import month_of
from hansa.federation import directory
from hansa.foundation.ids import BankAccountId, PaymentId
from hansa.foundation.party import party_id
from hansa.lifecycle.clearing.actions import payments as actions


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
        orders=orders.things,
        accounts=accounts,
        turn=turn,
        total=orders.total,
    )


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


pages = [payments, account_enter, account, account_confirm, order, order_file]
