"""Signing in and out, one's own sessions, language and password, and what was typed meanwhile."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from hansa.entrypoints.portal import language
from hansa.entrypoints.portal.ask import (
    ANYONE,
    CUSTOMERS,
    SPOKEN,
    STAFF,
    Ask,
    change,
    nothing_here,
    page,
)
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.provider import Provider, Returning
from hansa.entrypoints.portal.signing_in import (
    address,
    agent,
    forget,
    known,
    seen,
    signed_in,
    within,
)
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import SessionId
from hansa.foundation.people.actions import persons, sessions
from hansa.foundation.people.model import Denied, Seen

RETURNING = "hansa_returning"
"""The cookie with what the provider's answer is held against; gone when it was."""
RETURNING_KEPT = timedelta(minutes=10)
LANGUAGE_KEPT = timedelta(days=365)
EVERYBODY = STAFF | CUSTOMERS


def _onward(ask: Ask) -> str:
    """Where to go on after the sign-in: back to what was typed, else to the page wanted."""
    parked = ask.typed("parked", ask.query.get("parked", ""))
    return f"/parked/{parked}" if parked else within(ask.typed("next", ask.query.get("next", "/")))


@page("/sign-in", roles=ANYONE)
def sign_in_page(ask: Ask) -> Response:
    """By password, or by the operator's own identity provider."""
    return _door(ask)


def _door(ask: Ask, *, status: int = 200, wait: timedelta | None = None) -> Response:
    """wait: how long no password is looked at."""
    provider = ask.node.settings.portal.provider
    return ask.render(
        "account/sign_in.html",
        status=status,
        wait=wait,
        by_provider=bool(provider.issuer),
        by_password=not provider.issuer or provider.passwords_too,
        next=ask.typed("next", ask.query.get("next", "")),
        parked=ask.typed("parked", ask.query.get("parked", "")),
    )


@change("/sign-in", roles=ANYONE, again=sign_in_page)
def sign_in(ask: Ask) -> Response:
    provider = ask.node.settings.portal.provider
    if provider.issuer and not provider.passwords_too:
        raise Refused("sign-in-elsewhere", _("Sign in with your organisation's account."))
    with ask.node.begin() as tx:
        found = sessions.sign_in(
            tx,
            login=ask.typed("login"),
            password=ask.typed("password"),
            address=address(ask),
            known=known(ask),
            agent=agent(ask),
            ids=ask.node.ids,
            now=ask.now,
            lifetime=ask.node.settings.portal.lifetime,
        )
    if isinstance(found, Denied):  # outside the transaction, which keeps count of wrong tries
        if isinstance(found.error, TryLater):
            return _wait(ask, found.error)
        raise found.error
    return signed_in(ask, found, _onward(ask))


def _wait(ask: Ask, late: TryLater) -> Response:
    """The form again, with how long to wait and what to do meanwhile (RFC 6585, 4)."""
    seconds = int(late.after_s or 1)
    answer = _door(ask, status=429, wait=timedelta(seconds=seconds))
    answer.headers["Retry-After"] = str(seconds)
    return answer


@change("/sign-out", roles=EVERYBODY)
def sign_out(ask: Ask) -> Response:
    assert ask.session is not None
    with ask.node.begin() as tx:
        sessions.sign_out(tx, session=ask.session.id, now=ask.now)
    answer = ask.back("/sign-in", said=_("You are signed out."))
    forget(ask, answer)
    return answer


# --- by the operator's identity provider ----------------------------------------------------------


@page("/sign-in/provider", roles=ANYONE)
def leave_for_provider(ask: Ask) -> Response:
    """A link rather than a form: the policy lets forms go nowhere but here."""
    leaving = Provider(ask.node).leaving(_onward(ask))
    answer = RedirectResponse(leaving.url, status_code=303)
    ask.give(answer, RETURNING, leaving.returning.text(), kept=RETURNING_KEPT, path="/sign-in")
    return answer


@page("/sign-in/returned", roles=ANYONE)
def returned(ask: Ask) -> Response:
    """The provider's answer. Raises Refused `sign-in-failed` for one that we did not ask for."""
    expected = Returning.read(ask.request.cookies.get(RETURNING, ""))
    told = Provider(ask.node).told(ask.query, expected)
    with ask.node.begin() as tx:
        made = sessions.sign_in_known(
            tx,
            identity=told.identity,
            login=told.login,
            name=told.name,
            roles=told.roles,
            party=told.party,
            language=ask.language,
            agent=agent(ask),
            ids=ask.node.ids,
            now=ask.now,
            lifetime=ask.node.settings.portal.lifetime,
        )
    if isinstance(made, Denied):
        raise made.error
    answer = signed_in(ask, made, within(expected.onward))
    answer.delete_cookie(RETURNING, path="/sign-in")
    return answer


# --- what was typed when the session ended --------------------------------------------------------


@page("/parked/{id}", roles=EVERYBODY)
def parked(ask: Ask) -> Response:
    """What was typed, to be looked at and sent on, or thrown away."""
    with ask.node.begin() as tx:
        kept = sessions.parked(tx, id=ask.path["id"], person=ask.me.id, now=ask.now)
    if kept is None:
        raise nothing_here()
    return ask.render("account/parked.html", kept=kept)


# --- one's own account ----------------------------------------------------------------------------


@page("/account", roles=EVERYBODY)
def account(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        browsers = sessions.sessions(
            tx, person=ask.me.id, now=ask.now, idle=ask.node.settings.portal.idle
        )
    local = not ask.node.settings.portal.provider.issuer
    return ask.render("account/account.html", browsers=browsers, local=local)


@change("/account/password", roles=EVERYBODY, again=account)
def password(ask: Ask) -> Response:
    """A new password; every other session of the same person ends."""
    if ask.typed("new") != ask.typed("again"):
        raise Refused("password-twice", _("The two new passwords differ."), field="again")
    with ask.node.begin() as tx:
        denied = sessions.prove(tx, person=ask.me.id, password=ask.typed("old"), now=ask.now)
    if denied is not None:
        raise Refused(denied.error.code, denied.error.words, field="old")
    with ask.change("password-changed", subject=ask.me.login) as tx:
        persons.set_password(tx, person=ask.me.id, password=ask.typed("new"), now=ask.now)
    answer = ask.back("/sign-in", said=_("Your password is changed. Sign in with the new one."))
    forget(ask, answer)
    return answer


@change("/account/sessions/{id}/end", roles=EVERYBODY)
def end_session(ask: Ask) -> Response:
    id = SessionId(ask.path["id"])
    with ask.change("session-ended", subject=id) as tx:
        if id not in {one.id for one in sessions.sessions(tx, person=ask.me.id, now=ask.now)}:
            raise nothing_here()
        sessions.revoke(tx, session=id, now=ask.now)
    return ask.back("/account", said=_("That session is ended."))


@change("/language", roles=ANYONE)
def speak(ask: Ask) -> Response:
    """Another language: of the person, where one is signed in, else of the browser."""
    wanted = language.chosen([ask.typed("language")], otherwise=ask.language)
    with ask.node.begin() as tx:
        found = seen(tx, ask)
        if isinstance(found, Seen):
            persons.change(tx, person=found.person.id, language=wanted, now=ask.now)
    came_from = urlsplit(ask.request.headers.get("referer", "")).path
    answer = ask.back(within(ask.typed("next", came_from or "/")))
    ask.give(answer, SPOKEN, wanted, kept=LANGUAGE_KEPT)
    return answer


pages = [
    sign_in_page, sign_in, sign_out, leave_for_provider, returned, parked, account, password,
    end_session, speak,
]  # fmt: skip
