"""Who our partners are: the card by which a node introduces itself, and the entry it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.federation.papers import Signature
from hansa.foundation.party import Party
from hansa.foundation.time import Instant

Dialect = Literal["tmf", "sonata"]
"""How a partner is spoken to: TM Forum Open APIs v4, or MEF LSO Sonata."""

CARD_VERSION = 1
"""The version of the card's format; a card of another version is not read."""


@dataclass(frozen=True, slots=True)
class Card:
    """What one operator hands to another so that their nodes may trade.

    address: where its node answers, `https://host:port`. public_key: Ed25519, 32 octets in
    base64. signature: made with that key over the fingerprint of the card with an empty
    signature value, so that nobody can change a card on its way. Whether the key is the
    operator's at all is for the two operators to confirm, by telephone for instance.
    """

    version: int
    party: Party
    address: str
    public_key: str
    dialect: Dialect
    signature: Signature


@dataclass(frozen=True, slots=True)
class Partner:
    """Another node with which this one trades."""

    party: Party
    address: str
    public_key: str
    dialect: Dialect
    joined_at: Instant
