"""What others may ask or do about agreements and customers.

Every change is told to all other parties by signed notices; each node works out for itself,
from the notices that it has heard, where the agreement stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hansa.federation import directory, notices
from hansa.federation.contract import AgreementRef
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Notice
from hansa.federation.papers import (
    AgreementAct,
    AgreementDocument,
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    Signature,
)
from hansa.foundation import documents
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import AgreementId, Ids, OfferCode, PartyId, check_given
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import store
from hansa.lifecycle.agreement.model import (
    Agreement,
    AgreementState,
    Customer,
    GatePassed,
    Listed,
    ShareTerms,
    TradeTerms,
)
from hansa.lifecycle.agreement.rules import document as texts
from hansa.lifecycle.agreement.rules import permission, standing, terms

# --- what this node does ------------------------------------------------------------------------


def draft(
    tx: Transaction, *, us: PartyId, document: AgreementDocument, ids: Ids, now: Instant
) -> Agreement:
    """Keeps a draft of ours and sends it to all other parties, who may then sign.

    Version 1 begins an agreement; a later version must be the next one, with the same
    parties. The same document again changes nothing. Raises Refused `agreement-invalid`,
    `country-code`, `currency-unknown`, `party-name`, `share-size`, `agreement-not-lead`,
    `agreement-version`, `agreement-parties`, `agreement-differs`, `agreement-ended`,
    `id-not-given`; NotFound `partner-unknown`.
    """
    texts.check_document(document)
    permission.check_lead(document, us)
    for party in _others(document, us):
        directory.partner(tx, party=party)
    ref = AgreementRef(document.id, document.version)
    known = store.versions(tx, document.id)
    if ref not in [one.ref for one in known]:
        permission.check_next(document, known)
    if _keep_draft(tx, document, now=now):
        _tell(tx, AgreementDrafted(document), document, us=us, ids=ids, now=now)
    return show(tx, ref=ref)


def sign(
    tx: Transaction, *, us: PartyId, ref: AgreementRef, keys: KeyRing, ids: Ids, now: Instant
) -> Agreement:
    """Signs a version in our name and tells all other parties. Signing again changes nothing.

    Raises Refused `agreement-ended`, `agreement-not-in-force` when its time is over already;
    NotFound `agreement-unknown`, `partner-unknown` when a party has not joined this node.
    """
    agreement = _locked(tx, ref)
    if us not in agreement.unsigned:
        return agreement
    permission.check_signable(agreement, now)
    document = agreement.document
    for party in _others(document, us):
        directory.partner(tx, party=party)
    signature = keys.sign(agreement.fingerprint, party=us, at=now)
    store.add_signature(tx, ref, signature, now=now)
    _settle(tx, ref.id)
    notice = AgreementSigned(ref, agreement.fingerprint, signature)
    _tell(tx, notice, document, us=us, ids=ids, now=now)
    return show(tx, ref=ref)


def pass_gate(
    tx: Transaction,
    *,
    us: PartyId,
    ref: AgreementRef,
    country: str,
    gate: str,
    evidence: str,
    by: str,
    now: Instant,
) -> Agreement:
    """Records what was shown at one gate of one country, and who looked at it; lead only.

    The same evidence again changes nothing. Raises Refused `agreement-not-lead`,
    `country-not-agreed`, `gate-unknown`, `gate-passed` when other evidence is on record.
    """
    agreement = _locked(tx, ref)
    permission.check_lead(agreement.document, us)
    permission.check_listed(agreement, country)
    texts.check_text(evidence, "evidence")
    texts.check_text(by, "by")
    permission.check_gate(agreement, country, gate, evidence)
    store.add_gate(tx, ref.id, country, GatePassed(gate, evidence, by, now))
    return show(tx, ref=ref)


def launch(
    tx: Transaction,
    *,
    us: PartyId,
    ref: AgreementRef,
    country: str,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Agreement:
    """Makes a country live, with the evidence of all its gates, and tells all; lead only.

    Launched already changes nothing. Raises Refused `agreement-not-lead`,
    `agreement-unsigned`, `country-not-agreed`, `gate-open` naming the gates, `state-move`.
    """
    agreement = _locked(tx, ref)
    permission.check_lead(agreement.document, us)
    permission.check_listed(agreement, country)
    permission.check_all_signed(agreement)
    if country in agreement.launched:
        return agreement
    passed = permission.gates_passed(agreement, country)
    permission.check_launch(agreement, country, passed)
    shown = {gate: passed[gate].evidence for gate in agreement.document.gates}
    return _move(tx, agreement, "launch", country, shown, us=us, keys=keys, ids=ids, now=now)


def suspend(
    tx: Transaction, *, us: PartyId, ref: AgreementRef, keys: KeyRing, ids: Ids, now: Instant
) -> Agreement:
    """Stops new orders for now; what is held goes on. Lead only.

    As with all moves: done already changes nothing, and all versions move together. Raises
    Refused `agreement-not-lead`, `state-move`.
    """
    return _lead_moves(tx, "suspend", us=us, ref=ref, keys=keys, ids=ids, now=now)


def resume(
    tx: Transaction, *, us: PartyId, ref: AgreementRef, keys: KeyRing, ids: Ids, now: Instant
) -> Agreement:
    """Takes a suspension back. Lead only. Raises as `suspend`."""
    return _lead_moves(tx, "resume", us=us, ref=ref, keys=keys, ids=ids, now=now)


def run_off(
    tx: Transaction, *, us: PartyId, ref: AgreementRef, keys: KeyRing, ids: Ids, now: Instant
) -> Agreement:
    """Stops new orders for good; what is held goes on. Lead only. Raises as `suspend`."""
    return _lead_moves(tx, "run-off", us=us, ref=ref, keys=keys, ids=ids, now=now)


def end(
    tx: Transaction, *, us: PartyId, ref: AgreementRef, keys: KeyRing, ids: Ids, now: Instant
) -> Agreement:
    """Ends the agreement for all, draft or live. Any party may: none is held to go on trading.

    Ended already changes nothing.
    """
    agreement = _locked(tx, ref)
    if agreement.state is AgreementState.ENDED:
        return agreement
    return _move(tx, agreement, "end", "", {}, us=us, keys=keys, ids=ids, now=now)


# --- what this node hears -----------------------------------------------------------------------


def hear_draft(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: AgreementDrafted, now: Instant
) -> None:
    """Keeps a draft of its lead; heard again changes nothing.

    Raises Refused as `draft`, and `agreement-not-party` when it does not name us.
    """
    document = notice.document
    texts.check_document(document)
    permission.check_lead(document, sender)
    permission.check_party(document, us)
    _keep_draft(tx, document, now=now)


def hear_signature(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: AgreementSigned, now: Instant
) -> None:
    """Keeps the sender's signature; heard again changes nothing.

    Raises TryLater `agreement-not-heard` when the draft has not come yet; Refused
    `agreement-not-party`, `agreement-differs` (another text), `signature-wrong`,
    `sender-not-signer`.
    """
    texts.check_utc(notice.signature.at, "signature.at")
    agreement = _heard(tx, notice.agreement)
    permission.check_heard(agreement, us=us, sender=sender, signature=notice.signature)
    permission.check_same_text(agreement, notice)
    directory.verify_paper(
        tx, party=sender, fingerprint=agreement.fingerprint, signature=notice.signature
    )
    if sender in agreement.unsigned:
        store.add_signature(tx, notice.agreement, notice.signature, now=now)
        _settle(tx, notice.agreement.id)


def hear_move(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: AgreementMoved, now: Instant
) -> None:
    """Keeps a move of the lead (or an end by any party); heard again changes nothing.

    Moves take effect in the order in which they were made, however they arrive. Raises
    TryLater `agreement-not-heard`; Refused `agreement-not-lead`, `agreement-not-party`,
    `country-not-agreed`, `gate-open`, `signature-wrong`, `sender-not-signer`,
    `agreement-differs` when another move of the same moment is on record.
    """
    texts.check_move(notice)
    agreement = _heard(tx, notice.agreement)
    permission.check_heard(agreement, us=us, sender=sender, signature=notice.signature)
    if notice.act != "end":
        permission.check_lead(agreement.document, sender)
    directory.verify_paper(
        tx,
        party=sender,
        fingerprint=standing.fingerprint_to_sign(notice),
        signature=notice.signature,
    )
    if notice.act == "launch":
        permission.check_listed(agreement, notice.country)
        permission.check_launch(agreement, notice.country, notice.evidence)
    if permission.is_known(notice, store.moves(tx, notice.agreement.id)):
        return
    store.add_move(tx, notice, now=now)
    if notice.act == "launch":
        for gate in agreement.document.gates:
            shown = GatePassed(gate, notice.evidence[gate], sender, notice.signature.at)
            store.add_gate(tx, notice.agreement.id, notice.country, shown)
    _settle(tx, notice.agreement.id)


# --- what the later rooms ask -------------------------------------------------------------------


def show(tx: Transaction, *, ref: AgreementRef) -> Agreement:
    """One version of an agreement. Raises NotFound `agreement-unknown`."""
    for one in store.versions(tx, ref.id):
        if one.ref == ref:
            return one
    raise permission.unknown(ref)


def all(tx: Transaction) -> Sequence[Agreement]:
    """Every version of every agreement that this node knows, the oldest agreement first."""
    return store.agreements(tx)


def page(
    tx: Transaction,
    *,
    text: str = "",
    state: AgreementState | None = None,
    offset: int = 0,
    limit: int,
    now: Instant,
) -> tuple[Sequence[Listed], int]:
    """Agreements from `offset` on, at most `limit`, the newest first, and how many there are.

    text: a part of a name, an id or a party.
    """
    return store.page(tx, {"text": text, "state": state, "now": now}, offset, limit)


def history(
    tx: Transaction, *, id: AgreementId
) -> tuple[Sequence[Agreement], Sequence[tuple[AgreementMoved, str]]]:
    """Every version of the agreement, and every move as signed, with the fingerprint that its
    signature is over; both in order. Raises NotFound `agreement-unknown`.
    """
    versions = store.versions(tx, id)
    if not versions:
        raise permission.unknown(AgreementRef(id, 1))
    return versions, [(one, standing.fingerprint_to_sign(one)) for one in store.moves(tx, id)]


def terms_for(
    tx: Transaction,
    *,
    seller: PartyId,
    buyer: PartyId,
    offer: OfferCode,
    country: str | None,
    at: Instant,
    ordering: bool = True,
) -> TradeTerms:
    """The agreed terms on which the seller sells the offer to the buyer in the country.

    country None: for the order as a whole, which needs one live country. at: which version
    counts; its state is that of now. ordering False: for what is held already, which goes on
    while the agreement is suspended or running off. Where several agreements allow it, the
    one that came into force last counts. Raises Refused `agreement-missing`,
    `agreement-unsigned`, `agreement-not-in-force`, `agreement-suspended`,
    `agreement-run-off`, `agreement-ended`, `offer-not-agreed`, `country-not-agreed`,
    `country-not-launched`: the reason that comes nearest to a yes.
    """
    return terms.terms(
        store.between(tx, seller, buyer),
        seller=seller,
        buyer=buyer,
        offer=offer,
        country=country,
        at=at,
        ordering=ordering,
    )


def items_between(
    tx: Transaction, *, seller: PartyId, buyer: PartyId, at: Instant
) -> Sequence[TradeTerms]:
    """All that the buyer may order of the seller now: the items of every live agreement in
    force, each with its launched countries. Items with none are left out.
    """
    return terms.items_in_force(store.between(tx, seller, buyer), seller=seller, buyer=buyer, at=at)


def shares_of(tx: Transaction, *, operator: PartyId, period: Period) -> Sequence[ShareTerms]:
    """The shares of its revenue that the operator owes for the period.

    Of each agreement, those of the version that was last in force in the period, also while
    it is suspended or running off.
    """
    return terms.shares_in_force(
        store.in_force_within(tx, period), operator=operator, period=period
    )


# --- customers ----------------------------------------------------------------------------------


def register_customer(
    tx: Transaction,
    *,
    party: Party,
    price_list: str,
    credit_limit: Money | None,
    now: Instant,
) -> Customer:
    """Enters an end customer with its terms; the same again changes nothing.

    Raises Refused `customer-differs` when it is known with other terms, `customer-is-partner`
    when a partner has that name, `agreement-invalid`, `country-code`, `currency-unknown`,
    `party-name`.
    """
    texts.check_customer(party, price_list, credit_limit)
    permission.check_no_partner(party, [one.party.id for one in directory.partners(tx)])
    store.add_customer(tx, Customer(party, price_list, credit_limit, now))
    known = customer(tx, party=party.id)
    permission.check_same_terms(known, party, price_list, credit_limit)
    return known


def customer(tx: Transaction, *, party: PartyId) -> Customer:
    """One end customer. Raises NotFound `customer-unknown`."""
    found = store.customer(tx, party)
    if found is None:
        raise NotFound("customer-unknown", f"{party} is no customer of this node.", field="party")
    return found


def customers(tx: Transaction) -> Sequence[Customer]:
    """Every end customer, by name."""
    return store.customers(tx)


# --- inside -------------------------------------------------------------------------------------


def _others(document: AgreementDocument, us: PartyId) -> Sequence[PartyId]:
    return [one.party for one in document.parties if one.party != us]


def _tell(
    tx: Transaction,
    notice: Notice,
    document: AgreementDocument,
    *,
    us: PartyId,
    ids: Ids,
    now: Instant,
) -> None:
    trace = ids.trace()
    for party in _others(document, us):
        notices.send(tx, ids=ids, to=party, notice=notice, trace=trace, now=now)


def _keep_draft(tx: Transaction, document: AgreementDocument, *, now: Instant) -> bool:
    """Keeps a new version; False when this very text is kept already. Locks the agreement."""
    lead = next(one.party for one in document.parties if one.role == "lead")
    if not store.lock(tx, document.id):
        check_given(document.id, by=lead, field="id")
        store.open_life(tx, document.id, lead)
    fingerprint = documents.fingerprint(documents.write(document))
    for one in store.versions(tx, document.id):
        texts.check_successor(document, one.document)
        if one.ref.version == document.version:
            permission.check_unchanged(one, fingerprint)
            return False
    store.add_version(
        tx,
        document,
        fingerprint=fingerprint,
        countries=standing.countries_of(document),
        now=now,
    )
    _settle(tx, document.id)
    return True


def _locked(tx: Transaction, ref: AgreementRef) -> Agreement:
    """The version, with every other change of its agreement made to wait.

    What was not there to be locked is unknown, even if it has come since.
    """
    if not store.lock(tx, ref.id):
        raise permission.unknown(ref)
    return show(tx, ref=ref)


def _heard(tx: Transaction, ref: AgreementRef) -> Agreement:
    """As `_locked`, for a notice that may have overtaken the draft it speaks of."""
    try:
        return _locked(tx, ref)
    except NotFound:
        raise permission.not_heard(ref) from None


def _settle(tx: Transaction, agreement: AgreementId) -> None:
    """Works out anew where all versions stand."""
    known = [(one.document, one.signatures) for one in store.versions(tx, agreement)]
    store.put_standings(tx, agreement, standing.standings(known, store.moves(tx, agreement)))


def _lead_moves(
    tx: Transaction,
    act: AgreementAct,
    *,
    us: PartyId,
    ref: AgreementRef,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Agreement:
    agreement = _locked(tx, ref)
    permission.check_lead(agreement.document, us)
    return _move(tx, agreement, act, "", {}, us=us, keys=keys, ids=ids, now=now)


def _move(
    tx: Transaction,
    agreement: Agreement,
    act: AgreementAct,
    country: str,
    evidence: dict[str, str],
    *,
    us: PartyId,
    keys: KeyRing,
    ids: Ids,
    now: Instant,
) -> Agreement:
    """Checks, signs, keeps and tells a move; one that is done already changes nothing."""
    ref, before = agreement.ref, store.moves(tx, agreement.ref.id)
    known = [(one.document, one.signatures) for one in store.versions(tx, ref.id)]
    state = standing.overall(standing.standings(known, before), before)
    if act != "launch" and state is standing.LEADS_TO[act]:
        return agreement
    standing.check_move(state, act)
    at = standing.next_moment(before, us, now)
    bare = AgreementMoved(ref, act, country, evidence, Signature(us, "", at))
    notice = replace(bare, signature=keys.sign(standing.fingerprint_to_sign(bare), party=us, at=at))
    store.add_move(tx, notice, now=now)
    _settle(tx, ref.id)
    _tell(tx, notice, agreement.document, us=us, ids=ids, now=now)
    return show(tx, ref=ref)
