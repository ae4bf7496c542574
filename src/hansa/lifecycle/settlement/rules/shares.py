"""What a share of revenue comes to, exact and rounded once a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hansa.federation.contract import Tax
from hansa.federation.papers import (
    Confirmation,
    Deduction,
    RevenueShare,
    Statement,
    StatementLine,
    Summary,
    Waterfall,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, BillId, OfferCode, PartyId
from hansa.foundation.money import Money, Rounding, minor_digits, round_fraction, split
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.billing.model import Bill, BillLine, BillState

REVERSE_CHARGE = Tax(
    code="reverse-charge",
    rate_bp=0,
    legend="Reverse charge: the recipient accounts for the tax.",
)
"""How a share of revenue is taxed between businesses of two countries (domain of tax: article
196 of Directive 2006/112/EC and its like elsewhere)."""


def check_evidence(
    evidence: Sequence[Confirmation],
    *,
    operator: PartyId,
    agreement: AgreementId,
    period: Period,
    members: Sequence[PartyId],
) -> None:
    """Raises Refused `evidence-wrong` when a confirmation is not of this operator's revenue.

    Signatures are not looked at here.
    """
    if len({one.summary.statement for one in evidence}) < len(evidence):
        raise Refused("evidence-wrong", "A confirmation is given twice.", field="evidence")
    for confirmation in evidence:
        base = confirmation.summary
        wrong = (
            "is of another creditor"
            if base.creditor != operator
            else "is of another agreement"
            if base.agreement.id != agreement
            else "is of another period"
            if base.period != period and (base.credits is None or base.period.end > period.start)
            else "is a credit note that adds to what was invoiced"
            if base.credits is not None and any(net > 0 for net in base.net_by_offer.values())
            else "is of a debtor that is no party of the agreement"
            if base.debtor not in members
            else "is not signed by its debtor"
            if confirmation.signature.party != base.debtor
            else "does not add up"
            if sum(base.net_by_offer.values()) != base.net.minor
            or base.net.currency != base.currency
            else None
        )
        if wrong:
            raise Refused(
                "evidence-wrong",
                f"The confirmation of {base.statement} {wrong}.",
                field="evidence",
            )


def relevant(
    shares: Sequence[RevenueShare], evidence: Sequence[Confirmation]
) -> tuple[Confirmation, ...]:
    """The confirmations of revenue that these shares are of, and of credit notes that are taken
    off it.
    """
    offers = {offer for share in shares for offer in share.offers}
    credited = {offer for share in shares if _takes_credits(share) for offer in share.offers}
    return tuple(
        one
        for one in evidence
        if (offers if one.summary.credits is None else credited) & one.summary.net_by_offer.keys()
    )


def _takes_credits(share: RevenueShare) -> bool:
    return any(step.kind == "credits" for step in share.waterfall or ())


def misplaced(
    one: Confirmation, evidence: Sequence[Confirmation], before: Sequence[Confirmation]
) -> str | None:
    """Why a credit note cannot be taken off here, or None.

    It is taken off once, from revenue of which a share is or was stated. evidence: of this
    statement; before: of those that count between the same two in the same currency.
    """
    if one.summary.credits is None:
        return None
    earlier = {its.summary.statement for its in before}
    if one.summary.statement in earlier:
        return "was taken off before"
    if one.summary.credits not in earlier | {its.summary.statement for its in evidence}:
        return "takes back what was not shared"
    return None


def bases(shares: Sequence[RevenueShare], evidence: Sequence[Confirmation]) -> frozenset[str]:
    """The currencies from which the shares have to be converted."""
    return frozenset(one.summary.currency for one in relevant(shares, evidence))


@dataclass(frozen=True, slots=True)
class Ladder:
    """How revenue comes down to what is split. steps: each with what it took and what it left."""

    gross: Money
    steps: tuple[tuple[Deduction, Money, Money], ...]
    base: Money


def ladder(gross: Money, credited: Money, waterfall: Waterfall) -> Ladder:
    """Takes off each deduction in its turn; gross less all that was taken is the base.

    A part is rounded half up once. Only credits may take more than is left: they are of earlier
    months too, and what was shared of those is so given back.
    """
    left, steps = gross, []
    for step in waterfall:
        if step.part_bp is not None:
            taken = left.part(step.part_bp, rounding=Rounding.HALF_UP)
        elif step.amount is not None:
            taken = min(step.amount, max(left, Money.zero(left.currency)))
        else:
            taken = credited
        left -= taken
        steps.append((step, taken, left))
    return Ladder(gross, tuple(steps), left)


def part(base: Money, place: int, shares: Sequence[RevenueShare], offer: OfferCode) -> Money:
    """What the share in this place, from 1, has of an offer's base; the parts of all shares and
    of the operator, who keeps the rest, add up to it.
    """
    weights = [one.share_bp if offer in one.offers else 0 for one in shares]
    return split(base, [*weights, 10_000 - sum(weights)])[place - 1]


def share_lines(
    shares: Sequence[tuple[int, RevenueShare]],
    evidence: Sequence[Confirmation],
    rates: Mapping[tuple[str, str], Decimal],
    tax: Tax,
    beside: Sequence[RevenueShare],
) -> tuple[StatementLine, ...]:
    """One line for each share, confirmed statement and offer, in the share's currency; of a share
    with a waterfall one for each offer and currency, with all the steps.

    shares: each with its place, from 1, in `beside`: all of the operator's under the agreement.
    rates: by (source, base currency), units of the share's currency for one of the base.
    base x share x rate is rounded half up once; what is left of a waterfall is split to the minor
    unit, and a part then converted. A line that rounds to zero is left out unless credits were
    taken off in it.
    """
    lines: list[StatementLine] = []
    for place, share in shares:
        its = [one.summary for one in relevant([share], evidence)]
        steps = _plain if share.waterfall is None else _laddered
        for due in steps(place, share, its, beside):
            rate = rates[(share.fx_source, due.amount.currency)]
            net = _shared(due.amount, due.bp, rate, share.currency)
            if net or due.credited:
                converted = f" at {rate}" if due.amount.currency != share.currency else ""
                lines.append(
                    StatementLine(
                        key=due.key,
                        offer=due.offer,
                        description=due.words + converted,
                        quantity=Decimal(share.share_bp).scaleb(-2),
                        unit="%",
                        net=net,
                        tax=net.part(tax.rate_bp, rounding=Rounding.HALF_UP),
                    )
                )
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Due:
    """What becomes a line: so many hundredths of a percent of an amount, to be converted."""

    key: str
    offer: OfferCode
    words: str
    amount: Money
    bp: int
    credited: bool = False


def _plain(
    place: int, share: RevenueShare, its: Sequence[Summary], _beside: Sequence[RevenueShare]
) -> Iterator[_Due]:
    for base in sorted(its, key=lambda one: one.statement):
        for offer in sorted(set(share.offers) & base.net_by_offer.keys()):
            amount = Money(base.net_by_offer[offer], base.currency)
            words = f"Share of {offer} sold to {base.debtor}: {amount}"
            key = f"{base.statement}/share-{place}/{offer}"
            yield _Due(key, offer, words, amount, share.share_bp)


def _laddered(
    place: int, share: RevenueShare, its: Sequence[Summary], beside: Sequence[RevenueShare]
) -> Iterator[_Due]:
    for currency in sorted({one.currency for one in its}):
        for offer in sorted(set(share.offers)):
            of = [one for one in its if one.currency == currency and offer in one.net_by_offer]
            if not of:
                continue
            gross, credited = (
                Money(sum(one.net_by_offer[offer] for one in some), currency)
                for some in (
                    [one for one in of if one.credits is None],
                    [one for one in of if one.credits is not None],
                )
            )
            found = ladder(gross, -credited, share.waterfall or ())
            amount = part(found.base, place, beside, offer)
            words = f"Share of {offer}: {_words(found)}; {_percent(share.share_bp)} is {amount}"
            key = f"{currency}/share-{place}/{offer}"
            yield _Due(key, offer, words, amount, 10_000, bool(credited))


def _words(found: Ladder) -> str:
    """`100.00 GBP gross, less taxes (5.00 %) 5.00 = 95.00, less access 20.00 = 75.00`"""
    steps = [f"{found.gross} gross"]
    for step, taken, left in found.steps:
        of = "" if step.part_bp is None else f" ({_percent(step.part_bp)})"
        steps.append(f"less {step.kind.replace('-', ' ')}{of} {taken.amount:,} = {left.amount:,}")
    return ", ".join(steps)


def _percent(bp: int) -> str:
    return f"{Decimal(bp).scaleb(-2)} %"


def _shared(base: Money, share_bp: int, rate: Decimal, to: str) -> Money:
    shift = Fraction(10) ** (minor_digits(to) - minor_digits(base.currency))
    exact = Fraction(base.minor) * Fraction(share_bp, 10_000) * Fraction(rate) * shift
    return Money(round_fraction(exact, Rounding.HALF_UP), to)


def share_bill(statement: Statement, tax: Tax, *, id: BillId, now: Instant) -> Bill:
    """The draft of the beneficiary's bill for a share of revenue."""
    return Bill(
        id=id,
        kind_of="revenue-share",
        issuer=statement.creditor,
        buyer=statement.debtor,
        agreement=statement.agreement,
        period=statement.period,
        currency=statement.currency,
        lines=tuple(
            BillLine(
                key=line.key,
                offer=line.offer,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                net=line.net,
                tax=line.tax,
                tax_code=tax.code,
                rate_bp=tax.rate_bp,
                legend=tax.legend,
            )
            for line in statement.lines
        ),
        net=statement.net,
        tax=statement.tax,
        state=BillState.NEW,
        made_at=now,
    )
