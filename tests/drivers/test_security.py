"""What devices are told of a customer's security, word by word, and what is refused before."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hansa.drivers.security import defaults, detection, firewall, gateway, resolver
from hansa.drivers.security.intent import (
    Border,
    Detection,
    Firewall,
    Gateway,
    Management,
    NameList,
    Policy,
    Published,
    Rule,
    check,
    digest,
)
from hansa.drivers.security.names import check_names, topmost
from hansa.drivers.security.usage import Seats
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.readings import SeatDay
from hansa.foundation.time import Period

GOLDEN = Path(__file__).parent / "golden" / "security"
FOLDER = "/box"

BORDER = Border(
    clients=("10.50.0.0/16", "fd50::/32"),
    outside="up",
    public="203.0.113.1",
    resolver="10.50.0.53",
    gateway="10.50.0.80",
    upstream="198.51.100.2",
    management=(Management("10.50.0.0/24", "10.50.0.0/16", "tcp", 22),),
)

FULL = Policy(
    firewall=Firewall(
        rules=(
            Rule("bad", "drop", dst=("@bad",)),
            Rule("desk", "accept", src=("10.50.1.0/24", "fd50:0:1::/48"), proto=("tcp",),
                 ports=("22", "5000-5100"), rate=20),
            Rule("ask", "reject", src=("@inside",), proto=("tcp", "udp"), ports=("53",)),
            Rule("ping", "accept", proto=("icmp",)),
        ),
        default="drop",
        groups={"bad": ("192.0.2.0/24", "198.51.100.66/32", "2001:db8::/32")},
        published=(Published("shop", 8443, "10.50.1.10", 443),),
    ),
    lists=(
        NameList("malware", "block", ("malware.example", "deep.malware.example")),
        NameList("guests", "block", ("games.example",), clients=("10.50.2.0/24",)),
        NameList("portal", "redirect", ("old.example",), to="198.51.100.80"),
        NameList("ours", "allow", ("good.malware.example",)),
    ),
    gateway=Gateway(inspect=("inspect.example",)),
)  # fmt: skip

DETECTION = Detection(
    "prevent", ('drop tls any any -> any any (msg:"x"; tls.sni; content:"bad"; sid:1;)',)
)


def golden(name: str, text: str) -> None:
    """Holds a text against what was agreed; `HANSA_GOLDEN=1` writes it anew, to be read."""
    file = GOLDEN / name
    if os.environ.get("HANSA_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_the_firewall_as_nftables_is_told() -> None:
    golden("full.nft", firewall.render(FULL, BORDER))
    golden("usual.nft", firewall.render(defaults.POLICY, BORDER))
    queued = firewall.render(replace(FULL, detection=DETECTION), BORDER)
    assert "\t\tqueue flags bypass to 7\n" in queued
    shut = replace(FULL, detection=replace(DETECTION, fail_open=False))
    assert "\t\tqueue to 7\n" in firewall.render(shut, BORDER)


def test_counters_go_on_and_are_no_part_of_the_fingerprint() -> None:
    new, on = (firewall.render(FULL, BORDER, counts) for counts in (None, {"r-bad": (3, 180)}))
    assert "counter r-bad { packets 3 bytes 180 }" in on
    assert [a for a, b in zip(new.splitlines(), on.splitlines(), strict=True) if a != b] == [
        "\tcounter r-bad { packets 0 bytes 0 }"
    ]


def test_the_resolver_as_unbound_is_told() -> None:
    for name, text in resolver.render(FULL, BORDER, FOLDER).items():
        golden(name if name.endswith(".zone") else f"full.{name}", text)
    golden("usual.unbound.conf", resolver.render(defaults.POLICY, BORDER, FOLDER)["unbound.conf"])


def test_a_long_list_is_read_in_parts_and_a_new_name_changes_one_of_them() -> None:
    names = tuple(f"n{number}.example" for number in range(50_000))
    old = resolver.zones(NameList("long", "block", names))
    new = resolver.zones(NameList("long", "block", (*names, "other.example")))
    assert len(old) == len(new) == 8
    assert sum(text.count("\n*.") for text in old.values()) == 50_000
    assert max(text.count("\n*.") for text in old.values()) <= resolver.ZONE_NAMES_MAX
    assert len([name for name in old if old[name] != new[name]]) == 1


def test_the_gateway_as_squid_is_told() -> None:
    golden("full.squid.conf", gateway.render(FULL, BORDER, FOLDER))
    golden("usual.squid.conf", gateway.render(defaults.POLICY, BORDER, FOLDER))
    explicit = replace(FULL, gateway=Gateway(transparent=False))
    assert "intercept" not in gateway.render(explicit, BORDER, FOLDER)
    assert "dnat ip to 10.50.0.80" not in firewall.render(explicit, BORDER)
    assert gateway.names_of(FULL.lists[0]) == ".malware.example\n"


def test_the_detection_as_suricata_is_told() -> None:
    golden("prevent.suricata.yaml", detection.render(DETECTION, BORDER, FOLDER, "x.rules"))
    listening = replace(DETECTION, mode="detect")
    golden("detect.suricata.yaml", detection.render(listening, BORDER, FOLDER, "x.rules"))
    assert detection.render_rules(DETECTION).startswith("drop tls")
    assert detection.render_rules(listening).startswith("alert tls")


def test_fingerprints_tell_what_changed_and_that_alone() -> None:
    other = replace(FULL, lists=(replace(FULL.lists[0], names=("else.example",)), *FULL.lists[1:]))
    assert firewall.render(other, BORDER) == firewall.render(FULL, BORDER)
    old, new = (resolver.render(one, BORDER, FOLDER) for one in (FULL, other))
    assert [name for name in old if old[name] != new[name]] == ["malware.0.zone"]
    assert digest("ab", "c") != digest("a", "bc")


def test_names_below_listed_ones_are_left_out() -> None:
    assert topmost(["b.a.example", "a.example", "ba.example", "c.b.a.example"]) == [
        "a.example",
        "ba.example",
    ]


def ruled(*rules: Rule, **more: object) -> Policy:
    return Policy(firewall=replace(Firewall(rules), **more))  # type: ignore[arg-type]


def listed(*names: str, **more: object) -> Policy:
    return Policy(lists=(replace(NameList("one", "block", names), **more),))  # type: ignore[arg-type]


TCP = ("tcp",)

REFUSED = {
    "a port that is none": (ruled(Rule("a", "drop", proto=("tcp",), ports=("0",))),
        "rule-invalid", "policy.firewall.rules.0.ports"),
    "a range the wrong way": (ruled(Rule("a", "drop", proto=("tcp",), ports=("9-8",))),
        "rule-invalid", "policy.firewall.rules.0.ports"),
    "a port of no protocol": (ruled(Rule("a", "drop", ports=("80",))),
        "rule-invalid", "policy.firewall.rules.0.ports"),
    "a prefix with an address in it": (ruled(Rule("a", "drop", src=("10.0.0.1/8",))),
        "rule-invalid", "policy.firewall.rules.0.src"),
    "a group that is not there": (ruled(Rule("a", "drop", dst=("@feed",))),
        "rule-invalid", "policy.firewall.rules.0.dst"),
    "a group whose prefixes overlap": (ruled(groups={"g": ("10.1.0.0/16", "10.1.2.0/24")}),
        "rule-invalid", "policy.firewall.groups.g"),
    "a group called as ours": (ruled(groups={"inside": ()}),
        "rule-invalid", "policy.firewall.groups.inside"),
    "from one family to the other": (ruled(Rule("a", "drop", ("10.1.0.0/16",), ("fd00::/8",))),
        "rule-invalid", "policy.firewall.rules.0"),
    "an id that is there twice": (ruled(Rule("a", "drop", dst=("192.0.2.1",)), Rule("a", "accept")),
        "rule-invalid", "policy.firewall.rules.1.id"),
    "an id that is none": (ruled(Rule("A b", "accept")),
        "rule-invalid", "policy.firewall.rules.0.id"),
    "a rate of what is refused": (ruled(Rule("a", "drop", dst=("192.0.2.1",), rate=3)),
        "rule-invalid", "policy.firewall.rules.0.rate"),
    "everything closed": (ruled(Rule("a", "accept", proto=("udp",)), Rule("b", "drop")),
        "rule-locks-out", "policy.firewall.rules.1"),
    "our port closed": (ruled(Rule("a", "reject", proto=("tcp",), ports=("20-25",))),
        "rule-locks-out", "policy.firewall.rules.0"),
    "a part of our path closed": (ruled(Rule("a", "drop", dst=("10.50.3.0/24",))),
        "rule-locks-out", "policy.firewall.rules.0"),
    "our path opened in part": (ruled(Rule("a", "accept", ("10.50.0.0/25",)), Rule("b", "drop")),
        "rule-locks-out", "policy.firewall.rules.1"),
    "our path opened at a rate": (ruled(Rule("a", "accept", rate=1), Rule("b", "drop")),
        "rule-locks-out", "policy.firewall.rules.1"),
    "a server outside": (ruled(published=(Published("s", 80, "192.0.2.1", 80),)),
        "rule-invalid", "policy.firewall.published.0.to"),
    "a port published twice": (
        ruled(published=(Published("s", 80, "10.50.1.1", 80), Published("t", 80, "10.50.1.2", 80))),
        "rule-invalid", "policy.firewall.published.1.port"),
    "a name with a space": (listed("a.example", "b d.example"),
        "names-invalid", "policy.lists.0.names.1"),
    "a name without a dot": (listed("com"), "names-invalid", "policy.lists.0.names.0"),
    "an address": (listed("192.0.2.1"), "names-invalid", "policy.lists.0.names.0"),
    "a name that breaks a zone": (listed("a.example\n*"), "names-invalid",
        "policy.lists.0.names.0"),
    "a label of 64": (listed(f"{'a' * 64}.example"), "names-invalid", "policy.lists.0.names.0"),
    "a name twice": (listed("a.example", "a.example"), "names-invalid", "policy.lists.0.names.1"),
    "a redirection to nowhere": (listed("a.example", action="redirect"), "policy-invalid",
        "policy.lists.0.to"),
    "a redirection to no address": (listed("a.example", action="redirect", to="there"),
        "rule-invalid", "policy.lists.0.to"),
    "clients of others": (listed("a.example", clients=("192.0.2.0/24",)), "rule-invalid",
        "policy.lists.0.clients"),
    "a name in two lists": (
        Policy(lists=(NameList("a", "block", ("x.example",)), NameList("b", "allow",
               ("y.example", "x.example")))),
        "names-invalid", "policy.lists.1.names.1"),
    "a name in two lists for the same clients": (
        Policy(lists=(NameList("a", "block", ("x.example",), clients=("10.50.1.0/24",)),
                      NameList("b", "block", ("x.example",)),
                      NameList("c", "allow", ("x.example",), clients=("10.50.1.0/24",)))),
        "names-invalid", "policy.lists.2.names.0"),
    "too many lists": (Policy(lists=tuple(NameList(f"l{n}", "block", ()) for n in range(33))),
        "policy-invalid", "policy.lists"),
    "a gateway by no way": (Policy(gateway=Gateway(explicit=False, transparent=False)),
        "policy-invalid", "policy.gateway"),
    "a name to look into that is none": (Policy(gateway=Gateway(inspect=("x",))),
        "names-invalid", "policy.gateway.inspect.0"),
    "a rule of detection without its sid": (Policy(detection=Detection(rules=("alert x",))),
        "policy-invalid", "policy.detection.rules.0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_refused_with_its_field(case: str) -> None:
    policy, code, where = REFUSED[case]
    with pytest.raises(Refused) as refused:
        check(policy, BORDER)
    assert (refused.value.code, refused.value.field) == (code, where)


def test_the_usual_policy_and_a_full_one_can_be_made() -> None:
    check(defaults.POLICY, BORDER)
    check(FULL, BORDER)
    opened = Rule("all", "accept", src=("10.0.0.0/8",))
    check(ruled(opened, Rule("rest", "drop")), BORDER)


def test_one_wrong_name_among_a_hundred_thousand_is_named_with_its_position() -> None:
    names = [f"n{number}.bad.example" for number in range(100_000)]
    names[73_211] = "n73211..example"
    began = time.monotonic()
    with pytest.raises(Refused, match=r"'n73211\.\.example', at position 73211") as refused:
        check_names(names, "policy.lists.0.names")
    assert refused.value.field == "policy.lists.0.names.73211"
    assert time.monotonic() - began < 5


def test_a_policy_is_read_from_json_and_what_is_unknown_in_it_is_refused() -> None:
    text = json.dumps(documents.write(FULL))
    assert documents.read(Policy, json.loads(text), what="policy") == FULL
    for odd, where in (
        ({"firewal": {}}, "firewal"),
        ({"firewall": {"rules": [{"id": "a", "action": "drop", "ports": ["1"], "log": True}]}},
         "firewall.rules.0.log"),
        ({"lists": [{"id": "a", "action": "hide", "names": []}]}, "lists.0.action"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="malformed") as refused:
            documents.read(Policy, odd, what="policy")
        assert refused.value.field == where


def test_seats_count_from_when_they_are_set_to_when_they_are_taken_away(tmp_path: Path) -> None:
    seats, first = Seats(tmp_path / "usage"), datetime(2026, 11, 2, 8, tzinfo=UTC)
    november = Period.month(2026, 11)
    seats.set("hld_1/a", 0, now=first)
    assert list(seats.days("hld_1/a", november)) == []
    assert not (tmp_path / "usage").exists()
    seats.set("hld_1/a", 40, now=first)
    seats.set("hld_1/a", 40, now=first + timedelta(hours=1))
    seats.set("hld_1/a", 50, now=first + timedelta(days=1))
    seats.set("hld_1/a", 0, now=first + timedelta(days=3))
    assert [one.seats for one in seats.history("hld_1/a")] == [40, 50, 0]
    assert list(seats.days("hld_1/a", november)) == [
        SeatDay(first.date(), 40),
        SeatDay(first.date() + timedelta(days=1), 50),
        SeatDay(first.date() + timedelta(days=2), 50),
    ]
    file = next((tmp_path / "usage").iterdir())
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_off_by_a_kill_is_not_read(tmp_path: Path) -> None:
    seats, now = Seats(tmp_path), datetime(2026, 11, 2, 8, tzinfo=UTC)
    seats.set("hld_1", 40, now=now)
    with next(tmp_path.iterdir()).open("a") as out:
        out.write('{"at": "2026-11-03T0')
    seats.set("hld_1", 50, now=now + timedelta(days=1))
    assert [one.seats for one in seats.history("hld_1")] == [40, 50]
