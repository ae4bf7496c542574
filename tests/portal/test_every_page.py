"""Every page of the portal as each role finds it: by its links, for every eye, on a telephone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import APIResponse, Error, Page, Response

from hansa.entrypoints.portal.app import AREAS
from hansa.entrypoints.portal.ask import Page as Declared
from hansa.foundation.people.model import StaffRole
from tests.portal.conftest import Axe
from tests.portal.world import ROLES, World, sign_in

pytestmark = pytest.mark.browser

DECLARED: list[Declared] = [page for area in AREAS for page in area if page.method == "GET"]
PART = "is a part of a page, fetched by it"
ELSEWHERE = {
    "/": "leads on",
    "/brand.css": "is no page",
    "/brand/logo": "is no page",
    "/inventory/{seller}/{id}/condition": PART,
    "/my/services/{id}/glance": PART,
    "/my/services/{id}/usage": PART,
    "/quotes/{id}/map.json": PART,
    "/sign-in/provider": "leads to the provider",
    "/sign-in/returned": "comes from the provider",
    "/statements/{id}/lines/{number}/calls": "is the page of an invoice's line, for a partner's",
}
"""What is not reached by a link, and why."""


@dataclass
class Walk:
    """What one role has seen. pages: their declared paths; wrong: what was wrong with them."""

    pages: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


SEEN: dict[StaffRole, Walk] = {}
CALLS = Walk()


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_a_role(page: Page, axe: Axe, place: World, role: StaffRole) -> None:
    walk = Walk()
    page.goto(f"{place.address}/sign-in")
    if not SEEN:
        look(page, axe, page.url, walk.wrong, again=False)
        page.set_viewport_size({"width": 1280, "height": 900})
    walk.pages.add("/sign-in")
    sign_in(page, str(role))
    others = list(SEEN.values())
    SEEN[role] = walk
    ahead = [page.url]
    if role is StaffRole.ADMIN:
        ahead.append(place.park(str(role)))
    while ahead:
        address = ahead.pop(0)
        declared = declared_for(address)
        if declared is None or declared in walk.pages:
            continue
        walk.pages.add(declared)
        if not shown(page, address, walk.wrong):
            continue
        look(page, axe, address, walk.wrong, again=any(declared in one.pages for one in others))
        ahead += links(page, place.address)
    assert not walk.wrong, "\n".join(walk.wrong)


def test_the_calls_behind_a_line(page: Page, axe: Axe, calls: str) -> None:
    """At an operator whose customer has made some; what leads there was seen above."""
    walk, before = Walk(), {path for one in SEEN.values() for path in one.pages}
    page.goto(f"{calls}/sign-in?next=/invoices")
    sign_in(page, "finance")
    line = "/invoices/{id}/lines/{number}"
    for way in ("/invoices/{id}", line, f"{line}/calls", "/events"):
        address = next(one for one in reversed(links(page, calls)) if declared_for(one) == way)
        assert shown(page, address, walk.wrong)
        if way not in before:
            look(page, axe, address, walk.wrong, again=False)
            walk.pages.add(way)
    CALLS.pages |= walk.pages
    assert not walk.wrong, "\n".join(walk.wrong)


def test_every_page_was_seen() -> None:
    """A page that no link leads to for any role is lost, or has its reason above."""
    if len(SEEN) < len(ROLES) or not CALLS.pages:
        pytest.skip("the walks of all roles, and to the calls, come before this")
    seen = {path for walk in (*SEEN.values(), CALLS) for path in walk.pages}
    lost = {page.path for page in DECLARED} - seen - set(ELSEWHERE)
    assert not lost, "\n".join(sorted(lost))


def declared_for(address: str) -> str | None:
    """The declared path of an address; what has no braces is nearer."""
    path = urlsplit(address).path
    fitting = [one.path for one in DECLARED if pattern(one.path).fullmatch(path)]
    return min(fitting, key=lambda one: one.count("{"), default=None)


def pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def links(page: Page, address: str) -> list[str]:
    found = page.locator("a[href]").evaluate_all("all => all.map(one => one.href)")
    return [urljoin(address, one) for one in found if one.startswith(f"{address}/")]


def shown(page: Page, address: str, wrong: list[str]) -> bool:
    """Opens a page; of what is no page it is asked alone whether it comes."""
    try:
        answer: Response | APIResponse | None = page.goto(address)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        answer = page.request.get(address)
    assert answer is not None
    if answer.status != 200:
        wrong.append(f"{address}: {answer.status} {said(answer.text())}")
    return "text/html" in answer.headers.get("content-type", "")


def said(text: str) -> str:
    """What an answer that is wrong says of it."""
    return " ".join(re.sub(r"<[^>]*>", " ", text.partition("<main")[2]).split())[:300]


def look(page: Page, axe: Axe, address: str, wrong: list[str], *, again: bool) -> None:
    """again: another role has seen the same page already, so once more is enough, as it comes."""
    for width in (1280,) if again else (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for part in page.locator("x-chart, x-map").all():
            part.and_(page.locator("[data-ready]")).wait_for(state="attached", timeout=30_000)
        wrong += [f"{address} at {width}: {one}" for one in axe(page)]
    wide = page.locator("html").evaluate("page => page.scrollWidth")
    if not again and wide > 320:
        reaching = page.locator("body *").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().right > 320"
            " && !one.closest('.table-scroll'))"
            ".map(one => one.outerHTML.slice(0, 100)).slice(0, 4)"
        )
        wrong.append(f"{address} is {wide} wide on a telephone: {reaching}")
