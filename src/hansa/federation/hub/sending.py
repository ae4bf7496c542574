"""A notice on its way: one POST to a callback, believed only as far as its status."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import httpx2

from hansa.federation.callbacks.model import Place
from hansa.federation.hub.model import Post, Subscription
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.party import Actor

Find = Callable[[Actor, str], Place]
"""Where a notice for this callback goes; Refused where this actor may not have it sent."""


class Sender:
    """Sends notices; a Deliver. find: asked each time, since a callback's rights may end.

    A notice goes to the address that was looked at and to no other: no name is resolved on the
    way, no redirect followed, no connection kept for the next host at the same address.
    """

    def __init__(self, find: Find) -> None:
        self._find = find

    @cached_property
    def _http(self) -> httpx2.Client:
        """Made when it is first needed: it reads every certificate that the machine trusts."""
        return httpx2.Client(
            timeout=httpx2.Timeout(10.0, connect=3.0),
            limits=httpx2.Limits(max_connections=16, max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=False,
        )

    def __call__(self, subscription: Subscription, post: Post) -> None:
        place = self._find(subscription.owner, post.url)
        headers = {
            "host": place.authority,
            "content-type": "application/json",
            "accept": "application/json",
        }
        asked = {"sni_hostname": place.host} if place.tls else {}
        try:
            with self._http.stream(
                "POST", place.url, content=post.body, headers=headers, extensions=asked
            ) as response:
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError):
            raise _silent(post.url) from None
        if status == 410:
            raise Refused("callback-gone", f"{post.url} says that nobody listens there any more.")
        if not 200 <= status < 300:
            raise _silent(post.url)

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()


def _silent(url: str) -> TryLater:
    return TryLater("callback-silent", f"{url} has not taken a notice; it is sent again later.")
