"""`make screenshots`: pictures of the main pages for the documents, from a demonstration's nodes.

Plays the scenario bt-mtn with its network simulated, signs in at both portals and takes a picture
of each page named here. Pages say on themselves what of their figures is simulated.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from hansa.entrypoints.demo import people
from hansa.entrypoints.demo.play import Play
from hansa.entrypoints.demo.show import Show
from hansa.foundation.ids import PartyId
from tests.portal.conftest import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"


@dataclass(frozen=True)
class Picture:
    """path: of a page; after ` > ` the start of the address of a link there. at: what is to
    be seen of it.
    """

    name: str
    party: str
    login: str
    path: str
    width: int = 1280
    at: str = "main"


WANTED: Sequence[Picture] = (
    Picture("overview", "mtn", "staff", "/overview"),
    Picture("quote", "mtn", "staff", "/quotes > /quotes/drf_", at="x-map"),
    Picture("order", "mtn", "staff", "/orders > /orders/"),
    Picture("service", "mtn", "karoo-retail", "/my > /my/services/"),
    Picture("customer-phone", "mtn", "karoo-retail", "/my", 390),
    Picture("statement", "bt", "staff", "/statements > /statements/"),
    Picture("agreement", "bt", "staff", "/agreements > /agreements/"),
)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="hansa-pictures-"))
    show = Show(Console(stderr=True, quiet=True))
    scenario = ROOT / "scenarios" / "bt-mtn"
    play = Play(scenario, folder / "demo", show, simulated=True, portals=True)
    try:
        play.run()
        password = people.welcome(play.stage, play.operators)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
            for one in WANTED:
                _take(browser, one, play.stage.portal(PartyId(one.party)), password)
            browser.close()
    finally:
        play.stage.clear()
        shutil.rmtree(folder, ignore_errors=True)


def _take(browser: Browser, wanted: Picture, address: str, password: str) -> None:
    size = {"width": wanted.width, "height": 860}
    context = browser.new_context(viewport=size, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.get_by_label("Name").fill(wanted.login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    first, *steps = wanted.path.split(" > ")
    page.goto(address + first)
    for step in steps:
        href = page.locator(f"main a[href^='{step}']").first.get_attribute("href")
        page.goto(f"{address}{href}")
    for part in page.locator("x-chart, x-map").all():
        part.and_(page.locator("[data-ready]")).wait_for(state="attached")
    if wanted.at != "main":
        page.locator(wanted.at).evaluate("seen => seen.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(1500)
    page.wait_for_timeout(500)  # until what moves has come to rest
    page.screenshot(path=PICTURES / f"{wanted.name}.png")
    sys.stderr.write(f"{wanted.name}: {page.url}\n")
    context.close()


if __name__ == "__main__":
    main()
