"""How soon the portal's pages are there, how much they weigh, and how many one worker makes.

Plays the scenario bt-mtn on real nodes with portals (its network simulated) and asks the portal
of the operator that sells to the customer: pages a second over kept connections, page by page,
beside a peer that makes a table from memory with the same libraries and nothing else; then in
real Chromium, with an empty cache each time, when the first rows can be seen and what came over
the wire. A quote of many sites is drawn on its map, moved and zoomed, and its frames are counted.

Prints one JSON object. Example:
    .venv/bin/python bench/portal.py --seconds 5 > portal.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from rich.console import Console

from hansa.entrypoints.demo import people
from hansa.entrypoints.demo.play import Play
from hansa.entrypoints.demo.show import Show
from hansa.foundation.ids import PartyId

ROOT = Path(__file__).parents[1]
MTN = PartyId("mtn")
CONNECTIONS = 3
WARM_UP_S = 2
COLD_LOADS = 5
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--enable-unsafe-swiftshader"]
MANY = 1_000
FRAMES = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const next = now => {
    window.frames_ms.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""
PAGES_WANTED, ROWS_WANTED_MS, WIRE_WANTED_KB = 100, 600, 160
STAFF: Sequence[str] = ("/overview", "/orders", "/inventory", "/tickets", "/invoices", "/approvals")
CUSTOMER: Sequence[str] = ("/my",)


@contextmanager
def demonstration() -> Iterator[tuple[str, str]]:
    """The address of MTN's portal after a month, and the password of its people."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    play = Play(
        ROOT / "scenarios" / "bt-mtn",
        folder / "demo",
        Show(Console(stderr=True, quiet=True)),
        simulated=True,
        portals=True,
    )
    try:
        play.run()
        password = people.welcome(play.stage, play.operators)
        yield play.stage.portal(MTN), password
    finally:
        play.stage.clear()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def peer() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "peers" / "bare_page.py")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


# --- pages a second -------------------------------------------------------------------------------


def signed_in(address: str, login: str, password: str) -> Mapping[str, str]:
    """The cookies of a browser that has signed in, by name."""
    connection = HTTPConnection(urlsplit(address).netloc)
    form = urlencode({"login": login, "password": password})
    kind = "application/x-www-form-urlencoded"
    connection.request("POST", "/sign-in", form, {"Origin": address, "Content-Type": kind})
    answer = connection.getresponse()
    assert answer.status == 303, answer.read()
    cookies = SimpleCookie("; ".join(answer.headers.get_all("set-cookie", [])))
    return {name: morsel.value for name, morsel in cookies.items()}


def a_second(address: str, path: str, cookies: Mapping[str, str], seconds: float) -> float:
    """Pages a second over a few connections that stay. What is asked before is not counted: a
    process that has just begun fills in its templates for the first time, and its connections
    prepare their statements.
    """
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}

    def ask(until: float) -> int:
        connection, made = HTTPConnection(urlsplit(address).netloc), 0
        while time.perf_counter() < until:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise ValueError(f"{path} is answered with {answer.status}, not with the page")
            made += 1
        return made

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(ask, [time.perf_counter() + WARM_UP_S] * CONNECTIONS))
        began = time.perf_counter()
        made = sum(threads.map(ask, [began + seconds] * CONNECTIONS))
    return round(made / (time.perf_counter() - began), 1)


# --- in a browser ---------------------------------------------------------------------------------


