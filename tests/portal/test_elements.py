"""The portal's elements in real Chromium: for every eye, without a mouse, and without script."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.portal.conftest import Axe

pytestmark = pytest.mark.browser

PAGES = ["/", "/my", "/sign-in"]
WIDTHS = [1280, 768, 320]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_keeps_anybody_out(page: Page, axe: Axe, samples: str, path: str) -> None:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(samples + path)
        found += [f"{width}: {one}" for one in axe(page)]
    assert found == []


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_page_does_not_move_sideways(page: Page, samples: str, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(samples + path)
    assert page.locator("html").evaluate("page => page.scrollWidth") <= 320


def test_the_first_key_leads_past_the_menu(page: Page, samples: str) -> None:
    page.goto(samples)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_list_follows_what_is_typed(page: Page, samples: str) -> None:
    page.goto(samples)
    with page.expect_response("**/?q=Lumen*") as answer:
        page.get_by_label("Search").fill("Lumen")
    assert answer.value.request.headers["hx-request-type"] == "partial"
    expect(page).to_have_url(f"{samples}/?q=Lumen&state=held")
    expect(page.get_by_label("Search")).to_be_focused()


def test_turning_a_page_keeps_the_place_of_who_uses_keys(page: Page, samples: str) -> None:
    page.goto(samples)
    page.get_by_role("link", name="Next").focus()
    with page.expect_response("**/?page=3"):
        page.keyboard.press("Enter")
    expect(page.locator("#rows .table-scroll")).to_be_focused()


def test_a_question_comes_before_a_change(page: Page, samples: str) -> None:
    page.goto(samples)
    page.get_by_role("button", name="Cancel the order").click()
    question = page.get_by_role("alertdialog", name="Cancel order ord_019a?")
    expect(question.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(page).to_have_url(samples + "/")
    page.get_by_role("button", name="Cancel the order").click()
    question.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("status").filter(has_text="It is done.")).to_be_visible()


def test_a_dialog_is_opened_and_left_by_keys(page: Page, axe: Axe, samples: str) -> None:
    page.goto(samples)
    page.get_by_role("button", name="Add a note").press("Enter")
    expect(page.get_by_role("dialog", name="Add a note").get_by_label("Note")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add a note")).to_be_focused()


def test_a_form_is_sent_once(page: Page, samples: str) -> None:
    asked: list[str] = []

    def taken(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=204)  # so that the page stays, as it does while a server thinks

    page.route("**/sent", taken)
    page.goto(samples)
    for _ in range(3):
        page.get_by_role("button", name="Open the ticket").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert len(asked) == 2


def test_the_menu_of_a_narrow_page(page: Page, axe: Axe, samples: str) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(samples)
    expect(page.get_by_role("link", name="Tickets")).to_be_hidden()
    page.get_by_role("button", name="Menu").press("Enter")
    expect(page.get_by_role("link", name="Tickets")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Tickets")).to_be_hidden()


def test_what_is_live_says_so(page: Page, samples: str) -> None:
    page.goto(samples + "/my")
    expect(page.locator("#live-now")).to_have_text("Just now")
    expect(page.get_by_text("Live updates", exact=True)).to_be_visible()


def test_what_is_live_says_so_whichever_script_comes_last(page: Page, samples: str) -> None:
    def late(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.goto(samples + "/my")
    scripts = page.locator("script[src]").evaluate_all("all => all.map(one => one.src)")
    assert scripts
    for script in scripts:
        page.route(script, late)
        page.reload()
        expect(page.locator("#live-now")).to_have_text("Just now")
        expect(page.get_by_text("Live updates", exact=True)).to_be_visible()
        page.unroute(script)


def test_without_script_all_is_there(browser: Browser, samples: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 800})
    page = context.new_page()
    page.goto(samples)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Tickets")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Search").fill("Lumen")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{samples}/?q=Lumen&state=held")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_text("It is done.")).to_be_visible()
    context.close()


def test_what_people_typed_stays_text(page: Page, samples: str) -> None:
    page.goto(samples)
    expect(page.get_by_text("<b>Ubuntu</b> Health").first).to_be_visible()
    expect(page.get_by_label("What happened")).to_have_value("<script>alert(1)</script>")
