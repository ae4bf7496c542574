"""What keeps a browser's session safe: headers on every answer, and whose requests are taken.

Changes are taken only from the portal's own pages: by Fetch Metadata where the browser sends it
(W3C Fetch Metadata Request Headers), else by Origin (RFC 6454). Nothing on a page may come from
elsewhere or be evaluated from text (CSP Level 3, without any `unsafe-`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPORTS = "/csp-report"
REPORT_MAX = 16_384

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
YEAR_S = 31_536_000


def policy(tiles_from: str = "") -> str:
    """What a page may load, and from where. tiles_from: the one other origin, of maps' tiles."""
    tiles = f" {tiles_from}" if tiles_from else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob:{tiles}; "
        f"font-src 'self'; connect-src 'self'{tiles}; worker-src 'self'; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS}"
    )


class Guard:
    """Puts the headers on every answer, and turns away changes that other sites ask for.

    address: the portal's own, `https://host`; a request that names another host is still taken
    when its Origin is that host, since a proxy may call the portal by another name. tiles_from:
    see `policy`.
    """

    def __init__(self, app: ASGIApp, *, address: str, tiles_from: str = "") -> None:
        self._app = app
        self._address = address
        self._always = {"Content-Security-Policy": policy(tiles_from), **ALWAYS}
        if address.startswith("https:"):
            self._always["Strict-Transport-Security"] = f"max-age={YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if scope["path"] == REPORTS and scope["method"] == "POST":
            await self._noted(scope, receive, sending)
        elif scope["method"] in SAFE or self.is_ours(headers):
            await self._app(scope, receive, sending)
        else:
            refused = PlainTextResponse(
                "This change was asked for by another site and was not made. Open the page in "
                "the portal and try again.",
                status_code=403,
            )
            await refused(scope, receive, sending)

    def is_ours(self, headers: Headers) -> bool:
        """Whether a changing request comes from a page of the portal's own."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = headers.get("origin", "")
        return origin == self._address or (
            bool(origin) and urlsplit(origin).netloc == headers.get("host")
        )

    async def _noted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A browser tells of something that the policy stopped: a fault of a page, or an attack."""
        text = b""
        more = True
        while more and len(text) <= REPORT_MAX:
            message = await receive()
            text += message.get("body", b"")
            more = message.get("more_body", False)
        log.warning("the content security policy stopped something", extra={"report": str(text)})
        await PlainTextResponse("", status_code=204)(scope, receive, send)
