"""Partners as this node reaches them: one client each, kept alive, made anew when keys change."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2

from hansa.federation import directory
from hansa.federation.courier import Bearer, Courier, Trust
from hansa.federation.exchange import Gate
from hansa.federation.grants import GrantedToken
from hansa.federation.keys import certificates
from hansa.federation.keys.ring import KeyRing, SigningKey
from hansa.federation.listener import Distant
from hansa.federation.model import Partner
from hansa.federation.renewal import Renewing
from hansa.federation.sonata.client import SonataPartner
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.trust.gate import FrontGate, SignedGate
from hansa.federation.trust.outgoing import Signed
from hansa.federation.trust.register import Books
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin

KEPT_ALIVE_S = 60.0
"""How long an idle connection to a partner is kept: a handshake costs more than it."""

Neighbour = TmfPartner | SonataPartner
"""A partner as its dialect has it."""

Connect = Callable[[Partner], httpx2.Client]
"""How a partner is reached; given by tests that join nodes in one process."""


class Neighbours:
    """Every partner over the wire, bound to us as the buyer and the speaker.

    nonce: gives a new one. window_s: how far from now a message may have been signed. folder: the
    node's, where secrets for partners of another make are.
    """

    def __init__(
        self,
        *,
        us: PartyId,
        keys: KeyRing,
        begin: Begin,
        clock: Clock,
        nonce: Callable[[], str],
        window_s: int,
        folder: Path,
        connect: Connect | None = None,
        sonata: SonataSettings | None = None,
    ) -> None:
        self._sonata = sonata or SonataSettings()
        self._us = us
        self._keys = keys
        self._begin = begin
        self._clock = clock
        self._register = Books(begin)
        self._nonce = nonce
        self._window_s = window_s
        self._folder = folder
        self._connect = connect or self._dial
        self._connections = ExitStack()
        self._made: dict[PartyId, tuple[object, Neighbour]] = {}

    def close(self) -> None:
        self._connections.close()

    def partner(self, party: PartyId) -> Neighbour:
        """That partner. Raises NotFound `partner-unknown`, TryLater `partner-revoked`."""
        return self._reach(self._find(party))

    def listener(self, party: PartyId) -> Distant:
        """That partner, to be told something."""
        partner = self._find(party)
        return Renewing(
            party,
            self._reach(partner),
            lambda: self._reach(replace(partner, heard=None)),
            ready=self._keys.is_known(partner.heard, self._clock.now()),
        )

    def _find(self, party: PartyId) -> Partner:
        with self._begin() as tx:
            return directory.trusted(tx, party=party)

    def _reach(self, partner: Partner) -> Neighbour:
        party, now = partner.party.id, self._clock.now()
        pins = tuple(directory.certificates_of(partner, now))
        ours = self._ours(partner, now)
        reached_by = (partner.address, partner.dialect, partner.grant, partner.heard, pins, ours)
        kept = self._made.get(party)
        if kept is None or kept[0] != reached_by:
            http = self._connect(partner)
            self._connections.callback(http.close)
            courier = Courier(
                partner=party,
                address=partner.address,
                http=http,
                trust=self._trust(partner, http),
            )
            kept = self._made[party] = reached_by, self._speaking(partner, courier)
        return kept[1]

    def _speaking(self, partner: Partner, courier: Courier) -> Neighbour:
        """In its own dialect; a node of ours is told in TMF what Sonata has no word for."""
        tmf = TmfPartner(us=self._us, courier=courier)
        if partner.dialect == "tmf":
            return tmf
        return SonataPartner(
            us=self._us,
            courier=courier,
            settings=self._sonata,
            clock=self._clock,
            node=tmf if partner.trust == "hansa" else None,
        )

    def _trust(self, partner: Partner, http: httpx2.Client) -> Trust:
        """How we and this partner prove ourselves to each other."""
        party = partner.party.id
        if partner.grant is not None:
            token = GrantedToken(partner.grant, partner=party, http=http, folder=self._folder)
            return Bearer(token, token.drop)
        if partner.trust == "none":
            return Bearer(lambda: "")
        return Signed(
            us=self._us,
            partner=party,
            address=partner.address,
            key=lambda now: self._keys.known(partner.heard, now),
            register=self._register,
            nonce=self._nonce,
            clock=self._clock,
            window_s=self._window_s,
        )

    def gate(self, *, address: str, bearer: Gate) -> Gate:
        """Lets partners in by their signatures, anyone else by a token. address: of this node."""
        signed = SignedGate(
            us=self._us,
            address=address,
            register=self._register,
            key=self._keys.known,
            clock=self._clock,
            window_s=self._window_s,
        )
        return FrontGate(signed=signed, bearer=bearer)

    def key(self, party: PartyId, now: Instant) -> SigningKey:
        """Our key that this partner knows, for what we sign to it now."""
        with self._begin() as tx:
            heard = directory.partner(tx, party=party).heard
        return self._keys.known(heard, now)

    def door_context(self) -> tuple[object, Callable[[], ssl.SSLContext]]:
        """What TLS connections to us are made of now, and how to make a context of it."""
        now = self._clock.now()
        with self._begin() as tx:
            trusted = directory.trusted_certificates(tx, now=now)
        pair = self._keys.certificate(now)
        return (pair, trusted), lambda: certificates.server_context(pair, trusted)

    def _ours(self, partner: Partner, now: Instant) -> certificates.Pair | None:
        """The certificate that we show this partner; None when we have none."""
        if partner.trust != "hansa" or not self._keys.generations("tls"):
            return None
        return self._keys.certificate(now, heard=partner.heard)

    def _dial(self, partner: Partner) -> httpx2.Client:
        """A client for one partner. Of one that runs a node only its own certificates are
        trusted, of any other what the public authorities vouch for.
        """
        now = self._clock.now()
        verify: ssl.SSLContext | bool = True
        if partner.trust == "hansa" and partner.address.startswith("https://"):
            verify = certificates.client_context(
                self._ours(partner, now), directory.certificates_of(partner, now)
            )
        return httpx2.Client(
            base_url=partner.address,
            timeout=httpx2.Timeout(20.0, connect=3.0),
            limits=httpx2.Limits(
                max_connections=16, max_keepalive_connections=16, keepalive_expiry=KEPT_ALIVE_S
            ),
            verify=verify,
            trust_env=False,
        )
