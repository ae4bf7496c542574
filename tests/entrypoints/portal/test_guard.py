"""What other sites cannot do, and what no page may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hansa.foundation.errors import Refused
from hansa.foundation.people.actions import persons
from hansa.foundation.people.model import PortalSettings
from hansa.node import Node, load_settings
from tests.entrypoints.portal.visitor import PASSWORD, Visitor, enter


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://portal.test"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_change_that_another_site_asks_for_is_not_made(
    node: Node, visitor: Visitor, headers: dict[str, str]
) -> None:
    enter(node, "ada", "admin")
    form = {"login": "ada", "password": PASSWORD}
    refused = visitor.send("/sign-in", form, headers=headers, follow=False)
    assert refused.status == 403
    assert "set-cookie" not in refused.answer.headers


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://portal.test"}]
)
def test_our_own_pages_may(node: Node, visitor: Visitor, headers: dict[str, str]) -> None:
    enter(node, "ada", "admin")
    form = {"login": "ada", "password": PASSWORD}
    assert visitor.send("/sign-in", form, headers=headers, follow=False).status == 303


@pytest.mark.parametrize("path", ["/sign-in", "/people", "/nowhere", "/brand.css", "/static/x"])
def test_every_answer_says_what_may_be_loaded(visitor: Visitor, path: str) -> None:
    headers = visitor.open(path, follow=False).answer.headers
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"


def test_pages_of_people_are_kept_by_no_cache(admin: Visitor) -> None:
    assert admin.open("/people").answer.headers["cache-control"] == "no-store"


def test_what_is_too_large_is_not_read(node: Node, admin: Visitor) -> None:
    too_large = b"x" * (9 << 20)
    shown = admin.send("/people/new", files={"file": ("big.csv", too_large, "text/csv")})
    assert shown.status == 422
    assert "larger than 8 MB" in shown.text


def test_an_address_without_a_page_says_so(visitor: Visitor, admin: Visitor) -> None:
    assert admin.open("/nowhere").status == 404
    assert admin.open("/nowhere").heading == "There is nothing here"
    assert visitor.open("/sign-in?next=/people").status == 200


def test_what_the_policy_stopped_is_told(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    told = visitor.client.post("/csp-report", content=b'{"csp-report": {}}')
    assert told.status_code == 204
    assert "policy stopped" in caplog.text


def test_a_fault_of_ours_shows_nothing_of_the_inside(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the name of a table")

    monkeypatch.setattr(persons, "people", broken)
    shown = admin.open("/people")
    assert shown.status == 500
    assert shown.heading == "Something went wrong here"
    assert "table" not in shown.text
    assert "the name of a table" in caplog.text


def test_maps_may_load_tiles_from_the_one_host_that_the_settings_name(node: Node) -> None:
    def policy() -> dict[str, str]:
        said = Visitor(node).open("/sign-in").answer.headers["content-security-policy"]
        return {part.split()[0]: part for part in said.split("; ")}

    before = policy()
    portal = replace(
        node.settings.portal, map_tiles="https://tiles.example:8443/world/{z}/{x}/{y}.png?key=1"
    )
    node.settings = replace(node.settings, portal=portal)
    after = policy()
    assert {name for name in after if after[name] != before[name]} == {"img-src", "connect-src"}
    for name in ("img-src", "connect-src"):
        assert after[name] == f"{before[name]} https://tiles.example:8443"


@pytest.mark.parametrize(
    ("tiles", "origin"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", "https://tiles.example"),
        ("https://tiles.example/t?z={z}&x={x}&y={y}", "https://tiles.example"),
        ("/tiles/{z}/{x}/{y}.png", ""),
        ("http://127.0.0.1:8080/{z}/{x}/{y}", "http://127.0.0.1:8080"),
        ("http://localhost/{z}/{x}/{y}", "http://localhost"),
        ("http://[::1]:8080/{z}/{x}/{y}", "http://[::1]:8080"),
        ("", ""),
    ],
)
def test_tiles_have_an_address(tiles: str, origin: str) -> None:
    assert PortalSettings(map_tiles=tiles).tiles_from == origin


@pytest.mark.parametrize(
    "tiles",
    [
        "http://tiles.example/{z}/{x}/{y}.png",
        "http://127.0.0.1.evil.example/{z}/{x}/{y}.png",
        "//tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example/world.png",
        "https://tiles.example/{z}/{x}/{y}/{y}.png",
        "https://tiles.example/{z}/{x}/{y}/{s}.png",
        "https://{z}.example/{x}/{y}.png",
        "https://tiles.example; script-src */{z}/{x}/{y}.png",
        "https://tiles.example 'unsafe-inline'/{z}/{x}/{y}.png",
        "https://*/{z}/{x}/{y}.png",
        "https://ada:secret@tiles.example/{z}/{x}/{y}.png",
        "javascript:{z}{x}{y}",
        "data:,{z}{x}{y}",
        "https://tiles.example/{z}/{x}/{y}.png\n",
    ],
)
def test_what_is_no_address_of_tiles_is_refused(tiles: str) -> None:
    with pytest.raises(ValueError, match="map_tiles"):
        PortalSettings(map_tiles=tiles)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('map_tiles = "http://tiles.example/{z}/{x}/{y}.png"', "map_tiles"),
        ('time_zone = "Mars/Base"', "tz database"),
        ("port = 70000", "no port"),
        ("idle_min = 0", "at least 1"),
        ('colour = "#123456"', "portal.colour"),
        ('proxies = ["my proxy"]', "my proxy"),
        ('proxies = ["*"]', "'*'"),
    ],
)
def test_settings_that_cannot_be_are_refused_when_the_node_starts(
    tmp_path: Path, setting: str, words: str
) -> None:
    party = '[party]\nid = "acme"\nname = "ACME"\ncountry = "GB"\ncurrency = "GBP"\n'
    (tmp_path / "node.toml").write_text(f"{party}[http]\nport = 1\n[portal]\n{setting}\n")
    with pytest.raises(Refused) as refused:
        load_settings(tmp_path)
    assert refused.value.code == "settings-invalid"
    assert words in refused.value.words


def test_an_address_that_no_database_could_keep_leads_nowhere(admin: Visitor) -> None:
    assert admin.open("/people/%00").status == 404
    assert admin.open("/audit?who=%00").status == 404
