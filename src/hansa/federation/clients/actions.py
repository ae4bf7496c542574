"""What may be asked and done about clients: register, give a token, look at one, revoke.

OAuth 2.0 client credentials (RFC 6749 section 4.4) with access tokens as RFC 9068 has them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence

from hansa.federation import directory
from hansa.federation.clients import store
from hansa.federation.clients.model import LIFETIME_S, Check, Client, Grant, Mint, Registered
from hansa.federation.exchange import Caller
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import ClientId, Ids, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

LEEWAY_S = 30
TOKEN_MAX = 4096
NAME_MAX = 100

_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9.-]{1,80}:(read|write)")
_NOBODYS = "0" * 64
"""Compared with where there is no such client, so that it takes no less time."""


def register(
    tx: Transaction,
    *,
    name: str,
    actor: Actor,
    scopes: Collection[str],
    by: str,
    ids: Ids,
    now: Instant,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> Registered:
    """Makes a client that may ask for this actor; its secret is in the answer and nowhere else.

    Raises Refused `client-invalid`.
    """
    odd = sorted(scope for scope in scopes if not _SCOPE.fullmatch(scope))
    if odd or not scopes or not 1 <= len(name.strip()) <= NAME_MAX:
        raise Refused(
            "client-invalid",
            f"A client has a name of 1 to {NAME_MAX} characters and at least one scope, as "
            f"tmf622:read{f'; {odd[0]} is none' if odd else ''}.",
            field="scope" if odd or not scopes else "name",
        )
    secret = urlsafe_b64encode(entropy(32)).decode().rstrip("=")
    client = Client(ids.new(ClientId), name.strip(), actor, frozenset(scopes), now, by)
    store.insert(tx, client, _hash(secret))
    return Registered(client, secret)


def clients(tx: Transaction) -> Sequence[Client]:
    """Every client there ever was, the oldest first."""
    return store.all_clients(tx)


def revoke(tx: Transaction, *, client_id: ClientId, by: str, now: Instant) -> Client:
    """From now on the client gets no token, and none that it has is taken. Again: no change.

    Raises NotFound `client-unknown`.
    """
    store.revoke(tx, client_id, by, now)
    found = store.find(tx, client_id)
    if found is None:
        raise NotFound(
            "client-unknown", f"There is no client {client_id}; list them.", field="client"
        )
    return found[0]


def grant(
    tx: Transaction,
    *,
    us: PartyId,
    client_id: str,
    secret: str,
    scopes: Collection[str] | None,
    mint: Mint,
    now: Instant,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> Grant:
    """An access token for a client that knows its secret.

    scopes: what it asks for, None for all that it may have. Raises Refused: `client-refused`,
    `scope-unknown` for one that it may not have.
    """
    found = store.find(tx, client_id)
    kept = found[1] if found else _NOBODYS
    knows = hmac.compare_digest(kept, _hash(secret))
    revoked = found is not None and found[0].revoked_at is not None
    if found is None or not knows or revoked or not _may_come(tx, found[0].actor):
        raise Refused(
            "client-refused",
            "There is no such client with this secret, or it has been revoked. Check both, or "
            "have the operator register the client anew.",
        )
    client = found[0]
    wanted = client.scopes if scopes is None else frozenset(scopes)
    if not wanted or not wanted <= client.scopes:
        raise Refused(
            "scope-unknown",
            "The client asks for a scope that it has not been given. Have the operator register "
            "a client with it.",
            field="scope",
        )
    issued = int(now.timestamp())
    token = mint(
        {
            "iss": us,
            "aud": us,
            "sub": client.id,
            "client_id": client.id,
            "iat": issued,
            "exp": issued + LIFETIME_S,
            "jti": entropy(16).hex(),
            "scope": " ".join(sorted(wanted)),
        }
    )
    return Grant(token, tuple(sorted(wanted)), LIFETIME_S)


def caller(tx: Transaction, *, us: PartyId, token: str, check: Check, now: Instant) -> Caller:
    """For whom a token of ours asks, and what it may do. Raises Refused `token-refused`."""
    try:
        if len(token) > TOKEN_MAX:
            raise ValueError("too long")  # noqa: TRY301 - told like all others
        claims = check(token)
    except ValueError:
        raise _refused("is none that this node has given") from None
    client_id, issued, expires = (claims.get(name) for name in ("client_id", "iat", "exp"))
    if (claims.get("iss"), claims.get("aud"), claims.get("sub")) != (us, us, client_id):
        raise _refused("is not meant for asking this node")
    if type(issued) is not int or type(expires) is not int:
        raise _refused("does not say for how long it is good")
    if not issued - LEEWAY_S <= now.timestamp() < expires:
        raise _refused("is not good any more; ask for another one")
    found = store.find(tx, str(client_id))
    if found is None or found[0].revoked_at is not None:
        raise _refused("is of a client that has been revoked")
    client = found[0]
    if not _may_come(tx, client.actor):
        raise _refused("is of a partner that is not trusted any more")
    scopes = frozenset(str(claims.get("scope")).split()) & client.scopes
    return Caller(client.actor, scopes, client.id)


def _may_come(tx: Transaction, actor: Actor) -> bool:
    """Whether the party may still ask at all: a partner that was revoked may not, by any way."""
    if actor.role != "partner":
        return True
    try:
        directory.trusted(tx, party=actor.party)
    except HansaError:
        return False
    return True


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _refused(why: str) -> Refused:
    return Refused("token-refused", f"The bearer token {why}.")
