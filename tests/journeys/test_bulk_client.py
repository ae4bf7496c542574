"""A customer's own system asks for hundreds of sites over HTTP and reads answers line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from hansa.federation.exchange import Exchanges
from hansa.federation.tmf import server
from hansa.federation.tmf.resources.bulk import NDJSON, PATH
from hansa.foundation.time import SetClock
from hansa.lifecycle.quote.rules import PART
from tests.alliance import LINE, SHOP, Alliance, chain
from tests.databases import Pool
from tests.federation.tmf.door import Believing
from tests.inside import Inside
from tests.standing import Standing, standing

COUNT = PART + 30


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Three operators in a row."""
    with pool.lend() as databases:
        clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
        alliance = Alliance(databases, tmp_path_factory.mktemp("bulk"), clock, b"bulk")
        chain(alliance, 3)
        with standing(alliance) as stood:
            yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


def item(number: int, country: str = "ZA") -> dict[str, Any]:
    place = {"name": f"Branch {number}", "city": f"Town {number}", "country": country}
    return {
        "id": f"site-{number}",
        "productOffering": {"id": LINE},
        "product": {
            "place": [place],
            "productCharacteristic": [{"name": "speed_mbps", "value": 100}],
        },
    }


def a_need(count: int = COUNT, **more: Any) -> dict[str, Any]:
    """Every hundredth site lies where nobody is."""
    items = [item(number, "ZA" if number % 100 else "GH") for number in range(1, count + 1)]
    return {"externalId": "rfp-7", "quoteItem": items, **more}


def post(alliance: Alliance, body: Any, caller: str = f"{SHOP}/customer") -> httpx2.Response:
    app = Exchanges([server.dialect(alliance.top.world)], Believing())
    http = Inside(app, base_url=alliance.top.settings.address)
    headers = {"content-type": "application/json", "x-caller": caller}
    return http.post(PATH, content=json.dumps(body).encode(), headers=headers)


def lines(response: httpx2.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == NDJSON
    return [json.loads(line) for line in response.content.splitlines()]


def test_a_line_for_each_site_and_one_that_ends_them(alliance: Alliance) -> None:
    *answers, end = lines(post(alliance, a_need()))
    assert end == {"hansaEnd": {"approved": COUNT - 2, "rejected": 2}}
    assert [one["id"] for one in answers] == [f"site-{n}" for n in range(1, COUNT + 1)]
    error = {
        "code": "country-not-agreed",
        "reason": "line is not to be had in GH.",
        "hansaField": "quoteItem.99.product.place",
    }
    assert answers[99] == {"id": "site-100", "state": "rejected", "error": error}
    price = answers[0]["quoteItem"]["quoteItemPrice"][1]
    assert (price["priceType"], price["price"]["dutyFreeAmount"]["unit"]) == ("recurring", "GBP")
    quotes = {one["quote"]["id"] for one in answers if one["state"] == "approved"}
    assert len(quotes) == 2
    assert lines(post(alliance, a_need())) == [*answers, end]


def test_a_supplier_falls_silent_and_the_stream_says_so(alliance: Alliance) -> None:
    bottom = next(iter(alliance.nodes))
    alliance.silent.add(bottom)
    (end,) = lines(post(alliance, a_need()))
    assert end["error"]["code"] == "partner-silent"
    assert end["error"]["status"] == "503"
    assert end["hansaEnd"] == {"approved": 0, "rejected": 0}
    alliance.silent.clear()
    assert lines(post(alliance, a_need()))[-1]["hansaEnd"]["approved"] == COUNT - 2


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (a_need(2, externalId=7), 400, "malformed", "externalId"),
        ({"quoteItem": [item(1)]}, 400, "malformed", "externalId"),
        ({"externalId": "k", "quoteItem": []}, 400, "malformed", "quoteItem"),
        ({"externalId": "k", "quoteItem": [{"id": "1"}]}, 400, "malformed",
         "quoteItem.0.productOffering"),
        ({"externalId": "k\n", "quoteItem": [item(1)]}, 422, "key-invalid", "key"),
        ({"externalId": "k", "quoteItem": [item(1), item(1)]}, 422, "item-duplicate",
         "quoteItem.0"),
        ([], 400, "malformed", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_before_anything_is_asked(
    alliance: Alliance, body: Any, status: int, code: str, field: str
) -> None:
    response = post(alliance, body)
    assert response.status_code == status, response.text
    told = response.json()
    assert (told["code"], told.get("hansaField", "")) == (code, field)


def test_another_need_under_the_same_key_is_refused(alliance: Alliance) -> None:
    lines(post(alliance, a_need(3)))
    assert post(alliance, a_need(4)).status_code == 409
