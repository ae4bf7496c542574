"""A customer sends a spreadsheet of sites, and asks what they would cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoints.desk import Desk

SITES = """id,name,country,place,speed_mbps,quantity
ho,Head office,GB,London,200,1
lab,"Laboratory, east",GB,london,,2

far,Branch,GB,Paris,100,1
"""


def bulk(shop: Desk, file: Path, key: str = "rfp-7") -> list[Any]:
    said = shop(
        "quote", "bulk", str(file), "--offer", "line", "--for", "shop", "--key", key
    ).out  # fmt: skip
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    file = tmp_path / "sites.csv"
    file.write_text(SITES, "utf-8-sig")
    return file


def test_each_site_of_a_spreadsheet_is_answered(shop: Desk, sites: Path) -> None:
    office, lab, far = bulk(shop, sites)
    assert office["line"]["terms"]["monthly"] == {"minor": 15000, "currency": "GBP"}
    assert lab["line"]["terms"]["monthly"] == {"minor": 25000, "currency": "GBP"}
    assert lab["line"]["site"]["name"] == "Laboratory, east"
    assert (far["item"], far["reason"]) == ("far", "site-outside-coverage")
    assert bulk(shop, sites) == [office, lab, far]

    order = shop.json("order", "place", office["quote"], "--for", "shop", "--key", "po-1")
    shop.work()
    assert shop.json("order", "show", order["id"])["progress"]["state"] == "completed"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("country", "land", "country"),
        ("quantity", "id", "id"),
        ("Head office", "", "row 2.name"),
        ("Head office", '=HYPERLINK("x")', "row 2.name"),
        ("200,1", "200,x", "row 2.quantity"),
        ("200,1", "200", "row 2"),
        ('"Laboratory, east"', '"Laboratory, east', "line 5"),
    ],
)
def test_a_spreadsheet_that_cannot_be_read(
    shop: Desk, sites: Path, old: str, new: str, field: str
) -> None:
    sites.write_text(SITES.replace(old, new, 1))
    line = shop.refused(
        "quote", "bulk", str(sites), "--offer", "line", "--for", "shop", "--key", "k"
    )
    assert line.startswith("refused (sites-invalid)"), line
    assert line.endswith(f"[{field}]"), line


def test_a_spreadsheet_in_another_encoding(shop: Desk, sites: Path) -> None:
    sites.write_bytes(SITES.replace("Branch", "Fil\u00e9").encode("latin-1"))
    line = shop.refused(
        "quote", "bulk", str(sites), "--offer", "line", "--for", "shop", "--key", "k"
    )
    assert "file-unreadable" in line
