"""A round of netting as its centre leads it: called, proposed, settled, or proposed anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    NettingAnswered,
    NettingCalled,
    NettingDropped,
    NettingOffered,
    NettingPayment,
    NettingProposed,
    NettingSettled,
)
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids, PartyId, RoundId
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.agreement.model import Agreement
from hansa.lifecycle.clearing.actions import netting
from hansa.lifecycle.clearing.model import Lines, Part, Round, RoundState, Seat, SeatState
from hansa.lifecycle.clearing.rules import netting as rules
from hansa.lifecycle.clearing.store import netting as store


def call(
    tx: Transaction,
    *,
    us: Party,
    agreement: AgreementRef,
    period: Period,
    currency: str,
    ids: Ids,
    now: Instant,
) -> Round:
    """Asks every party whose country allows it what may be netted among many.

    While a round for the same is under way, that one is returned. Raises Refused
    `netting-not-agreed`, `netting-party` unless we are the centre, `netting-alone`.
    """
    store.lock_rounds(tx)
    asked = NettingCalled(ids.given(RoundId, by=us.id), agreement, period, currency, now)
    found = netting.agreement_for(tx, asked)
    terms = found.document.netting
    assert terms is not None
    if terms.centre != us.id:
        raise Refused(
            "netting-party", f"{terms.centre} is the centre of this netting.", field="agreement"
        )
    for one in store.rounds(tx, [RoundState.CALLED, RoundState.PROPOSED]):
        same = (one.call.agreement.id, one.call.period, one.call.currency)
        if same == (agreement.id, period, currency):
            return one
    parties = [
        party
        for party in found.parties
        if rules.mode(terms, netting.country(tx, us, party)) == "multilateral"
    ]
    if len(parties) < 2:
        raise Refused(
            "netting-alone",
            "There are no two parties whose countries allow netting among many.",
            field="agreement",
        )
    until = now + timedelta(hours=terms.answer_h)
    round = Round(
        call=replace(asked, answer_by=until),
        state=RoundState.CALLED,
        until=until,
        seats=tuple(Seat(party, SeatState.ASKED) for party in sorted(parties)),
    )
    store.insert_round(tx, round)
    for party in parties:
        netting.tell(tx, us, party, round.call, ids, now)
    return round


def led(tx: Transaction, *, us: PartyId) -> Sequence[Agreement]:
    """The versions of agreements, in force at some time, of whose netting we are the centre."""
    return [
        one
        for one in agreements.all(tx)
        if one.in_force is not None
        and one.document.netting is not None
        and one.document.netting.centre == us
    ]


def rounds(tx: Transaction) -> Sequence[Round]:
    """The rounds that we lead or have led, the oldest first."""
    return store.rounds(tx)


def round_of(tx: Transaction, *, id: RoundId) -> Round:
    """A round that we lead. Raises NotFound `round-unknown`."""
    found = store.round_of(tx, id)
    if found is None:
        raise NotFound("round-unknown", f"We lead no round {id}.", field="round")
    return found


def debts(tx: Transaction, *, us: PartyId, part: Part) -> Sequence[NettingPayment]:
    """Who would pay whom were nothing set off: among all if we lead the round, else our own."""
    if part.centre != us:
        return rules.debts(part.lines or part.offered)
    found = round_of(tx, id=part.id)
    planned = found.plan.positions if found.plan else {one.party: 0 for one in found.seats}
    lines = {one.party: one.lines for one in found.seats if one.party in planned}
    return rules.debts(rules.matched(lines))


# --- what parties say ---------------------------------------------------------------------------


def offered(tx: Transaction, *, sender: PartyId, notice: NettingOffered) -> None:
    """Notes a party's offer; once it has one, or later than asked for, it changes nothing.

    Raises NotFound `round-unknown`; Refused `netting-party`, `netting-wrong`.
    """
    round, seat = _seat(tx, notice.round, sender)
    if round.state is not RoundState.CALLED or seat.state is not SeatState.ASKED:
        return
    for line in notice.lines:
        if sender not in (line.creditor, line.debtor) or line.creditor == line.debtor:
            raise Refused("netting-wrong", "A line is not the sender's own.", field="lines")
        if line.amount.currency != round.call.currency:
            raise Refused("netting-wrong", "A line is in another currency.", field="lines")
    if len({line.statement for line in notice.lines}) < len(notice.lines):
        raise Refused("netting-wrong", "A line is there twice.", field="lines")
    _update(tx, round, replace(seat, state=SeatState.OFFERED, lines=notice.lines))


def answered(tx: Transaction, *, us: Party, sender: PartyId, notice: NettingAnswered) -> None:
    """Notes a party's answer to the plan that is there; to an earlier one it is too late.

    Raises NotFound `round-unknown`; Refused `netting-party`, `signature-wrong`.
    """
    round, seat = _seat(tx, notice.round, sender)
    plan = round.plan
    if round.state is not RoundState.PROPOSED or plan is None or plan.attempt != notice.attempt:
        return
    if seat.state is not SeatState.OFFERED or sender not in plan.positions:
        return
    if notice.signature is None:
        _update(tx, round, replace(seat, state=SeatState.OUT, why=notice.why))
        return
    if notice.signature.party != sender:
        raise Refused("signature-wrong", "Another party has signed.", field="signature")
    if sender == us.id:
        if netting.part(tx, round=round.id).signature != notice.signature:
            raise Refused("signature-wrong", "We have not signed so.", field="signature")
    else:
        netting.verify(tx, plan, notice.signature)
    _update(tx, round, replace(seat, state=SeatState.SIGNED, signature=notice.signature))


def _seat(tx: Transaction, id: RoundId, party: PartyId) -> tuple[Round, Seat]:
    found = round_of(tx, id=id)
    for seat in found.seats:
        if seat.party == party:
            return found, seat
    raise Refused("netting-party", f"{party} has no part in {id}.", field="sender")


def _update(tx: Transaction, round: Round, *seats: Seat) -> Round:
    changed = {one.party: one for one in seats}
    new = replace(round, seats=tuple(changed.get(one.party, one) for one in round.seats))
    store.update_round(tx, new)
    return new


# --- going on -----------------------------------------------------------------------------------


def go_on(tx: Transaction, *, us: Party, round: RoundId, ids: Ids, now: Instant) -> bool:
    """The next step of a round, if it is time for one; whether there was one.

    Proposes once all have offered or their time is up; settles once all have signed; proposes
    anew without those who said no, or have not signed in time. What a round has settled it
    never proposes again.
    """
    found = round_of(tx, id=round)
    states = {one.state for one in found.seats}
    late = now >= found.until
    if found.state is RoundState.CALLED and (late or SeatState.ASKED not in states):
        _propose(tx, us, found, ids, now, "it was silent", out=[SeatState.ASKED])
        return True
    if found.state is not RoundState.PROPOSED or found.plan is None:
        return False
    taking_part = [one for one in found.seats if one.party in found.plan.positions]
    if all(one.state is SeatState.SIGNED for one in taking_part):
        _settle(tx, us, found, ids, now)
        return True
    if late or any(one.state is SeatState.OUT for one in taking_part):
        out = [SeatState.OFFERED] if late else []
        _propose(tx, us, found, ids, now, "it has not signed in time", out=out)
        return True
    return False


def _settle(tx: Transaction, us: Party, round: Round, ids: Ids, now: Instant) -> None:
    assert round.plan is not None
    signed = {one.party: one.signature for one in round.seats if one.signature is not None}
    proof = tuple(signed[party] for party in sorted(round.plan.positions))
    store.update_round(tx, replace(round, state=RoundState.SETTLED))
    for party in round.plan.positions:
        netting.tell(tx, us, party, NettingSettled(round.plan, proof), ids, now)


def _propose(
    tx: Transaction,
    us: Party,
    round: Round,
    ids: Ids,
    now: Instant,
    why: str,
    *,
    out: Collection[SeatState],
) -> None:
    """Computes the plan of those who are left, and drops those who are not in it."""
    before = round.plan.attempt if round.plan else 0
    seats = [
        replace(one, state=SeatState.OUT, why=why, signature=None) if one.state in out else one
        for one in round.seats
    ]
    left: Mapping[PartyId, Lines] = {
        one.party: one.lines for one in seats if one.state is not SeatState.OUT
    }
    lines = rules.matched(left)
    until = _until(tx, round, now)
    plan = rules.plan(round.call, us.id, before + 1, lines, until)
    seats = [_anew(one, plan.positions) for one in seats]
    state = RoundState.PROPOSED if lines else RoundState.EMPTY
    new = replace(round, state=state, plan=plan if lines else None, until=until)
    _update(tx, new, *seats)
    planned = round.plan.positions if round.plan else {one.party: 0 for one in round.seats}
    for seat in seats:
        if seat.party in plan.positions:
            own = rules.of_party(lines, seat.party)
            netting.tell(tx, us, seat.party, NettingProposed(plan, own), ids, now)
        elif seat.party in planned:
            dropped = NettingDropped(round.id, before + 1, seat.why)
            netting.tell(tx, us, seat.party, dropped, ids, now)


def _anew(seat: Seat, positions: Collection[PartyId]) -> Seat:
    if seat.state is SeatState.OUT:
        return replace(seat, signature=None)
    if seat.party in positions:
        return replace(seat, state=SeatState.OFFERED, signature=None)
    return replace(seat, state=SeatState.OUT, signature=None, why="nothing of it is left to net")


def _until(tx: Transaction, round: Round, now: Instant) -> Instant:
    terms = netting.agreement_for(tx, round.call).document.netting
    assert terms is not None
    return now + timedelta(hours=terms.answer_h)


def open_rounds(tx: Transaction) -> Sequence[RoundId]:
    """Those that are under way."""
    return [one.id for one in store.rounds(tx, [RoundState.CALLED, RoundState.PROPOSED])]
