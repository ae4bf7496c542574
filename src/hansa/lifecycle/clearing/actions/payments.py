"""What we owe once all is netted, where it goes, and the order to our bank."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from hansa.federation.papers import StatementState
from hansa.federation.shelf import Page
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BankAccountId, Ids, PartyId, PaymentId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.actions import netting
from hansa.lifecycle.clearing.model import BankAccount, PartState, Payment, PaymentOrder
from hansa.lifecycle.clearing.rules import payments as rules
from hansa.lifecycle.clearing.store import netting as claims
from hansa.lifecycle.clearing.store import payments as store
from hansa.lifecycle.settlement.actions import disputes, positions, statements
from hansa.lifecycle.settlement.model import Held, Netting


def enter_account(
    tx: Transaction,
    *,
    party: PartyId,
    holder: str,
    number: str,
    bic: str,
    by: str,
    ids: Ids,
    now: Instant,
) -> BankAccount:
    """Notes an account that counts once another person has confirmed it.

    Raises Refused `bank-account-invalid`.
    """
    bare = "".join(number.split()).upper()
    made = BankAccount(ids.new(BankAccountId), party, holder.strip(), bare, bic.upper(), by, now)
    rules.check_account(made)
    store.insert_account(tx, made)
    return made


def confirm_account(
    tx: Transaction, *, account: BankAccountId, number: str, by: str, now: Instant
) -> BankAccount:
    """Makes an account count. number: as the second person has it from the party itself.

    Confirmed already changes nothing. Raises NotFound `bank-account-unknown`; Refused
    `bank-account-same-person`, `bank-account-differs`.
    """
    found = store.account(tx, account)
    if found is None:
        raise NotFound("bank-account-unknown", f"There is no account {account}.", field="account")
    if found.confirmed_by:
        return found
    if by.casefold() == found.entered_by.casefold():
        raise Refused(
            "bank-account-same-person",
            f"{by} has entered this account; another person has to confirm it.",
            field="by",
        )
    if "".join(number.split()).upper() != found.number:
        raise Refused(
            "bank-account-differs",
            "It is not the number that was entered; ask the party, by telephone for instance.",
            field="number",
        )
    store.confirm_account(tx, account, by, now)
    return replace(found, confirmed_by=by, confirmed_at=now)


def accounts(tx: Transaction, *, party: PartyId | None = None) -> Sequence[BankAccount]:
    """Accounts; of each party the one that counts comes first, those unconfirmed last."""
    return store.accounts(tx, party)


def account(tx: Transaction, *, id: BankAccountId) -> BankAccount:
    """One of them. Raises NotFound `bank-account-unknown`."""
    found = store.account(tx, id)
    if found is None:
        raise NotFound("bank-account-unknown", f"There is no account {id}.", field="account")
    return found


def due(tx: Transaction, *, us: Party, period: Period) -> Sequence[Payment]:
    """What of a month we owe and have not ordered: nets, our payments of rounds, and invoices
    of partners with which nothing is netted. By payee.
    """
    held = {one.id: one for one in statements.find(tx, period=period)}
    bound, ordered = claims.claimed(tx), store.ordered(tx)
    by_pair: dict[tuple[PartyId, str], list[Netting]] = {}
    for one in positions.nettings(tx, period=period):
        by_pair.setdefault((one.partner, one.receivable.currency), []).append(one)
    apart = _apart(tx, held, by_pair.values())
    found = [
        payment
        for nettings in by_pair.values()
        for payment in rules.of_nettings(
            nettings, held, us.id, bound=bound, ordered=ordered, apart=apart
        )
    ]
    found += [
        rules.of_note(held[id], us.id) for id in apart if held[id].statement.creditor == us.id
    ]
    for part in netting.parts(tx, states=[PartState.SETTLED]):
        if part.call.period == period:
            found += rules.of_part(part, [held[one.statement] for one in part.lines], us.id)
    found += _one_by_one(tx, us, period, held, bound, ordered)
    return sorted(
        (one for one in found if one.amount.minor > 0 and one.source not in ordered),
        key=lambda one: (one.payee, one.amount.currency, one.source),
    )


def _apart(
    tx: Transaction, held: Mapping[StatementId, Held], nettings: Iterable[Sequence[Netting]]
) -> Collection[StatementId]:
    """The netted credit notes whose invoices were netted whole, before they were disputed or
    among many, and so are paid whole.
    """
    every = [one for pair in nettings for one in pair]
    agreed = {line.statement for one in every for line in one.lines if line.agreed}
    found = []
    for id in (id for one in every for id in one.statements):
        note = held[id].statement.bare.credits
        if note is not None:
            dispute = disputes.get(tx, dispute=note.dispute).dispute
            if dispute.netted or note.statement in agreed:
                found.append(id)
    return sorted(found)


def _one_by_one(
    tx: Transaction,
    us: Party,
    period: Period,
    held: Mapping[StatementId, Held],
    bound: Collection[StatementId],
    ordered: Mapping[str, Money],
) -> Sequence[Payment]:
    """What is due of invoices of partners with which nothing is netted."""
    gross = netting.gross(tx, us=us, period=period)
    held_out = disputes.held_out(tx, period=period)
    mine = [
        one
        for one in held.values()
        if one.state is StatementState.INVOICED
        and one.statement.debtor == us.id
        and one.partner(us.id) in gross
        and not one.netting
    ]
    notes: dict[StatementId, list[Held]] = {}
    for one in mine:
        if one.statement.bare.credits is not None:
            notes.setdefault(one.statement.bare.credits.statement, []).append(one)
    return [
        rules.of_invoice(
            one,
            us.id,
            less=held_out.get(one.id, Money.zero(one.total.currency)),
            notes=notes.get(one.id, ()),
            paid=[amount for source, amount in ordered.items() if _is_for(source, one.id)],
        )
        for one in mine
        if one.statement.bare.credits is None
        and (one.id not in bound or f"invoice/{one.id}" in ordered)
    ]


def _is_for(source: str, invoice: StatementId) -> bool:
    return source.split("/")[:2] == ["invoice", invoice]


def order(
    tx: Transaction,
    *,
    us: Party,
    period: Period,
    currency: str,
    on: date,
    by: str,
    ids: Ids,
    now: Instant,
) -> PaymentOrder:
    """Binds all that is due in a currency to one order to our bank; each is ordered once.

    Raises Refused `nothing-due`, `bank-account-missing` naming the party whose account is not
    confirmed, `payment-busy`.
    """
    store.lock_orders(tx)
    wanted = [one for one in due(tx, us=us, period=period) if one.amount.currency == currency]
    if not wanted:
        raise Refused(
            "nothing-due", f"Nothing of {period.name} is due in {currency}.", field="currency"
        )
    order = PaymentOrder(
        id=ids.new(PaymentId),
        account=_counts(tx, us.id).id,
        currency=currency,
        on=on,
        payments=tuple(replace(one, account=_counts(tx, one.payee).id) for one in wanted),
        ordered_by=by,
        ordered_at=now,
    )
    for one in order.payments:
        if one.statements and not claims.claim(tx, order.id, one.statements):
            raise Refused(
                "payment-busy", f"An invoice of {one.payee} is bound elsewhere.", field="payee"
            )
    store.insert_order(tx, order)
    return order


def ordered(tx: Transaction, *, id: PaymentId) -> PaymentOrder:
    """An order as it was given. Raises NotFound `payment-unknown`."""
    found = store.order(tx, id)
    if found is None:
        raise NotFound("payment-unknown", f"There is no order {id}.", field="order")
    return found


def orders(tx: Transaction, *, offset: int = 0, limit: int) -> Page[PaymentOrder]:
    """Orders as they were given, the newest first."""
    return store.orders(tx, offset, limit)


def _counts(tx: Transaction, party: PartyId) -> BankAccount:
    for one in store.accounts(tx, party):
        if one.confirmed_by:
            return one
    raise Refused(
        "bank-account-missing",
        f"{party} has no confirmed bank account; one person enters it, another confirms it.",
        field="account",
    )
