"""What one person proposes and another carries out: maker and checker are never the same.

A duty says who may propose it, and what is done when somebody else approves; that is done in the
transaction of the approval, so that a proposal is never approved without being carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hansa.entrypoints.portal.ask import Ask
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound
from hansa.foundation.people.actions import proposals
from hansa.foundation.people.model import Proposal, ProposalState
from hansa.foundation.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Duty:
    """kind: of its proposals. label: what is done, translated where it is shown.

    carry_out: does it, in the transaction of the approval. href: the page about its subject.
    facts: what the checker has to see of the content, as (label, words); labels are translated.
    """

    kind: str
    label: str
    carry_out: Callable[[Ask, Transaction, Proposal], None]
    href: Callable[[Proposal], str]
    facts: Callable[[Proposal], Sequence[tuple[str, str]]]


def propose(
    ask: Ask, tx: Transaction, *, kind: str, subject: str, content: Mapping[str, Json], why: str
) -> Proposal:
    """Puts something before a checker. Raises what `proposals.propose` refuses."""
    return proposals.propose(
        tx,
        ids=ask.node.ids,
        kind=kind,
        subject=subject,
        content=content,
        why=why,
        by=ask.me,
        now=ask.now,
    )


def proposed(tx: Transaction, *, kind: str, subject: str) -> Proposal | None:
    """What is before a checker about this subject, if anything is."""
    found = proposals.proposals(tx, kind=kind, subject=subject, state=ProposalState.OPEN, limit=1)
    return found[0] if found else None


def known(duties: Mapping[str, Duty], kind: str) -> Duty:
    """Raises NotFound `page-missing` for a kind of proposal that this version does not know."""
    if kind not in duties:
        raise NotFound("page-missing", f"This version of the portal knows no {kind!r}.")
    return duties[kind]
