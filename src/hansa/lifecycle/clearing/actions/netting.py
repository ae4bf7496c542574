"""Netting among many as a party of it, and what both sides of it share. `us`: our own party."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from hansa.federation import directory, notices
from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import (
    NettingAnswered,
    NettingCalled,
    NettingDropped,
    NettingLine,
    NettingNotice,
    NettingOffered,
    NettingPlan,
    NettingProposed,
    NettingSettled,
    Signature,
    StatementState,
)
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import EntryId, Ids, PartyId, RoundId, check_given
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import NewEntry
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.agreement.model import Agreement
from hansa.lifecycle.clearing.model import HeardLetter, Lines, Part, PartState
from hansa.lifecycle.clearing.rules import netting as rules
from hansa.lifecycle.clearing.store import netting as store
from hansa.lifecycle.settlement.actions import disputes, positions, statements

MAY_CHANGE = (PartState.OFFERED, PartState.PROPOSED, PartState.REFUSED, PartState.SIGNED)


def hear(tx: Transaction, *, sender: PartyId, notice: NettingNotice, now: Instant) -> None:
    """Keeps what a partner says of netting, to be dealt with by the worker, in any order."""
    store.keep_letter(tx, sender, notice, now)


def letters(tx: Transaction, *, limit: int) -> Sequence[HeardLetter]:
    """Notices that wait to be dealt with, locked; those that settle a round last."""
    return store.letters(tx, limit)


def done_with(tx: Transaction, *, letter: HeardLetter, why: str) -> None:
    """Puts a notice aside. why: what it was not believed for; empty when it was."""
    store.done_with(tx, letter.id, why)


def parts(tx: Transaction, *, states: Collection[PartState] | None = None) -> Sequence[Part]:
    """Our parts in rounds, the oldest first."""
    return store.parts(tx, states)


def part(tx: Transaction, *, round: RoundId) -> Part:
    """Our part in a round. Raises NotFound `round-unknown`."""
    found = store.part_of(tx, round)
    if found is None:
        raise NotFound("round-unknown", f"We have no part in {round}.", field="round")
    return found


def gross(tx: Transaction, *, us: Party, period: Period) -> Mapping[PartyId, str]:
    """The partners with which nothing may be netted in the period, and why."""
    within = [one for one in _in_force(tx, period) if us.id in one.parties]
    found = {}
    for partner in directory.partners(tx):
        theirs = [one for one in within if partner.party.id in one.parties]
        why = rules.gross(theirs, us.country, partner.party.country)
        if why:
            found[partner.party.id] = why
    return found


def agreement_for(tx: Transaction, call: NettingCalled) -> Agreement:
    """The version under which is netted. Raises Refused `netting-not-agreed`."""
    for one in _in_force(tx, call.period):
        if one.ref == call.agreement and one.document.netting is not None:
            return one
    raise Refused(
        "netting-not-agreed",
        f"{call.agreement.id} version {call.agreement.version} says nothing of netting in "
        f"{call.period.name}, or is not in force then.",
        field="agreement",
    )


def _in_force(tx: Transaction, period: Period) -> Iterable[Agreement]:
    return [
        one for one in agreements.all(tx) if one.in_force is not None and one.in_force.meets(period)
    ]


def country(tx: Transaction, us: Party, party: PartyId) -> str:
    return us.country if party == us.id else directory.partner(tx, party=party).party.country


def tell(
    tx: Transaction, us: Party, to: PartyId, notice: NettingNotice, ids: Ids, now: Instant
) -> None:
    """To a partner by a notice that does not get lost; to ourselves by the same letter box."""
    if to == us.id:
        hear(tx, sender=to, notice=notice, now=now)
    else:
        notices.send(tx, ids=ids, to=to, notice=notice, trace=ids.trace(), now=now)


# --- what the centre says -----------------------------------------------------------------------


def called(
    tx: Transaction, *, us: Party, sender: PartyId, notice: NettingCalled, ids: Ids, now: Instant
) -> None:
    """Offers what we may net among many. Called again changes nothing.

    Raises Refused `id-not-given`, `netting-not-agreed`, `netting-party`.
    """
    check_given(notice.round, by=sender, field="round")
    terms = agreement_for(tx, notice).document.netting
    assert terms is not None
    if terms.centre != sender:
        raise _not_the_centre(sender)
    if rules.mode(terms, us.country) != "multilateral" or now >= notice.answer_by:
        return
    lines = offerable(tx, us=us, call=notice)
    part = Part(call=notice, centre=sender, state=PartState.OFFERED, offered=lines)
    if store.insert_part(tx, part):
        tell(tx, us, sender, NettingOffered(notice.round, lines), ids, now)


def offerable(tx: Transaction, *, us: Party, call: NettingCalled) -> Lines:
    """Our invoices of the period that may be netted among many: those between countries that
    both allow it, with partners with which nothing is open, and that are bound to nothing.
    """
    terms = agreement_for(tx, call).document.netting
    held_out = {
        (one.partner, one.currency)
        for one in positions.positions(
            tx, us=us.id, period=call.period, gross=gross(tx, us=us, period=call.period)
        )
        if one.held_out
    }
    bound = store.claimed(tx)
    disputed = disputes.in_dispute(tx, period=call.period)
    found = []
    for held in statements.find(tx, period=call.period, states=[StatementState.INVOICED]):
        partner = held.partner(us.id)
        if (
            held.statement.agreement.id == call.agreement.id
            and held.statement.currency == call.currency
            and held.id not in bound
            and held.id not in disputed
            and held.statement.kind_of != "credit-note"
            and (partner, call.currency) not in held_out
            and rules.mode(terms, us.country, country(tx, us, partner)) == "multilateral"
        ):
            paper = held.statement
            found.append(NettingLine(held.id, paper.creditor, paper.debtor, held.total))
    return tuple(sorted(found, key=lambda one: one.statement))


def proposed(
    tx: Transaction, *, us: Party, sender: PartyId, notice: NettingProposed, ids: Ids, now: Instant
) -> Part:
    """Takes in a plan, which takes the place of all earlier ones; a late one changes nothing.

    One that is wrong is answered with no. Raises NotFound `round-unknown`; Refused
    `netting-party`.
    """
    found = part(tx, round=notice.plan.round)
    if sender != found.centre:
        raise _not_the_centre(sender)
    if found.state not in MAY_CHANGE or notice.plan.attempt <= found.attempt:
        return found
    store.release(tx, found.id)
    new = replace(
        found,
        state=PartState.PROPOSED,
        attempt=notice.plan.attempt,
        plan=notice.plan,
        lines=notice.lines,
        signature=None,
        why="",
    )
    try:
        rules.check_plan(
            notice.plan,
            found.call,
            us=us.id,
            lines=notice.lines,
            offered=found.offered,
            parties=agreement_for(tx, found.call).parties,
        )
    except Refused as refusal:
        return refuse(tx, us=us, part=new, why=refusal.words, ids=ids, now=now)
    store.update_part(tx, new)
    return new


def refuse(tx: Transaction, *, us: Party, part: Part, why: str, ids: Ids, now: Instant) -> Part:
    """Says no to the plan that is there; the others net without us.

    Refused already changes nothing. Raises Refused `netting-signed` once we have signed it, since
    the centre may settle at any moment; `netting-settled`, `netting-not-proposed`.
    """
    if part.state is PartState.REFUSED:
        return part
    if part.state is PartState.SETTLED:
        raise Refused("netting-settled", "All have signed; it is settled.", field="round")
    if part.state is PartState.SIGNED:
        raise Refused(
            "netting-signed",
            "We have signed this plan; it binds us until the centre settles it or proposes anew.",
            field="round",
        )
    if part.state is not PartState.PROPOSED:
        raise _not_proposed(part)
    new = replace(part, state=PartState.REFUSED, signature=None, why=why)
    store.update_part(tx, new)
    tell(tx, us, part.centre, NettingAnswered(part.id, part.attempt, None, why), ids, now)
    return new


def sign(tx: Transaction, *, us: Party, part: Part, keys: KeyRing, ids: Ids, now: Instant) -> Part:
    """Signs the plan and binds its invoices until the centre says what came of it.

    Signed already changes nothing; what is bound elsewhere by now, or late, is answered with
    no. Raises Refused `netting-not-proposed`.
    """
    if part.state is PartState.SIGNED:
        return part
    if part.state is not PartState.PROPOSED or part.plan is None:
        raise _not_proposed(part)
    if now >= part.plan.sign_by:
        return refuse(tx, us=us, part=part, why="it is too late", ids=ids, now=now)
    free = set(offerable(tx, us=us, call=part.call))
    if not set(part.lines) <= free or not store.claim(
        tx, part.id, [one.statement for one in part.lines]
    ):
        why = "an invoice of the plan is disputed, paid or netted otherwise by now"
        return refuse(tx, us=us, part=part, why=why, ids=ids, now=now)
    fingerprint = rules.plan_fingerprint(part.plan)
    signature = keys.sign(fingerprint, party=us.id, at=now)
    new = replace(part, state=PartState.SIGNED, signature=signature)
    store.update_part(tx, new)
    tell(tx, us, part.centre, NettingAnswered(part.id, part.attempt, signature), ids, now)
    return new


def dropped(tx: Transaction, *, sender: PartyId, notice: NettingDropped) -> None:
    """Frees what we had bound. Raises NotFound `round-unknown`; Refused `netting-party`."""
    found = part(tx, round=notice.round)
    if sender != found.centre:
        raise _not_the_centre(sender)
    if found.state in MAY_CHANGE and notice.attempt >= found.attempt:
        store.release(tx, found.id)
        store.update_part(
            tx, replace(found, state=PartState.DROPPED, attempt=notice.attempt, why=notice.why)
        )


def settled(
    tx: Transaction, *, us: Party, sender: PartyId, notice: NettingSettled, ids: Ids, now: Instant
) -> None:
    """Posts our part of a plan that all have signed; settled already changes nothing.

    Raises NotFound `round-unknown`; Refused `netting-party`, `netting-not-signed` when it is
    not the plan that we signed or a signature is missing, `signature-wrong`.
    """
    found = part(tx, round=notice.plan.round)
    if sender != found.centre:
        raise _not_the_centre(sender)
    if found.state is PartState.SETTLED:
        return
    _check_signatures(tx, found, us, notice)
    new = replace(found, state=PartState.SETTLED)
    store.update_part(tx, new)
    plan = notice.plan
    entries = [
        *positions.net_these(
            tx,
            us=us.id,
            period=plan.period,
            statements=[one.statement for one in found.lines],
            ids=ids,
            now=now,
        )
    ]
    legs = rules.legs(plan, found.lines, us.id)
    if legs:
        entries.append(
            NewEntry(
                id=ids.new(EntryId),
                key=f"clearing/{plan.round}",
                kind="clearing",
                ref=plan.round,
                document=rules.plan_fingerprint(plan),
                words=f"{plan.period.name} netted among {len(plan.positions)} in {plan.currency}",
                effective_at=now,
                legs=legs,
            )
        )
    ledger.post(tx, entries=entries, now=now)


def _check_signatures(tx: Transaction, part: Part, us: Party, notice: NettingSettled) -> None:
    """Whether this is the plan that we signed, and all its parties have signed it too."""
    if part.state is not PartState.SIGNED or part.plan != notice.plan:
        raise Refused("netting-not-signed", "It is not the plan that we have signed.", field="plan")
    signed = {one.party: one for one in notice.signatures}
    if signed.keys() != notice.plan.positions.keys() or signed[us.id] != part.signature:
        raise Refused("netting-not-signed", "A signature is missing.", field="signatures")
    for signature in notice.signatures:
        if signature.party != us.id:
            verify(tx, notice.plan, signature)


def verify(tx: Transaction, plan: NettingPlan, signature: Signature) -> None:
    """Raises Refused `signature-wrong`, NotFound `partner-unknown`."""
    directory.verify_paper(
        tx,
        party=signature.party,
        fingerprint=rules.plan_fingerprint(plan),
        signature=signature,
    )


def _not_proposed(part: Part) -> Refused:
    return Refused(
        "netting-not-proposed",
        f"Our part is {part.state}; there is no plan to answer.",
        field="round",
    )


def _not_the_centre(sender: PartyId) -> Refused:
    return Refused("netting-party", f"{sender} is not the centre of this netting.", field="sender")
