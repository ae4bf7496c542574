"""What real equipment is told about a site, word by word; and makes as data, checked when read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network, ip_network
from pathlib import Path

import pytest

from hansa.drivers.connectivity.intent import ClassOfService, Link, SiteVpn
from hansa.drivers.gear import netconf
from hansa.drivers.gear.looks import looks, read
from hansa.drivers.gear.make import FOLDER, known, load, makes
from hansa.drivers.gear.render import Rendered, render
from hansa.drivers.gear.written import check
from hansa.drivers.model import FAMILIES
from hansa.foundation.errors import Refused

GOLDEN = Path(__file__).parent / "golden" / "gear"


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
    classes=(ClassOfService("af31", 30), ClassOfService("ef", 20)),
    links=(link(1, 7), link(2, 8)),
    tunnel="ipsec",
)

ONE_LINE = replace(SITE, links=SITE.links[:1])
ASKED: Mapping[str, SiteVpn] = {"ios-xe": SITE, "openconfig": ONE_LINE}
ENDINGS = {"cli": "txt", "netconf": "xml"}


def told(name: str) -> Rendered:
    return render(ASKED[name], known(name))


@pytest.mark.parametrize("name", makes())
@pytest.mark.parametrize("which", ["configure", "remove"])
def test_equipment_is_told_word_by_word(name: str, which: str) -> None:
    file = GOLDEN / f"{name}-{which}.{ENDINGS[known(name).speaks]}"
    assert getattr(told(name), which) == file.read_text()


def test_what_is_told_bears_no_secret_and_says_what_it_leaves() -> None:
    assert told("ios-xe").leaves and told("openconfig").leaves
    assert "pki trustpoint hld_site.1.router" in told("ios-xe").configure
    assert "pre-shared" not in told("ios-xe").configure


def test_a_site_with_less_is_told_of_less() -> None:
    plain = replace(ONE_LINE, classes=(), prefixes=SITE.prefixes[:1], addresses=("10.50.1.1/24",))
    text = render(plain, known("openconfig")).configure
    assert "<classifiers>" not in text and "IPV6</mode>" not in text
    assert "<cir>50000000</cir>" in text


def test_two_services_have_names_of_their_own_however_long_their_ids() -> None:
    long = "hld_019a7c3e-2f6b-7e1d-9c4a-5b8f0d2e6a11"
    names = {
        line
        for service in (long, f"{long}2")
        for line in render(replace(SITE, service=service), known("ios-xe")).configure.splitlines()
        if line.startswith("policy-map") and not line.endswith("classes")
    }
    assert len(names) == 2 and max(map(len, names)) <= len("policy-map ") + 40 - len("-classes")


@pytest.mark.parametrize(
    ("make", "change", "code", "field"),
    [
        ("ios-xe", {"tunnel": "wireguard"}, "gear-cannot", "tunnel"),
        ("openconfig", {"links": SITE.links}, "gear-cannot", "lines"),
        ("ios-xe", {"bfd_ms": 20}, "gear-cannot", "bfd_ms"),
        ("ios-xe", {"up_kbps": 1_000_001}, "gear-cannot", "speed_mbps"),
        ("ios-xe", {"service": "a\nno router bgp 1"}, "gear-name", "service"),
        ("ios-xe", {"network": "<x/>"}, "gear-name", "network"),
        (
            "ios-xe",
            {"links": (replace(SITE.links[0], router_key="a b"),)},
            "gear-name",
            "links.router_key",
        ),
    ],
)
def test_what_a_make_cannot_do_is_refused(
    make: str, change: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        render(replace(SITE, **change), known(make))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == (code, field)


def test_what_a_make_cannot_do_is_said_with_its_name() -> None:
    few = known("openconfig")
    few = replace(few, limits=replace(few.limits, classes_max=1))
    with pytest.raises(Refused, match="make openconfig cannot do 2 classes of service, 1 at most"):
        render(ONE_LINE, few)


# --- a site as somebody wrote it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"asn": 0}, "gear-intent", "asn"),
        ({"network_asn": 2**32}, "gear-intent", "network_asn"),
        ({"up_kbps": 0}, "gear-intent", "up_kbps"),
        ({"hold_s": 2}, "gear-intent", "hold_s"),
        ({"addresses": ("10.60.0.1",)}, "gear-intent", "addresses.0"),
        ({"addresses": ("10.60.0.1/24", "x/24")}, "gear-intent", "addresses.1"),
        ({"classes": (ClassOfService("gold", 5),)}, "gear-intent", "classes.0.name"),
        ({"links": (replace(link(1, 7), number=0),)}, "gear-intent", "links.0.number"),
        (
            {"links": (replace(link(1, 7), inside=IPv4Network("172.16.0.0/31")),)},
            "gear-intent",
            "links.0.inside",
        ),
        (
            {"links": (replace(link(1, 7), inside6=IPv6Network("fd51::/127")),)},
            "gear-intent",
            "links.0.inside6",
        ),
        (
            {"links": (replace(link(1, 7), at_pop=IPv4Interface("100.64.9.1/30")),)},
            "gear-intent",
            "links.0.at_pop",
        ),
        ({"links": ()}, "lines-number", "lines"),
        ({"prefixes": (ip_network("0.0.0.0/0"),)}, "prefix-reserved", "prefixes"),
    ],
)
def test_a_site_that_cannot_be_is_refused_by_its_field(
    change: dict[str, object], code: str, field: str
) -> None:
    check(SITE)
    with pytest.raises(Refused) as refused:
        check(replace(SITE, **change))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == (code, field)


# --- what is on a device, and whether all is well -------------------------------------------------


def test_a_difference_is_told_by_lines() -> None:
    told = netconf.Difference("<a>\n  <b>1</b>\n</a>", "<a>\n  <b>2</b>\n</a>").lines
    assert [one for one in told if one[0] in "-+"][2:] == ["-  <b>1</b>", "+  <b>2</b>"]
    assert netconf.Difference("<a/>", "<a/>").lines == ()


def test_commands_say_by_their_status_whether_all_is_well() -> None:
    words = (sys.executable, "-c", "raise SystemExit(3)")
    checks = looks([("true",), words, ("no-such-program",), ("sleep", "9")], within_s=1.0)()
    assert [one.ok for one in checks] == [True, False, False, False]
    assert [one.measured for one in checks][1::2] == ["status 3", "too late"]
    assert "No such file" in checks[2].measured


@pytest.mark.parametrize("text", ["", "ping 'x"])
def test_what_is_no_command_is_refused(text: str) -> None:
    assert read(["ping -c 1 'a b'"]) == [["ping", "-c", "1", "a b"]]
    with pytest.raises(Refused) as refused:
        read([text])
    assert refused.value.code == "command-unreadable"


@pytest.mark.parametrize(("mode", "words"), [(None, "no private key"), (0o640, "chmod 600")])
def test_a_key_that_is_not_private_opens_nothing(
    mode: int | None, words: str, tmp_path: Path
) -> None:
    pytest.importorskip("ncclient")
    key = tmp_path / "key"
    if mode is not None:
        key.touch()
        key.chmod(mode)
    device = netconf.Device("192.0.2.2", "root", key, "ssh-ed25519 AAAA")
    with pytest.raises(Refused, match=words) as refused:
        netconf.difference(device, told("openconfig").configure)
    assert refused.value.code == "gear-key"


def test_the_library_still_looks_at_what_it_is_to_send_by_the_tick_that_is_set() -> None:
    session = pytest.importorskip("ncclient.transport.session")
    assert "TICK" in session.Session.run.__code__.co_names


def test_gaps_are_declared_in_three_words_for_every_family() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (FOLDER.parent / "GAPS.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| what |")
    ]
    assert {which for _, which, _ in rows} == {"not yet by us", "not yet by them", "never"}
    assert {what.partition(":")[0] for what, _, _ in rows} == {*FAMILIES, "any"}


# --- makes as data --------------------------------------------------------------------------------

TEXT = """
name: tin
speaks: cli
names:
  wan: wan{number}
  lan: lan
  tunnel: t{number}
