"""What may be traded under the agreements between two parties, and why not."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.papers import AgreementItem
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.agreement.model import (
    Agreement,
    AgreementState,
    ShareTerms,
    TradeTerms,
)

NEARNESS = (
    "agreement-ended",
    "agreement-not-in-force",
    "agreement-unsigned",
    "agreement-run-off",
    "agreement-suspended",
    "offer-not-agreed",
    "country-not-agreed",
    "country-not-launched",
)
"""Reasons for a refusal, from the farthest to the nearest to a yes."""


def version_at(versions: Sequence[Agreement], at: Instant) -> Agreement:
    """The version that counts at that moment; if none does, the one that comes nearest to it."""
    in_force = [one for one in versions if one.in_force is not None and one.in_force.holds(at)]
    signed = [one for one in versions if one.state is not AgreementState.DRAFT]
    return (in_force or signed or versions)[-1]


def terms(
    agreements: Sequence[Sequence[Agreement]],
    *,
    seller: PartyId,
    buyer: PartyId,
    offer: OfferCode,
    country: str | None,
    at: Instant,
    ordering: bool,
) -> TradeTerms:
    """The terms of the agreement that allows the trade, the one that came into force last.

    agreements: each with its versions in order. When none allows it, refuses with the reason
    of the one that comes nearest.
    """
    found: list[tuple[Instant, TradeTerms]] = []
    nearest: tuple[tuple[int, int], Refused] | None = None
    for versions in agreements:
        one = version_at(versions, at)
        items = [i for i in one.document.items if (i.seller, i.buyer) == (seller, buyer)]
        if not items:
            continue
        try:
            _check_state(one, at, ordering=ordering)
            found.append((_start(one), _item_for(one, items, offer, country)))
        except Refused as refusal:
            covers = [i for i in items if offer in i.offers]
            exactly = [i for i in covers if country is None or country in i.countries]
            near = (bool(covers) + bool(exactly), NEARNESS.index(refusal.code))
            if nearest is None or near > nearest[0]:
                nearest = (near, refusal)
    if found:
        return max(found, key=lambda pair: (pair[0], pair[1].ref.id))[1]
    if nearest is not None:
        raise nearest[1]
    raise Refused(
        "agreement-missing",
        f"No agreement lets {seller} sell to {buyer}. Draft one and have all parties sign it.",
        field="offer",
    )


def items_in_force(
    agreements: Sequence[Sequence[Agreement]], *, seller: PartyId, buyer: PartyId, at: Instant
) -> Sequence[TradeTerms]:
    """What may be ordered now, item by item; an item with no launched country is left out."""
    found = []
    for versions in agreements:
        one = version_at(versions, at)
        if one.state is AgreementState.LIVE and one.in_force and one.in_force.holds(at):
            between = [i for i in one.document.items if (i.seller, i.buyer) == (seller, buyer)]
            found += [TradeTerms(one.ref, item, _launched(one, item)) for item in between]
    return [one for one in found if one.countries]


def shares_in_force(
    agreements: Sequence[Sequence[Agreement]], *, operator: PartyId, period: Period
) -> Sequence[ShareTerms]:
    """The operator's shares for a period: of each agreement, those of the version that was
    last in force in it.
    """
    found = []
    for versions in agreements:
        met = [one for one in versions if one.in_force is not None and one.in_force.meets(period)]
        for one in met[-1:]:
            shares = [share for share in one.document.shares if share.operator == operator]
            found += [ShareTerms(one.ref, share) for share in shares]
    return found


def _start(one: Agreement) -> Instant:
    return one.document.valid_from if one.in_force is None else one.in_force.start


def _launched(one: Agreement, item: AgreementItem) -> tuple[str, ...]:
    return tuple(country for country in item.countries if country in one.launched)


def _check_state(one: Agreement, at: Instant, *, ordering: bool) -> None:
    """Is this version in force at that moment and open for what is asked?"""
    if one.state is AgreementState.ENDED:
        raise Refused("agreement-ended", f"The {one.title} has ended.")
    if one.state is AgreementState.DRAFT:
        raise Refused(
            "agreement-unsigned",
            f"The {one.title} is not signed by {', '.join(one.unsigned)} yet; it counts once "
            "all parties have signed it.",
        )
    if one.in_force is None or not one.in_force.holds(at):
        start, end = _start(one), None if one.in_force is None else one.in_force.end
        until = f" until {end:%Y-%m-%d %H:%M}" if end else ""
        raise Refused(
            "agreement-not-in-force",
            f"The {one.title} is in force from {start:%Y-%m-%d %H:%M}{until} UTC, "
            f"not at {at:%Y-%m-%d %H:%M}.",
        )
    if ordering and one.state is AgreementState.SUSPENDED:
        raise Refused(
            "agreement-suspended",
            f"The {one.title} is suspended: what is held goes on, and nothing new can be "
            f"ordered until {one.lead} resumes it.",
        )
    if ordering and one.state is AgreementState.RUN_OFF:
        raise Refused(
            "agreement-run-off",
            f"The {one.title} is running off: what is held goes on, and nothing new can be "
            "ordered.",
        )


def _item_for(
    one: Agreement, items: Sequence[AgreementItem], offer: OfferCode, country: str | None
) -> TradeTerms:
    """The item that has this offer in this country, launched; items: those of the two."""
    covers = [item for item in items if offer in item.offers]
    if not covers:
        raise Refused(
            "offer-not-agreed",
            f"{offer} is not among the offers that {items[0].seller} sells to "
            f"{items[0].buyer} under the {one.title}.",
            field="offer",
        )
    listed = [item for item in covers if country is None or country in item.countries]
    if not listed:
        agreed = ", ".join(sorted({each for item in covers for each in item.countries}))
        raise Refused(
            "country-not-agreed",
            f"{offer} in {country} is not in the {one.title}; agreed for it: {agreed}.",
            field="country",
        )
    for item in listed:
        countries = _launched(one, item)
        if countries and (country is None or country in countries):
            return TradeTerms(one.ref, item, countries)
    where = "any of its countries" if country is None else country
    raise Refused(
        "country-not-launched",
        f"{offer} in {where} is in the {one.title} but not launched; {one.lead} launches a "
        "country when all its gates are passed.",
        field="country",
    )
