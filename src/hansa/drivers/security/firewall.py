"""The firewall: one nftables table in the network's box, replaced whole or not at all.

What clients begin is judged before anything turns it elsewhere (prerouting), what comes from
outside after a published address has been undone (forward), and where no client may go the
gateway may not go for it (output); what belongs to a connection that was let in passes. Each rule
has a counter of its own, `r-ID`, which counts new connections that were accepted, or packets that
were not. The table's comment bears the fingerprint of its text.

Whether the table is as it should be is asked of nftables itself: the text is loaded in a
namespace that is thrown away again, and what `nft` lists there is held against what it lists
here. So a rule that somebody took out by hand is found, and a text that does not load changes
nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.drivers.security.intent import INSIDE, Border, Firewall, Policy, Rule, digest, prefix
from hansa.foundation.errors import TryLater

TABLE = "hansa-security"
PROXY, WEB, TLS = 3128, 3129, 3130
"""Ports of the gateway: for clients that name it, and for web traffic that is led to it."""

QUEUE = 7
"""Under which what passes is handed to an engine that prevents."""

OTHERS = ("management", "default", "spoofed")
"""Counters beside those of rules."""

Counts = Mapping[str, tuple[int, int]]
"""Packets and octets by counter."""


def render(policy: Policy, border: Border, counts: Counts | None = None) -> str:
    """The table as nftables reads it. counts: from which its counters go on.

    Addresses of groups and clients may be of both families; a rule becomes a line for each.
    """
    body = _body(policy, border)
    tag = f'\tcomment "hansa {digest(*body)}"'
    lines = [*_counters(policy.firewall, counts or {}), *body]
    table = f"table inet {TABLE}"
    return "\n".join([table, f"delete {table}", f"{table} {{", tag, *lines, "}", ""])


def _counters(firewall: Firewall, counts: Counts) -> Iterator[str]:
    for name in (*OTHERS, *(f"r-{rule.id}" for rule in firewall.rules)):
        packets, octets = counts.get(name, (0, 0))
        yield f"\tcounter {name} {{ packets {packets} bytes {octets} }}"


def _body(policy: Policy, border: Border) -> list[str]:
    firewall, out = policy.firewall, f'"{border.outside}"'
    groups = {**firewall.groups, INSIDE: border.clients}
    rules = [
        *(
            f"ip saddr {one.src} ip daddr {one.dst} {one.proto} dport {one.port} "
            "counter name management accept"
            for one in border.management
        ),
        *(line for rule in firewall.rules for line in _rule(rule, groups)),
        *(
            f"ct status dnat ip daddr {one.to} {one.proto} dport {one.to_port} accept"
            for one in firewall.published
        ),
        f"counter name default {firewall.default}",
    ]
    before = [
        f'iifname {out} ip saddr @{INSIDE}4 counter name "spoofed" drop',
        f'iifname {out} ip6 saddr @{INSIDE}6 counter name "spoofed" drop',
        f'iifname {out} ip daddr @{INSIDE}4 counter name "spoofed" drop',
        "ct state established,related accept",
        "ct state invalid drop",
        "fib daddr type != unicast accept",
        f"ip saddr @{INSIDE}4 jump rules",
        *_by_gateway_alone(policy),
        f"ip6 saddr @{INSIDE}6 jump rules",
    ]
    passing = [
        *_queue(policy),
        "ct state established,related accept",
        f"ip saddr @{INSIDE}4 accept",
        f"ip6 saddr @{INSIDE}6 accept",
        f"iifname {out} jump rules",
        f'oifname {out} counter name "default" drop',
    ]
    return [
        *_sets(groups),
        *_chain("rules", "", rules),
        *_chain("before", "type filter hook prerouting priority -150; policy accept;", before),
        *_chain("passing", "type filter hook forward priority 0; policy accept;", passing),
        *_chain("ours", "type filter hook output priority 0; policy accept;", _ours(policy, out)),
        *_chain("turning", "type nat hook prerouting priority -100;", _turned(policy, border)),
        *_chain(
            "leaving",
            "type nat hook postrouting priority 100;",
            [f"oifname {out} ip saddr @{INSIDE}4 snat ip to {border.public}"],
        ),
    ]


def _chain(name: str, hook: str, rules: list[str]) -> list[str]:
    lines = [hook, *rules] if hook else rules
    return [f"\tchain {name} {{", *(f"\t\t{line}" for line in lines), "\t}"]


def _sets(groups: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, members in sorted(groups.items()):
        for version in (4, 6):
            found = [one for one in members if prefix(one).version == version]
            kind = "ipv4_addr" if version == 4 else "ipv6_addr"
            elements = f" elements = {{ {', '.join(found)} }};" if found else ""
            yield f"\tset {name}{version} {{ type {kind}; flags interval;{elements} }}"


def _rule(rule: Rule, groups: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The rule's lines: one for each family that both its sides have."""
    kinds = "icmp, ipv6-icmp" if "icmp" in rule.proto else ""
    protos = ", ".join(filter(None, [*(one for one in rule.proto if one != "icmp"), kinds]))
    what = [f"meta l4proto {{ {protos} }}"] if protos else []
    if rule.ports:
        what.append(f"th dport {{ {', '.join(rule.ports)} }}")
    for where in _sides(rule, groups):
        match = " ".join([*where, *what])
        if rule.rate:
            yield f"{match} limit rate over {rule.rate}/second counter name default drop".strip()
        verdict = "reject with icmpx admin-prohibited" if rule.action == "reject" else rule.action
        if rule.action == "reject" and "icmp" not in rule.proto and rule.proto != ("udp",):
            yield f'{match} meta l4proto tcp counter name "r-{rule.id}" reject with tcp reset'
        yield f'{match} counter name "r-{rule.id}" {verdict}'.strip()


