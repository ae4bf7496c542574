"""A notice on its way: one POST to a callback, believed only as far as its status."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2

from hansa.federation.hub.model import Post, Subscription
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.party import Actor

Allowed = Callable[[Actor, str], None]
"""Raises Refused for an address to which this actor may not have notices sent."""


def well_formed(callback: str, *, plain: bool) -> None:
    """Raises Refused `callback-refused` for what is no address to send notices to.

    plain: http is taken beside https.
    """
    schemes = ("https", "http") if plain else ("https",)
    try:
        parts = urlsplit(callback)
        sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or parts.fragment or not callback.isascii():
        raise Refused(
            "callback-refused",
            f"A callback is an address of {' or '.join(schemes)}, without a name or password.",
            field="callback",
        )


class Sender:
    """Sends notices; a Deliver. allowed: asked each time, since a callback's rights may end."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(10.0, connect=3.0),
            limits=httpx2.Limits(max_connections=16, max_keepalive_connections=16),
            follow_redirects=False,
            trust_env=False,
        )

    def __call__(self, subscription: Subscription, post: Post) -> None:
        self._allowed(subscription.owner, post.url)
        headers = {"content-type": "application/json", "accept": "application/json"}
        try:
            with self._http.stream(
                "POST", post.url, content=post.body, headers=headers
            ) as response:
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError):
            raise _silent(post.url) from None
        if status == 410:
            raise Refused("callback-gone", f"{post.url} says that nobody listens there any more.")
        if not 200 <= status < 300:
            raise _silent(post.url)

    def close(self) -> None:
        self._http.close()


def _silent(url: str) -> TryLater:
    return TryLater("callback-silent", f"{url} has not taken a notice; it is sent again later.")
