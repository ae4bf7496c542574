"""Somebody at a node's portal: a browser without script, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
from lxml import html

from hansa.entrypoints.portal.app import portal
from hansa.foundation.ids import PartyId
from hansa.foundation.people.actions import persons
from hansa.foundation.people.model import StaffRole
from hansa.node import Node
from tests.inside import Inside

PASSWORD = "seven wet umbrellas"
OURS = {"Sec-Fetch-Site": "same-origin"}
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass(frozen=True)
class Shown:
    """A page as it came."""

    answer: httpx2.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def tree(self) -> html.HtmlElement:
        return html.fromstring(self.answer.text)

    @property
    def text(self) -> str:
        """What can be read on it, with single spaces."""
        tree = self.tree
        for hidden in tree.xpath("//script|//style|//template"):
            hidden.drop_tree()
        return " ".join(tree.text_content().split())

    @property
    def heading(self) -> str:
        (found,) = self.tree.xpath("//h1")
        return " ".join(found.text_content().split())

    def all(self, path: str) -> Sequence[str]:
        """The words of everything that this XPath finds."""
        found = self.tree.xpath(path)
        return [
            " ".join((one if isinstance(one, str) else one.text_content()).split()) for one in found
        ]

    def rows(self, table: int = 0) -> list[list[str]]:
        """The cells of a table's body, row by row."""
        body = self.tree.xpath("//table")[table].xpath(".//tbody/tr")
        return [[" ".join(cell.text_content().split()) for cell in row] for row in body]

    def form(self, action: str) -> dict[str, str]:
        """A form as a browser would send it untouched."""
        (found,) = self.tree.xpath(f"//form[@action='{action}' and @method='post']")
        return dict(found.form_values())


class Visitor:
    """A browser with its cookies. ask: see `httpx2`; it follows no redirect by itself."""

    def __init__(self, node: Node, app: object | None = None) -> None:
        self.node = node
        self.client = Inside(app or portal(node), base_url=node.settings.portal.url)

    def open(self, path: str, *, part: bool = False, follow: bool = True, **headers: str) -> Shown:
        answer = self.client.get(
            path, headers={**(PART if part else {}), **headers}, follow_redirects=follow
        )
        return Shown(answer)

    def send(
        self,
        path: str,
        form: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        follow: bool = True,
        headers: Mapping[str, str] = OURS,
    ) -> Shown:
        """Sends a form, as a page of the portal would."""
        answer = self.client.post(
            path, data=form or {}, files=files, headers=headers, follow_redirects=follow
        )
        return Shown(answer)

    def sign_in(self, login: str, password: str = PASSWORD) -> Visitor:
        shown = self.send("/sign-in", {"login": login, "password": password}, follow=False)
        assert shown.status == 303, shown.text
        return self


def enter(
    node: Node,
    login: str,
    *roles: StaffRole | str,
    party: PartyId | None = None,
    language: str = "en",
) -> str:
    """A person who can sign in with PASSWORD; returns the login."""
    with node.begin() as tx:
        persons.enter(
            tx,
            login=login,
            name=login.title(),
            roles=frozenset(StaffRole(role) for role in roles),
            party=party,
            language=language,
            password=PASSWORD,
            ids=node.ids,
            now=node.clock.now(),
        )
    return login
