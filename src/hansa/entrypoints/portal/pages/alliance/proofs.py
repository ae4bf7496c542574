"""Whether papers are signed as they say: looked at each time, never remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.federation import directory
from hansa.federation.papers import AgreementMoved, Signature
from hansa.foundation import documents
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement.model import Agreement

MOVED = {
    "launch": N_("Launched %(country)s"),
    "suspend": N_("Suspended new orders"),
    "resume": N_("Resumed new orders"),
    "run-off": N_("Put into run-off"),
    "end": N_("Ended the agreement"),
}
LEADS_TO = {"launch": "live", "resume": "live", "suspend": "suspended", "end": "ended"}


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands under a paper for one party. signature: None while it has not signed.

    key: the id of the key that signed; empty when none of the party's keys did.
    """

    party: PartyId
    signature: Signature | None
    key: str = ""

    @property
    def holds(self) -> bool:
        return bool(self.key)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done to an agreement. words: with `%(country)s` where there is one."""

    at: Instant
    by: PartyId
    version: int
    state: str
    words: str
    country: str
    holds: bool


def is_unchanged(agreement: Agreement) -> bool:
    """Whether the text that is kept still has the fingerprint that all have signed."""
    return documents.fingerprint(documents.write(agreement.document)) == agreement.fingerprint


def proofs(ask: Ask, tx: Transaction, agreement: Agreement) -> Sequence[Proof]:
    """Each party's signature of a version, tried now against the text that is kept here."""
    signed = {one.party: one for one in agreement.signatures}
    fingerprint = documents.fingerprint(documents.write(agreement.document))
    return [
        Proof(party, one, key(ask, tx, fingerprint, one)) if (one := signed.get(party)) else
        Proof(party, None)
        for party in agreement.parties
    ]  # fmt: skip


def key(ask: Ask, tx: Transaction, fingerprint: str, signature: Signature) -> str:
    """The id of the key by which this party signed that; empty when it did not."""
    try:
        if signature.party == ask.node.us.id:
            return ask.node.keys.signer(fingerprint, signature)
        return directory.signer(
            tx, party=signature.party, fingerprint=fingerprint, signature=signature
        )
    except HansaError:
        return ""


def history(
    ask: Ask,
    tx: Transaction,
    versions: Sequence[Agreement],
    moves: Sequence[tuple[AgreementMoved, str]],
) -> Sequence[Act]:
    """What was signed and done, the newest first, each tried now."""
    found = [*_signings(ask, tx, versions), *_moves(ask, tx, moves)]
    return sorted(found, key=lambda act: act.at)[::-1]


def _signings(ask: Ask, tx: Transaction, versions: Sequence[Agreement]) -> Iterator[Act]:
    for one in versions:
        for proof in proofs(ask, tx, one):
            if proof.signature is not None:
                yield Act(
                    at=proof.signature.at,
                    by=proof.party,
                    version=one.ref.version,
                    state="signed",
                    words=N_("Signed version %(version)s"),
                    country="",
                    holds=proof.holds,
                )


def _moves(ask: Ask, tx: Transaction, moves: Sequence[tuple[AgreementMoved, str]]) -> Iterator[Act]:
    for move, fingerprint in moves:
        yield Act(
            at=move.signature.at,
            by=move.signature.party,
            version=move.agreement.version,
            state=LEADS_TO.get(move.act, move.act),
            words=MOVED[move.act],
            country=move.country,
            holds=bool(key(ask, tx, fingerprint, move.signature)),
        )
