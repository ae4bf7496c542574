"""Statements: made, compared, confirmed, disputed, corrected. `us` is this node's own party."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from hansa.federation import notices, packed
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Notice
from hansa.federation.packed import KeptStatement, keep
from hansa.federation.papers import (
    Confirmation,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementLine,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import AgreementId, BillId, Ids, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillState
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.settlement.actions import credit_notes, shares
from hansa.lifecycle.settlement.model import STATEMENT_STATES, Held, Resolution
from hansa.lifecycle.settlement.rules import papers
from hansa.lifecycle.settlement.rules import shares as share_rules
from hansa.lifecycle.settlement.store import papers as store

SERVICES: Final = "services"
SHARE: Final = "revenue-share"
CREDIT: Final = "credit-note"


# --- looking ----------------------------------------------------------------------------------


def get(tx: Transaction, *, statement: StatementId) -> Held:
    """One statement. Raises NotFound `statement-unknown`."""
    found = store.get(tx, statement)
    if found is None:
        raise unknown(statement)
    return found


def find(
    tx: Transaction,
    *,
    direction: Literal["issued", "heard"] | None = None,
    partner: PartyId | None = None,
    period: Period | None = None,
    states: Collection[StatementState] | None = None,
    compared: bool | None = None,
    after: StatementId | None = None,
    limit: int | None = None,
) -> Sequence[Held]:
    """Statements in order of their ids; those that come after one, at most `limit`."""
    return store.find(
        tx,
        direction=direction,
        party=partner,
        period=period,
        states=states,
        compared=compared,
        after=after,
        limit=limit,
    )


# --- issuing ----------------------------------------------------------------------------------


def unstated(tx: Transaction, *, us: Party, limit: int) -> Sequence[BillId]:
    """Draft bills to partners of which no statement has been made, at most `limit`."""
    drafts = [
        one.id
        for one in billing.drafts(tx, us=us.id)
        if one.agreement and one.state is BillState.NEW
    ]
    stated = store.of_bills(tx, us.id, drafts)
    return [one for one in drafts if one not in stated][:limit]


def issue(
    tx: Transaction, *, us: Party, bill: BillId, keys: KeyRing, ids: Ids, now: Instant
) -> Held | None:
    """Makes a statement of a partner's draft bill and sends it; None when it has one already.

    Raises NotFound `bill-unknown`.
    """
    draft = billing.kept(tx, id=bill)
    if draft.bare.final or draft.bare.agreement is None:
        return None
    made = papers.stated(draft, id=ids.given(StatementId, by=us.id))
    return send(tx, us, made, bill=bill, keys=keys, ids=ids, now=now)


def unshared(tx: Transaction, *, us: Party) -> Sequence[tuple[AgreementId, Period]]:
    """Agreements and months whose services are all invoiced and whose revenue is not shared."""
    found = []
    for agreement, period in store.unshared(tx, us.id):
        drafts = billing.drafts(tx, us=us.id, period=period)
        if billing.billed(tx, us=us.id, period=period) and not any(
            one.agreement and one.agreement.id == agreement for one in drafts
        ):
            found.append((agreement, period))
    return found


def share(
    tx: Transaction,
    *,
    us: Party,
    agreement: AgreementId,
    period: Period,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Sequence[Held]:
    """States to each beneficiary its share of what we invoiced under the agreement.

    Done already states nothing. Raises NotFound `rate-missing`, `partner-unknown`,
    `tax-rule-missing`; nothing is stated then, and all of it can be done later.
    """
    terms = shares.terms(tx, operator=us.id, agreement=agreement, period=period)
    made: list[Statement] = []
    for ref, beneficiary, currency in sorted(
        {(one.ref, one.share.beneficiary, one.share.currency) for one in terms},
        key=lambda one: one[1:],
    ):
        theirs = shares.shared(terms, ref=ref, beneficiary=beneficiary, currency=currency)
        bare = Statement(
            id=ids.given(StatementId, by=us.id),
            kind_of=SHARE,
            agreement=ref,
            creditor=beneficiary,
            debtor=us.id,
            period=period,
            currency=currency,
            lines=(),
            net=Money.zero(currency),
            tax=Money.zero(currency),
        )
        bare = replace(
            bare,
            evidence=shares.evidence(tx, statement=bare, shares=[one for _, one in theirs]),
        )
        made.append(papers.summed(bare, shares.lines(tx, us=us, statement=bare)))
    if not store.claim_share(tx, agreement, period, now):
        return ()
    sent = (
        send(tx, us, keep(one), bill=None, keys=keys, ids=ids, now=now) for one in made if one.lines
    )
    return [one for one in sent if one is not None]


CORRECTED_WHILE: Final[Mapping[str, Sequence[StatementState]]] = {
    SERVICES: (StatementState.DISPUTED, StatementState.ISSUED),
    SHARE: (StatementState.DISPUTED,),
    CREDIT: (),
}
"""The states in which a statement of ours may be corrected, by its kind."""


def correctable(held: Held) -> bool:
    """Whether `reissue` may replace it as it stands."""
    return held.direction == "issued" and held.state in CORRECTED_WHILE[held.statement.kind_of]


def reissue(
    tx: Transaction,
    *,
    us: Party,
    statement: StatementId,
    concede: Collection[str] = (),
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Held:
    """Withdraws a statement of ours that is not confirmed and sends a corrected one.

    It is computed anew. concede: keys of disputed lines on which we take the partner's
    figure, for services only. A share of revenue is corrected once it is disputed, not
    before. Raises NotFound `statement-unknown`; Refused `state-move`, `statement-unchanged`,
    `difference-unknown`, `credit-agreed`.
    """
    old = issued(tx, statement)
    if old.statement.kind_of == CREDIT:
        raise Refused(
            "credit-agreed",
            "A credit note says what both sides have agreed; raise another dispute instead.",
            field="statement",
        )
    if not correctable(old):
        raise Refused(
            "state-move",
            f"The statement is {old.state}; it can be replaced while it is "
            f"{' or '.join(CORRECTED_WHILE[old.statement.kind_of])}.",
            field="statement",
        )
    id = ids.given(StatementId, by=us.id)
    if old.bill is not None:
        draft = billing.redraft(tx, bill=old.bill)
        lines = papers.conceded(draft.lines, old.differences, concede)
        billing.redraft(tx, bill=old.bill, lines=lines)
        new = papers.stated(billing.kept(tx, id=old.bill), id=id, replaces=old.id)
    else:
        bare = replace(old.statement.bare, id=id, replaces=old.id)
        new = keep(papers.summed(bare, shares.lines(tx, us=us, statement=bare)))
    if new.packed.fingerprint == old.statement.packed.fingerprint:
        raise Refused(
            "statement-unchanged",
            "Computed anew, the statement says the same; concede lines or await the answer.",
            field="statement",
        )
    store.update(tx, replace(old, state=StatementState.WITHDRAWN))
    sent = send(tx, us, new, bill=old.bill, keys=keys, ids=ids, now=now)
    assert sent is not None
    return sent


def send(
    tx: Transaction,
    us: Party,
    statement: KeptStatement,
    *,
    bill: BillId | None,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Held | None:
    """Keeps and sends a statement of ours; None when there is one for the same thing.

    For the other modules of these actions.
    """
    held = Held(
        statement=statement,
        direction="issued",
        signature=keys.sign(statement.fingerprint, party=us.id, at=now),
        state=StatementState.ISSUED,
        bill=bill,
    )
    if not store.insert(tx, held, now):
        return None
    if len(statement.packed.parts) > 1:
        parts = packed.to_text(statement.packed.parts)
        notice = StatementIssued(statement.bare, held.signature, parts)
    else:
        notice = StatementIssued(statement.whole, held.signature)
    tell(tx, held.partner(us.id), notice, ids, now)
    return held


# --- comparing and answering ------------------------------------------------------------------


def compare(tx: Transaction, *, us: Party, statement: StatementId, now: Instant) -> Held:
    """Lays our own computation beside a statement that we heard, and keeps the differences.

    A statement that is answered for good stays as it is. Raises NotFound
    `statement-unknown`; Refused `signature-wrong`, `evidence-wrong`; and, while our own side
    is not ready, TryLater `period-not-rated` or NotFound `rate-missing`, `tax-rule-missing`,
    `partner-unknown` (a buyer that has not joined this node, so that its key is missing).
    """
    return _compared(tx, us, heard(tx, statement), now)


def _compared(tx: Transaction, us: Party, held: Held, now: Instant) -> Held:
    if held.state not in (StatementState.ISSUED, StatementState.DISPUTED):
        return held
    paper = held.statement
    ours: Sequence[StatementLine]
    if paper.kind_of == SHARE:
        shares.check_signatures(tx, us=us.id, statement=paper.bare, all_known=True)
        shares.check_credits(tx, statement=paper.bare)
        ours = shares.lines(tx, us=us, statement=paper.bare)
    elif paper.kind_of == CREDIT:
        ours = credit_notes.expected(tx, paper=paper.bare)
    elif rating.is_rated(tx, period=paper.period):
        ours = billing.expected(
            tx,
            us=us.id,
            seller=paper.creditor,
            agreement=paper.agreement,
            currency=paper.currency,
            period=paper.period,
        )
    else:
        raise TryLater(
            "period-not-rated",
            f"Our own usage of {paper.period.name} is not rated yet; compare after that.",
        )
    alike = packed.lines_fingerprint(ours) == paper.packed.fingerprint
    found = () if alike else papers.compare(paper.lines, ours)
    done = replace(held, compared_at=now, waiting="", differences=found)
    store.update(tx, done)
    return done


def put_off(tx: Transaction, *, statement: StatementId, why: str) -> None:
    """Notes why a heard statement cannot be compared yet, for a person to see."""
    held = heard(tx, statement)
    if held.waiting != why:
        store.update(tx, replace(held, waiting=why))


def resolve(
    tx: Transaction, *, statement: StatementId, key: str, by: str, why: str, now: Instant
) -> Held:
    """Accepts the partner's figure on one line that differs; who accepts it says why.

    Raises NotFound `statement-unknown`; Refused `difference-unknown`, `reason-missing`.
    """
    held = heard(tx, statement)
    if not by.strip() or not why.strip():
        raise Refused("reason-missing", "Say who accepts the line, and why.", field="why")
    found = papers.difference(held.differences, key)
    store.add_resolution(tx, held.id, Resolution(difference=found, by=by, why=why, at=now))
    return get(tx, statement=statement)


def confirm(
    tx: Transaction, *, us: Party, statement: StatementId, keys: KeyRing, ids: Ids, now: Instant
) -> Held:
    """Signs that a statement we heard is right, and tells the partner. Confirmed already
    changes nothing.

    It is compared once more. What we confirm of a share of revenue we invoice at once, since
    we are its creditor. Raises NotFound `statement-unknown`; Refused `statement-differs`
    naming the first line that nobody has accepted, `state-move` when it is withdrawn,
    `share-disputed` for a share of revenue that we disputed: a new one must come; and as
    `compare`.
    """
    held = heard(tx, statement)
    if held.state in (StatementState.CONFIRMED, StatementState.INVOICED):
        return held
    STATEMENT_STATES.check(held.state, StatementState.CONFIRMED)
    if held.statement.kind_of == SHARE and held.state is StatementState.DISPUTED:
        raise Refused(
            "share-disputed",
            "This share of revenue is disputed; the partner answers with a new statement.",
            field="statement",
        )
    held = _compared(tx, us, held, now)
    return confirm_compared(tx, us=us, held=held, keys=keys, ids=ids, now=now)


def confirm_compared(
    tx: Transaction, *, us: Party, held: Held, keys: KeyRing, ids: Ids, now: Instant
) -> Held:
    """As `confirm`, of an open statement as `compare` has returned it in this transaction."""
    STATEMENT_STATES.check(held.state, StatementState.CONFIRMED)
    if held.unresolved:
        raise papers.differs(held.unresolved)
    summary = papers.summary(held.statement)
    fingerprint = documents.fingerprint(documents.write(summary))
    confirmation = Confirmation(summary, keys.sign(fingerprint, party=us.id, at=now))
    held = replace(held, state=StatementState.CONFIRMED, confirmation=confirmation)
    store.update(tx, held)
    answer = StatementAnswered(held.id, confirmation, ())
    tell(tx, held.partner(us.id), answer, ids, now)
    if held.statement.kind_of == SHARE:
        paper = held.statement.whole
        tax = shares.tax(tx, us=us, statement=paper)
        draft = share_rules.share_bill(paper, tax, id=ids.new(BillId), now=now)
        bill = billing.draft(tx, bill=draft)
        held = invoice(tx, us.id, replace(held, bill=bill.id), ids, now)
    return held


def dispute(tx: Transaction, *, us: Party, statement: StatementId, ids: Ids, now: Instant) -> Held:
    """Tells the partner on which lines its statement differs from our computation.

    A statement is disputed once; disputed already changes nothing. Raises NotFound
    `statement-unknown`; Refused `state-move`, `statement-agrees` when nothing differs; and
    as `compare`.
    """
    held = heard(tx, statement)
    if held.state is StatementState.DISPUTED:
        return held
    STATEMENT_STATES.check(held.state, StatementState.DISPUTED)
    held = _compared(tx, us, held, now)
    if not held.unresolved:
        raise Refused(
            "statement-agrees",
            "Nothing in the statement differs from our own computation; confirm it.",
            field="statement",
        )
    held = replace(held, state=StatementState.DISPUTED)
    store.update(tx, held)
    answer = StatementAnswered(held.id, None, held.unresolved)
    tell(tx, held.partner(us.id), answer, ids, now)
    return held


# --- for the other modules of these actions ---------------------------------------------------


def invoice(tx: Transaction, us: PartyId, held: Held, ids: Ids, now: Instant) -> Held:
    """Makes the bill of a confirmed statement final and tells the debtor its number."""
    assert held.bill is not None
    if billing.kept(tx, id=held.bill).packed.fingerprint != held.statement.packed.fingerprint:
        raise Refused(
            "bill-differs",
            "The bill no longer says what was confirmed; withdraw the statement and state anew.",
            field="bill",
        )
    final = billing.finalise(tx, bill=held.bill, ids=ids, now=now)
    billing.move(tx, bill=held.bill, state=BillState.SENT)
    done = replace(held, state=StatementState.INVOICED, number=final.number)
    store.update(tx, done)
    tell(tx, held.partner(us), papers.invoice_notice(done.id, final), ids, now)
    return done


def issued(tx: Transaction, statement: StatementId) -> Held:
    """A statement of ours, locked."""
    return _of(tx, statement, "issued")


def heard(tx: Transaction, statement: StatementId) -> Held:
    """A partner's statement, locked."""
    return _of(tx, statement, "heard")


def _of(tx: Transaction, statement: StatementId, direction: str) -> Held:
    found = store.get(tx, statement, lock=True)
    if found is None or found.direction != direction:
        raise unknown(statement)
    return found


def unknown(statement: StatementId) -> NotFound:
    """No such statement, or none between the two parties."""
    return NotFound(
        "statement-unknown", f"There is no such statement: {statement}.", field="statement"
    )


def tell(tx: Transaction, to: PartyId, notice: Notice, ids: Ids, now: Instant) -> None:
    """Sends a notice that begins a trace of its own: a month belongs to no order."""
    notices.send(tx, ids=ids, to=to, notice=notice, trace=ids.trace(), now=now)
