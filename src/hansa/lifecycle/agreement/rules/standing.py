"""Where each version of an agreement stands, from everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hansa.federation.papers import AgreementAct, AgreementDocument, AgreementMoved, Signature
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.lifecycle.agreement.model import AGREEMENT_STATES, AgreementState, InForce, Standing

LEADS_TO: Mapping[AgreementAct, AgreementState] = {
    "launch": AgreementState.LIVE,
    "suspend": AgreementState.SUSPENDED,
    "resume": AgreementState.LIVE,
    "run-off": AgreementState.RUN_OFF,
    "end": AgreementState.ENDED,
}


def fingerprint_to_sign(notice: AgreementMoved) -> str:
    """What the signature of a move is over: the notice with an empty signature value."""
    bare = replace(notice, signature=replace(notice.signature, value=""))
    return documents.fingerprint(documents.write(bare))


def countries_of(document: AgreementDocument) -> tuple[str, ...]:
    """Every country that any item lists, in order of the alphabet."""
    return tuple(sorted({country for item in document.items for country in item.countries}))


def signed_at(document: AgreementDocument, signatures: Sequence[Signature]) -> Instant | None:
    """When the last party signed, None while one is missing."""
    when = {one.party: one.at for one in signatures}
    if any(one.party not in when for one in document.parties):
        return None
    return max(when[one.party] for one in document.parties)


def standings(
    versions: Sequence[tuple[AgreementDocument, Sequence[Signature]]],
    moves: Sequence[AgreementMoved],
) -> Sequence[Standing]:
    """Where each version stands, from all that is known; the order of arrival does not matter.

    versions: of one agreement, in order. A move that the state graph does not allow where it
    falls in time has no effect.
    """
    signed = {
        document.version: at
        for document, signatures in versions
        if (at := signed_at(document, signatures)) is not None
    }
    state, launches, ended_at = _play(moves)
    force = timeline([document for document, _ in versions], signed, ended_at)
    found = []
    for document, _ in versions:
        live = _live(document, [d for d, _ in versions if d.version in signed], launches)
        its = state
        if state is not AgreementState.ENDED and document.version not in signed:
            its = AgreementState.DRAFT
        elif state in (AgreementState.SIGNED, AgreementState.LIVE):
            its = AgreementState.LIVE if live else AgreementState.SIGNED
        found.append(Standing(document.version, its, force.get(document.version), live))
    return found


def overall(standings: Sequence[Standing], moves: Sequence[AgreementMoved]) -> AgreementState:
    """The state of the agreement as a whole, whichever version is in force."""
    state = _play(moves)[0]
    unsigned = all(one.state is AgreementState.DRAFT for one in standings)
    return AgreementState.DRAFT if unsigned else state


def may_move(state: AgreementState, act: AgreementAct) -> bool:
    """Launching goes on while live; only what is suspended can be resumed."""
    if act == "launch":
        return state in (AgreementState.SIGNED, AgreementState.LIVE)
    if act == "resume":
        return state is AgreementState.SUSPENDED
    return AGREEMENT_STATES.may(state, LEADS_TO[act])


def check_move(state: AgreementState, act: AgreementAct) -> None:
    """Raises Refused `state-move` when an agreement in this state cannot do that."""
    if not may_move(state, act):
        raise Refused(
            "state-move", f"The agreement is {state}; {act} is not possible now.", field="state"
        )


def next_moment(moves: Sequence[AgreementMoved], party: PartyId, now: Instant) -> Instant:
    """When the party's next move is made: now, or just after its last one if that was now."""
    last = [move.signature.at for move in moves if move.signature.party == party]
    return max([now, *(at + timedelta(microseconds=1) for at in last)])


def _play(
    moves: Sequence[AgreementMoved],
) -> tuple[AgreementState, Sequence[AgreementMoved], Instant | None]:
    """The state after all moves in the order of their making, the launches, and the end."""
    state, ended_at = AgreementState.SIGNED, None
    launches: list[AgreementMoved] = []
    for move in sorted(moves, key=lambda one: (one.signature.at, one.signature.party)):
        if not may_move(state, move.act):
            continue
        state = LEADS_TO[move.act]
        if move.act == "launch":
            launches.append(move)
        elif move.act == "end":
            ended_at = move.signature.at
    return state, launches, ended_at


def timeline(
    texts: Sequence[AgreementDocument], signed: Mapping[int, Instant], ended_at: Instant | None
) -> Mapping[int, InForce]:
    """When each version signed by all is the one in force; they never overlap.

    A version begins when it says, though not before the last party signed, and goes on until
    it says, until a later version begins, or until the agreement ends.
    """
    begins = {
        text.version: max(text.valid_from, signed[text.version])
        for text in texts
        if text.version in signed
    }
    found: dict[int, InForce] = {}
    for text in texts:
        start = begins.get(text.version)
        if start is None:
            continue
        limits = [at for version, at in begins.items() if version > text.version]
        limits += [at for at in (text.valid_to, ended_at) if at is not None]
        end = min(limits, default=None)
        if end is None or start < end:
            found[text.version] = InForce(start, end)
    return found


def _live(
    document: AgreementDocument,
    signed: Sequence[AgreementDocument],
    launches: Sequence[AgreementMoved],
) -> Mapping[str, Instant]:
    """Launched countries of a version: launched under it, or under an earlier one and listed
    by every signed version since.
    """
    live: dict[str, Instant] = {}
    for launch in launches:
        under, country = launch.agreement.version, launch.country
        between = [text for text in signed if under <= text.version <= document.version]
        listed = all(country in countries_of(text) for text in (*between, document))
        if under <= document.version and listed:
            live.setdefault(country, launch.signature.at)
    return live
