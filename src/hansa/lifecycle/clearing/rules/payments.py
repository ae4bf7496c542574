"""What is due to whom, and what may be entered as a bank account."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId, StatementId
from hansa.foundation.money import Money, add_up
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


def of_nettings(
    nettings: Sequence[Netting],
    held: Mapping[StatementId, Held],
    us: PartyId,
    *,
    bound: Collection[StatementId],
    ordered: Collection[str],
    apart: Collection[StatementId],
) -> tuple[Payment, ...]:
    """What bilateral nettings with a partner in a currency and month leave for us to pay, one for
    each; not above nil where we owe nothing. What is held out is in no netting, so not paid.

    nettings: in order of time. held: their statements. bound: to a round, where they are paid
    for, or to an order. ordered: the sources of what is ordered. apart: credit notes over what
    was netted before it was disputed: their invoices are paid whole, and they are paid back.

    Both sides come to the same payments, whoever nets first and however often. So what was
    netted before a dispute was heard of and moved back since lowers the netting that it was in,
    and other credit notes go with what is left of their invoices: whoever held it out has not
    netted it. Where that is ordered we have paid too much, and what comes next is lower.
    """
    elsewhere = {
        id for one in nettings for id in one.statements if id in bound and one.key not in ordered
    }
    owed: dict[str, dict[StatementId, Money]] = {}
    for one in nettings:
        owed[one.key] = {}
        for line in one.lines:
            if line.statement in elsewhere or line.statement in apart:
                continue
            paper = held[line.statement]
            more = -line.amount if paper.statement.creditor == us else line.amount
            key = one.key
            if _is_back(more, paper, us):
                more = _lowered(owed, line.statement, more, ordered)
            elif paper.statement.bare.credits is not None:
                key = _beside(owed, paper.statement.bare.credits.statement, ordered) or key
            owed[key][line.statement] = more
    found: list[Payment] = []
    paid: dict[StatementId, Money] = {}
    for one in nettings:
        every = _sum(owed[one.key], paid)
        left = tuple(sorted(set(one.statements) - elsewhere - set(apart)))
        found.append(_payment(one, every, held, us, left, len(found)))
        paid = _too_much(every, held, us)
    return tuple(found)


def of_note(note: Held, us: PartyId) -> Payment:
    """A credit note of ours that is paid back."""
    payee = note.partner(us)
    return Payment(
        settlement=settlement_id(note.id, us, payee),
        payee=payee,
        amount=-note.total,
        source=f"credit/{note.id}",
        remitted=(_remitted(note, -note.total),),
        statements=(note.id,),
    )


def _is_back(more: Money, held: Held, us: PartyId) -> bool:
    """Whether it has not the sign that the whole of the statement has for us."""
    usual = (held.total.minor > 0) == (held.statement.debtor == us)
    return bool(more) and (more.minor > 0) != usual


def _lowered(
    owed: Mapping[str, dict[StatementId, Money]],
    id: StatementId,
    back: Money,
    ordered: Collection[str],
) -> Money:
    """Lowers what earlier nettings say of a statement, the last one first; gives what is left,
    which was ordered.
    """
    for key in reversed([one for one in owed if one not in ordered]):
        known = owed[key].get(id)
        if known and back and (known.minor > 0) != (back.minor > 0):
            part = min(abs(known.minor), abs(back.minor)) * (1 if back.minor > 0 else -1)
            taken = Money(part, back.currency)
            owed[key][id] = known + taken
            back = back - taken
    return back


def _beside(
    owed: Mapping[str, Mapping[StatementId, Money]], invoice: StatementId, ordered: Collection[str]
) -> str | None:
    """The last netting with something of an invoice that is not ordered."""
    with_it = [key for key in owed if owed[key].get(invoice) and key not in ordered]
    return with_it[-1] if with_it else None


def _sum(
    one: Mapping[StatementId, Money], other: Mapping[StatementId, Money]
) -> Mapping[StatementId, Money]:
    both = dict(one)
    for id, amount in other.items():
        both[id] = both[id] + amount if id in both else amount
    return both


def _too_much(
    every: Mapping[StatementId, Money], held: Mapping[StatementId, Held], us: PartyId
) -> dict[StatementId, Money]:
    """What of theirs was paid and moved back since, as far as the rest does not use it up."""
    back = {
        id: amount
        for id, amount in every.items()
        if amount.minor < 0 and _is_back(amount, held[id], us)
    }
    room = max(0, sum(amount.minor for id, amount in every.items() if id not in back))
    kept: dict[StatementId, Money] = {}
    for id, amount in back.items():
        used = min(room, -amount.minor)
        room -= used
        kept[id] = Money(amount.minor + used, amount.currency)
    return kept


def _payment(
    netting: Netting,
    owed: Mapping[StatementId, Money],
    held: Mapping[StatementId, Held],
    us: PartyId,
    first: tuple[StatementId, ...],
    before: int,
) -> Payment:
    """before: how many nettings came before it, which tells apart what names the same."""
    later = "/".join(f"{id}{owed[id].minor:+d}" for id in sorted(owed))
    return Payment(
        settlement=settlement_id(
            "/".join(first) or f"{netting.period.name}/{later}/{before}", us, netting.partner
        ),
        payee=netting.partner,
        amount=add_up(owed.values(), netting.receivable.currency),
        source=netting.key,
        remitted=tuple(
            sorted(
                (_remitted(held[id], amount) for id, amount in owed.items() if amount),
                key=lambda one: one.number,
            )
        ),
        statements=first,
    )


def _remitted(held: Held, more: Money) -> Remitted:
    """more: by how much the payment is higher for it."""
    amount = more if more.minor > 0 else -more
    note = held.statement.kind_of == "credit-note"
    return Remitted(held.number, amount, more.minor < 0, "credit-note" if note else "invoice")


def of_invoice(
    held: Held, us: PartyId, *, less: Money, notes: Collection[Held], paid: Sequence[Money]
) -> Payment:
    """What is left to pay of an invoice by itself, where nothing is netted.

    less: what is held out of it. notes: credit notes over it. paid: what was ordered for it.
    """
    payee, number = held.partner(us), len(paid) + 1
    before = add_up(paid, held.total.currency)
    lines = [(held, held.total - less - before), *((one, one.total) for one in notes)]
    place = f"{held.id}/{number}" if paid else str(held.id)
    return Payment(
        settlement=settlement_id(place, us, payee),
        payee=payee,
        amount=add_up((amount for _, amount in lines), held.total.currency),
        source=f"invoice/{place}",
        remitted=tuple(_remitted(one, amount) for one, amount in lines if amount),
        statements=() if paid else (held.id,),
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
            remitted=tuple(
                _remitted(held, -held.total if held.statement.creditor == us else held.total)
                for held in sorted(statements, key=lambda each: each.number)
                if held.partner(us) == one.payee
            ),
        )
        for one in part.plan.payments
        if one.payer == us
    )
