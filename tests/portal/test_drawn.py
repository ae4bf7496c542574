"""Charts and maps in real Chromium: drawn from their tables, which stay for those who need them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, Position, expect

from tests.portal.conftest import ARGUMENTS, CHROMIUM, Axe

pytestmark = pytest.mark.browser

KINDS = ["line", "bar", "stacked", "heat", "chord", "graph"]
DRAWN_MS = 30_000


def drawn(page: Page, samples: str, path: str = "/drawn") -> Locator:
    """The map of a page, when all that is on the page has been drawn."""
    page.goto(samples + path)
    found = page.locator("x-map")
    expect(found).to_have_attribute("data-ready", "", timeout=DRAWN_MS)
    return found


def becomes(page: Page, changed: Callable[[], bool]) -> None:
    """Waits until it is so, as long as drawing may take."""
    until = time.monotonic() + DRAWN_MS / 1000
    while not changed():
        assert time.monotonic() < until, "nothing of what is drawn changes"
        page.wait_for_timeout(100)


def colours(canvas: Locator) -> int:
    """How many colours a canvas shows; one, or none, where nothing is drawn."""
    count = canvas.evaluate(
        """canvas => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert isinstance(count, int)
    return count


def test_each_kind_of_chart_is_drawn(page: Page, samples: str) -> None:
    page.goto(samples + "/drawn")
    for kind in KINDS:
        chart = page.locator(f"x-chart[kind={kind}][data-ready]")
        expect(chart, kind).to_be_visible(timeout=DRAWN_MS)
        assert colours(chart.locator("canvas").first) > 10, kind
        expect(chart.get_by_role("table"), kind).to_have_count(1)  # to be heard


def test_a_chart_gives_way_to_its_table(page: Page, samples: str) -> None:
    drawn(page, samples)
    chart = page.locator("x-chart[kind=line][data-ready]")
    table = chart.get_by_role("region", name="Availability by day")
    expect(table).to_have_attribute("tabindex", "-1")  # what is not seen is not reached by keys
    chart.get_by_role("button", name="Show as table").press("Enter")
    expect(chart.locator(".chart-canvas")).to_be_hidden()
    expect(table).to_have_attribute("tabindex", "0")
    expect(table.get_by_role("rowheader", name="30 Nov")).to_be_visible()
    chart.get_by_role("button", name="Show as chart").press("Enter")
    expect(chart.locator(".chart-canvas")).to_be_visible()


def test_a_chart_follows_its_table(page: Page, samples: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # or a chart moves by itself for a while
    drawn(page, samples)
    chart = page.locator("x-chart[kind=bar]")
    before = chart.locator("canvas").first.screenshot()
    chart.locator("td").first.evaluate("cell => { cell.textContent = '3' }")
    becomes(page, lambda: chart.locator("canvas").first.screenshot() != before)


def test_nothing_to_draw_leaves_the_table(page: Page, samples: str) -> None:
    drawn(page, samples)
    empty = page.locator("x-chart[label='Nothing to draw']")
    expect(empty.get_by_role("columnheader", name="Value")).to_be_visible()
    expect(empty.locator(".chart-canvas")).to_be_hidden()
    expect(empty.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 320])
def test_what_is_drawn_keeps_nobody_out(page: Page, axe: Axe, samples: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    drawn(page, samples)
    assert axe(page) == []
    assert page.locator("html").evaluate("page => page.scrollWidth") <= width


def test_a_row_leads_to_its_place_by_keys(page: Page, samples: str) -> None:
    found = drawn(page, samples)
    page.get_by_role("button", name="Show Site 4 on the map").press("Enter")
    expect(found.get_by_role("status")).to_have_text("Site 4 · Feasible")
    expect(page.locator("tr[data-place=site3]")).to_have_attribute("aria-current", "true")
    page.locator("tr[data-place=pop2]").click()
    expect(found.get_by_role("status")).to_have_text("Maputo · Point of presence")
    expect(page.locator("tr[aria-current]")).to_have_count(1)


def test_a_place_leads_to_its_row(page: Page, samples: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # or the map would fly for a second
    found = drawn(page, samples)
    page.get_by_role("button", name="Show Site 4 on the map").click()
    page.locator("tr[data-place=pop2]").evaluate("row => row.classList.add('chosen')")
    canvas = found.locator("canvas")
    box = canvas.bounding_box()
    assert box is not None
    middle: Position = {"x": box["width"] / 2, "y": box["height"] / 2}

    def chosen() -> bool:
        canvas.click(position=middle)
        return page.locator("tr.chosen").count() == 1

    becomes(page, chosen)
    expect(page.locator("tr.chosen")).to_have_attribute("data-place", "site3")


def test_a_map_is_used_by_keys(page: Page, samples: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    found = drawn(page, samples)
    canvas = found.locator("canvas")
    expect(canvas).to_have_attribute("aria-label", "Sites of the quote")
    expect(canvas).to_have_attribute("tabindex", "0")
    before = canvas.screenshot()
    found.get_by_role("button", name="Zoom in").press("Enter")
    becomes(page, lambda: canvas.screenshot() != before)
    found.get_by_role("button", name="Show all places").press("Enter")


def test_a_thousand_sites_stand_together(page: Page, axe: Axe, samples: str) -> None:
    found = drawn(page, samples, "/many")
    expect(found.locator(".map-legend")).to_contain_text(re.compile("Feasible.*Near.*Off-net"))
    assert axe(page) == []


def test_without_webgl_a_map_is_simpler(samples: str, browser: Browser) -> None:
    chromium = browser.browser_type
    with chromium.launch(
        executable_path=str(CHROMIUM), args=[*ARGUMENTS[:3], "--disable-3d-apis"]
    ) as poor:
        page = poor.new_page()
        found = drawn(page, samples)
        flat = found.get_by_role("img", name=re.compile("simpler"))
        assert colours(flat.locator("canvas").first) > 4


def test_without_script_the_table_is_the_chart(browser: Browser, samples: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(samples + "/drawn")
    expect(page.get_by_role("rowheader", name="30 Nov")).to_be_visible()
    context.close()
