"""Real Chromium, and pages that fail a test by any error that the browser reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from hansa.entrypoints.portal.app import portal
from hansa.entrypoints.portal.front import Front
from tests.databases import Pool
from tests.entrypoints.portal.finance.calling import calling
from tests.entrypoints.portal.visitor import enter
from tests.portal.sampler import sampler
from tests.portal.serving import serving
from tests.portal.world import World, world

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--enable-unsafe-swiftshader"]
ACT_MS = 15_000
"""How long a button or link that a test presses, or what it expects, may take to be there."""

expect.set_options(timeout=ACT_MS)

VIOLATIONS = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
"""All rules; of what they find right, which is nearly everything, nothing is written out."""

Axe = Callable[[Page], Sequence[str]]
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window. One for each file: Playwright keeps an event loop in
    this thread for as long as it runs, and other tests begin loops of their own.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}; on Debian: apt-get install chromium")
    if missing := Front().missing():
        pytest.skip(f"`make front` has not fetched {', '.join(missing)}")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def expected() -> list[str]:
    """What a browser may say on its console without failing the test; put it in word for word."""
    return []


@pytest.fixture
def visit(browser: Browser, expected: list[str]) -> Iterator[Visit]:
    """Pages of fresh visitors, each with cookies of its own; options: see `Browser.new_context`.
    Errors on a console, a breach of the policy among them, and exceptions that nobody caught fail
    the test.
    """
    wrong: list[str] = []

    def told(message: ConsoleMessage) -> None:
        harmless = ["GPU stall due to ReadPixels", *expected]
        if message.type in {"error", "warning"} and not any(
            one in message.text for one in harmless
        ):
            wrong.append(f"{message.type}: {message.text}")

    contexts: list[BrowserContext] = []

    def come(**options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
        context = browser.new_context(**options)
        context.set_default_timeout(ACT_MS)
        contexts.append(context)
        context.on("console", told)
        context.on("weberror", lambda error: wrong.append(f"not caught: {error.error}"))
        return context.new_page()

    yield come
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(visit: Visit) -> Page:
    """A page of a fresh visitor."""
    return visit()


@pytest.fixture(scope="module")
def place(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A portal with something on every page, shared by the tests of one file."""
    with world(pool, tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def calls(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the portal of an operator whose customer has made calls."""
    with calling(pool, tmp_path_factory.mktemp("calls")) as node:
        enter(node, "finance", "finance")
        with serving(portal(node)) as address:
            yield address


@pytest.fixture(scope="session")
def axe() -> Axe:
    """What axe finds wrong with a page by WCAG 2.2 AA and by what it holds to be good practice.

    It comes in through the browser's own door, since the page's policy lets no other script run.
    """
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text()

    def found(page: Page) -> Sequence[str]:
        door = page.context.new_cdp_session(page)
        there = door.send("Runtime.evaluate", {"expression": "typeof axe", "returnByValue": True})
        if there["result"]["value"] == "undefined":  # once a page is enough
            door.send("Runtime.evaluate", {"expression": source})
        asked = {"expression": VIOLATIONS, "awaitPromise": True, "returnByValue": True}
        answer: Any = door.send("Runtime.evaluate", asked)
        door.detach()
        return [
            f"{broken['id']}: {node['html'][:160]} ({node.get('failureSummary', '')})"
            for broken in answer["result"]["value"]
            for node in broken["nodes"]
        ]

    return found


@pytest.fixture(scope="session")
def samples() -> Iterator[str]:
    """The address of pages with every element and made-up data."""
    with serving(sampler()) as address:
        yield address