limits:
  lines_max: 2
  classes_max: 3
  bfd_ms_min: 10
  speed_mbps_max: 100
tunnels: [ipsec]
configure: |
  site {site.service} { as {site.asn} }
  % for line in site.lines
  up {line.wan} and {line.tunnel}
  % end
remove: |
  gone {site.service}
"""


def test_another_make_is_a_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "tin.yaml"
    file.write_text(TEXT)
    assert render(SITE, load(file)) == Rendered(
        configure="site hld_site { as 65001 }\nup wan1 and t7\nup wan2 and t8\n",
        remove="gone hld_site\n",
        leaves=(),
    )


def test_an_unknown_make_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match="ios-xe, openconfig") as refused:
        known("../etc")
    assert refused.value.code == "make-unknown"


def test_all_files_of_makes_bear_their_names() -> None:
    assert [load(FOLDER / f"{name}.yaml").name for name in makes()] == list(makes())


XML = ("speaks: cli", "speaks: netconf")


@pytest.mark.parametrize(
    ("changes", "line", "field", "words"),
    [
        ([("name: tin\n", "")], 2, "name", "required"),
        ([("speaks: cli", "speaks: latin")], 3, "speaks", "'cli' or 'netconf'"),
        ([("lines_max: 2", "lines_max: none")], 9, "limits.lines_max", "integer"),
        ([("lines_max: 2", "lines_max: 0")], 9, "limits.lines_max", "greater than or equal to 1"),
        ([("name: tin", "name: tin\ncolour: red")], 3, "colour", "nexpected"),
        ([("name: tin", "name: tin\nname: tan")], 3, "name", "given twice"),
        ([("[ipsec]", "[ipsec, string]")], 13, "tunnels.1", "'wireguard' or 'ipsec'"),
        ([("wan{number}", "wan")], 5, "names.wan", "{number}"),
        ([("lan: lan", "lan: lan{number}")], 6, "names.lan", "plain name"),
        ([("{line.wan}", "{line.van}")], 17, "configure", "no `van`; there are number, "),
        ([("{line.wan}", "{lime.wan}")], 17, "configure", "`lime` is not known here; line, site"),
        ([("{site.asn}", "{site.lines}")], 15, "configure", "not one word"),
        ([("% for line in", "% for every")], 16, "configure", "no order"),
        ([("in site.lines", "in site.asn")], 16, "configure", "one thing, not many"),
        ([("for line in", "for site in")], 16, "configure", "something else already"),
        ([("  % end\n", "")], 16, "configure", "has no `% end`"),
        ([("gone", "% end\n  gone")], 20, "remove", "ends nothing"),
        ([XML, ("site {", "<a b='{"), ("gone", "<x>")], 14, "configure", "not well-formed"),
        ([XML, ("gone {site.service}", "<x><y></x>")], 19, "remove", "come out as XML: mismatched"),
        ([XML, ("gone {site.service}", "<o:x/>")], 19, "remove", "unbound prefix"),
        ([(TEXT, "- a\n")], 1, None, "name: value"),
        ([("[ipsec]", "[ipsec")], 14, None, "expected"),
    ],
)
def test_what_is_wrong_in_a_make_is_said_with_file_line_and_field(
    tmp_path: Path, changes: list[tuple[str, str]], line: int, field: str | None, words: str
) -> None:
    text, file = TEXT, tmp_path / "tin.yaml"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        load(file)
    assert (refused.value.code, refused.value.field) == ("make-invalid", field)
    assert f"tin.yaml line {line}: " in refused.value.words
    assert words in refused.value.words


def test_a_make_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_without_the_extra_nothing_is_pushed_and_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "lxml.etree", None)
    device = netconf.Device("192.0.2.2", "root", tmp_path / "key", "ssh-ed25519 AAAA")
    with pytest.raises(Refused, match="make gear") as refused:
        netconf.push(device, told("openconfig").configure, verify=list)
    assert refused.value.code == "gear-missing"
