"""What a page's handler is given, and how handlers are declared.

A handler is a plain function from Ask to Response, run in a thread: parse, one call, render.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import quote, unquote, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hansa.entrypoints.portal import language, menu, render
from hansa.entrypoints.portal.language import gettext as _
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.party import Actor
from hansa.foundation.people.actions import audit
from hansa.foundation.people.model import Brand, Person, Session, StaffRole
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.node import Node

SAID = "hansa_said"
"""The cookie that carries what is to be said once on the next page."""
SAID_KEPT = timedelta(minutes=1)
SPOKEN = "hansa_language"
"""The cookie with the language that a browser was given by hand."""
TEXT_MAX = 200
"""So long is what is searched for at most: no name is longer."""

ANYONE: frozenset[StaffRole] | None = None
"""Roles of a page that needs no sign-in."""
STAFF = frozenset(StaffRole) - {StaffRole.CUSTOMER}
SALES = frozenset({StaffRole.SALES})
OPERATIONS = frozenset({StaffRole.OPERATIONS})
FINANCE = frozenset({StaffRole.FINANCE})
BOOKS = frozenset({StaffRole.FINANCE, StaffRole.APPROVER})
APPROVERS = frozenset({StaffRole.APPROVER})
ADMINS = frozenset({StaffRole.ADMIN})
CUSTOMERS = frozenset({StaffRole.CUSTOMER})


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a form. kind: what the browser called it; not to be believed."""

    name: str
    kind: str
    octets: bytes


