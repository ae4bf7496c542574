"""Real Chromium, and pages that fail a test by any error that the browser reports."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from hansa.entrypoints.portal.front import Front
from tests.portal.sampler import sampler

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--enable-unsafe-swiftshader"]
UP_S = 10.0

Axe = Callable[[Page], Sequence[str]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}; on Debian: apt-get install chromium")
    if missing := Front().missing():
        pytest.skip(f"`make front` has not fetched {', '.join(missing)}")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh visitor. Errors on its console, a breach of the policy among them, and
    exceptions that nobody caught fail the test.
    """
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")

    def told(message: ConsoleMessage) -> None:
        if (
            message.type in {"error", "warning"}
            and "GPU stall due to ReadPixels" not in message.text
        ):
            wrong.append(f"{message.type}: {message.text}")

    context.on("console", told)
    context.on("weberror", lambda error: wrong.append(f"not caught: {error.error}"))
    yield context.new_page()
    context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def axe() -> Axe:
    """What axe finds wrong with a page by WCAG 2.2 AA and by what it holds to be good practice.

    It comes in through the browser's own door, since the page's policy lets no other script run.
    """
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text()

    def found(page: Page) -> Sequence[str]:
        door = page.context.new_cdp_session(page)
        door.send("Runtime.evaluate", {"expression": source})
        asked = {"expression": "axe.run()", "awaitPromise": True, "returnByValue": True}
        answer: Any = door.send("Runtime.evaluate", asked)
        door.detach()
        return [
            f"{broken['id']}: {node['html'][:160]} ({node.get('failureSummary', '')})"
            for broken in answer["result"]["value"]["violations"]
            for node in broken["nodes"]
        ]

    return found


@pytest.fixture(scope="session")
def samples() -> Iterator[str]:
    """The address of pages with every element and made-up data."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(sampler(), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        until = time.monotonic() + UP_S
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until, "the samples are not served"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = server.force_exit = True
        thread.join(UP_S)
