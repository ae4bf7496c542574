"""Signing in by the operator's own identity provider.

OpenID Connect Core 1.0, authorization code flow (3.1) with PKCE (RFC 7636, S256) and a nonce; what
the provider is called at which address is in its discovery document (OpenID Connect Discovery 1.0).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hansa.entrypoints.portal.language import gettext as _
from hansa.foundation import documents
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.people.model import Identity
from hansa.foundation.time import Instant
from hansa.node import Node

SCOPE = "openid profile email"
TIMEOUT_S = 5
LEEWAY_S = 60
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
RETURN_PATH = "/sign-in/returned"


@dataclass(frozen=True, slots=True)
class Returning:
    """What the provider's answer is held against; the browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    onward: str

    def text(self) -> str:
        return urlencode(asdict(self))

    @staticmethod
    def read(text: str) -> Returning:
        """Raises Refused `sign-in-failed` when the browser kept nothing, or not in time."""
        found = {name: values[0] for name, values in parse_qs(text).items()}
        try:
            return documents.read(Returning, {"onward": "/", **found})
        except Refused:
            raise _failed(_("The sign-in took too long, or began in another browser.")) from None


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser is sent, and what it has to bring back."""

    url: str
    returning: Returning


@dataclass(frozen=True, slots=True)
class Told:
    """Who somebody is, as the provider says. party: of a customer's people."""

    identity: Identity
    login: str
    name: str
    roles: frozenset[str]
    party: PartyId | None


class Provider:
    """The identity provider of a node's settings."""

    def __init__(self, node: Node) -> None:
        self._settings = node.settings.portal.provider
        self._portal = node.settings.portal.url
        self._folder = node.folder
        self._now = node.clock.now

    def leaving(self, onward: str) -> Leaving:
        """Raises TryLater `provider-silent`; Refused `sign-in-failed` when there is none."""
        returning = Returning(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            onward=onward,
        )
        with self._client() as client:
            found = self._found(client)
            url, _state = client.create_authorization_url(
                found["authorization_endpoint"],
                state=returning.state,
                code_verifier=returning.verifier,
                nonce=returning.nonce,
            )
        return Leaving(url, returning)

    def told(self, query: Mapping[str, str], expected: Returning) -> Told:
        """Who the provider says this is. Raises Refused `sign-in-failed`, TryLater
        `provider-silent`.
        """
        if not hmac.compare_digest(query.get("state", ""), expected.state):
            raise _failed(_("This answer belongs to no sign-in of this browser."))
        if "code" not in query:
            raise _failed(query.get("error_description", query.get("error", _("No code came."))))
        try:
            with self._client() as client:
                found = self._found(client)
                token = client.fetch_token(
                    found["token_endpoint"],
                    grant_type="authorization_code",
                    code=query["code"],
                    code_verifier=expected.verifier,
                )
                keys = client.request("GET", found["jwks_uri"], withhold_token=True).json()
            claims = self._claims(token, KeySet.import_key_set(keys), expected.nonce, self._now())
        except httpx2.HTTPError as error:
            raise _silent(error) from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError) as error:
            raise _failed(_("What the provider sent does not hold: %(why)s.", why=error)) from None
        return self._told(claims)

    def _claims(self, token: Any, keys: KeySet, nonce: str, now: Instant) -> Mapping[str, Any]:
        """OpenID Connect Core 1.0, 3.1.3.7: issuer, audience, times, nonce, signature."""
        read = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        held = CodeIDToken(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": self._settings.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            params={"nonce": nonce, "client_id": self._settings.client_id}
            | {"access_token": token.get("access_token")},
        )
        held.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        claims: Mapping[str, Any] = held
        return claims

    def _told(self, claims: Mapping[str, Any]) -> Told:
        chosen = self._settings
        given: str | Sequence[str] = claims.get(chosen.roles_claim, ())
        names = [given] if isinstance(given, str) else given
        party = claims.get(chosen.party_claim)
        login = claims.get("preferred_username") or claims.get("email") or claims["sub"]
        return Told(
            identity=Identity(chosen.issuer, str(claims["sub"])),
            login=str(login),
            name=str(claims.get("name") or login),
            roles=frozenset(chosen.roles.get(name, name) for name in names),
            party=PartyId(str(party)) if party else None,
        )

    # --- the line to the provider -----------------------------------------------------------------

    def _client(self) -> OAuth2Client:
        chosen = self._settings
        if not chosen.issuer:
            raise _failed(_("This portal has no identity provider. Sign in with a password."))
        secret = None
        if chosen.secret_file:
            secret = (self._folder / chosen.secret_file).read_text("utf-8").strip()
        return OAuth2Client(
            client_id=chosen.client_id,
            client_secret=secret,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=SCOPE,
            redirect_uri=f"{self._portal}{RETURN_PATH}",
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )

    def _found(self, client: OAuth2Client) -> Mapping[str, str]:
        """The provider's addresses. Raises TryLater `provider-silent`."""
        issuer = self._settings.issuer.rstrip("/")
        try:
            answer = client.request(
                "GET", f"{issuer}/.well-known/openid-configuration", withhold_token=True
            )
            answer.raise_for_status()
            found: Mapping[str, str] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise _silent(error) from None
        if found.get("issuer") != self._settings.issuer:
            raise _failed(
                _("The provider calls itself %(name)s, not as expected.", name=found.get("issuer"))
            )
        return found


def _failed(words: str) -> HansaError:
    return Refused("sign-in-failed", f"{words} {_('Begin again at the sign-in.')}")


def _silent(error: Exception) -> HansaError:
    return TryLater(
        "provider-silent",
        _(
            "The identity provider does not answer (%(why)s). Try again in a minute.",
            why=type(error).__name__,
        ),
    )
