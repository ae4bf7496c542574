"""The portal as an ASGI application: every page with who may open it, and what goes around it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from urllib.parse import quote
from zoneinfo import ZoneInfo

from anyio import CapacityLimiter, to_thread
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive

from hansa.entrypoints import errors
from hansa.entrypoints.portal import language, render
from hansa.entrypoints.portal.ask import SPOKEN, Ask, File, Page, nothing_here
from hansa.entrypoints.portal.guard import Guard
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.live import Live, Watcher
from hansa.entrypoints.portal.pages import account, administration, home, overview
from hansa.entrypoints.portal.pages.alliance import area as alliance
from hansa.entrypoints.portal.pages.customer import area as customer
from hansa.entrypoints.portal.pages.finance import area as finance
from hansa.entrypoints.portal.pages.operations import area as operations
from hansa.entrypoints.portal.pages.sales import area as sales
from hansa.entrypoints.portal.signing_in import cookie, forget, seen
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.people.actions import sessions
from hansa.foundation.people.model import Expired, Seen
from hansa.node import Node

log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

THREADS = 12
"""How many pages one process makes at a time; no more than the node has connections."""
STRANGERS = 2
"""How many more for forms of people who have not signed in: passwords cost much to check."""
PACKED_FROM = 1_000
"""Octets from which a page is packed; no page holds a secret that its length could tell."""
FIELDS_MAX = 5_000
FILES_MAX = 4
SECRET = frozenset({"password", "old", "new", "again"})
"""Fields that are never kept while somebody signs in again."""

AREAS: Sequence[Sequence[Page]] = (
    home.pages,
    overview.pages,
    account.pages,
    administration.pages,
    sales.pages,
    finance.pages,
    alliance.pages,
    operations.pages,
    customer.pages,
)
"""Every page of every area."""

LIVE: Sequence[Live] = operations.live
"""Every part of a page that follows what it shows."""


def portal(node: Node) -> ASGIApp:
    """The node's portal. The node must be open."""
    threads, few = CapacityLimiter(THREADS), CapacityLimiter(STRANGERS)
    routes: list[BaseRoute] = [render.front().route()]
    for area in AREAS:
        routes += [
            Route(
                page.path,
                _endpoint(node, page, few if page.is_for_strangers else threads),
                methods=[page.method],
            )
            for page in area
        ]
    watcher = Watcher(node, threads)
    routes += [Route(one.path, _stream(node, one, watcher, threads)) for one in LIVE]
    served = Starlette(
        routes=routes,
        exception_handlers={HTTPException: partial(_plain, node)},
    )
    packed = GZipMiddleware(served, minimum_size=PACKED_FROM, compresslevel=4)
    settings = node.settings.portal
    return Guard(packed, address=settings.url, tiles_from=settings.tiles_from)


def _endpoint(node: Node, page: Page, threads: CapacityLimiter) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        ask = _ask(node, request)
        if page.method == "POST":
            try:
                with _speaking(ask):
                    ask = await _posted(ask)
            except Refused as refusal:
                return _wrong(ask, refusal)
        _, answer = await to_thread.run_sync(_served, page, ask, limiter=threads)
        return answer

    return endpoint


