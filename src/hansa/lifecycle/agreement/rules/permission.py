"""Who may do what to an agreement, and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    AgreementDocument,
    AgreementMoved,
    AgreementSigned,
    Signature,
)
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.lifecycle.agreement.model import Agreement, AgreementState, Customer, GatePassed


def check_lead(document: AgreementDocument, party: PartyId) -> None:
    """Raises Refused `agreement-not-lead` unless the party leads."""
    lead = next(one.party for one in document.parties if one.role == "lead")
    if party != lead:
        raise Refused(
            "agreement-not-lead",
            f"Only {lead}, who leads {document.name}, can do this, not {party}.",
            field="parties",
        )


def check_party(document: AgreementDocument, party: PartyId) -> None:
    """Raises Refused `agreement-not-party` unless the party is one of the agreement's."""
    if party not in [one.party for one in document.parties]:
        raise Refused(
            "agreement-not-party",
            f"{party} is not a party of {document.name} ({document.id}).",
            field="parties",
        )


def check_heard(
    agreement: Agreement, *, us: PartyId, sender: PartyId, signature: Signature
) -> None:
    """Who hears is a party, and so is who speaks, which speaks for itself only."""
    check_party(agreement.document, us)
    check_party(agreement.document, sender)
    if signature.party != sender:
        raise Refused(
            "sender-not-signer",
            f"{sender} sent a paper signed by {signature.party}; each party sends its own.",
            field="signature.party",
        )


def unknown(ref: AgreementRef) -> NotFound:
    """For a version that this node has never been told of."""
    words = f"This node knows no agreement {ref.id} version {ref.version}."
    return NotFound("agreement-unknown", words, field="agreement")


def not_heard(ref: AgreementRef) -> TryLater:
    """For a notice that has overtaken the draft it speaks of."""
    return TryLater(
        "agreement-not-heard",
        f"The draft of {ref.id} version {ref.version} has not arrived here yet; send this again "
        "after it.",
    )


def check_no_partner(party: Party, partners: Collection[PartyId]) -> None:
    """Raises Refused `customer-is-partner` for a customer with the name of a partner."""
    if party.id in partners:
        raise Refused(
            "customer-is-partner",
            f"{party.id} is the name of a partner; give the customer another one.",
            field="party.id",
        )


def check_same_text(agreement: Agreement, notice: AgreementSigned) -> None:
    """Raises Refused `agreement-differs` unless what was signed is the text that is held here."""
    if notice.fingerprint != agreement.fingerprint:
        raise Refused(
            "agreement-differs",
            f"{notice.signature.party} signed another text of {agreement.ref.id} version "
            f"{agreement.ref.version} than this node holds; compare the fingerprints.",
            field="fingerprint",
        )


def check_unchanged(agreement: Agreement, fingerprint: str) -> None:
    """Raises Refused `agreement-differs` when a version comes again with another text."""
    if agreement.fingerprint != fingerprint:
        raise Refused(
            "agreement-differs",
            f"{agreement.ref.id} version {agreement.ref.version} is on record with another text; "
            "draft the next version.",
            field="version",
        )


def check_same_terms(
    known: Customer, party: Party, price_list: str, credit_limit: Money | None
) -> None:
    """Raises Refused `customer-differs` when a customer comes again with other terms."""
    if (known.party, known.price_list, known.credit_limit) != (party, price_list, credit_limit):
        raise Refused(
            "customer-differs",
            f"{party.id} is already registered with other terms.",
            field="party.id",
        )


def check_next(document: AgreementDocument, known: Sequence[Agreement]) -> None:
    """A version of ours that is new to us follows those known, of an agreement still alive."""
    if document.version != len(known) + 1:
        raise Refused(
            "agreement-version",
            f"The next version of {document.id} is {len(known) + 1}, not {document.version}.",
            field="version",
        )
    if known and known[0].state is AgreementState.ENDED:
        raise Refused("agreement-ended", f"The {known[0].title} has ended; draft a new agreement.")


def check_signable(agreement: Agreement, now: Instant) -> None:
    """Raises Refused when a signature could no longer have an effect."""
    if agreement.state is AgreementState.ENDED:
        raise Refused("agreement-ended", f"The {agreement.title} has ended.")
    until = agreement.document.valid_to
    if until is not None and until <= now:
        raise Refused(
            "agreement-not-in-force",
            f"The {agreement.title} was to end on {until:%Y-%m-%d}; its time is over.",
            field="valid_to",
        )


def check_listed(agreement: Agreement, country: str) -> None:
    """Raises Refused `country-not-agreed` unless an item lists the country."""
    if country not in [one.code for one in agreement.countries]:
        raise Refused(
            "country-not-agreed", f"{country} is not in the {agreement.title}.", field="country"
        )


def gates_passed(agreement: Agreement, country: str) -> dict[str, GatePassed]:
    """What was shown for the country so far, gate by gate."""
    return {
        passed.gate: passed
        for one in agreement.countries
        if one.code == country
        for passed in one.gates
    }


def check_gate(agreement: Agreement, country: str, gate: str, evidence: str) -> None:
    """Whether this may be put on record for the gate."""
    if gate not in agreement.document.gates:
        raise Refused(
            "gate-unknown",
            f"The {agreement.title} has no gate {gate}; it has "
            f"{', '.join(agreement.document.gates) or 'none'}.",
            field="gate",
        )
    passed = gates_passed(agreement, country).get(gate)
    if passed is not None and passed.evidence != evidence:
        raise Refused(
            "gate-passed",
            f"{passed.by} passed {gate} for {country} with other evidence: {passed.evidence}.",
            field="evidence",
        )


def check_launch(agreement: Agreement, country: str, passed: Collection[str]) -> None:
    """Raises Refused `gate-open` naming the gates for which nothing was shown."""
    missing = [gate for gate in agreement.document.gates if gate not in passed]
    if missing:
        raise Refused(
            "gate-open",
            f"{country} cannot be launched under the {agreement.title}: nothing was shown yet "
            f"for {', '.join(missing)}.",
            field="country",
        )


def check_all_signed(agreement: Agreement) -> None:
    """Raises Refused `agreement-unsigned` naming who has not signed."""
    if agreement.unsigned:
        raise Refused(
            "agreement-unsigned",
            f"The {agreement.title} is not signed by {', '.join(agreement.unsigned)} yet; "
            "a country is launched once all have signed.",
        )


def is_known(notice: AgreementMoved, moves: Sequence[AgreementMoved]) -> bool:
    """Whether the move is on record; refuses another move of the same party and moment."""
    signed = notice.signature
    for move in moves:
        if (move.signature.party, move.signature.at) == (signed.party, signed.at):
            if move == notice:
                return True
            raise Refused(
                "agreement-differs",
                f"{signed.party} has signed another move of {notice.agreement.id} for the same "
                "moment.",
                field="signature.at",
            )
    return False