def _sides(rule: Rule, groups: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    if not rule.src and not rule.dst:
        yield []
        return
    for version, word in ((4, "ip"), (6, "ip6")):
        sides = [
            (side, [*_members(members, groups, version)])
            for side, members in (("saddr", rule.src), ("daddr", rule.dst))
            if members
        ]
        if all(found for _, found in sides):
            yield [f"{word} {side} {_one_of(found)}" for side, found in sides]


def _members(
    members: tuple[str, ...], groups: Mapping[str, tuple[str, ...]], version: int
) -> Iterator[str]:
    for one in members:
        if one.startswith("@"):
            if any(prefix(each).version == version for each in groups[one[1:]]):
                yield f"{one}{version}"
        elif prefix(one).version == version:
            yield one


def _one_of(members: list[str]) -> str:
    return members[0] if len(members) == 1 else f"{{ {', '.join(members)} }}"


def _ours(policy: Policy, out: str) -> list[str]:
    """Where the gateway may not go either: to what rules deny all clients by its address."""
    groups = {**policy.firewall.groups, INSIDE: ()}
    return [
        f"oifname {out} {line}"
        for rule in policy.firewall.rules
        if rule.action != "accept" and rule.dst and (not rule.src or f"@{INSIDE}" in rule.src)
        for line in _rule(replace(rule, src=()), groups)
    ]


def _by_gateway_alone(policy: Policy) -> list[str]:
    """The gateway has an IPv4 address; clients that try the web by IPv6 are told to go by that."""
    if policy.gateway is None or not policy.gateway.transparent:
        return []
    web = f"ip6 saddr @{INSIDE}6 ip6 daddr != @{INSIDE}6 tcp dport {{ 80, 443 }}"
    return [f"{web} counter name default reject with tcp reset"]


def _turned(policy: Policy, border: Border) -> list[str]:
    """Where connections are led elsewhere: to the gateway, and to servers that are published."""
    lines = [
        f'iifname "{border.outside}" ip daddr {border.public} {one.proto} dport {one.port} '
        f"dnat ip to {one.to}:{one.to_port}"
        for one in policy.firewall.published
        if ip_address(one.to).version == 4
    ]
    if policy.gateway is not None and policy.gateway.transparent:
        lines += [
            f"ip saddr @{INSIDE}4 ip daddr != @{INSIDE}4 tcp dport {port} "
            f"dnat ip to {border.gateway}:{turned}"
            for port, turned in ((80, WEB), (443, TLS))
        ]
    return lines


def _queue(policy: Policy) -> list[str]:
    if policy.detection is None or policy.detection.mode != "prevent":
        return []
    return [f"queue flags bypass to {QUEUE}" if policy.detection.fail_open else f"queue to {QUEUE}"]


# --- on the device --------------------------------------------------------------------------------

_LIST = ("nft", "-s", "list", "table", "inet", TABLE)
_TAG = re.compile(r'comment "hansa ([0-9a-f]+)"')


def holds(box: Box) -> str | None:
    """The table as nftables lists it, without counts; None when there is none."""
    listed = box.try_run(*_LIST)
    return listed.out if listed.ok else None


def differs(box: Box, policy: Policy, border: Border) -> list[Change]:
    """What `apply` would change: nothing, or the table."""
    wanted, there = _as_listed(box, render(policy, border)), holds(box)
    if wanted == there:
        return []
    return [Change("firewall", _named(there), _named(wanted))]


def apply(box: Box, policy: Policy, border: Border) -> list[Change]:
    """Has the box judge by this policy; counters of rules that stay go on from where they are."""
    changes = differs(box, policy, border)
    if changes:
        box.run("nft", "-f", "-", input=render(policy, border, counts(box)))
    return changes


def remove(box: Box) -> None:
    """Takes the table away; none is no error."""
    box.run("nft", "-f", "-", input=f"table inet {TABLE}\ndelete table inet {TABLE}\n")


def counts(box: Box) -> Counts:
    """What each counter has seen; empty when there is no table."""
    listed = box.try_run("nft", "-j", "list", "counters", "table", "inet", TABLE)
    if not listed.ok:
        return {}
    found = [one["counter"] for one in json.loads(listed.out)["nftables"] if "counter" in one]
    return {one["name"]: (one["packets"], one["bytes"]) for one in found}


def _as_listed(box: Box, text: str) -> str:
    """How nftables lists a table of this text, tried out where nothing passes."""
    tried = box.try_run(
        *("unshare", "--net", "sh", "-c", f"nft -f - && {' '.join(_LIST)}"), input=text
    )
    if not tried.ok:
        raise TryLater("device-failed", f"nft does not take the firewall: {tried.err[-500:]}")
    return tried.out


def _named(listed: str | None) -> str:
    """The table in a word: its fingerprint, and whether somebody else had a hand in it."""
    if listed is None:
        return "absent"
    tag = _TAG.search(listed)
    return f"{tag.group(1) if tag else 'of somebody else'} ({digest(listed)[:6]})"
