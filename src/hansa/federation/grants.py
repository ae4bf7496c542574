"""Tokens for partners of another make: OAuth 2 client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import httpx2

from hansa.federation.model import Grant
from hansa.federation.wire import parse
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import PartyId

EARLY_S = 30.0
"""A token is asked for anew so long before it ends."""

USUAL_S = 300.0
"""How long a token is used whose server does not say how long it is good."""

SECRET_MAX = 4096
ANSWER_MAX = 64 << 10
TOKEN_MAX = 16 << 10


class GrantedToken:
    """Gives the token for each request to one partner, and asks for another before it ends.

    http: any client that may reach the token's server. folder: the node's, where the secret is.
    """

    def __init__(
        self, grant: Grant, *, partner: PartyId, http: httpx2.Client, folder: Path
    ) -> None:
        self._grant = grant
        self._partner = partner
        self._http = http
        self._folder = folder
        self._lock = threading.Lock()
        self._kept = ""
        self._until_s = 0.0

    def __call__(self) -> str:
        """Raises TryLater `token-not-granted`; Refused `secret-exposed`, `secret-missing`."""
        with self._lock:
            if time.monotonic() >= self._until_s:
                began = time.monotonic()
                self._kept, good_for_s = self._ask()
                self._until_s = began + max(good_for_s - EARLY_S, good_for_s / 2)
            return self._kept

    def drop(self) -> None:
        """The token was refused: the next call asks for another."""
        with self._lock:
            self._until_s = 0.0

    def _ask(self) -> tuple[str, float]:
        secret = read_secret(self._folder, self._grant.secret_file)
        pair = f"{quote(self._grant.client_id, safe='')}:{quote(secret, safe='')}"
        try:
            response = self._http.post(
                self._grant.token_url,
                data={"grant_type": "client_credentials"},
                headers={
                    "authorization": f"Basic {b64encode(pair.encode()).decode()}",
                    "accept": "application/json",
                },
            )
        except (httpx2.HTTPError, OSError):
            raise self._not_granted("it does not answer") from None
        if response.status_code != 200:
            raise self._not_granted(f"it answers HTTP {response.status_code}")
        if len(response.content) > ANSWER_MAX:
            raise self._not_granted("its answer is too long")
        try:
            return _token(parse(response.content))
        except (Refused, ValueError):
            raise self._not_granted("its answer holds no bearer token") from None

    def _not_granted(self, why: str) -> TryLater:
        return TryLater(
            "token-not-granted",
            f"The server that gives tokens for {self._partner} gave none: {why}. Check its "
            "address and the client's id with `hansa partner show`, and the secret.",
        )


def _token(told: Json) -> tuple[str, float]:
    """The token of an answer and for how long it is good, in seconds; raises ValueError."""
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_MAX or not token.isascii():
        raise ValueError
    if not token.isprintable() or str(told.get("token_type", "bearer")).lower() != "bearer":
        raise ValueError
    try:
        return token, float(told.get("expires_in", USUAL_S))
    except TypeError:
        raise ValueError from None


def read_secret(folder: Path, name: str) -> str:
    """A client's secret, from a file in the node's folder that only its owner may read.

    Raises Refused `secret-missing`, `secret-exposed`.
    """
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        mode = path.stat().st_mode
        secret = path.read_text("utf-8").strip()
    except (OSError, ValueError):
        inside, mode, secret = False, 0, ""
    if not inside or not 0 < len(secret) <= SECRET_MAX:
        raise Refused(
            "secret-missing",
            f"There is no secret in {path}: put it there, in the node's own folder, in a file of "
            f"one line (for instance: install -m 600 FILE {folder}/secrets/).",
            field="secret_file",
        )
    if mode & 0o077:
        raise Refused(
            "secret-exposed",
            f"{path} can be read by others than its owner. Make it private (chmod 600) and, if "
            "others could have read it, have the partner give another.",
            field="secret_file",
        )
    return secret
