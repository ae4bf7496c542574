"""What is netted, and whether books agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from hansa.federation.papers import StatementState
from hansa.foundation.ids import PartyId, StatementId
from hansa.foundation.money import Money, add_up
from hansa.ledger.model import Account, AccountKind, AccountSpec, Leg
from hansa.lifecycle.settlement.model import (
    Books,
    BooksLine,
    BooksProof,
    Held,
    NettedLine,
    Netting,
    Pair,
)


def invoiced(held: Sequence[Held], *, us: PartyId, currency: str) -> tuple[Money, Money]:
    """What these statements have invoiced: owed to us, and owed by us, tax included."""
    done = [one for one in held if one.state is StatementState.INVOICED]
    return (
        add_up((one.total for one in done if one.statement.creditor == us), currency),
        add_up((one.total for one in done if one.statement.debtor == us), currency),
    )


def disputed(
    held: Sequence[Held],
    amounts: Mapping[StatementId, Money],
    *,
    creditor: PartyId | None = None,
    debtor: PartyId | None = None,
) -> Money | None:
    """What of these statements is in dispute, of one direction; None for nothing."""
    found = [
        amounts[one.id]
        for one in held
        if one.id in amounts
        and creditor in (None, one.statement.creditor)
        and debtor in (None, one.statement.debtor)
    ]
    return add_up(found, found[0].currency) if found else None


def netted_before(nettings: Iterable[Netting]) -> Mapping[StatementId, Money]:
    """What was moved of each statement so far."""
    found: dict[StatementId, Money] = {}
    for line in (line for one in nettings for line in one.lines):
        known = found.get(line.statement)
        found[line.statement] = known + line.amount if known else line.amount
    return found


def to_net(
    held: Iterable[Held],
    before: Mapping[StatementId, Money],
    held_out: Mapping[StatementId, Money],
    *,
    agreed: bool,
) -> tuple[NettedLine, ...]:
    """What is still to be moved of each invoiced statement, so that all of it is moved but what
    is held out; below nil where that was moved before. Of which there is nothing to move is left
    out, unless it was never netted. agreed: all of it, as all have signed.
    """
    found = []
    for one in held:
        zero = Money.zero(one.total.currency)
        wanted = one.total - held_out.get(one.id, zero)
        line = NettedLine(one.id, wanted - before.get(one.id, zero), agreed)
        if one.state is StatementState.INVOICED and (agreed or line.amount or not one.netting):
            found.append(line)
    return tuple(found)


def netting_legs(netting: Netting) -> tuple[tuple[str, tuple[Leg, ...]], ...]:
    """What a netting posts, one entry for each direction: nothing where nothing was invoiced."""

    def account(what: str, kind: AccountKind) -> AccountSpec:
        currency = netting.receivable.currency
        code = f"{what}/{netting.partner}/{currency}"
        return AccountSpec(code=code, kind=kind, party=netting.partner, currency=currency)

    settlement = account("settlement", "asset")
    receivable, payable = netting.receivable, netting.payable
    both = (
        ("receivable", account("receivable", "asset"), -receivable),
        ("payable", account("payable", "liability"), payable),
    )
    return tuple(
        (what, (Leg(spec, amount), Leg(settlement, -amount)))
        for what, spec, amount in both
        if amount
    )


def books_lines(accounts: Iterable[Account]) -> tuple[BooksLine, ...]:
    """What partners' accounts say, by partner and currency, each seen from the ledger's side."""
    found: dict[tuple[PartyId, str], BooksLine] = {}
    for account in accounts:
        if account.party is None:
            continue
        pair = (account.party, account.balance.currency)
        line = found.get(pair) or _nothing(*pair)
        match account.code.split("/")[0]:
            case "receivable":
                line = replace(line, receivable=line.receivable + account.balance)
            case "payable":
                line = replace(line, payable=line.payable - account.balance)
            case "settlement":
                line = replace(line, settlement=line.settlement + account.balance)
            case _:
                continue
        found[pair] = line
    return tuple(found[pair] for pair in sorted(found))


def agree(books: Sequence[Books]) -> BooksProof:
    """Lays the books of several parties beside each other.

    They agree when, for every two of them and every currency, what one says it is owed the
    other says it owes, both settlement balances mirror each other, every chain holds, and
    all positions between them add up to zero in each currency. What a book says of a party
    whose book is not there is left aside.
    """
    by_party = {one.party: one for one in books}
    pairs: list[Pair] = []
    breaks = [f"the ledger chain of {one.party} does not hold" for one in books if not one.chain_ok]
    sums: dict[str, Money] = {}
    for a, b in combinations(sorted(by_party), 2):
        left, right = _of(by_party[a], b), _of(by_party[b], a)
        for currency in sorted(left.keys() | right.keys()):
            a_says = left.get(currency) or _nothing(b, currency)
            b_says = right.get(currency) or _nothing(a, currency)
            wrong = list(_disagreements(a, a_says, b, b_says))
            breaks += wrong
            pairs.append(
                Pair(a=a, b=b, currency=currency, a_says=a_says, b_says=b_says, ok=not wrong)
            )
            so_far = sums.get(currency, Money.zero(currency))
            sums[currency] = so_far + _position(a_says) + _position(b_says)
    breaks += [f"positions in {each.currency} add up to {each}" for each in sums.values() if each]
    return BooksProof(
        ok=not breaks,
        pairs=tuple(pairs),
        breaks=tuple(breaks),
        sums=tuple(sums[currency] for currency in sorted(sums)),
    )


def _of(books: Books, partner: PartyId) -> dict[str, BooksLine]:
    return {line.currency: line for line in books.lines if line.partner == partner}


def _nothing(partner: PartyId, currency: str) -> BooksLine:
    zero = Money.zero(currency)
    return BooksLine(
        partner=partner, currency=currency, receivable=zero, payable=zero, settlement=zero
    )


def _position(line: BooksLine) -> Money:
    return line.receivable - line.payable + line.settlement


def _disagreements(a: PartyId, a_says: BooksLine, b: PartyId, b_says: BooksLine) -> Iterable[str]:
    if a_says.receivable != b_says.payable:
        yield f"{a} is owed {a_says.receivable} by {b}, {b} says it owes {b_says.payable}"
    if b_says.receivable != a_says.payable:
        yield f"{b} is owed {b_says.receivable} by {a}, {a} says it owes {a_says.payable}"
    if a_says.settlement != -b_says.settlement:
        yield (
            f"{a} has {a_says.settlement} to settle with {b}, "
            f"{b} has {b_says.settlement} to settle with {a}"
        )
