"""Partners: how they are spoken to and proved, whether they answer, and what they may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import BOOKS, Ask, page
from hansa.entrypoints.portal.pages import figures
from hansa.entrypoints.portal.pages.alliance.lists import LOOKING, PAGE
from hansa.federation import directory, notices, renewal
from hansa.federation.evidence import actions as evidence
from hansa.federation.model import Partner, PartnerCertificate, PartnerKey
from hansa.foundation.ids import PartyId
from hansa.foundation.party import party_id
from hansa.foundation.plan.model import Backlog
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreements

SOON = timedelta(days=30)
"""So long before its end a key, or a certificate, is said to end soon."""

NOTHING = Backlog(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Proof:
    """A key or a certificate. state: good, ends soon, ended, revoked, or not yet."""

    kind: str
    id: str
    since: Instant
    until: Instant | None
    state: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a partner stands with us. answers: `yes`, `late`, `no`, or `revoked`."""

    partner: Partner
    proofs: tuple[Proof, ...]
    waiting: Backlog
    heard_at: Instant | None

    @property
    def answers(self) -> str:
        if self.partner.revoked_at is not None:
            return "revoked"
        if self.waiting.overdue or self.waiting.held:
            return "no"
        return "late" if self.waiting.going else "yes"

    @property
    def trouble(self) -> Sequence[Proof]:
        """What ends soon; and the last of a kind, if it has ended or was revoked."""
        kinds = {one.kind for one in self.proofs}
        good = {one.kind for one in self.proofs if one.state in ("good", "soon")}
        soon = [
            one for one in self.proofs if one.state == "soon" and not _followed(one, self.proofs)
        ]
        last = [
            max((one for one in self.proofs if one.kind == kind), key=lambda one: one.since)
            for kind in sorted(kinds - good)
        ]
        return [*soon, *last]


def _followed(one: Proof, among: Sequence[Proof]) -> bool:
    """Whether another of its kind is good for longer."""
    return any(
        other.kind == one.kind
        and other.state == "good"
        and (other.until is None or (one.until is not None and other.until > one.until))
        for other in among
    )


@page("/partners", roles=LOOKING)
def partner_list(ask: Ask) -> Response:
    text = ask.sought()
    turn = paging.turn(ask, PAGE)
    with ask.node.begin() as tx:
        found, total = directory.page(tx, text=text, offset=turn.offset, limit=turn.size)
        listed = _standings(ask, tx, found)
        deaf = renewal.waiting(tx, ring=ask.node.keys)
    return ask.render(
        "alliance/partners.html",
        part="alliance/_partners.html",
        found=listed,
        wanted={"q": text},
        turn=turn,
        total=total,
        ours=_ours(ask),
        deaf=deaf,
    )


@page("/partners/{id}", roles=LOOKING)
def partner(ask: Ask) -> Response:
    """One partner; credit is for those who keep the books alone."""
    id = party_id(ask.path["id"])
    with ask.node.begin() as tx:
        (one,) = _standings(ask, tx, [directory.partner(tx, party=id)])
        acts = directory.trust_acts(tx, party=id)
        traded, _ = agreements.page(tx, text=id, limit=PAGE, now=ask.now)
        traded = [entry for entry in traded if id in entry.shown.parties]
        if ask.has(BOOKS):
            counting = [entry.shown for entry in traded]
            credit = [one for one in figures.exposures(ask, tx, counting) if one.party == id]
        else:
            credit = []
    return ask.render(
        "alliance/partner.html",
        one=one,
        acts=acts,
        traded=traded,
        credit=credit,
        limits=ask.node.settings.limits,
    )


def _standings(ask: Ask, tx: Transaction, found: Sequence[Partner]) -> Sequence[Standing]:
    waiting = notices.backlogs(tx, now=ask.now)
    heard: Mapping[PartyId, Instant] = evidence.last_heard(tx)
    return [
        Standing(
            one,
            tuple(_proofs(one, ask.now)),
            waiting.get(one.party.id, NOTHING),
            heard.get(one.party.id),
        )
        for one in found
    ]


def _proofs(partner: Partner, now: Instant) -> Iterator[Proof]:
    for key in partner.keys:
        yield Proof("key", key.kid, key.valid_from, key.valid_to, _state(key, now))
    for one in partner.certificates:
        yield Proof("certificate", one.sha256[:16], one.valid_from, one.valid_to, _state(one, now))


def _state(one: PartnerKey | PartnerCertificate, now: Instant) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return _span(one.valid_from, one.valid_to, now)


def _span(since: Instant, until: Instant | None, now: Instant) -> str:
    if until is not None and until <= now:
        return "ended"
    if since > now:
        return "not-yet"
    return "soon" if until is not None and until - now <= SOON else "good"


def _ours(ask: Ask) -> Sequence[Proof]:
    """Our own keys and certificates that have not ended, those to come among them."""
    found = [
        Proof(
            "certificate" if one.kind == "tls" else "key",
            one.id[:16],
            one.used_from,
            one.valid_to,
            _span(one.used_from, one.valid_to, ask.now),
        )
        for one in ask.node.keys.generations()
    ]
    return [one for one in found if one.state != "ended"]


pages = [partner_list, partner]
