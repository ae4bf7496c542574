"""Disputes about invoices: raised, answered, ended. `us` is this node's own party.

Both sides hold the same dispute. Each act is signed and told; an accepted one becomes a credit
note, a document of its own that is stated, confirmed and invoiced as a month is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hansa.federation import directory
from hansa.federation.disputes import (
    Dispute,
    DisputeAct,
    DisputeCause,
    DisputeMoved,
    DisputeRaised,
    DisputeTerms,
    Evidence,
    LineCredit,
)
from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import Credit, Signature, Statement, StatementState
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import DisputeId, Ids, PartyId, StatementId, check_given
from hansa.foundation.money import Money, Rate, Rounding, price
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.settlement.actions import statements
from hansa.lifecycle.settlement.model import (
    DISPUTE_STATES,
    DisputeClock,
    DisputeMove,
    DisputeState,
    Held,
    HeldDispute,
)
from hansa.lifecycle.settlement.rules import books, papers
from hansa.lifecycle.settlement.rules import disputes as rules
from hansa.lifecycle.settlement.store import disputes as store
from hansa.lifecycle.settlement.store import papers as statement_store

# --- looking ----------------------------------------------------------------------------------


def get(tx: Transaction, *, dispute: DisputeId) -> HeldDispute:
    """One dispute. Raises NotFound `dispute-unknown`."""
    return _known(store.get(tx, dispute), dispute)


def find(
    tx: Transaction,
    *,
    partner: PartyId | None = None,
    period: Period | None = None,
    states: Collection[DisputeState] | None = None,
) -> Sequence[HeldDispute]:
    """Disputes in order of their ids."""
    return store.find(tx, partner=partner, period=period, states=states)


def count(tx: Transaction, *, states: Collection[DisputeState]) -> int:
    """How many disputes, of either side, are in one of these states."""
    return store.count(tx, states)


def clock(held: HeldDispute, *, now: Instant) -> DisputeClock:
    """By when what is due."""
    return rules.clock(held, now)


def worth(tx: Transaction, *, statement: StatementId, credits: Sequence[LineCredit]) -> Money:
    """By how much these lower what is owed of an invoice, tax included."""
    return rules.amount(statements.get(tx, statement=statement).statement.whole, credits)


def in_dispute(tx: Transaction, *, period: Period) -> Mapping[StatementId, Money]:
    """What of each invoice of the period is in dispute, tax included.

    That is all that is claimed while a dispute is open, and what was accepted until the credit
    note over it is invoiced.
    """
    return _added_up(tx, store.find(tx, period=period))


def held_out(tx: Transaction, *, period: Period) -> Mapping[StatementId, Money]:
    """What of each invoice is held out of netting and payment; the rest is payable.

    That is what is in dispute, but for what its raiser had netted before and what was netted
    among many: neither is taken back before there is a credit note.
    """
    agreed = {
        line.statement
        for one in statement_store.nettings(tx, period, None)
        for line in one.lines
        if line.agreed
    }
    return _added_up(
        tx,
        [
            one
            for one in store.find(tx, period=period)
            if not one.dispute.netted and one.dispute.statement not in agreed
        ],
    )


def _added_up(tx: Transaction, found: Sequence[HeldDispute]) -> Mapping[StatementId, Money]:
    amounts: dict[StatementId, Money] = {}
    for held in found:
        credits = rules.wanted(held)
        note = statement_store.get(tx, held.credit_note) if held.credit_note else None
        if not credits or (note is not None and note.state is StatementState.INVOICED):
            continue
        paper = statements.get(tx, statement=held.dispute.statement).statement.whole
        amount = rules.amount(paper, credits)
        amounts[paper.id] = amounts.get(paper.id, Money.zero(paper.currency)) + amount
    return amounts


def _netted(tx: Transaction, held: Held, claimed: Money) -> bool:
    """Whether what is claimed of an invoice is netted here already, at least in part."""
    period = held.statement.period
    before = books.netted_before(statement_store.nettings(tx, period, None))
    zero = Money.zero(claimed.currency)
    out = held_out(tx, period=period).get(held.id, zero)
    return held.total - out - claimed < before.get(held.id, zero)


# --- raising ----------------------------------------------------------------------------------


def reconciled(summary: str, written: Sequence[tuple[str, str, int]]) -> tuple[Evidence, ...]:
    """The evidence of a comparison of records: its summary whole, its files by name, digest and
    size. Raises Refused `evidence-wrong` for a summary that is too long.
    """
    content = summary.encode()
    whole = Evidence("summary.json", hashlib.sha256(content).hexdigest(), len(content), summary)
    rules.check_evidence([whole])
    return (whole, *(Evidence(name, sha256, size) for name, sha256, size in written))


def raise_(
    tx: Transaction,
    *,
    us: Party,
    statement: StatementId,
    cause: DisputeCause,
    claims: Mapping[str, Money],
    words: str,
    evidence: Sequence[Evidence] = (),
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> HeldDispute:
    """Says that lines of an invoice are too high, and tells the partner.

    claims: what the net of a line should be, by key; none: our figures of the lines that
    differed when the statement was compared. Either side may raise: a creditor that finds out
    that it charged too much does. Raises NotFound `statement-unknown`, `rate-missing`; Refused
    `dispute-uninvoiced`, `difference-unknown`, `claim-invalid`, `dispute-late`,
    `dispute-small`, `dispute-proof` (fraud without evidence), `reason-missing`.
    """
    held = statement_store.get(tx, statement, lock=True)
    if held is None:
        raise statements.unknown(statement)
    if held.state is not StatementState.INVOICED or held.statement.kind_of == "credit-note":
        raise Refused(
            "dispute-uninvoiced",
            "Only an invoice is disputed so. Lines of a statement are answered with "
            "`hansa settle dispute statement`.",
            field="statement",
        )
    if not words.strip():
        raise Refused("reason-missing", "Say what is wrong.", field="words")
    if cause == "fraud" and not evidence:
        raise Refused("dispute-proof", "Fraud is disputed with evidence.", field="evidence")
    paper = held.statement.whole
    lines = rules.claims(paper, claims or _differing(held))
    rules.check_claims(paper, lines, store.find(tx, statement=statement))
    issued_at, agreed = _issued_at(tx, us.id, held), terms(tx, partner=held.partner(us.id))
    rules.check_threshold(
        paper,
        lines,
        cause=cause,
        terms=agreed,
        least=_least(tx, agreed, held.statement.currency, issued_at)
        if rules.has_least(cause)
        else Money.zero(held.statement.currency),
        issued_at=issued_at,
        repeats=_repeats(tx, paper, agreed.repeats_months),
        now=now,
    )
    rules.check_evidence(evidence)
    dispute = Dispute(
        id=ids.given(DisputeId, by=us.id),
        statement=statement,
        number=held.number,
        raiser=us.id,
        cause=cause,
        lines=lines,
        words=words,
        evidence=tuple(evidence),
        terms=agreed,
        raised_at=now,
        netted=_netted(tx, held, rules.amount(paper, rules.credits(lines))),
    )
    signature = keys.sign(documents.fingerprint(documents.write(dispute)), party=us.id, at=now)
    made = HeldDispute(dispute, held.partner(us.id), "raised", signature, DisputeState.RAISED)
    store.insert(tx, made, now)
    statements.tell(tx, made.partner, DisputeRaised(dispute, signature), ids, now)
    return made


def _differing(held: Held) -> Mapping[str, Money]:
    """Our figures of lines on which a heard statement said more."""
    zero = Money.zero(held.statement.currency)
    return {
        one.key: one.ours or zero
        for one in held.differences
        if one.theirs is not None and (one.ours or zero) < one.theirs and "#" not in one.key
    }


def _issued_at(tx: Transaction, us: PartyId, held: Held) -> Instant:
    paper = held.statement
    if paper.creditor == us:
        assert held.bill is not None
        issued_at = billing.bill(tx, id=held.bill).issued_at
        assert issued_at is not None
        return issued_at
    booked = billing.supplier_invoices(tx, issuer=paper.creditor, period=paper.period)
    return next(one.issued_at for one in booked if one.statement == paper.id)


def _least(tx: Transaction, terms: DisputeTerms, currency: str, at: Instant) -> Money:
    found = catalogue.reference_rate(tx, base=terms.volume_currency, quote=currency, day=at.date())
    return price(Rate(found.rate, currency), terms.volume_least, rounding=Rounding.HALF_UP)


def _repeats(tx: Transaction, paper: Statement, months: int) -> int:
    """In how many months right before this one the creditor stated more than the debtor knew."""
    count = 0
    start = paper.period.start
    while count < months:
        month = Period.month(start.year - (start.month == 1), (start.month - 2) % 12 + 1)
        start = month.start
        held = statement_store.find(
            tx, party=paper.creditor, period=month, kind_of="services",
            agreement=paper.agreement.id,
        )  # fmt: skip
        mine = [one for one in held if one.statement.debtor == paper.debtor]
        if not any(_differing(one) for one in mine):
            return count
        count += 1
    return count


# --- moving -----------------------------------------------------------------------------------


def move(
    tx: Transaction,
    *,
    us: Party,
    dispute: DisputeId,
    act: DisputeAct,
    credits: Sequence[LineCredit] = (),
    reason: str,
    by: str,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> HeldDispute:
    """Acknowledges, offers a part, accepts, rejects or withdraws; the partner is told.

    An acceptance by the side that did not raise it is of all that is claimed, one by the raiser
    of what is offered. A raiser that rejects an offer or a rejection insists. Raises NotFound
    `dispute-unknown`; Refused `state-move`, `dispute-turn`, `claim-invalid`, `reason-missing`.
    """
    held = _known(store.get(tx, dispute, lock=True), dispute)
    if not by.strip() or (act != "acknowledge" and not reason.strip()):
        raise Refused("reason-missing", "Say who does it, and why.", field="why")
    then = rules.after(held, act, party=us.id)
    DISPUTE_STATES.check(held.state, then)
    agreed: tuple[LineCredit, ...] = ()
    if act == "offer":
        rules.check_credits(held.dispute, credits)
        agreed = tuple(credits)
    elif act == "accept":
        agreed = held.credits if us.id == held.dispute.raiser else rules.full(held.dispute)
    bare = DisputeMoved(
        dispute=dispute,
        statement=held.dispute.statement,
        place=1 + sum(one.party == us.id for one in held.moves),
        act=act,
        credits=agreed,
        reason=reason,
        signature=Signature(us.id, "", now),
    )
    notice = replace(bare, signature=keys.sign(rules.unsigned(bare), party=us.id, at=now))
    done = _moved(tx, held, notice, then, by=by, now=now)
    statements.tell(tx, held.partner, notice, ids, now)
    return done


def _moved(
    tx: Transaction,
    held: HeldDispute,
    notice: DisputeMoved,
    then: DisputeState,
    *,
    by: str,
    now: Instant,
) -> HeldDispute:
    made = DisputeMove(notice, by, now)
    store.add_move(tx, held, made)
    keeps = notice.act in ("offer", "accept")
    credits = notice.credits if keeps else () if notice.act == "reject" else held.credits
    done = replace(held, state=then, credits=credits, moves=(*held.moves, made))
    store.update(tx, done)
    return done


# --- hearing ----------------------------------------------------------------------------------


def hear_raised(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: DisputeRaised, now: Instant
) -> None:
    """Keeps a partner's dispute; heard again changes nothing.

    Raises NotFound `statement-unknown`; TryLater `dispute-early` while we do not know of the
    invoice; Refused `dispute-party`, `signature-wrong`, `id-not-given`, `dispute-terms` when it
    goes by other terms than we have agreed, `claim-invalid`, `evidence-wrong`, `key-reused`.
    """
    dispute = notice.dispute
    if {dispute.raiser, notice.signature.party} != {sender}:
        raise Refused(
            "dispute-party", f"{sender} can raise disputes of its own only.", field="raiser"
        )
    fingerprint = documents.fingerprint(documents.write(dispute))
    directory.verify_paper(tx, party=sender, fingerprint=fingerprint, signature=notice.signature)
    before = store.get(tx, dispute.id)
    if before is not None and before.partner == sender:
        if documents.fingerprint(documents.write(before.dispute)) != fingerprint:
            raise Refused(
                "key-reused", f"Dispute {dispute.id} came before with other content.", field="id"
            )
        return
    check_given(dispute.id, by=sender, field="id")
    held = statement_store.get(tx, dispute.statement, lock=True)
    if held is None or held.partner(us) != sender or held.statement.kind_of == "credit-note":
        raise statements.unknown(dispute.statement)
    if held.state is not StatementState.INVOICED:
        raise TryLater("dispute-early", "The invoice has not arrived here yet; send this after it.")
    if dispute.terms != terms(tx, partner=sender):
        raise Refused(
            "dispute-terms",
            f"{sender} goes by other terms than are entered here; agree on them and enter them "
            "with `hansa settle dispute terms` on both sides.",
            field="terms",
        )
    rules.check_claims(held.statement.whole, dispute.lines, store.find(tx, statement=held.id))
    rules.check_evidence(dispute.evidence)
    made = HeldDispute(dispute, sender, "heard", notice.signature, DisputeState.RAISED)
    if not store.insert(tx, made, now):
        raise Refused("key-reused", f"There is a dispute {dispute.id} already.", field="id")


def hear_moved(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: DisputeMoved, now: Instant
) -> None:
    """Takes in what a partner did about a dispute; heard again changes nothing.

    What crossed an act of ours counts as far as it still can: an acceptance wins over a
    withdrawal. Raises NotFound `statement-unknown`; TryLater `dispute-early` while something
    before it is on its way; Refused `dispute-party`, `signature-wrong`, `claim-invalid`.
    """
    if notice.signature.party != sender:
        raise Refused("dispute-party", f"{sender} did not sign this itself.", field="signature")
    directory.verify_paper(
        tx, party=sender, fingerprint=rules.unsigned(notice), signature=notice.signature
    )
    of = statement_store.get(tx, notice.statement)
    if of is None or of.partner(us) != sender:
        raise statements.unknown(notice.statement)
    held = store.get(tx, notice.dispute, lock=True)
    done = 0 if held is None else sum(one.party == sender for one in held.moves)
    if held is None or held.partner != sender or notice.place > done + 1:
        raise TryLater("dispute-early", "Something before this has not arrived here yet.")
    if notice.place <= done:
        return
    if notice.act in ("offer", "accept"):
        rules.check_credits(held.dispute, notice.credits)
    then = held.state
    try:
        wanted = rules.after(held, notice.act, party=sender)
        if DISPUTE_STATES.may(held.state, wanted):
            then = wanted
    except Refused:
        pass
    if then is held.state:  # it crossed what we did and counts no more, but it was told
        store.add_move(tx, held, DisputeMove(notice, "", now))
        return
    if then is DisputeState.ACCEPTED and sender == held.dispute.raiser:
        _check_offer(held, notice)
    _moved(tx, held, notice, then, by="", now=now)


def _check_offer(held: HeldDispute, notice: DisputeMoved) -> None:
    """Raises Refused `claim-invalid` when a raiser accepts something else than was offered."""
    if notice.credits != held.credits:
        raise Refused("claim-invalid", "This is not what was offered.", field="credits")


# --- terms ------------------------------------------------------------------------------------


def terms(tx: Transaction, *, partner: PartyId) -> DisputeTerms:
    """By what disputes with a partner go: what was entered last, else the usual."""
    return store.terms(tx, partner) or DisputeTerms()


def enter_terms(
    tx: Transaction, *, partner: PartyId, given: DisputeTerms, by: str, now: Instant
) -> None:
    """Enters the contract's terms; they hold for disputes raised from now on.

    Raises NotFound `partner-unknown`; Refused `terms-invalid`.
    """
    directory.partner(tx, party=partner)
    rules.check_terms(given)
    store.add_terms(tx, partner, given, by, now)


# --- unasked ----------------------------------------------------------------------------------


def run(
    tx: Transaction, *, us: Party, keys: KeyRing, ids: Ids, now: Instant, limit: int = 20
) -> int:
    """States credit notes over what was accepted, and does what silence of ours means by the
    dispute's terms; returns how many.
    """
    done = 0
    open_to_us = store.find(tx, states=sorted(rules.OTHERS_TURN))
    for held in open_to_us[:limit]:
        silence = held.dispute.terms.silence
        late = "answer" in rules.clock(held, now).overdue
        if held.direction == "heard" and late and silence != "escalate":
            move(
                tx, us=us, dispute=held.dispute.id, act=silence, reason="no answer in time",
                by="hansa", keys=keys, ids=ids, now=now,
            )  # fmt: skip
            done += 1
    for held in store.uncredited(tx, limit):
        credit(tx, us=us, held=held, keys=keys, ids=ids, now=now)
        done += 1
    return done


def credit(
    tx: Transaction, *, us: Party, held: HeldDispute, keys: KeyRing, ids: Ids, now: Instant
) -> Held:
    """Drafts the credit note of an accepted dispute about our invoice, and states it."""
    of = statements.get(tx, statement=held.dispute.statement)
    assert of.bill is not None
    lines = rules.credit_lines(of.statement.whole, held.credits)
    bill = billing.credit(tx, invoice=of.bill, lines=lines, ids=ids, now=now)
    paper = papers.stated(
        billing.kept(tx, id=bill.id),
        id=ids.given(StatementId, by=us.id),
        credits=Credit(of.id, of.number, held.dispute.id),
    )
    made = statements.send(tx, us, paper, bill=bill.id, keys=keys, ids=ids, now=now)
    assert made is not None
    return made


def _known(found: HeldDispute | None, dispute: DisputeId) -> HeldDispute:
    if found is None:
        raise NotFound("dispute-unknown", f"There is no such dispute: {dispute}.", field="dispute")
    return found
