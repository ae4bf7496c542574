"""What devices are told about a site, word by word, and what is refused before."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network, ip_network
from pathlib import Path

import pytest

from hansa.drivers.connectivity import intent, ipsec, routing, shaper, tunnels, wireguard
from hansa.drivers.connectivity.intent import ClassOfService, Link, SiteVpn
from hansa.drivers.connectivity.keys import Keys
from hansa.drivers.connectivity.shaper import Shape
from hansa.foundation.errors import Refused

GOLDEN = Path(__file__).parent / "golden" / "connectivity"


def link(line: int, number: int) -> Link:
    return Link(
        number=number,
        line=line,
        wan=f"wan{line}",
        line_kbps=50_000,
        at_router=IPv4Interface((int(IPv4Address("100.64.0.2")) + 4 * number, 30)),
        at_pop=IPv4Interface((int(IPv4Address("100.64.0.1")) + 4 * number, 30)),
        inside=IPv4Network((int(IPv4Address("172.16.0.0")) + 4 * number, 30)),
        inside6=IPv6Network((int(ip_network("fd51::/32").network_address) + (number << 64), 126)),
        preference=300 - 100 * line,
        router_key=f"hld_site.{line}.router",
        network_key=f"hld_site.{line}.network",
    )


SITE = SiteVpn(
    service="hld_site",
    router="cpe-3",
    network="net-2",
    public=IPv4Address("203.0.113.2"),
    network_asn=64999,
    asn=65001,
    prefixes=(ip_network("10.50.1.0/24"), ip_network("10.60.0.0/16"), ip_network("fd50:0:1::/48")),
    addresses=("10.50.1.1/24", "10.60.0.1/16", "fd50:0:1::1/48"),
    down_kbps=50_000,
    up_kbps=50_000,
    classes=(ClassOfService("ef", 20), ClassOfService("af31", 30)),
    links=(link(1, 7), link(2, 8)),
)

END = wireguard.End(
    interface="t7r",
    port=20007,
    mark=10007,
    private="11" * 32,
    public="22" * 32,
    endpoint="203.0.113.2:20007",
    addresses=("172.16.0.30/30",),
)

IPSEC = ipsec.End(
    interface="t7r",
    other="t7n",
    number=7,
    address="100.64.0.30",
    other_address="203.0.113.2",
    inner=IPv4Address("172.24.0.30"),
    other_inner=IPv4Address("172.24.0.29"),
    secret="33" * 32,
    calls=True,
    addresses=END.addresses,
)

TEXTS = {
    "site-at-router.bird": routing.render_router(SITE),
    "network.bird": routing.render_network(
        SITE, [ip_network("10.50.0.0/24"), ip_network("0.0.0.0/0"), ip_network("::/0")]
    ),
    "site-at-network.bird": routing.render_site(SITE),
    "tunnel.uapi": wireguard.render(END),
    "tunnel.swanctl": ipsec.render(IPSEC),
    "tunnel-answering.swanctl": ipsec.render(replace(IPSEC, calls=False)),
    "charon.conf": ipsec.render_settings("/mnt/hansa/cpe-3/vici"),
    "classes.tc": shaper.render(
        "t7r", Shape(50_000, SITE.classes, tunnels.KINDS["wireguard"].overhead)
    ),
    "plain.tc": shaper.render("p7", Shape(10_000)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_devices_are_told_word_by_word(name: str) -> None:
    assert TEXTS[name] == (GOLDEN / name).read_text()


def test_a_site_without_prefixes_of_a_kind_announces_none_of_it() -> None:
    only = replace(SITE, prefixes=(ip_network("10.50.1.0/24"),))
    assert "ipv6 {\n    import keep filtered;\n    import filter {\n      if false" in (
        routing.render_site(only)
    )


def test_another_text_bears_another_mark() -> None:
    slower = replace(SITE, bfd_ms=300)
    marks = {
        line
        for vpn in (SITE, slower)
        for line in routing.render_router(vpn).splitlines()
        if "description" in line
    }
    assert len(marks) == 2


@pytest.mark.parametrize(
    ("change", "neighbours", "code", "field"),
    [
        ({"prefixes": ("10.60.0.0/16", "10.60.7.0/24")}, (), "prefix-overlaps", "prefixes"),
        ({"prefixes": ("10.60.0.0/16",)}, ("10.60.255.0/24",), "prefix-overlaps", "prefixes"),
        ({"prefixes": ("fd60::/32",)}, ("fd60:0:9::/48",), "prefix-overlaps", "prefixes"),
        ({"prefixes": ("0.0.0.0/0",)}, (), "prefix-reserved", "prefixes"),
        ({"prefixes": ("203.0.113.0/28",)}, (), "prefix-reserved", "prefixes"),
        ({"prefixes": ("100.64.0.0/16",)}, (), "prefix-reserved", "prefixes"),
        ({"prefixes": ("10.50.0.128/25",)}, (), "prefix-reserved", "prefixes"),
        ({"prefixes": ("::/0",)}, (), "prefix-reserved", "prefixes"),
        ({"up_kbps": 50_001}, (), "speed-above-line", "speed_mbps"),
        ({"down_kbps": 60_000}, (), "speed-above-line", "speed_mbps"),
        ({"classes": (ClassOfService("ef", 60), ClassOfService("af31", 31))}, (),
         "classes-too-large", "classes"),
        ({"classes": (ClassOfService("ef", 0),)}, (), "classes-too-large", "classes"),
        ({"classes": (ClassOfService("ef", 1), ClassOfService("ef", 2))}, (),
         "class-twice", "classes"),
        ({"tunnel": "carrier-pigeon"}, (), "tunnel-unknown", "tunnel"),
        ({"links": ()}, (), "lines-number", "lines"),
        ({"links": (link(1, 1), link(2, 2), link(3, 3))}, (), "lines-number", "lines"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(
    change: dict[str, object], neighbours: tuple[str, ...], code: str, field: str
) -> None:
    if "prefixes" in change:
        assert isinstance(change["prefixes"], tuple)
        change = {"prefixes": tuple(ip_network(one) for one in change["prefixes"])}
    with pytest.raises(Refused) as refused:
        intent.check(
            replace(SITE, **change),  # type: ignore[arg-type]
            [[ip_network(one)] for one in neighbours],
        )
    assert (refused.value.code, refused.value.field) == (code, field)


def test_what_can_be_is_not_refused() -> None:
    intent.check(SITE, [[ip_network("10.61.0.0/16"), ip_network("fd50:0:2::/48")]])
    intent.check(replace(SITE, links=(replace(link(1, 7), line_kbps=None),), up_kbps=10**6))


@pytest.mark.parametrize("text", ["gold:10", "ef", "ef:ten", "best-effort:5", "ef=10"])
def test_an_unknown_class_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="class-unknown"):
        intent.classes(text)


@pytest.mark.parametrize("text", ["10.60.0.1/16", "10.60.0.0/33", "everything"])
def test_a_prefix_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="prefix-invalid"):
        intent.prefixes(text)


def test_classes_and_prefixes_are_read_as_they_are_written() -> None:
    assert intent.classes("ef:20 af31:30") == SITE.classes
    assert intent.prefixes("10.60.0.0/16 fd60::/32") == (
        ip_network("10.60.0.0/16"),
        ip_network("fd60::/32"),
    )


def test_what_classes_leave_is_best_efforts_and_nothing_is_sold_twice() -> None:
    below = shaper.laid_out(Shape(10_001, SITE.classes))
    assert sum(one.kbps for one in below) == 10_001
    assert {one.ceil_kbps for one in below} == {10_001}
    assert [one.dscp for one in below] == [46, 26, None]


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    private = keys.private("hld/1.router")
    assert Keys(tmp_path / "keys").private("hld/1.router") == private
    assert keys.private("hld/2.router") != private
    assert len(bytes.fromhex(keys.public("hld/1.router"))) == 32
    assert {oct(one.stat().st_mode & 0o777) for one in (tmp_path / "keys").iterdir()} == {"0o600"}
    assert oct((tmp_path / "keys").stat().st_mode & 0o777) == "0o700"
    keys.forget("hld/1.router")
    keys.forget("hld/1.router")
    assert keys.private("hld/1.router") != private