@dataclass(frozen=True)
class Ask:
    """One request of one person.

    person: None only on pages for anyone. form: what was posted, and nothing on a GET; a field
    named twice counts once, the last. path: the parts of the address that the page's path names.
    refusal: why what was typed was not taken, when the page is shown again. here: the address of
    the page that is shown, without its query.
    """

    node: Node
    request: Request
    here: str
    now: Instant
    language: str
    brand: Brand
    person: Person | None = None
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    refusal: HansaError | None = None

    # --- what is asked ----------------------------------------------------------------------------

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        return self.request.path_params

    @property
    def zone(self) -> str:
        """In which times are shown, a name of the tz database."""
        return self.node.settings.portal.time_zone

    @property
    def is_part(self) -> bool:
        """Whether a script on a page asks for a piece of it."""
        return self.request.headers.get("hx-request-type") == "partial"

    @property
    def me(self) -> Person:
        """Who asks, on a page that needs a sign-in."""
        assert self.person is not None
        return self.person

    @property
    def actor(self) -> Actor:
        """The customer for which this person asks."""
        assert self.me.party is not None
        return Actor(self.me.party, "customer")

    @property
    def said(self) -> str:
        """What the page before has done, to be said once."""
        return "" if self.is_part else unquote(self.request.cookies.get(SAID, ""))

    def has(self, roles: frozenset[StaffRole]) -> bool:
        return self.person is not None and bool(self.person.roles & roles)

    def typed(self, name: str, otherwise: object = "") -> str:
        """What was typed into a field that is shown again, else its value so far."""
        return self.form.get(name, str(otherwise))

    def why(self, otherwise: str = "") -> str:
        """Why somebody does something. Raises Refused `why-missing`; otherwise: in which words."""
        why = self.typed("why").strip()
        if not why:
            words = otherwise or _("Say why; it is kept in the audit log.")
            raise Refused("why-missing", words, field="why")
        return why

    def error(self, name: str) -> str:
        """What is wrong with a field that is shown again, in words; else nothing."""
        wrong = self.refusal
        if wrong is None or wrong.field != name:
            return ""
        return language.explained(wrong.code) or wrong.words

    def sought(self, name: str = "q") -> str:
        """What the query wants found, in words; no longer than anything that it could find."""
        return self.query.get(name, "").strip()[:TEXT_MAX]

    def number(self, name: str, otherwise: int, *, least: int = 1, most: int = 10_000_000) -> int:
        """A whole number of the query; what is none, or out of bounds, is the usual one."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() and least <= int(text) <= most else otherwise

    def with_query(self, **changed: object) -> str:
        """This page's address with some of its query changed; None takes a key out."""
        kept = {**self.query, **changed}
        return "?" + urlencode({key: value for key, value in kept.items() if value is not None})

    # --- what is answered -------------------------------------------------------------------------

    def render(
        self, template: str, *, part: str | None = None, status: int = 200, **context: object
    ) -> Response:
        """A page; or its part alone, when a script asks for that."""
        chosen = part if part is not None and self.is_part else template
        wrong = self.refusal
        shown = {"ask": self, "menu": menu.of(self.person, here=self.here), **context}
        answer = HTMLResponse(
            render.page(chosen, shown),
            status_code=422 if wrong is not None and status == 200 else status,
            headers={"Vary": "HX-Request-Type, Cookie, Accept-Language"},
        )
        if self.said and chosen == template:
            answer.delete_cookie(SAID)
        return answer

    def back(self, path: str, *, said: str = "") -> Response:
        """After a change: on to a page, which says once what was done."""
        answer = RedirectResponse(path, status_code=303)
        if said:
            self.give(answer, SAID, quote(said), kept=SAID_KEPT, samesite="strict")
        return answer

    def give(
        self,
        answer: Response,
        cookie: str,
        value: str,
        *,
        kept: timedelta,
        samesite: Literal["lax", "strict"] = "lax",
        path: str = "/",
    ) -> None:
        """Has the browser bring this back for so long, to us alone, where no script can read it."""
        answer.set_cookie(
            cookie,
            value,
            max_age=int(kept.total_seconds()),
            httponly=True,
            samesite=samesite,
            secure=self.node.settings.portal.is_https,
            path=path,
        )

    def new_key(self) -> str:
        """A key for a form that changes something: however often it is sent, it is done once."""
        return self.node.ids.trace()

    # --- what is changed --------------------------------------------------------------------------

    @contextmanager
    def change(
        self, action: str, *, subject: str, why: str = "", details: object = None
    ) -> Iterator[Transaction]:
        """One transaction, with the entry in the audit log that says who did this, and why."""
        with self.node.begin() as tx:
            self.log(tx, action, subject=subject, why=why, details=details)
            yield tx

    def log(
        self, tx: Transaction, action: str, *, subject: str, why: str = "", details: object = None
    ) -> None:
        """The entry in the audit log alone, where an action opens transactions of its own."""
        audit.record(
            tx,
            by=self.me,
            action=action,
            subject=subject,
            why=why,
            details=details,
            now=self.now,
        )


Handler = Callable[[Ask], Response]


@dataclass(frozen=True)
class Page:
    """A handler with its address. again: the page that is shown again when it is refused."""

    path: str
    method: Literal["GET", "POST"]
    roles: frozenset[StaffRole] | None
    handle: Handler
    again: Page | None = None

    def __call__(self, ask: Ask) -> Response:
        return self.handle(ask)

    @property
    def is_for_strangers(self) -> bool:
        """Whether it is a form that anybody may send."""
        return self.roles is None and self.method == "POST"


def page(path: str, *, roles: frozenset[StaffRole] | None) -> Callable[[Handler], Page]:
    """Declares a page that is looked at. `{name}` in the path is one part of an address."""
    return lambda handle: Page(path, "GET", roles, handle)


def change(
    path: str, *, roles: frozenset[StaffRole] | None, again: Page | None = None
) -> Callable[[Handler], Page]:
    """Declares a form's target. When it is refused, `again` is shown with what was typed."""
    return lambda handle: Page(path, "POST", roles, handle, again)


def nothing_here() -> NotFound:
    """For a page about something that is not there, or not this person's."""
    return NotFound("page-missing", _("There is nothing at this address for you."))
