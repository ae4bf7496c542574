"""Signing an agreement, and stopping one, take two: one person proposes it, another has it done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hansa.entrypoints.portal import words
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.duties import Duty
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.federation.contract import AgreementRef
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import AGREEMENT_STATES, Agreement, AgreementState

SIGNING = "agreement-signing"
MOVE = "agreement-move"

ACTS: Mapping[str, tuple[AgreementState, Callable[..., Agreement]]] = {
    "suspend": (AgreementState.SUSPENDED, actions.suspend),
    "resume": (AgreementState.LIVE, actions.resume),
    "run-off": (AgreementState.RUN_OFF, actions.run_off),
    "end": (AgreementState.ENDED, actions.end),
}
"""What can be proposed for an agreement: the state it leads to, and what does it."""


def possible(ask: Ask, agreement: Agreement) -> Sequence[str]:
    """What may be proposed for this agreement from our side, as it stands."""
    leads, state = agreement.lead == ask.node.us.id, agreement.state
    return [
        act
        for act, (to, _) in ACTS.items()
        if (leads or act == "end")
        and AGREEMENT_STATES.may(state, to)
        and (act != "resume" or state is AgreementState.SUSPENDED)
    ]


def content(agreement: Agreement, act: str = "") -> Mapping[str, Json]:
    """What the approver agrees to; the fingerprint says which text."""
    return {
        "agreement": agreement.ref.id,
        "version": agreement.ref.version,
        "name": agreement.document.name,
        "parties": list(agreement.parties),
        "fingerprint": agreement.fingerprint,
        **({"act": act} if act else {}),
    }


def subject(ref: AgreementRef) -> str:
    """How proposals name a version."""
    return f"{ref.id}/{ref.version}"


def _meant(tx: Transaction, proposal: Proposal) -> Agreement:
    """The version that was proposed. Raises Refused `agreement-differs` if it has another text."""
    ref = AgreementRef(AgreementId(proposal.content["agreement"]), proposal.content["version"])
    found = actions.show(tx, ref=ref)
    if found.fingerprint != proposal.content["fingerprint"]:
        raise Refused(
            "agreement-differs",
            f"{found.title} has another text than what was proposed to be signed.",
            field="fingerprint",
        )
    return found


def _sign(ask: Ask, tx: Transaction, proposal: Proposal) -> None:
    node = ask.node
    ref = _meant(tx, proposal).ref
    actions.sign(tx, us=node.us.id, ref=ref, keys=node.keys, ids=node.ids, now=ask.now)


def _move(ask: Ask, tx: Transaction, proposal: Proposal) -> None:
    node = ask.node
    ref = _meant(tx, proposal).ref
    _, act = ACTS[proposal.content["act"]]
    act(tx, us=node.us.id, ref=ref, keys=node.keys, ids=node.ids, now=ask.now)


def _href(proposal: Proposal) -> str:
    return f"/agreements/{proposal.content['agreement']}?version={proposal.content['version']}"


def _facts(proposal: Proposal) -> Sequence[tuple[str, str]]:
    said = proposal.content
    facts = [
        (N_("Agreement"), said["name"]),
        (N_("Version"), str(said["version"])),
        (N_("Parties"), ", ".join(said["parties"])),
        (N_("Text, by its SHA-256"), said["fingerprint"]),
    ]
    if "act" in said:
        facts.insert(0, (N_("What is done"), words.said(f"{said['act']}-agreement")))
    return facts


DUTIES = (
    Duty(SIGNING, N_("Sign an agreement"), _sign, _href, _facts),
    Duty(MOVE, N_("Stop or resume an agreement"), _move, _href, _facts),
)
