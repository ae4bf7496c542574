"""What is due to whom, and what may be entered as a bank account."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import add_up
from hansa.lifecycle.clearing.model import BankAccount, Part, Payment, Remitted
from hansa.lifecycle.settlement.model import Held, Netting

_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_NUMBER = re.compile(r"[0-9A-Z]{4,34}")


def check_account(given: BankAccount) -> None:
    """Raises Refused `bank-account-invalid` for an IBAN, a number or a BIC that cannot be."""
    wrong = ""
    if not _NUMBER.fullmatch(given.number):
        wrong = "a number has 4 to 34 capital letters and digits"
    elif given.is_iban and not _checks(given.number):
        wrong = "the check digits of the IBAN are wrong"
    elif not _BIC.fullmatch(given.bic):
        wrong = "a BIC has 8 or 11 characters, as BARCGB22"
    elif not given.holder.strip() or len(given.holder) > 140:
        wrong = "the holder has 1 to 140 characters"
    if wrong:
        raise Refused(
            "bank-account-invalid", f"The account is not entered: {wrong}.", field="number"
        )


def _checks(iban: str) -> bool:
    """ISO 13616: the number, letters as two digits, is 1 modulo 97."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def settlement_id(what: str, payer: PartyId, payee: PartyId) -> str:
    """32 characters that both sides of a payment compute alike."""
    return documents.fingerprint([what, payer, payee])[:32].upper()


def of_netting(
    netting: Netting, statements: Collection[Held], us: PartyId, *, bound: Collection[Held] = ()
) -> Payment:
    """What a bilateral netting leaves for us to pay. statements: those of it that are bound to
    nothing else; bound: the others, which are paid for there. What is in dispute is not in a
    netting, so not paid; the amount is not above nil when we owe nothing.
    """
    elsewhere = (-one.total if one.statement.creditor == us else one.total for one in bound)
    currency = netting.receivable.currency
    left = tuple(sorted(one.id for one in statements))
    month, _, _, number = netting.key.split("/")[1:]
    return Payment(
        settlement=settlement_id(
            "/".join(left) or f"{month}/{currency}/{number}", us, netting.partner
        ),
        payee=netting.partner,
        amount=-netting.net - add_up(elsewhere, currency),
        source=netting.key,
        remitted=remitted(statements, us),
        statements=left,
    )


def of_invoice(held: Held, us: PartyId) -> Payment:
    """An invoice that is paid by itself, where nothing is netted."""
    payee = held.partner(us)
    return Payment(
        settlement=settlement_id(held.id, us, payee),
        payee=payee,
        amount=held.total,
        source=f"invoice/{held.id}",
        remitted=remitted([held], us),
        statements=(held.id,),
    )


def of_part(part: Part, statements: Collection[Held], us: PartyId) -> tuple[Payment, ...]:
    """What a round leaves for us to pay. A payee is told of invoices with itself alone."""
    assert part.plan is not None
    return tuple(
        Payment(
            settlement=settlement_id(part.id, us, one.payee),
            payee=one.payee,
            amount=one.amount,
            source=f"round/{part.id}/{one.payee}",
            remitted=remitted((held for held in statements if held.partner(us) == one.payee), us),
        )
        for one in part.plan.payments
        if one.payer == us
    )


def remitted(statements: Iterable[Held], us: PartyId) -> tuple[Remitted, ...]:
    """The invoices, ours as set off."""
    return tuple(
        Remitted(held.number, held.total, set_off=held.statement.creditor == us)
        for held in sorted(statements, key=lambda one: one.number)
    )


def balances(payment: Payment) -> bool:
    """Whether the invoices come to the amount; those of a round need not."""
    signed = (-one.amount if one.set_off else one.amount for one in payment.remitted)
    return add_up(signed, payment.amount.currency) == payment.amount
