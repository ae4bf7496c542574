"""Where a client gets its token: RFC 6749 section 4.4, told of as RFC 8414 has it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn
from urllib.parse import parse_qsl, unquote_plus

from hansa.federation.clients.model import Grant
from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Operation
from hansa.federation.wire import render
from hansa.foundation.errors import HansaError, Refused, TryLater

ENDPOINT = "/oauth2/token"
METADATA = "/.well-known/oauth-authorization-server"
GRANT = "client_credentials"
BODY_MAX = 8192

Grants = Callable[[str, str, Collection[str] | None], Grant]
"""A token for a client's id and secret, with these scopes or with all that it may have."""

CODES: Mapping[str, tuple[int, str]] = {
    "client-refused": (401, "invalid_client"),
    "grant-unknown": (400, "unsupported_grant_type"),
    "scope-unknown": (400, "invalid_scope"),
}
"""Our reasons as RFC 6749 section 5.2 names them; all others are an `invalid_request`."""

_UNSTORED = {"cache-control": "no-store", "pragma": "no-cache"}


def dialect(*, grants: Grants, address: str, scopes: Collection[str]) -> Dialect:
    """Serves tokens, and what there is to know about them; scopes: all that can be given."""
    told = {
        "issuer": address,
        "token_endpoint": f"{address}{ENDPOINT}",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "scopes_supported": sorted(scopes),
    }

    def token(ask: Ask, _caller: Caller) -> Answer:
        """An access token for a client that knows its secret."""
        form = _form(ask)
        if form.get("grant_type") != GRANT:
            raise Refused(
                "grant-unknown" if "grant_type" in form else "malformed",
                f"The grant_type {GRANT} is expected.",
                field="grant_type",
            )
        client_id, secret = _credentials(ask, form)
        asked = form.get("scope", "").split() or None
        made = grants(client_id, secret, asked)
        body = {
            "access_token": made.token,
            "token_type": "Bearer",
            "expires_in": made.expires_in_s,
            "scope": " ".join(made.scopes),
        }
        return Answer(200, render(body), _UNSTORED)

    def metadata(_ask: Ask, _caller: Caller) -> Answer:
        """Where and how a client gets its token (RFC 8414)."""
        return Answer(200, render(told))

    return Dialect(
        "/oauth2/",
        [
            _operation("POST", ENDPOINT, token),
            _operation("GET", METADATA, metadata),
        ],
        _error,
        Answer(500, render({"error": "server_error"}), _UNSTORED),
    )


def _operation(method: str, path: str, handle: Callable[[Ask, Caller], Answer]) -> Operation:
    summary = handle.__doc__ or ""
    return Operation(method, path, handle, "OAuth 2", summary, body_max=BODY_MAX, gated=False)


def _error(error: HansaError, status: int) -> Answer:
    """RFC 6749 section 5.2; what is not about the request keeps its own status."""
    usual = "temporarily_unavailable" if isinstance(error, TryLater) else "invalid_request"
    nearer = 400 if status == 422 else status
    status, code = CODES.get(error.code, (nearer, usual))
    headers = dict(_UNSTORED)
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="hansa"'
    words = error.words.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")
    return Answer(status, render({"error": code, "error_description": words}), headers)


def _form(ask: Ask) -> Mapping[str, str]:
    """The fields of the form. Raises Refused `malformed` for one that stands there twice."""
    media_type = ask.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        _malformed("a form (application/x-www-form-urlencoded) is expected", "content-type")
    try:
        pairs = parse_qsl(ask.body.decode(), keep_blank_values=True, max_num_fields=20,
                          errors="strict")  # fmt: skip
    except ValueError:
        _malformed("the form cannot be read", "body")
    form = dict(pairs)
    if len(form) < len(pairs):
        _malformed("no field may stand in the form twice", "body")
    return {name: value for name, value in form.items() if value}


def _credentials(ask: Ask, form: Mapping[str, str]) -> tuple[str, str]:
    """Id and secret, from the one place in which they are."""
    scheme, _, text = ask.headers.get("authorization", "").partition(" ")
    if not scheme:
        if "client_id" not in form or "client_secret" not in form:
            raise Refused("client-refused", "The request bears no client_id and client_secret.")
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        _malformed("a client proves itself in one way, not in two", "client_secret")
    if scheme.lower() != "basic":
        raise Refused("client-refused", "A client proves itself by Basic, or in the form.")
    try:
        found, _, secret = b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("client-refused", "What follows Basic cannot be read.") from None
    client_id = unquote_plus(found)
    if form.get("client_id", client_id) != client_id:
        _malformed("the form names another client", "client_id")
    return client_id, unquote_plus(secret)


def _malformed(why: str, field: str) -> NoReturn:
    raise Refused("malformed", f"The request cannot be read: {why}.", field=field)
