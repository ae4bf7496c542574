"""What one person proposes and another decides.

An approval and what it allows are one transaction, which is the affair of the door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids, ProposalId
from hansa.foundation.people import rules, store
from hansa.foundation.people.actions import persons
from hansa.foundation.people.model import (
    PROPOSAL_STATES,
    TRAIL_MAX,
    Person,
    Proposal,
    ProposalState,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def propose(
    tx: Transaction,
    *,
    kind: str,
    subject: str,
    content: Mapping[str, Json],
    why: str,
    by: Person,
    ids: Ids,
    now: Instant,
) -> Proposal:
    """Has another person decide. content: JSON without floats, and all that is needed to do it.

    There is one open proposal of a kind for a subject. Raises Refused `proposal-invalid` without
    a reason, `proposal-open`.
    """
    rules.check_why(why)
    made = Proposal(
        id=ids.new(ProposalId),
        kind=kind,
        subject=subject,
        content=content,
        fingerprint=rules.fingerprint(kind, subject, content),
        why=why.strip(),
        maker=by.login,
        made_at=now,
    )
    if not store.insert_proposal(tx, made):
        raise Refused(
            "proposal-open",
            f"There is an open proposal of the kind {kind} for {subject}: have it decided, or "
            "withdrawn, before another is made.",
            field="subject",
        )
    return made


def proposal(tx: Transaction, *, proposal: ProposalId) -> Proposal:
    """Raises NotFound `proposal-unknown`."""
    return _proposed(store.proposal(tx, proposal), proposal)


def proposals(
    tx: Transaction,
    *,
    state: ProposalState | None = None,
    kind: str | None = None,
    subject: str | None = None,
    maker: str | None = None,
    before: ProposalId | None = None,
    limit: int = 50,
) -> Sequence[Proposal]:
    """The newest first; before: only those made before that one, for the next page."""
    wanted = {"state": state, "kind": kind, "subject": subject, "maker": maker, "before": before}
    return store.proposals(tx, wanted, min(limit, TRAIL_MAX))


def approve(
    tx: Transaction, *, proposal: ProposalId, by: Person, fingerprint: str, why: str, now: Instant
) -> Proposal:
    """Agrees to what another has proposed. Do it in the same transaction: nobody else can.

    fingerprint: of what the checker was shown. Raises NotFound `proposal-unknown`; Refused
    `approver-needed`, `maker-is-checker`, `proposal-changed`, `state-move` once it is decided.
    """
    found = _checked(tx, proposal, by)
    if fingerprint != found.fingerprint:
        raise Refused(
            "proposal-changed",
            "What you were shown is not what is proposed. Look at it again, and decide then.",
            field="fingerprint",
        )
    return _decide(tx, found, ProposalState.APPROVED, by.login, why, now)


def reject(
    tx: Transaction, *, proposal: ProposalId, by: Person, why: str, now: Instant
) -> Proposal:
    """Says no to what another has proposed.

    Raises as `approve` does, and Refused `proposal-invalid` without a reason.
    """
    rules.check_why(why)
    return _decide(tx, _checked(tx, proposal, by), ProposalState.REJECTED, by.login, why, now)


def withdraw(
    tx: Transaction, *, proposal: ProposalId, by: Person, why: str = "", now: Instant
) -> Proposal:
    """Takes back what one has proposed oneself.

    Raises NotFound `proposal-unknown`; Refused `maker-needed`, `state-move` once it is decided.
    """
    found = _proposed(store.lock_proposal(tx, proposal), proposal)
    if by.login != found.maker:
        raise Refused(
            "maker-needed",
            "Only who made a proposal withdraws it; others approve or reject it.",
        )
    return _decide(tx, found, ProposalState.WITHDRAWN, None, why, now)


def _checked(tx: Transaction, proposal: ProposalId, by: Person) -> Proposal:
    """The locked proposal, on which this person, as it is now, may decide."""
    checker = persons.known(store.hold(tx, by.id), by.login)
    found = _proposed(store.lock_proposal(tx, proposal), proposal)
    rules.check_checker(found, checker)
    return found


def _proposed(found: Proposal | None, called: ProposalId) -> Proposal:
    if found is None:
        raise NotFound("proposal-unknown", f"There is no proposal {called}.", field="proposal")
    return found


def _decide(
    tx: Transaction,
    found: Proposal,
    state: ProposalState,
    checker: str | None,
    why: str,
    now: Instant,
) -> Proposal:
    PROPOSAL_STATES.check(found.state, state)
    decided = replace(found, state=state, checker=checker, checked_at=now, checker_why=why.strip())
    store.decide(tx, decided)
    return decided
