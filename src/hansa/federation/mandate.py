"""Mandate: who asked for an order, or for its end, from its first buyer down to us, each by its own
signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.foundation.ids import BuyerKey, OfferCode, PartyId, TraceId
from hansa.foundation.time import Instant

Act = Literal["order", "cease"]
"""order: yes to a quote, for something new or a change. cease: the end of what an order brought, or
of an order under way.
"""


@dataclass(frozen=True, slots=True)
class MandateLine:
    """How many of an offer were asked for in a country; country: empty for what is for no site."""

    offer: OfferCode
    country: str
    quantity: int


@dataclass(frozen=True, slots=True)
class MandateLink:
    """One operator has ordered of the next, or has it end what was ordered.

    party: who asks. to: of whom. key: of the order. lines: what for, so far as others may read
    it: no prices, no sites. asked: the fingerprint of what for in full, with the quote's id, or of
    the order to end; the two of them can tell what it is of, nobody else can. previous: the
    fingerprint of the link before, empty for the first. public_key, kid: with which this link is
    signed. signature: over the link's fingerprint with an empty signature; base64.
    """

    party: PartyId
    to: PartyId
    key: BuyerKey
    trace: TraceId
    lines: tuple[MandateLine, ...]
    asked: str
    at: Instant
    previous: str
    public_key: str
    kid: str
    signature: str
    act: Act = "order"


@dataclass(frozen=True, slots=True)
class Mandate:
    """The links, the first buyer's first. Each signs over the one before, and so vouches for it:
    that it came from whom it names, by a key that was that party's.
    """

    links: tuple[MandateLink, ...]
