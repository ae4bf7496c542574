"""What a share of revenue comes to, computed alike by operator and beneficiary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hansa.federation import directory
from hansa.federation.contract import AgreementRef, Tax
from hansa.federation.papers import (
    Confirmation,
    RevenueShare,
    Statement,
    StatementLine,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import AgreementId, PartyId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.agreement.model import ShareTerms
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.settlement.rules import shares as rules
from hansa.lifecycle.settlement.store import papers as store


def terms(
    tx: Transaction, *, operator: PartyId, agreement: AgreementId, period: Period
) -> Sequence[ShareTerms]:
    """The shares that the operator owes under the agreement for the period."""
    shares = agreements.shares_of(tx, operator=operator, period=period)
    return [one for one in shares if one.ref.id == agreement]


def lines(tx: Transaction, *, us: Party, statement: Statement) -> tuple[StatementLine, ...]:
    """What the statement should say, by the agreement and reference rates of this node.

    Taken from it: parties, agreement version, currency and the confirmed base. Raises
    NotFound `rate-missing`, `partner-unknown`, `tax-rule-missing`.
    """
    owed = terms(
        tx,
        operator=statement.debtor,
        agreement=statement.agreement.id,
        period=statement.period,
    )
    shares = shared(
        owed,
        ref=statement.agreement,
        beneficiary=statement.creditor,
        currency=statement.currency,
    )
    last = _last(statement.period)
    rates = {
        (share.fx_source, base): catalogue.reference_rate(
            tx, base=base, quote=share.currency, day=last.date(), source=share.fx_source
        ).rate
        for _, share in shares
        for base in rules.bases([share], statement.evidence)
    }
    its_tax = tax(tx, us=us, statement=statement)
    beside = [one.share for one in owed]
    return rules.share_lines(shares, statement.evidence, rates, its_tax, beside)


def shared(
    found: Sequence[ShareTerms], *, ref: AgreementRef, beneficiary: PartyId, currency: str
) -> Sequence[tuple[int, RevenueShare]]:
    """The shares that belong on one statement, each with its place among the operator's."""
    return [
        (place, one.share)
        for place, one in enumerate(found, start=1)
        if (one.ref, one.share.beneficiary, one.share.currency) == (ref, beneficiary, currency)
    ]


def tax(tx: Transaction, *, us: Party, statement: Statement) -> Tax:
    """Reverse charge across a border, else the rule of the country on the period's last day.

    Raises NotFound `partner-unknown`, `tax-rule-missing`.
    """
    creditor, debtor = (
        us if party == us.id else directory.partner(tx, party=party).party
        for party in (statement.creditor, statement.debtor)
    )
    if creditor.country != debtor.country:
        return rules.REVERSE_CHARGE
    return catalogue.tax_for(tx, supplier=creditor, customer=debtor, now=_last(statement.period))


def _last(period: Period) -> Instant:
    """The last moment of a period."""
    return period.end - timedelta(microseconds=1)


def evidence(
    tx: Transaction, *, statement: Statement, shares: Sequence[RevenueShare]
) -> tuple[Confirmation, ...]:
    """The partners' confirmations of what these shares are of in the statement's period: what we
    invoiced under the agreement, and credit notes that were not taken off yet.
    """
    found = [
        held.confirmation
        for kind_of, period in (("services", statement.period), ("credit-note", None))
        for held in store.find(
            tx,
            direction="issued",
            kind_of=kind_of,
            agreement=statement.agreement.id,
            period=period,
            states=[StatementState.INVOICED],
        )
        if held.confirmation is not None and held.statement.creditor == statement.debtor
    ]
    fit = rules.relevant(shares, found)
    before = _before(tx, statement)
    return tuple(one for one in fit if rules.misplaced(one, fit, before) is None)


def _before(tx: Transaction, statement: Statement) -> Sequence[Confirmation]:
    """The evidence of all other statements that count, of shares between the same two under the
    same agreement in the same currency.
    """
    return [
        one
        for held in store.find(tx, kind_of="revenue-share", agreement=statement.agreement.id)
        if held.state is not StatementState.WITHDRAWN
        and held.id not in (statement.id, statement.replaces)
        and (held.statement.creditor, held.statement.debtor, held.statement.currency)
        == (statement.creditor, statement.debtor, statement.currency)
        for one in held.statement.evidence
    ]


def check_credits(tx: Transaction, *, statement: Statement) -> None:
    """Whether each credit note that is taken off may be.

    Raises Refused `evidence-wrong`.
    """
    before = _before(tx, statement)
    for one in statement.evidence:
        if why := rules.misplaced(one, statement.evidence, before):
            raise Refused(
                "evidence-wrong", f"Credit note {one.summary.statement} {why}.", field="evidence"
            )


def check_form(tx: Transaction, *, statement: Statement) -> None:
    """Whether the evidence can be what it claims to be.

    Raises Refused `evidence-wrong`, TryLater `agreement-not-heard`.
    """
    try:
        agreement = agreements.show(tx, ref=statement.agreement)
    except NotFound:
        raise TryLater(
            "agreement-not-heard",
            f"Agreement {statement.agreement.id} version {statement.agreement.version} has not "
            "arrived here yet; send this again after it.",
        ) from None
    rules.check_evidence(
        statement.evidence,
        operator=statement.debtor,
        agreement=statement.agreement.id,
        period=statement.period,
        members=agreement.parties,
    )


def check_signatures(
    tx: Transaction, *, us: PartyId, statement: Statement, all_known: bool
) -> None:
    """Whether each debtor has really confirmed the base, by the keys that this node has.

    Our own confirmation must be the one on record here. all_known False: a party whose key
    we do not have is passed over. Raises Refused `signature-wrong`, `evidence-wrong`;
    NotFound `partner-unknown`.
    """
    for one in statement.evidence:
        base = one.summary
        if base.debtor == us:
            ours = store.get(tx, base.statement)
            if ours is None or ours.confirmation != one:
                raise Refused(
                    "evidence-wrong",
                    f"We have not confirmed {base.statement} like this.",
                    field="evidence",
                )
            continue
        fingerprint = documents.fingerprint(documents.write(base))
        try:
            directory.verify_paper(
                tx, party=base.debtor, fingerprint=fingerprint, signature=one.signature
            )
        except NotFound:
            if all_known:
                raise
