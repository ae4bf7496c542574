"""What may be disputed, by when it must be answered, and what an acceptance takes back."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from hansa.federation.disputes import (
    Dispute,
    DisputeAct,
    DisputeCause,
    DisputeMoved,
    DisputeTerms,
    Evidence,
    LineCredit,
)
from hansa.federation.papers import Difference, Statement, StatementLine
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money, Rounding, add_up, minor_digits
from hansa.foundation.time import Instant
from hansa.lifecycle.settlement.model import DisputeClock, DisputeState, HeldDispute

PRICES: frozenset[DisputeCause] = frozenset({"rate", "dial-code", "commit", "reverse-charge"})
"""Causes that are about the price: there is no least amount for them."""

CONTENT_MAX = 256 << 10
"""The longest evidence that travels within a dispute, in characters."""


# --- what is claimed ----------------------------------------------------------------------------


def claims(statement: Statement, wanted: Mapping[str, Money]) -> tuple[Difference, ...]:
    """The lines as the raiser says they should be. wanted: net by key.

    Raises Refused `difference-unknown`, `claim-invalid`.
    """
    lines = {line.key: line for line in statement.lines}
    found = []
    for key, net in sorted(wanted.items()):
        if key not in lines:
            raise Refused("difference-unknown", f"The invoice has no line {key!r}.", field="key")
        line = lines[key]
        found.append(Difference(key, line.description, theirs=line.net, ours=net))
    return tuple(found)


def check_claims(
    statement: Statement, lines: Sequence[Difference], others: Sequence[HeldDispute]
) -> None:
    """Raises Refused `claim-invalid` unless each line says less than the invoice, and no more is
    taken back of it than it says, with what other disputes have taken or want.
    """
    stated = {line.key: line for line in statement.lines}
    taken: dict[str, int] = {}
    for credit in (each for other in others for each in wanted(other)):
        taken[credit.key] = taken.get(credit.key, 0) + credit.net.minor
    keys = [one.key for one in lines]
    for one in lines:
        line = stated.get(one.key)
        claim = claimed(one) if _alike(one, statement) else None
        if (
            line is None
            or claim is None
            or one.theirs != line.net
            or keys.count(one.key) > 1
            or not 0 < claim.minor <= line.net.minor - taken.get(one.key, 0)
        ):
            raise Refused(
                "claim-invalid",
                f"{one.key}: a claim names a line of the invoice once, with its amount, and what "
                "it should be: less than that, not below zero, in the same currency, and no more "
                "than other disputes leave of it.",
                field=one.key,
            )
    if not lines:
        raise Refused("claim-invalid", "A dispute names at least one line.", field="lines")


def _alike(one: Difference, statement: Statement) -> bool:
    return all(
        each is not None and each.currency == statement.currency for each in (one.theirs, one.ours)
    )


def claimed(line: Difference) -> Money:
    """By how much the raiser wants a line lowered."""
    assert line.theirs is not None
    assert line.ours is not None
    return line.theirs - line.ours


def wanted(held: HeldDispute) -> tuple[LineCredit, ...]:
    """What a dispute may still take back, or has taken: all that is claimed while it is open."""
    if held.state is DisputeState.ACCEPTED:
        return held.credits
    return full(held.dispute) if held.open else ()


def full(dispute: Dispute) -> tuple[LineCredit, ...]:
    """All that is claimed."""
    return credits(dispute.lines)


def credits(lines: Iterable[Difference]) -> tuple[LineCredit, ...]:
    """What claims come to, line by line."""
    return tuple(LineCredit(line.key, claimed(line)) for line in lines)


def check_credits(dispute: Dispute, credits: Sequence[LineCredit]) -> None:
    """Raises Refused `claim-invalid` unless these are parts of what is claimed."""
    most = {one.key: one.net for one in full(dispute)}
    keys = [one.key for one in credits]
    for one in credits:
        if (
            one.key not in most
            or keys.count(one.key) > 1
            or one.net.currency != most[one.key].currency
            or not 0 < one.net.minor <= most[one.key].minor
        ):
            raise Refused(
                "claim-invalid",
                f"{one.key}: an offer names disputed lines once, with a part of what is claimed.",
                field=one.key,
            )
    if not credits:
        raise Refused("claim-invalid", "Offer something on at least one line.", field="lines")


def has_least(cause: DisputeCause) -> bool:
    """Whether there is a least amount: prices and fraud are disputed however small."""
    return cause not in PRICES and cause != "fraud"


def check_threshold(
    statement: Statement,
    lines: Sequence[Difference],
    *,
    cause: DisputeCause,
    terms: DisputeTerms,
    least: Money,
    issued_at: Instant,
    repeats: int,
    now: Instant,
) -> None:
    """Raises Refused `dispute-late`, `dispute-small`.

    least: the terms' least amount in the invoice's currency. repeats: in how many months right
    before this one the same partner's statements differed in the same direction.
    """
    if now - issued_at > timedelta(days=terms.raise_days):
        raise Refused(
            "dispute-late",
            f"The invoice is of {issued_at:%Y-%m-%d}; it could be disputed for {terms.raise_days} "
            "days.",
            field="statement",
        )
    if not has_least(cause) or repeats >= terms.repeats_months:
        return
    claim = add_up((claimed(one) for one in lines), statement.currency)
    part = statement.net.part(terms.volume_bp, rounding=Rounding.HALF_UP)
    if claim < part or claim < least:
        raise Refused(
            "dispute-small",
            f"Volume is disputed from {max(part, least)} on for this invoice; the claim "
            f"is {claim}. It can be raised if the gap repeats for more than {terms.repeats_months} "
            "months.",
            field="lines",
        )


def check_evidence(evidence: Sequence[Evidence]) -> None:
    """Raises Refused `evidence-wrong` when what is in it is not what its digest says."""
    for one in evidence:
        content = one.content.encode()
        sound = hashlib.sha256(content).hexdigest() == one.sha256 and len(content) == one.size
        if len(one.content) > CONTENT_MAX or (one.content and not sound):
            raise Refused(
                "evidence-wrong", f"{one.name} is not what its digest says.", field="evidence"
            )


def check_terms(terms: DisputeTerms) -> None:
    """Raises Refused `terms-invalid` for what cannot be meant."""
    days = (terms.raise_days, terms.acknowledge_bd, terms.answer_bd, terms.sample_bd)
    levels = (0, terms.second_level_days, terms.third_level_days, terms.expert_days)
    sound = (
        all(0 < one <= 3650 for one in days)
        and all(low < high <= 3650 for low, high in pairwise(levels))
        and 0 <= terms.volume_bp <= 10_000
        and 0 <= terms.volume_least <= 10**9
        and 0 <= terms.repeats_months <= 120
    )
    if not sound:
        raise Refused(
            "terms-invalid",
            "Days are from 1 to 3650, each level later than the one before; volume_bp is at most "
            "10000.",
            field="terms",
        )
    minor_digits(terms.volume_currency)


# --- clocks -------------------------------------------------------------------------------------


def business_days(start: Instant, days: int) -> Instant:
    """So many business days later, Monday to Friday, at the same time of the day."""
    at = start
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < 5
    return at


def clock(held: HeldDispute, now: Instant) -> DisputeClock:
    """What is due when. Silence past the first answer brings the second level at once."""
    terms, start = held.dispute.terms, held.dispute.raised_at
    done = [move for move in held.moves if move.party != held.dispute.raiser]
    answered = any(move.notice.act != "acknowledge" for move in done)
    acknowledge_by = business_days(start, terms.acknowledge_bd)
    answer_by = business_days(start, terms.answer_bd)
    overdue = []
    level = 1
    if held.open:
        if not done and now > acknowledge_by:
            overdue.append("acknowledgement")
        if not answered and now > answer_by:
            overdue.append("answer")
            level = 2
        for above, days in enumerate(
            (terms.second_level_days, terms.third_level_days, terms.expert_days), start=2
        ):
            if now - start > timedelta(days=days):
                level = max(level, above)
    return DisputeClock(
        acknowledge_by=acknowledge_by,
        sample_by=business_days(start, terms.sample_bd),
        answer_by=answer_by,
        level=level,
        overdue=tuple(overdue),
    )


# --- moves --------------------------------------------------------------------------------------

OTHERS_TURN = frozenset({DisputeState.RAISED, DisputeState.ACKNOWLEDGED, DisputeState.INSISTED})
"""The states in which the side that did not raise it is to answer."""


def after(held: HeldDispute, act: DisputeAct, *, party: PartyId) -> DisputeState:
    """The state that an act of a party leads to.

    Raises Refused `state-move`, `dispute-turn` when it is the other side's turn.
    """
    raiser = party == held.dispute.raiser
    if act == "withdraw":
        allowed, then = raiser, DisputeState.WITHDRAWN
    elif raiser:
        allowed = held.state not in OTHERS_TURN
        then = DisputeState.ACCEPTED if act == "accept" else DisputeState.INSISTED
        allowed = allowed and act in ("accept", "reject")
        if act == "accept" and held.state is not DisputeState.OFFERED:
            allowed = False
    else:
        allowed = held.state in OTHERS_TURN or held.state is DisputeState.WITHDRAWN
        then = {
            "acknowledge": DisputeState.ACKNOWLEDGED,
            "offer": DisputeState.OFFERED,
            "accept": DisputeState.ACCEPTED,
            "reject": DisputeState.REJECTED,
        }[act]
    if not allowed:
        raise Refused(
            "dispute-turn",
            f"The dispute is {held.state}; it is not for {party} to {act} it now.",
            field="dispute",
        )
    return then


def unsigned(notice: DisputeMoved) -> str:
    """What a signature of this notice is over."""
    bare = replace(notice, signature=replace(notice.signature, value=""))
    return documents.fingerprint(documents.write(bare))


# --- what is taken back -------------------------------------------------------------------------


def credit_lines(
    statement: Statement, credits: Iterable[LineCredit]
) -> tuple[tuple[str, Money, Money], ...]:
    """Key, net and tax of each line that is lowered; tax in proportion, rounded half up once."""
    lines = {line.key: line for line in statement.lines}
    return tuple((one.key, one.net, _tax(lines[one.key], one.net)) for one in credits)


def _tax(line: StatementLine, net: Money) -> Money:
    return line.tax.times(Fraction(net.minor, line.net.minor), rounding=Rounding.HALF_UP)


def amount(statement: Statement, credits: Collection[LineCredit]) -> Money:
    """What these credits come to, tax included."""
    return add_up(
        (net + tax for _, net, tax in credit_lines(statement, credits)), statement.currency
    )
