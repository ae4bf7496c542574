"""What the daemons of a broadband line are told, word by word, and what is refused before."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from hansa.drivers.broadband import aaa, bng, device, kea, keys, meter, radius
from hansa.drivers.broadband.driver import make
from hansa.drivers.broadband.intent import Line, check, line
from hansa.drivers.broadband.records import Record
from hansa.drivers.contract import Intent
from hansa.drivers.lab.box import Lab
from hansa.foundation.errors import Refused
from hansa.foundation.site import Site

GOLDEN = Path(__file__).parent / "golden" / "broadband"
SITE = Site("jhb", "Store 1", "ZA", "Johannesburg")
HOME = Intent("hld_home", "broadband", "home", SITE, {"speed_mbps": 50})
LINE = Line("hld_home", "ZA", 50_000, 5_000, "line-1")


def golden(name: str, text: str) -> None:
    assert text == (GOLDEN / name).read_text()


def ordered(**characteristics: int | str) -> Intent:
    return replace(HOME, characteristics=characteristics)


# --- what a line is -------------------------------------------------------------------------------


def test_an_order_becomes_a_line() -> None:
    found = line(HOME)
    assert (found.user, found.country, found.down_kbps, found.up_kbps) == (
        *("hld_home", "ZA"),
        *(50_000, 5_000),
    )
    assert found.quota_octets is None
    full = line(ordered(speed_mbps=20, up_mbps=20, quota_gb=3))
    assert (full.up_kbps, full.quota_octets, full.throttled_kbps) == (20_000, 3 * 10**9, 1_000)
    assert line(ordered(speed_mbps=1)).throttled_kbps == 100, "a slow line is throttled too"
    check(full)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (replace(HOME, site=None), "site"),
        (ordered(), "characteristics.speed_mbps"),
        (ordered(speed_mbps="fast"), "characteristics.speed_mbps"),
        (ordered(speed_mbps=True), "characteristics.speed_mbps"),
        (ordered(speed_mbps=50, seats=3), "characteristics.seats"),
    ],
)
def test_an_order_that_is_no_line(wanted: Intent, field: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        line(wanted)
    assert (refused.value.code, refused.value.field) == ("line-invalid", field)
    words = make(Lab(tmp_path), tmp_path).can(wanted)
    assert words == refused.value.words
    assert words.endswith(".")


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        (replace(LINE, user="x' or 1"), "line-invalid", "user"),
        (replace(LINE, user="a,b"), "line-invalid", "user"),
        (replace(LINE, user="%{sql:x}"), "line-invalid", "user"),
        (replace(LINE, user="a" * 129), "line-invalid", "user"),
        (replace(LINE, country="za"), "line-invalid", "country"),
        (replace(LINE, secret="../etc/shadow"), "line-invalid", "secret"),
        (replace(LINE, down_kbps=1_000_001), "speed-beyond-access", "down_kbps"),
        (replace(LINE, up_kbps=0), "speed-beyond-access", "up_kbps"),
        (replace(LINE, quota_octets=0), "line-invalid", "quota_octets"),
        (replace(LINE, throttled_kbps=50_001), "line-invalid", "throttled_kbps"),
        (replace(LINE, throttled_kbps=1), "line-invalid", "throttled_kbps"),
        (replace(LINE, interim_s=59), "line-invalid", "interim_s"),
    ],
)
def test_a_line_that_cannot_be(wanted: Line, code: str, field: str, tmp_path: Path) -> None:
    check(LINE)
    with pytest.raises(Refused) as refused:
        check(wanted)
    assert (refused.value.code, refused.value.field) == (code, field)
    with pytest.raises(Refused):  # nothing is touched: there is no lab
        make(Lab(tmp_path), tmp_path).put(wanted, now=datetime(2026, 11, 2, tzinfo=UTC))


# --- what daemons and the kernel are told ---------------------------------------------------------


def test_what_freeradius_is_told() -> None:
    text = aaa.render(folder="/lab/radius", sql="/lab/sql", records="/lab/r.csv", secret="s3cret")
    golden("radiusd.conf", text)
    assert "@" not in text


def test_what_kea_is_told() -> None:
    told = {"pool": "100.97.0.0/16", "folder": "/lab", "hooks": "/hooks"}
    golden(
        "kea.json",
        kea.render(
            [
                kea.Served(1, "100.97.0.10", "100.97.128.1"),
                kea.Served(2, "100.97.0.11", "100.97.128.2"),
            ],
            **told,
        ),
    )
    golden("kea-empty.json", kea.render([], **told))


def test_what_the_kernel_is_told() -> None:
    golden("gateway.nft", bng.render())
    golden("passes.nft", device.opening(10, "100.97.0.19"))
    golden("stopped.nft", device.closing(10, "100.97.0.19"))
    golden("shaped.tc", device.shaping(10, down_bps=50_000_000, up_bps=512_000))
    golden("sorted.tc", device.sorting(10, "100.97.0.19"))
    golden("gone.tc", device.unsorting(10) + device.unshaping(10))


def test_what_the_kernel_says_is_read() -> None:
    classes = (
        "class htb 1:1 root leaf 8003: prio 0 rate 50Mbit ceil 50Mbit burst 16Kb cburst 16Kb \n"
        "class htb 1:a root leaf 8004: prio 0 rate 512Kbit ceil 512Kbit burst 16Kb cburst 16Kb \n"
        "class htb 1:b root leaf 8005: prio 0 rate 1Gbit ceil 1Gbit burst 16Kb cburst 16Kb \n"
    )
    filters = "filter protocol ip pref 1 u32 ... flowid 1:1 \nfilter ... flowid 1:a not_in_hw \n"
    table = """{"nftables": [
        {"set": {"name": "passing", "elem": [{"concat": ["l10", "100.97.0.19"]}]}},
        {"counter": {"name": "l10-up", "bytes": 7}}, {"counter": {"name": "l10-down", "bytes": 9}}
    ]}"""
    said = {"down": classes, "sorted down": filters, "up": "", "sorted up": "", "table": table}
    found = device.read(said)
    assert found.down == {1: 50_000_000, 10: 512_000}, "a class without packets shapes nothing"
    assert (found.up, found.passing, found.carried) == ({}, {10: "100.97.0.19"}, {10: (7, 9)})
    assert device.read(dict.fromkeys(said, "")).passing == {}


# --- RADIUS -----------------------------------------------------------------------------------


def test_a_password_is_hidden_as_in_the_rfc() -> None:
    """RFC 2865 section 7.1: nemo logs in to host 192.168.1.16."""
    packet = bytes.fromhex(
        "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee"
        "0406c0a801100506000000 03".replace(" ", "")
    )
    told = radius.hidden(b"arctangent", b"xyzzy5461", packet[4:20])
    assert told == packet[28:44]
    answer = bytes.fromhex("0200002686fe220e7624ba2a1005f6bf9b55e0b2" + "060600000001") + (
        bytes.fromhex("0f0600000000" + "0e06c0a80103")
    )
    assert radius.read(answer, b"xyzzy5461", asked=packet).code == radius.ACCESS_ACCEPT
    with pytest.raises(radius.Wrong, match="secret"):
        radius.read(answer, b"guessed", asked=packet)


def test_a_request_is_read_back_by_who_has_the_secret() -> None:
    about: dict[str, radius.Value] = {
        "User-Name": "hld_home/x",
        "Framed-IP-Address": IPv4Address("100.97.0.10"),
        **radius.counted("Input", (3 << 32) + 5),
        "WISPr-Bandwidth-Max-Down": 50_000_000,
    }
    raw = radius.request(radius.ACCOUNTING_REQUEST, 7, about, b"s3cret")
    found = radius.read(raw, b"s3cret")
    assert found.attributes == about
    assert radius.octets(found.attributes, "Input") == (3 << 32) + 5
    answer = radius.reply(found, radius.ACCOUNTING_RESPONSE, {"Error-Cause": 503}, b"s3cret")
    assert radius.read(answer, b"s3cret", asked=raw).attributes == {"Error-Cause": 503}
    other = radius.request(radius.ACCOUNTING_REQUEST, 8, about, b"s3cret")
    with pytest.raises(radius.Wrong):
        radius.read(answer, b"s3cret", asked=other)


@pytest.mark.parametrize("at", range(0, 60, 3))
def test_octets_that_are_no_packet_of_ours(at: int) -> None:
    raw = radius.request(radius.COA_REQUEST, 1, {"User-Name": "a" * 40}, b"s3cret")
    for broken in (raw[:at], raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]):
        with pytest.raises(radius.Wrong):
            radius.read(broken, b"s3cret")


def test_an_attribute_that_is_cut_is_no_attribute() -> None:
    good = radius.request(radius.COA_REQUEST, 1, {}, b"s3cret")
    assert radius.read(good, b"s3cret").attributes == {}
    with pytest.raises(radius.Wrong, match="too long"):
        radius.request(radius.COA_REQUEST, 1, {"User-Name": "a" * 254}, b"s3cret")


# --- use, and secrets -----------------------------------------------------------------------------


def record(after_s: int, session: str, status: str, up: int, down: int) -> Record:
    start = datetime(2026, 11, 2, 8, tzinfo=UTC)
    return Record(start + timedelta(seconds=after_s), session, status, up, down)


def test_what_a_line_carried_is_told_slot_by_slot() -> None:
    records = [
        record(0, "s1", "Start", 0, 0),
        record(60, "s1", "Interim-Update", 1, 10),
        record(600, "s1", "Interim-Update", 3, 30),
        record(600, "s1", "Interim-Update", 2, 25),  # held up on its way
        record(601, "s1", "Stop", 4, 40),
        record(700, "s2", "Start", 0, 0),
        record(2 * 86_400, "s2", "Interim-Update", 0, 5),
    ]
    wanted = [date(2026, 11, day) for day in range(1, 30)]
    found = list(meter.days(records, wanted))
    assert [one.day.day for one in found] == [2, 3, 4]
    told = {slot: one for slot, one in enumerate(found[0].octets_in) if one is not None}
    assert told == {96: 10, 98: 30}, "what came after a gap is not lost"
    assert [one for one in found[0].octets_out if one is not None] == [1, 3]
    assert set(found[1].octets_in) == {None}, "a day without a record was not polled"
    assert sum(one or 0 for day in found for one in day.octets_in) == 45
    assert list(meter.days([], wanted)) == []


def test_a_secret_is_its_owners_alone_and_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    made = keys.secret(folder, "line-1")
    assert keys.secret(folder, "line-1") == made
    assert keys.secret(folder, "line-2") != made
    assert len(made) >= 32
    assert stat.S_IMODE((folder / "line-1").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(one.name for one in folder.iterdir()) == ["line-1", "line-2"]
    keys.forget(folder, "line-1")
    keys.forget(folder, "line-1")
    assert keys.secret(folder, "line-1") != made
    assert made not in aaa.hashed(made, "line-1")
