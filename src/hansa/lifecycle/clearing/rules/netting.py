"""Many set off what they owe each other: positions, the payments that are left, and proofs.

Everything is in minor units of one currency. Positions of all parties add up to zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from hansa.federation.papers import (
    NettingCalled,
    NettingLine,
    NettingMode,
    NettingPayment,
    NettingPlan,
    NettingTerms,
)
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.ledger.model import AccountSpec, Leg
from hansa.lifecycle.agreement.model import Agreement

STRICTEST_FIRST: Final[tuple[NettingMode, ...]] = ("gross", "bilateral", "multilateral")

Lines = tuple[NettingLine, ...]


def mode(terms: NettingTerms | None, *countries: str) -> NettingMode:
    """How far parties of these countries may set off: as the strictest of them says."""
    said = {one.country: one.mode for one in terms.countries} if terms else {}
    modes = (said.get(country, "bilateral") for country in countries)
    return min(modes, key=STRICTEST_FIRST.index)


def gross(agreements: Iterable[Agreement], ours: str, theirs: str) -> str:
    """Why nothing may be netted between two countries; empty when it may be."""
    for agreement in agreements:
        terms = agreement.document.netting
        for one in terms.countries if terms else ():
            if one.mode == "gross" and one.country in (ours, theirs):
                return f"{one.country} settles gross: {one.source}"
    return ""


def fingerprint(lines: Lines) -> str:
    """Of a party's own lines, in order of their statements."""
    return documents.fingerprint(
        documents.write(tuple(sorted(lines, key=lambda one: one.statement)), Lines)
    )


def plan_fingerprint(plan: NettingPlan) -> str:
    """What signatures of a plan are over."""
    return documents.fingerprint(documents.write(plan))


def matched(offers: Mapping[PartyId, Lines]) -> Lines:
    """The lines that both their parties have offered, word for word, in order."""
    offered = {party: set(lines) for party, lines in offers.items()}
    both = {
        line
        for party, lines in offered.items()
        for line in lines
        if party in (line.creditor, line.debtor)
        and line in offered.get(line.creditor, ())
        and line in offered.get(line.debtor, ())
    }
    return tuple(sorted(both, key=lambda one: one.statement))


def of_party(lines: Iterable[NettingLine], party: PartyId) -> Lines:
    """The lines to which it is a party."""
    return tuple(one for one in lines if party in (one.creditor, one.debtor))


def positions(lines: Iterable[NettingLine]) -> Mapping[PartyId, int]:
    """What each party is owed, in minor units, negative when it owes; by name."""
    found: dict[PartyId, int] = {}
    for line in lines:
        found[line.creditor] = found.get(line.creditor, 0) + line.amount.minor
        found[line.debtor] = found.get(line.debtor, 0) - line.amount.minor
    return dict(sorted(found.items()))


def payments(positions: Mapping[PartyId, int], currency: str) -> tuple[NettingPayment, ...]:
    """Who pays whom so that every position is nil: at most one payment fewer than parties.

    The largest debt goes to the largest claim; equals by name, so that all compute the same.
    Raises ValueError for positions that are not nil in sum.
    """
    if sum(positions.values()):
        raise ValueError("positions that are not nil in sum cannot be settled")
    left = {party: minor for party, minor in positions.items() if minor}
    found = []
    while left:
        payer = min(left, key=lambda party: (left[party], party))
        payee = min(left, key=lambda party: (-left[party], party))
        minor = min(-left[payer], left[payee])
        found.append(NettingPayment(payer, payee, Money(minor, currency)))
        left[payer] += minor
        left[payee] -= minor
        left = {party: minor for party, minor in left.items() if minor}
    return tuple(found)


def plan(
    call: NettingCalled, centre: PartyId, attempt: int, lines: Lines, sign_by: Instant
) -> NettingPlan:
    """The plan of these matched lines."""
    each = positions(lines)
    return NettingPlan(
        round=call.round,
        attempt=attempt,
        centre=centre,
        agreement=call.agreement,
        period=call.period,
        currency=call.currency,
        positions=each,
        lines={party: fingerprint(of_party(lines, party)) for party in each},
        payments=payments(each, call.currency),
        sign_by=sign_by,
    )


def check_plan(
    plan: NettingPlan,
    call: NettingCalled,
    *,
    us: PartyId,
    lines: Lines,
    offered: Collection[NettingLine],
    parties: Collection[PartyId],
) -> None:
    """Raises Refused `netting-wrong` unless the plan adds up and our part is right, line by line.

    lines: our own of the plan, each of which must be among those that we have offered.
    parties: of the agreement; no other may be paid.
    """
    own = positions(lines)
    about = (plan.agreement, plan.period, plan.currency, plan.round)
    nil = sum(plan.positions.values()) == 0
    wrong = (
        (about != (call.agreement, call.period, call.currency, call.round), "it was not called"),
        (not nil, "its positions do not add up to zero"),
        (
            nil and plan.payments != payments(plan.positions, plan.currency),
            "its payments do not settle its positions",
        ),
        (us not in plan.positions, "we have no part in it"),
        (not plan.positions.keys() <= set(parties), "a party of it is none of the agreement"),
        (not set(lines) <= set(offered), "it has lines that we have not offered"),
        (len({one.statement for one in lines}) < len(lines), "it has a line twice"),
        (plan.positions.keys() != plan.lines.keys(), "its parties differ"),
        (plan.lines.get(us) != fingerprint(lines), "our lines are not those it names"),
        (plan.positions.get(us) != own.get(us, 0), "our position is not the sum of our lines"),
        (not own.keys() <= plan.positions.keys(), "a partner has no part in it"),
    )
    for is_so, why in wrong:
        if is_so:
            raise Refused("netting-wrong", f"The plan is not signed: {why}.", field="plan")


def legs(plan: NettingPlan, lines: Lines, us: PartyId) -> tuple[Leg, ...]:
    """What we post: each partner's net of our lines goes, what we are to pay or get comes."""
    moved: dict[PartyId, int] = {}
    for line in lines:
        if line.creditor == us:
            moved[line.debtor] = moved.get(line.debtor, 0) - line.amount.minor
        else:
            moved[line.creditor] = moved.get(line.creditor, 0) + line.amount.minor
    for payment in plan.payments:
        if payment.payee == us:
            moved[payment.payer] = moved.get(payment.payer, 0) + payment.amount.minor
        elif payment.payer == us:
            moved[payment.payee] = moved.get(payment.payee, 0) - payment.amount.minor
    return tuple(
        Leg(_settlement(party, plan.currency), Money(minor, plan.currency))
        for party, minor in sorted(moved.items())
        if minor
    )


def _settlement(party: PartyId, currency: str) -> AccountSpec:
    code = f"settlement/{party}/{currency}"
    return AccountSpec(code=code, kind="asset", party=party, currency=currency)


def debts(lines: Sequence[NettingLine]) -> tuple[NettingPayment, ...]:
    """Who would pay whom, invoice by invoice added up, were nothing set off; by names."""
    found: dict[tuple[PartyId, PartyId], Money] = {}
    for line in lines:
        pair = (line.debtor, line.creditor)
        found[pair] = found.get(pair, Money.zero(line.amount.currency)) + line.amount
    return tuple(NettingPayment(*pair, amount) for pair, amount in sorted(found.items()))
