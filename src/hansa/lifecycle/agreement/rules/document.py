"""What makes the text of an agreement, or the terms of a customer, fit to be kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import combinations

from hansa.federation.papers import (
    AgreementDocument,
    AgreementItem,
    AgreementMoved,
    Deduction,
    NettingTerms,
    RevenueShare,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.money import Money, minor_digits
from hansa.foundation.party import Party, party_id
from hansa.foundation.time import Instant

TEXT_MAX = 200
"""Characters in any name, gate or piece of evidence."""

VERSION_MAX = 9_999

ANSWER_H_MAX = 24 * 30

CREDIT_MAX = 10**15
"""Minor units; the most that one amount of the books may be."""

WHOLE_BP = 10_000
"""All of it, in hundredths of a percent."""

_COUNTRY = re.compile(r"[A-Z]{2}")


def check_document(document: AgreementDocument) -> None:
    """Raises Refused `agreement-invalid` (or a more exact code) naming the first bad field."""
    check_text(document.id, "id")
    check_text(document.name, "name")
    if not 1 <= document.version <= VERSION_MAX:
        raise Refused(
            "agreement-invalid", f"Versions count from 1 to {VERSION_MAX}.", field="version"
        )
    _check_validity(document)
    _check_parties(document)
    parties = {one.party for one in document.parties}
    if not document.items:
        raise Refused("agreement-invalid", "An agreement has at least one item.", field="items")
    for position, item in enumerate(document.items):
        _check_item(item, parties, f"items.{position}")
    _check_items_together(document.items)
    for position, share in enumerate(document.shares):
        _check_share(share, parties, document.items, f"shares.{position}")
    _check_shares_together(document.shares)
    _check_list(document.gates, "gates", may_be_empty=True)
    if document.netting is not None:
        _check_netting(document.netting, parties)


def _check_netting(terms: NettingTerms, parties: Collection[PartyId]) -> None:
    if terms.centre not in parties:
        raise Refused(
            "agreement-invalid",
            f"{terms.centre} is no party of the agreement.",
            field="netting.centre",
        )
    if not 1 <= terms.answer_h <= ANSWER_H_MAX:
        raise Refused(
            "agreement-invalid",
            f"Parties have 1 to {ANSWER_H_MAX} hours for an answer.",
            field="netting.answer_h",
        )
    if len({one.country for one in terms.countries}) < len(terms.countries):
        raise Refused("agreement-invalid", "A country is named twice.", field="netting.countries")
    for position, one in enumerate(terms.countries):
        check_country(one.country, f"netting.countries.{position}.country")
        check_text(one.source, f"netting.countries.{position}.source")


def check_text(text: str, field: str) -> None:
    """Raises Refused `agreement-invalid` unless it is 1 to 200 printable characters."""
    if not text.strip() or len(text) > TEXT_MAX or not text.isprintable():
        raise Refused(
            "agreement-invalid",
            f"{field} must have 1 to {TEXT_MAX} printable characters.",
            field=field,
        )


def check_country(code: str, field: str) -> None:
    """Raises Refused `country-code` unless it has the shape of ISO 3166-1 alpha-2."""
    if not _COUNTRY.fullmatch(code):
        raise Refused(
            "country-code",
            f"{code!r} is no country code; write two capital letters, e.g. ZA (ISO 3166-1).",
            field=field,
        )


def check_currency(currency: str, field: str) -> None:
    """Raises Refused `currency-unknown` unless ISO 4217 lists it as money of account."""
    try:
        minor_digits(currency)
    except Refused as refusal:
        raise Refused("currency-unknown", refusal.words, field=field) from None


def check_party(party: PartyId, field: str) -> None:
    """Raises Refused `party-name` unless it is a short name as parties have."""
    try:
        party_id(party)
    except Refused as refusal:
        raise Refused("party-name", refusal.words, field=field) from None


def check_customer(party: Party, price_list: str, credit_limit: Money | None) -> None:
    """The same for an end customer and its terms."""
    check_party(party.id, "party.id")
    check_text(party.name, "party.name")
    check_country(party.country, "party.country")
    check_currency(party.currency, "party.currency")
    check_text(price_list, "price_list")
    if party.tax_id:
        check_text(party.tax_id, "party.tax_id")
    _check_credit(credit_limit, party.currency, "credit_limit")


def check_move(notice: AgreementMoved) -> None:
    """What a move says besides its act, as far as it can be seen without the agreement."""
    check_utc(notice.signature.at, "signature.at")
    if notice.act != "launch" and (notice.country or notice.evidence):
        raise Refused(
            "agreement-invalid",
            f"To {notice.act} is about the whole agreement, not about one country.",
            field="country",
        )
    for gate, evidence in notice.evidence.items():
        check_text(gate, "evidence")
        check_text(evidence, f"evidence.{gate}")


def check_successor(document: AgreementDocument, before: AgreementDocument) -> None:
    """Versions of one agreement have the same parties and the same lead."""
    lead, parties = _lead(document), {one.party for one in document.parties}
    if lead != _lead(before) or parties != {one.party for one in before.parties}:
        raise Refused(
            "agreement-parties",
            f"All versions of {document.id} have the same parties and the same lead. Whoever "
            "joins or leaves does so by a new agreement.",
            field="parties",
        )


def _lead(document: AgreementDocument) -> PartyId | None:
    return next((one.party for one in document.parties if one.role == "lead"), None)


def check_utc(instant: Instant, field: str) -> None:
    """Raises Refused `agreement-invalid` for a time without a zone, or of another one."""
    if instant.utcoffset() != timedelta(0):
        raise Refused("agreement-invalid", f"{field} must be a time in UTC.", field=field)


def _check_validity(document: AgreementDocument) -> None:
    check_utc(document.valid_from, "valid_from")
    if document.valid_to is not None:
        check_utc(document.valid_to, "valid_to")
    if document.valid_to is not None and document.valid_to <= document.valid_from:
        raise Refused("agreement-invalid", "valid_to must come after valid_from.", field="valid_to")


def _check_parties(document: AgreementDocument) -> None:
    for position, one in enumerate(document.parties):
        check_party(one.party, f"parties.{position}.party")
    names = [one.party for one in document.parties]
    leads = [one for one in document.parties if one.role == "lead"]
    if len(names) < 2 or len(set(names)) != len(names) or len(leads) != 1:
        raise Refused(
            "agreement-invalid",
            "An agreement has two parties or more, each named once, and exactly one of them leads.",
            field="parties",
        )


def _check_list(values: Sequence[str], field: str, *, may_be_empty: bool = False) -> None:
    for value in values:
        check_text(value, field)
    if len(set(values)) != len(values) or not (values or may_be_empty):
        raise Refused(
            "agreement-invalid",
            f"{field} must name {'each' if may_be_empty else 'at least one, and each'} only once.",
            field=field,
        )


def _check_two(one: PartyId, other: PartyId, parties: set[PartyId], field: str, as_: str) -> None:
    """Two different parties of the agreement; as_: what they are to each other."""
    for party in (one, other):
        if party not in parties:
            raise Refused(
                "agreement-invalid", f"{party} is not a party of this agreement.", field=field
            )
    if one == other:
        raise Refused("agreement-invalid", f"{one} cannot be {as_} itself.", field=field)


def _check_item(item: AgreementItem, parties: set[PartyId], field: str) -> None:
    _check_two(item.seller, item.buyer, parties, f"{field}.buyer", "a buyer from")
    _check_list(item.offers, f"{field}.offers")
    _check_list(item.countries, f"{field}.countries")
    for country in item.countries:
        check_country(country, f"{field}.countries")
    check_text(item.price_list, f"{field}.price_list")
    check_currency(item.currency, f"{field}.currency")
    _check_credit(item.credit_limit, item.currency, f"{field}.credit_limit")


def _check_credit(limit: Money | None, currency: str, field: str) -> None:
    if limit is not None and not (0 <= limit.minor <= CREDIT_MAX and limit.currency == currency):
        raise Refused(
            "agreement-invalid",
            f"{field} must be from zero to {CREDIT_MAX} minor units of {currency}; leave it out "
            "for no limit.",
            field=field,
        )


def _check_items_together(items: Sequence[AgreementItem]) -> None:
    for (_, one), (position, other) in combinations(enumerate(items), 2):
        if (one.seller, one.buyer) != (other.seller, other.buyer):
            continue
        if set(one.offers) & set(other.offers) and set(one.countries) & set(other.countries):
            raise Refused(
                "agreement-invalid",
                f"{one.seller} sells the same offer in the same country to {one.buyer} twice.",
                field=f"items.{position}",
            )
        if one.currency == other.currency and one.credit_limit != other.credit_limit:
            raise Refused(
                "agreement-invalid",
                f"{one.buyer} has one credit limit with {one.seller} in {one.currency}; "
                "write the same in all items.",
                field=f"items.{position}.credit_limit",
            )


def _check_share(
    share: RevenueShare, parties: set[PartyId], items: Sequence[AgreementItem], field: str
) -> None:
    _check_two(
        share.operator, share.beneficiary, parties, f"{field}.beneficiary", "a beneficiary of"
    )
    _check_list(share.offers, f"{field}.offers")
    check_currency(share.currency, f"{field}.currency")
    check_text(share.fx_source, f"{field}.fx_source")
    if not 1 <= share.share_bp <= WHOLE_BP:
        raise Refused(
            "share-size",
            f"A share is 1 to {WHOLE_BP} hundredths of a percent, not {share.share_bp}.",
            field=f"{field}.share_bp",
        )
    sold = {offer for item in items if item.seller == share.operator for offer in item.offers}
    for offer in share.offers:
        if offer not in sold:
            raise Refused(
                "agreement-invalid",
                f"{share.operator} does not sell {offer} under this agreement.",
                field=f"{field}.offers",
            )
    _check_waterfall(share, items, f"{field}.waterfall")


def _check_waterfall(share: RevenueShare, items: Sequence[AgreementItem], field: str) -> None:
    steps = share.waterfall or ()
    if len({one.kind for one in steps}) < len(steps):
        raise Refused("agreement-invalid", "Each kind of deduction has one step.", field=field)
    currencies = {
        item.currency
        for item in items
        if item.seller == share.operator and set(item.offers) & set(share.offers)
    }
    for place, one in enumerate(steps):
        _check_deduction(one, currencies, f"{field}.{place}")


def _check_deduction(one: Deduction, currencies: set[str], field: str) -> None:
    """currencies: those in which the offers are sold."""
    said = (one.part_bp is not None) + (one.amount is not None)
    if said != (one.kind != "credits"):
        raise Refused(
            "agreement-invalid",
            "Credits are what the credit notes say: give neither a part nor an amount."
            if one.kind == "credits"
            else f"Give either a part or an amount of {one.kind} to take off.",
            field=field,
        )
    if one.part_bp is not None and not 0 <= one.part_bp <= WHOLE_BP:
        raise Refused(
            "share-size",
            f"A deduction is 0 to {WHOLE_BP} hundredths of a percent, not {one.part_bp}.",
            field=f"{field}.part_bp",
        )
    if one.amount is None:
        return
    if not 0 <= one.amount.minor <= CREDIT_MAX or currencies != {one.amount.currency}:
        raise Refused(
            "agreement-invalid",
            f"An amount to take off is zero to {CREDIT_MAX} minor units of the one currency in "
            f"which the offers are sold; here they are in {' and '.join(sorted(currencies))}.",
            field=f"{field}.amount",
        )


def _check_shares_together(shares: Sequence[RevenueShare]) -> None:
    for (_, first), (place, other) in combinations(enumerate(shares), 2):
        alike = first.operator == other.operator and set(first.offers) & set(other.offers)
        if alike and first.waterfall != other.waterfall:
            raise Refused(
                "agreement-invalid",
                "What one offer brings is shared from one base: write the same waterfall.",
                field=f"shares.{place}.waterfall",
            )
    given: Counter[tuple[PartyId, OfferCode]] = Counter()
    for position, share in enumerate(shares):
        for offer in share.offers:
            given[share.operator, offer] += share.share_bp
            if given[share.operator, offer] > WHOLE_BP:
                raise Refused(
                    "share-size",
                    f"{share.operator} would give away more than all of what {offer} brings.",
                    field=f"shares.{position}.share_bp",
                )