def _stream(node: Node, live: Live, watcher: Watcher, threads: CapacityLimiter) -> Endpoint:
    page = Page(live.path, "GET", live.roles, live.handle)

    async def endpoint(request: Request) -> Response:
        ask, answer = await to_thread.run_sync(_served, page, _ask(node, request), limiter=threads)
        if answer.status_code != 200:
            return answer
        if watcher.is_full:
            return Response(status_code=503)

        def make() -> str:
            with _speaking(ask):
                return _text(live.handle(replace(ask, now=node.clock.now())))

        def ended(shown: str) -> str:
            with _speaking(ask):
                return _text(ask.render("_ended.html", shown=Markup(shown)))  # noqa: S704 - ours

        return StreamingResponse(
            watcher.follow(live, ask, make, ended),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    return endpoint


def _text(answer: Response) -> str:
    return bytes(answer.body).decode()


def _ask(node: Node, request: Request) -> Ask:
    """A request of nobody yet."""
    brand = node.settings.portal.brand
    wanted = [request.cookies.get(SPOKEN, "")]
    wanted += language.accepted(request.headers.get("accept-language", ""))
    return Ask(
        node=node,
        request=request,
        here=request.url.path,
        now=node.clock.now(),
        language=language.chosen(filter(None, wanted), otherwise=brand.language),
        brand=replace(
            brand, name=brand.name or node.us.name, logo="/brand/logo" if brand.logo else ""
        ),
    )


async def _posted(ask: Ask) -> Ask:
    """With what was posted, of a bounded size. Raises Refused `upload-too-large`."""
    limit = ask.node.settings.portal.upload_max_mb << 20
    came = Request(ask.request.scope, _bounded(ask.request.receive, limit))
    try:
        form = await came.form(max_fields=FIELDS_MAX, max_files=FILES_MAX, max_part_size=limit)
    except HTTPException as error:
        raise Refused(
            "form-unreadable", _("The form cannot be read: %(why)s", why=error.detail)
        ) from None
    typed: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    files: dict[str, File] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                octets = await value.read()
                if value.filename:
                    files[name] = File(value.filename, value.content_type or "", octets)
            elif "\0" in value:  # what no database keeps
                raise Refused(
                    "form-unreadable", _("Leave out the characters of code 0."), field=name
                )
            else:
                typed[name] = value
                lists.setdefault(name, []).append(value)
    finally:
        await form.close()  # what was uploaded lies in files of the machine until then
    return replace(ask, form=typed, lists=lists, files=files)


def _bounded(receive: Receive, limit: int) -> Receive:
    """Raises Refused `upload-too-large` as soon as more has come than may be sent."""
    came = 0

    async def bounded() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > limit:
            raise Refused(
                "upload-too-large",
                _("What you sent is larger than %(max)s MB. Send it in parts.", max=limit >> 20),
                field="file",
            )
        return message

    return bounded


# --- in a thread ----------------------------------------------------------------------------------


def _served(page: Page, ask: Ask) -> tuple[Ask, Response]:
    """The answer, and the request as that of whoever is signed in."""
    with ask.node.begin() as tx:
        found = seen(tx, ask)
    if isinstance(found, Seen):
        ask = replace(ask, person=found.person, session=found.session)
        if found.person.language in language.LANGUAGES:
            ask = replace(ask, language=found.person.language)
    with _speaking(ask):
        return ask, _answered(page, ask, found)


def _answered(page: Page, ask: Ask, found: Seen | Expired | None) -> Response:
    if page.roles is not None:
        if not isinstance(found, Seen):
            return _sign_in_first(page, ask, found)
        if not ask.has(page.roles):
            return _not_for_you(ask)
    try:
        if any("\0" in text for text in (*ask.path.values(), *ask.query.values())):
            return _wrong(ask, nothing_here())  # what no database keeps
        return page(ask)
    except HansaError as error:
        return _again(page, ask, error)
    except Exception:
        log.exception("a page failed", extra={"path": ask.request.url.path})
        wrong = HansaError("unforeseen", _("The portal met something that it did not expect."))
        return _wrong(ask, wrong)


@contextmanager
def _speaking(ask: Ask) -> Iterator[None]:
    spoken = language.LANGUAGE.set(ask.language)
    zone = language.ZONE.set(ZoneInfo(ask.node.settings.portal.time_zone))
    try:
        yield
    finally:
        language.LANGUAGE.reset(spoken)
        language.ZONE.reset(zone)


def _again(page: Page, ask: Ask, error: HansaError) -> Response:
    """The form once more with what was typed; or a page of its own that says what is wrong."""
    if page.again is not None and isinstance(error, Refused):
        try:
            here = page.again.path.format(**ask.path)
            return page.again(replace(ask, here=here, refusal=error))
        except HansaError as worse:
            error = worse
    return _wrong(ask, error)


def _wrong(ask: Ask, error: HansaError) -> Response:
    status = errors.answer(error).status
    with _speaking(ask):
        return ask.render("account/wrong.html", status=status, error=error, family=error.family)


def _not_for_you(ask: Ask) -> Response:
    error = Refused("page-not-yours", _("This page is for people with another role."))
    return ask.render("account/wrong.html", status=403, error=error, family="not-yours")


def _sign_in_first(page: Page, ask: Ask, found: Expired | None) -> Response:
    """To the sign-in; what was typed into a form by somebody whose session ended is kept."""
    wanted = ask.request.url.path
    if page.method == "GET":
        query = ask.request.url.query
        wanted = f"{wanted}?{query}" if query else wanted
        target = f"/sign-in?next={quote(wanted, safe='')}"
    elif isinstance(found, Expired) and not ask.files:
        with ask.node.begin() as tx:
            fields = {name: list(said) for name, said in ask.lists.items() if name not in SECRET}
            kept = sessions.park(tx, session=found.session, path=wanted, fields=fields, now=ask.now)
        target = f"/sign-in?parked={kept}"
    else:
        target = "/sign-in"
    if ask.is_part:  # a script must not put the sign-in into a corner of the page
        return Response(status_code=401, headers={"HX-Redirect": target})
    answer = RedirectResponse(target, status_code=303)
    if cookie(ask) in ask.request.cookies:
        forget(ask, answer)
    return answer


# --- what no page answers -------------------------------------------------------------------------


def _plain(node: Node, request: Request, error: Exception) -> Response:
    """An address without a page, or a method that a page does not take."""
    assert isinstance(error, HTTPException)
    ask = _ask(node, request)
    with _speaking(ask):
        wrong = NotFound("page-missing", _("There is no page at this address."))
        return ask.render(
            "account/wrong.html", status=error.status_code, error=wrong, family=wrong.family
        )
