"""The cookie that a session is known by, and whom it stands for.

The cookie holds a random token and nothing else; the session is in the database, where it can be
ended. Over TLS the cookie is bound to this host and path (`__Host-`, RFC 6265bis, 4.1.3.2).
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from hansa.entrypoints.portal.ask import Ask
from hansa.foundation.people.actions import sessions
from hansa.foundation.people.model import BROWSER_KEPT, Expired, Seen, SignedIn
from hansa.foundation.transaction import Transaction

SESSION = "hansa_session"
KNOWN = "hansa_known"
"""The cookie by which a browser is known in which somebody signed in before; it lets nobody in."""


def cookie(ask: Ask, name: str = SESSION) -> str:
    return f"__Host-{name}" if ask.node.settings.portal.is_https else name


def seen(tx: Transaction, ask: Ask) -> Seen | Expired | None:
    """Whose request this is; Expired when it was somebody's until lately."""
    token = ask.request.cookies.get(cookie(ask), "")
    if not token:
        return None
    return sessions.session(tx, token=token, now=ask.now, idle=ask.node.settings.portal.idle)


def agent(ask: Ask) -> str:
    """What the browser calls itself, for the list of one's own sessions."""
    return ask.request.headers.get("user-agent", "")


def address(ask: Ask) -> str:
    """From where the request comes, as far as the proxies are believed that passed it on."""
    return ask.request.client.host if ask.request.client else ""


def known(ask: Ask) -> str:
    """What the browser was given when somebody signed in with it before."""
    return ask.request.cookies.get(cookie(ask, KNOWN), "")


def signed_in(ask: Ask, came: SignedIn, onward: str) -> Response:
    """On to a page of ours, with the cookie of a new session."""
    answer = RedirectResponse(onward, status_code=303)
    if came.known:
        ask.give(answer, cookie(ask, KNOWN), came.known, kept=BROWSER_KEPT, samesite="strict")
    ask.give(answer, cookie(ask), came.token, kept=ask.node.settings.portal.lifetime)
    return answer


def forget(ask: Ask, answer: Response) -> None:
    answer.delete_cookie(
        cookie(ask), path="/", secure=ask.node.settings.portal.is_https, httponly=True
    )


def within(path: str) -> str:
    """An address to go on to, of the portal's own and no other's; else its first page."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else "/"