def in_chromium(address: str, cookies: Mapping[str, str]) -> dict[str, Any]:
    """For each page: milliseconds until its first rows, kB on the wire, both with nothing kept."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for path in STAFF:
            taken = [_cold(browser, address, path, cookies) for _ in range(COLD_LOADS)]
            found[path] = {
                "first_rows_ms": round(statistics.median(ms for ms, _ in taken)),
                "wire_kb": round(statistics.median(kb for _, kb in taken), 1),
            }
        found["a quote of many sites"] = _many(browser, address, cookies)
        browser.close()
    return found


def _many(browser: Any, address: str, cookies: Mapping[str, str]) -> dict[str, Any]:
    """Pastes a list of many sites, has them priced, and moves over their map."""
    context = _context(browser, address, cookies)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/quotes/new?for=customer:karoo-retail&offer=global-connect")
    page.locator("[name=title]").fill("A thousand shops")
    page.get_by_role("button", name="Go on to the sites").click()
    towns = ("Johannesburg", "Cape Town", "Durban")
    rows = (
        f"Shop {at};ZA;{towns[at % 3]};{-34 + at % 37 * 0.3:.2f};{18 + at % 43 * 0.3:.2f}"
        for at in range(MANY)
    )
    page.locator("[name=pasted]").fill("name;country;place;latitude;longitude\n" + "\n".join(rows))
    began = time.perf_counter()
    page.get_by_role("button", name="Take this list").click()
    page.get_by_role("button", name="Price").first.click()
    page.get_by_role("link", name="CSV").wait_for()
    priced_s = time.perf_counter() - began
    began = time.perf_counter()
    page.reload()
    page.locator("x-map[data-ready]").wait_for(state="attached")
    drawn_s = time.perf_counter() - began
    canvas = page.locator("x-map canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.locator("html").evaluate(FRAMES)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for turn in range(6):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (120 if turn % 2 else -120), y + 40, steps=15)
        page.mouse.up()
        page.mouse.wheel(0, -300 if turn % 2 else 300)
        page.wait_for_timeout(250)
    frames = sorted(page.locator("html").evaluate("() => window.frames_ms"))
    context.close()
    return {
        "sites": MANY,
        "list_taken_and_priced_s": round(priced_s, 2),
        "map_drawn_s": round(drawn_s, 2),
        "frame_ms_median": round(statistics.median(frames), 1),
        "frame_ms_p95": round(frames[len(frames) * 95 // 100], 1),
        "frames": len(frames),
    }


def _cold(browser: Any, address: str, path: str, cookies: Mapping[str, str]) -> tuple[float, float]:
    context = _context(browser, address, cookies)
    page = context.new_page()
    door = context.new_cdp_session(page)
    door.send("Network.enable")
    octets: list[int] = []
    door.on("Network.loadingFinished", lambda event: octets.append(event["encodedDataLength"]))
    began = time.perf_counter()
    page.goto(address + path, wait_until="commit")
    page.locator("main tbody tr, main .empty-state, main .figure").first.wait_for()
    rows_ms = (time.perf_counter() - began) * 1000
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    context.close()
    return rows_ms, sum(octets) / 1000


def _context(browser: Any, address: str, cookies: Mapping[str, str]) -> Any:
    """Of a browser that has nothing of the portal but these cookies."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies(
        [{"name": name, "value": value, "url": address} for name, value in cookies.items()]
    )
    return context


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="how long each page is asked for"
    )
    seconds = parser.parse_args().seconds
    result: dict[str, Any] = {
        "bench": "portal",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "wanted": {
            "pages_per_s": PAGES_WANTED,
            "first_rows_ms": ROWS_WANTED_MS,
            "wire_kb": WIRE_WANTED_KB,
        },
    }
    with demonstration() as (address, password):
        staff = signed_in(address, "staff", password)
        with peer() as bare:
            result["peer_pages_per_s"] = a_second(bare, "/", {}, seconds)
        result["pages_per_s"] = {}
        for path in STAFF:
            sys.stderr.write(f"{path}\n")
            result["pages_per_s"][path] = a_second(address, path, staff, seconds)
        customer = signed_in(address, "karoo-retail", password)
        for path in CUSTOMER:
            result["pages_per_s"][path] = a_second(address, path, customer, seconds)
        slowest = min(result["pages_per_s"].values())
        result["slowest_over_peer"] = round(slowest / result["peer_pages_per_s"], 3)
        if Path(CHROMIUM).exists():
            result["in_chromium"] = in_chromium(address, staff)
        else:
            result["in_chromium"] = None
            sys.stderr.write(f"There is no {CHROMIUM}: nothing is measured in a browser.\n")
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
