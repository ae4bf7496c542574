"""Agreements: who may trade what on which terms, signed by all, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import Ask, change, nothing_here, page
from hansa.entrypoints.portal.duties import propose
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.alliance import proofs, signing
from hansa.entrypoints.portal.pages.alliance.lists import LOOKING, PAGE, TRADING
from hansa.entrypoints.portal.pages.parties import names
from hansa.federation.contract import AgreementRef
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId
from hansa.foundation.people.actions import proposals
from hansa.foundation.people.model import Proposal, ProposalState
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import Agreement, AgreementState


@page("/agreements", roles=LOOKING)
def agreement_list(ask: Ask) -> Response:
    text, state = ask.sought(), ask.query.get("state", "")
    turn = paging.turn(ask, PAGE)
    chosen = AgreementState(state) if state in set(AgreementState) else None
    with ask.node.begin() as tx:
        found, total = actions.page(
            tx,
            text=text,
            state=chosen,
            offset=turn.offset,
            limit=turn.size,
            now=ask.now,
        )
        called = names(ask, tx)
    return ask.render(
        "alliance/agreements.html",
        part="alliance/_agreements.html",
        found=found,
        called=called,
        states=tuple(AgreementState),
        wanted={"q": text, "state": state},
        turn=turn,
        total=total,
    )


@page("/agreements/{id}", roles=LOOKING)
def agreement(ask: Ask) -> Response:
    """One version: the one that is asked for, else the one in force, else the newest."""
    id = AgreementId(ask.path["id"])
    with ask.node.begin() as tx:
        versions, moves = actions.history(tx, id=id)
        one = _chosen(ask, versions)
        context: dict[str, Any] = {
            "one": one,
            "versions": versions,
            "proofs": proofs.proofs(ask, tx, one),
            "unchanged": proofs.is_unchanged(one),
            "history": proofs.history(ask, tx, versions, moves),
            "called": names(ask, tx),
            "waiting": _waiting(tx, one),
        }
    us = ask.node.us.id
    trades = ask.has(TRADING)
    return ask.render(
        "alliance/agreement.html",
        us=us,
        may_sign=trades and us in one.unsigned and one.state is not AgreementState.ENDED,
        possible=signing.possible(ask, one) if trades else [],
        **context,
    )


@change("/agreements/{id}/sign", roles=TRADING, again=agreement)
def propose_signing(ask: Ask) -> Response:
    """Puts the signing of one version, by its fingerprint, before an approver."""
    ref = _ref(ask)
    why = ask.typed("why").strip()
    with ask.change("agreement-signing-proposed", subject=signing.subject(ref), why=why) as tx:
        one = actions.show(tx, ref=ref)
        if ask.typed("fingerprint") != one.fingerprint:
            raise Refused(
                "agreement-differs",
                _("This is not the text that you were shown. Read it again, and decide then."),
                field="fingerprint",
            )
        if ask.node.us.id not in one.unsigned:
            raise Refused("agreement-signed", _("This version bears our signature already."))
        made = propose(
            ask,
            tx,
            kind=signing.SIGNING,
            subject=signing.subject(ref),
            content=signing.content(one),
            why=why,
        )
    return ask.back(f"/approvals/{made.id}", said=_("Proposed. An approver has to agree."))


@change("/agreements/{id}/move", roles=TRADING, again=agreement)
def propose_move(ask: Ask) -> Response:
    """Puts stopping or resuming before an approver; the reason is kept with it."""
    ref, act = _ref(ask), ask.typed("act")
    why = ask.typed("why").strip()
    details = {"act": act}
    with ask.change(
        "agreement-move-proposed", subject=signing.subject(ref), why=why, details=details
    ) as tx:
        one = actions.show(tx, ref=ref)
        if act not in signing.possible(ask, one):
            raise Refused(
                "state-move", _("That cannot be done to this agreement now."), field="act"
            )
        made = propose(
            ask,
            tx,
            kind=signing.MOVE,
            subject=signing.subject(ref),
            content=signing.content(one, act),
            why=why,
        )
    return ask.back(f"/approvals/{made.id}", said=_("Proposed. An approver has to agree."))


def _ref(ask: Ask) -> AgreementRef:
    """The version that the form is about."""
    number = ask.typed("version")
    if not number.isdecimal() or len(number) > 4:
        raise nothing_here()
    return AgreementRef(AgreementId(ask.path["id"]), int(number))


def _chosen(ask: Ask, versions: Sequence[Agreement]) -> Agreement:
    number = ask.typed("version") or ask.query.get("version", "")
    if number:
        for one in versions:
            if str(one.ref.version) == number:
                return one
        raise nothing_here()
    counts = [one for one in versions if one.in_force and one.in_force.holds(ask.now)]
    return (counts or versions)[-1]


def _waiting(tx: Transaction, one: Agreement) -> dict[str, Proposal]:
    """What waits for an approver about this version, by kind."""
    found = proposals.proposals(
        tx, state=ProposalState.OPEN, subject=signing.subject(one.ref), limit=len(signing.DUTIES)
    )
    return {proposal.kind: proposal for proposal in found}


pages = [agreement_list, agreement, propose_signing, propose_move]
