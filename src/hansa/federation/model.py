"""Who our partners are: the card by which a node introduces itself, and the entry it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hansa.foundation.party import Party
from hansa.foundation.time import Instant

Dialect = Literal["tmf", "sonata"]
"""How a partner is spoken to: TM Forum Open APIs v4, or MEF LSO Sonata."""

Trust = Literal["hansa", "oauth2", "none"]
"""How a partner and we prove ourselves to each other.

hansa: it runs a node too; both sign, and know each other's keys and certificates by their cards.
oauth2: a system of another make, to which we show a token that its own server gave us.
none: a system of another make that asks for no proof, as inside a private network.
"""

CARD_VERSION = 2
"""The version of the card's format; a card of another version is not read."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """A key with which its party signs. kid: see keys.key_id. public_key: 32 octets in base64.

    valid_to: excluded; None while nothing is to follow it.
    """

    kid: str
    public_key: str
    valid_from: Instant
    valid_to: Instant | None


@dataclass(frozen=True, slots=True)
class CardCertificate:
    """A certificate that its party shows in TLS, as a server and as a client. der: in base64."""

    sha256: str
    der: str
    valid_from: Instant
    valid_to: Instant | None


@dataclass(frozen=True, slots=True)
class Card:
    """What one operator hands to another so that their nodes may trade.

    address: where its node answers, `https://host:port`. edition: one more with each new key.
    signatures: by the id of each key on the card, over the fingerprint of the card without
    signatures; so nobody can change a card on its way, each key is shown to be had, and a key
    that a partner knows vouches for those that it does not. Whether the first of them is the
    operator's at all is for the two operators to confirm, by telephone for instance.
    """

    version: int
    party: Party
    address: str
    keys: tuple[CardKey, ...]
    certificates: tuple[CardCertificate, ...]
    dialect: Dialect
    edition: int
    signed_at: Instant
    signatures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A key that a partner has or had. revoked_at: since when this node takes it no more."""

    kid: str
    public_key: str
    valid_from: Instant
    valid_to: Instant | None = None
    revoked_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class PartnerCertificate:
    """A certificate that a partner has or had; see CardCertificate."""

    sha256: str
    der: str
    valid_from: Instant
    valid_to: Instant | None = None
    revoked_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """How we get a token for a partner: client credentials (RFC 6749, 4.4).

    secret_file: where in the node's folder the client's secret is; it is nowhere else.
    """

    token_url: str
    client_id: str
    secret_file: str


@dataclass(frozen=True, slots=True)
class Partner:
    """Another operator with which this one trades.

    keys, certificates: all it ever had, the oldest first. heard: the edition of our card that it
    is known to have, None for whatever it joined with. card_at: when the card that we have of it
    was signed. revoked_at: since when it is not trusted.
    """

    party: Party
    address: str
    dialect: Dialect
    joined_at: Instant
    trust: Trust = "hansa"
    keys: tuple[PartnerKey, ...] = ()
    certificates: tuple[PartnerCertificate, ...] = ()
    heard: int | None = None
    card_at: Instant | None = None
    revoked_at: Instant | None = None
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far whoever speaks for a party may be believed now.

    public_key: the one it says to sign with, in base64; None when that is not good. may_come:
    by the certificate that it shows. heard: see Partner.
    """

    public_key: str | None
    may_come: bool
    heard: int | None
