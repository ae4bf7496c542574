"""What a share of revenue comes to, exact and rounded once a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from hansa.federation.contract import Tax
from hansa.federation.papers import Confirmation, RevenueShare, Statement, StatementLine
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, BillId, PartyId
from hansa.foundation.money import Money, Rounding, minor_digits, round_fraction
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
            if base.period != period
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
    """The confirmations of revenue that these shares are of."""
    offers = {offer for share in shares for offer in share.offers}
    return tuple(one for one in evidence if offers & one.summary.net_by_offer.keys())


def bases(shares: Sequence[RevenueShare], evidence: Sequence[Confirmation]) -> frozenset[str]:
    """The currencies from which the shares have to be converted."""
    return frozenset(one.summary.currency for one in relevant(shares, evidence))


def share_lines(
    shares: Sequence[tuple[int, RevenueShare]],
    evidence: Sequence[Confirmation],
    rates: Mapping[tuple[str, str], Decimal],
    tax: Tax,
) -> tuple[StatementLine, ...]:
    """One line for each share, confirmed statement and offer, in the share's currency.

    shares: each with its place in the agreement. rates: by (source, base currency), units of
    the share's currency for one of the base. base x share x rate is rounded half up once.
    A line that rounds to zero is left out.
    """
    lines: list[StatementLine] = []
    for place, share in shares:
        for base in sorted((one.summary for one in evidence), key=lambda one: one.statement):
            for offer in sorted(set(share.offers) & base.net_by_offer.keys()):
                rate = rates[(share.fx_source, base.currency)]
                amount = Money(base.net_by_offer[offer], base.currency)
                net = _shared(amount, share.share_bp, rate, share.currency)
                if net:
                    lines.append(
                        StatementLine(
                            key=f"{base.statement}/share-{place}/{offer}",
                            offer=offer,
                            description=f"Share of {offer} sold to {base.debtor}: {amount}"
                            + (f" at {rate}" if base.currency != share.currency else ""),
                            quantity=Decimal(share.share_bp).scaleb(-2),
                            unit="%",
                            net=net,
                            tax=net.part(tax.rate_bp, rounding=Rounding.HALF_UP),
                        )
                    )
    return tuple(lines)


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
