"""The operator's own map tiles in real Chromium: under the places, and nothing without them."""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.portal.conftest import Axe
from tests.portal.sampler import sampler
from tests.portal.serving import serving

pytestmark = pytest.mark.browser

DRAWN_MS = 30_000
TILE = (200, 0, 160)
"""A colour that is nowhere else on a map."""
FAILED = "Failed to load resource: the server responded with a status of 500"
"""What the browser itself says of a tile that did not come."""


def plain(colour: tuple[int, int, int], side: int = 256) -> bytes:
    """A PNG of one colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(colour) * side) * side
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@dataclass
class Tiles:
    """A tile server of an operator, and what was asked of it."""

    status: int = 200
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def app(self) -> Starlette:
        def tile(request: Request) -> Response:
            self.asked.append(request.url.path)
            headers = {"Access-Control-Allow-Origin": "*"}
            return Response(plain(TILE), self.status, headers, media_type="image/png")

        return Starlette(routes=[Route("/{z:int}/{x:int}/{y:int}.png", tile)])


@pytest.fixture
def tiles(request: pytest.FixtureRequest) -> Iterator[Tiles]:
    """One that answers with this status."""
    found = Tiles(status=request.param)
    with serving(found.app()) as address:
        found.address = address
        yield found


@pytest.fixture
def pages(tiles: Tiles) -> Iterator[str]:
    """The sample pages of an operator with these tiles."""
    with serving(sampler(tiles=tiles.address + "/{z}/{x}/{y}.png")) as address:
        yield address


def share(page: Page, canvas: Locator) -> float:
    """How much of a map has the colour of the tiles."""
    picture = "data:image/png;base64," + b64encode(canvas.screenshot()).decode()
    found = page.evaluate(
        """async ([src, [red, green, blue]]) => {
            const image = new Image();
            image.src = src;
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.width, image.height];
            const pen = canvas.getContext("2d");
            pen.drawImage(image, 0, 0);
            const { data } = pen.getImageData(0, 0, image.width, image.height);
            let count = 0;
            for (let at = 0; at < data.length; at += 4) {
                const off = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green)
                    + Math.abs(data[at + 2] - blue);
                if (off < 24) count += 1;
            }
            return count / (data.length / 4);
        }""",
        [picture, list(TILE)],
    )
    assert isinstance(found, (int, float))
    return float(found)


@pytest.mark.parametrize("tiles", [200], indirect=True)
def test_an_operators_tiles_lie_under_the_places(
    tiles: Tiles, pages: str, page: Page, axe: Axe
) -> None:
    page.goto(pages + "/drawn")
    found = page.locator("x-map")
    source = found.locator(".map-source")
    expect(source).to_have_text(re.compile("^Tiles by the operator · Borders"), timeout=DRAWN_MS)
    page.wait_for_timeout(500)  # tiles fade in
    assert 0.3 < share(page, found.locator("canvas")) < 0.99, "places are still to be seen"
    assert tiles.asked
    assert axe(page) == []
    page.get_by_role("button", name="Show Site 4 on the map").press("Enter")
    expect(found.get_by_role("status")).to_have_text("Site 4 · Feasible")


@pytest.mark.parametrize("tiles", [500], indirect=True)
def test_without_tiles_the_countries_stay_and_a_word_says_so(
    tiles: Tiles, pages: str, page: Page, axe: Axe, expected: list[str]
) -> None:
    expected.append(FAILED)
    page.goto(pages + "/drawn")
    found = page.locator("x-map")
    told = found.get_by_role("status").filter(has_text="cannot be loaded now")
    expect(told).to_be_visible(timeout=DRAWN_MS)
    expect(found).to_have_attribute("data-ready", "")
    assert tiles.asked
    assert share(page, found.locator("canvas")) == 0
    assert axe(page) == []
