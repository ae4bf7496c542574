"""What clearing does unasked: deals with notices about netting, and leads its rounds on."""

from __future__ import annotations

import logging

from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import (
    NettingAnswered,
    NettingCalled,
    NettingDropped,
    NettingOffered,
    NettingProposed,
    NettingSettled,
)
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.actions import centre, netting
from hansa.lifecycle.clearing.model import HeardLetter, PartState

log = logging.getLogger(__name__)


def run(
    tx: Transaction, *, us: Party, keys: KeyRing, ids: Ids, auto_net: bool, now: Instant
) -> int:
    """One bounded turn; returns how many things moved.

    auto_net: a plan whose part of ours is right is signed at once; else a person signs. What
    posts to the ledger comes last, as the ledger asks, one round a turn.
    """
    moved = sum(
        centre.go_on(tx, us=us, round=round, ids=ids, now=now) for round in centre.open_rounds(tx)
    )
    for letter in netting.letters(tx, limit=50):
        _deal_with(tx, us, letter, ids, now)
        moved += 1
        if isinstance(letter.notice, NettingSettled):
            return moved
    if auto_net:
        for part in netting.parts(tx, states=[PartState.PROPOSED]):
            netting.sign(tx, us=us, part=part, keys=keys, ids=ids, now=now)
            moved += 1
    return moved


def _deal_with(tx: Transaction, us: Party, letter: HeardLetter, ids: Ids, now: Instant) -> None:
    """What cannot be true is put aside with the reason; all checks come before any change."""
    sender, why = letter.sender, ""
    try:
        match letter.notice:
            case NettingCalled() as notice:
                netting.called(tx, us=us, sender=sender, notice=notice, ids=ids, now=now)
            case NettingOffered() as notice:
                centre.offered(tx, sender=sender, notice=notice)
            case NettingProposed() as notice:
                netting.proposed(tx, us=us, sender=sender, notice=notice, ids=ids, now=now)
            case NettingAnswered() as notice:
                centre.answered(tx, us=us, sender=sender, notice=notice)
            case NettingDropped() as notice:
                netting.dropped(tx, sender=sender, notice=notice)
            case NettingSettled() as notice:
                netting.settled(tx, us=us, sender=sender, notice=notice, ids=ids, now=now)
    except (Refused, NotFound) as error:
        why = f"{error.code}: {error.words}"
        log.warning(
            "netting notice put aside",
            extra={"partner": sender, "notice": letter.notice.kind, "reason": error.code},
        )
    netting.done_with(tx, letter=letter, why=why)
