"""What a customer's security shall be, in plain values, and what is refused before it is made.

A `Policy` is what the buyer wants; a `Border` is where its network meets everybody else, which
the operator knows. Secrets are in neither: they are named by files in the driver's own folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

from hansa.drivers.security.names import check_names
from hansa.foundation.errors import Refused

SEATS_MAX = 1_000_000
LISTS_MAX = 32
INSIDE = "inside"
"""The group of addresses that every firewall knows: the customer's own."""

_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")

Net = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the firewall; the first that matches a new connection decides.

    id: names its counter. src, dst: prefixes, or `@group`; empty: any. proto: tcp, udp or icmp;
    empty: any. ports: `443` or `5000-5100`, of the destination. rate: new connections a second
    that are let through, those beyond are dropped; 0: all.
    """

    id: str
    action: Literal["accept", "drop", "reject"]
    src: tuple[str, ...] = ()
    dst: tuple[str, ...] = ()
    proto: tuple[Literal["tcp", "udp", "icmp"], ...] = ()
    ports: tuple[str, ...] = ()
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A server inside that everybody may reach: at this port of the network's public address."""

    id: str
    port: int
    to: str
    to_port: int
    proto: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, slots=True)
class Firewall:
    """default: what happens to a connection that no rule matches. groups: named addresses."""

    rules: tuple[Rule, ...] = ()
    default: Literal["accept", "drop"] = "drop"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class NameList:
    """Names, each with all below it, and what becomes of a question for them, and of a visit.

    to: the address that a redirected name has. clients: prefixes for which the list is; empty:
    the whole network. A name that is allowed is so whatever other lists say.
    """

    id: str
    action: Literal["allow", "redirect", "block"]
    names: tuple[str, ...]
    to: str = ""
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gateway:
    """explicit: clients that name it as their proxy. transparent: all web traffic of the others."""

    explicit: bool = True
    transparent: bool = True
    inspect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """Looks into what passes for known attacks. prevent: holds them up instead of telling only.
    fail_open: whether traffic goes on when the engine is dead.
    """

    mode: Literal["detect", "prevent"] = "detect"
    rules: tuple[str, ...] = ()
    fail_open: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """What a buyer of cloud security has; None: that part was not ordered."""

    firewall: Firewall = field(default_factory=Firewall)
    lists: tuple[NameList, ...] = ()
    gateway: Gateway | None = None
    detection: Detection | None = None


@dataclass(frozen=True, slots=True)
class Management:
    """A path that the operator needs to its equipment inside a customer's network."""

    src: str
    dst: str
    proto: Literal["tcp", "udp"]
    port: int


@dataclass(frozen=True)
class Border:
    """Where a customer's network meets everybody else.

    clients: the customer's own prefixes. outside: the interface to everybody else, on which the
    network is known as `public`. resolver, gateway: addresses of ours inside. upstream: who is
    asked for names. roots: the file of the authorities that web servers are believed by.
    """

    clients: tuple[str, ...]
    outside: str
    public: str
    resolver: str
    gateway: str
    upstream: str
    management: tuple[Management, ...]

    @cached_property
    def nets(self) -> tuple[Net, ...]:
        return tuple(map(prefix, self.clients))


@lru_cache(maxsize=1 << 16)
def prefix(text: str) -> Net:
    """A prefix, or an address as one, from its text; feeds name thousands, again and again."""
    return ip_network(text)


def digest(*texts: str) -> str:
    """A short fingerprint of rendered texts, by which a device tells what it holds."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


# --- checks ---------------------------------------------------------------------------------------


def check(policy: Policy, border: Border) -> None:
    """Raises Refused, with the field, for what cannot be made; nothing has been touched then."""
    _check_rules(policy.firewall, border)
    _check_published(policy.firewall, border)
    _check_lists(policy.lists, border)
    if policy.gateway is not None:
        check_names(policy.gateway.inspect, "policy.gateway.inspect")
        if not (policy.gateway.explicit or policy.gateway.transparent):
            raise Refused(
                "policy-invalid",
                "A gateway is reached explicitly, transparently or both; this one is by neither.",
                field="policy.gateway",
            )
    if policy.detection is not None:
        _check_detection(policy.detection)


def _check_rules(firewall: Firewall, border: Border) -> None:
    for name, members in firewall.groups.items():
        at = f"policy.firewall.groups.{name}"
        if not _ID.fullmatch(name) or name == INSIDE:
            raise _wrong_rule(at, "a group is called by small letters, and not `inside`")
        _apart(list(_nets(members, {}, at)), at)
    groups = {**firewall.groups, INSIDE: border.clients}
    _distinct((one.id for one in firewall.rules), "policy.firewall.rules")
    for number, rule in enumerate(firewall.rules):
        at = f"policy.firewall.rules.{number}"
        if rule.ports and (not rule.proto or "icmp" in rule.proto):
            raise _wrong_rule(f"{at}.ports", "only tcp and udp have ports; name one in `proto`")
        for port in rule.ports:
            _port_range(port, f"{at}.ports")
        if rule.rate < 0 or (rule.rate and rule.action != "accept"):
            raise _wrong_rule(f"{at}.rate", "a rate is above 0, and of rules that accept")
        families = [
            {one.version for one in _nets(side, groups, f"{at}.{name}")}
            for name, side in (("src", rule.src), ("dst", rule.dst))
        ]
        if all(families) and not families[0] & families[1]:
            raise _wrong_rule(at, "from IPv4 to IPv6, or back, nothing can pass")
    _check_management(firewall.rules, groups, border)


def _check_management(
    rules: Iterable[Rule], groups: Mapping[str, tuple[str, ...]], border: Border
) -> None:
    """The first rule that touches a path of ours has to let all of it through."""
    for path in border.management:
        for number, rule in enumerate(rules):
            touches, covers = _meets(rule, groups, path)
            if touches and rule.action != "accept":
                raise Refused(
                    "rule-locks-out",
                    f"The rule {rule.id!r} would keep the operator from its equipment: "
                    f"{path.proto} port {path.port} from {path.src} to {path.dst} stays open. "
                    "Leave that out of the rule.",
                    field=f"policy.firewall.rules.{number}",
                )
            if covers and rule.action == "accept" and not rule.rate:
                break


def _meets(
    rule: Rule, groups: Mapping[str, tuple[str, ...]], path: Management
) -> tuple[bool, bool]:
    """Whether a rule concerns a part of a path, and whether it concerns all of it."""
    touches = covers = not rule.proto or path.proto in rule.proto
    if rule.ports:
        here = any(path.port in _port_range(one, "") for one in rule.ports)
        touches, covers = touches and here, covers and here
    for side, wanted in ((rule.src, path.src), (rule.dst, path.dst)):
        if side:
            nets, ours = list(_nets(side, groups, "")), prefix(wanted)
            touches = touches and any(ours.overlaps(one) for one in nets)
            covers = covers and any(
                ours.version == one.version and ours.subnet_of(one)  # type: ignore[arg-type]
                for one in nets
            )
    return touches, covers


def _check_published(firewall: Firewall, border: Border) -> None:
    _distinct((one.id for one in firewall.published), "policy.firewall.published")
    seen = set()
    for number, one in enumerate(firewall.published):
        at = f"policy.firewall.published.{number}"
        for port in (one.port, one.to_port):
            _port_range(str(port), at)
        if (one.proto, one.port) in seen:
            raise _wrong_rule(f"{at}.port", f"{one.proto} port {one.port} is published twice")
        seen.add((one.proto, one.port))
        if not any(_address(one.to, f"{at}.to") in net for net in border.nets):
            raise _wrong_rule(f"{at}.to", f"{one.to} is not inside the customer's network")


def _check_lists(lists: tuple[NameList, ...], border: Border) -> None:
    _distinct((one.id for one in lists), "policy.lists")
    if len(lists) > LISTS_MAX:
        raise Refused(
            "policy-invalid",
            f"There may be {LISTS_MAX} lists of names, not {len(lists)}.",
            field="policy.lists",
        )
    listed: dict[tuple[tuple[str, ...], str], str] = {}
    for number, one in enumerate(lists):
        at = f"policy.lists.{number}"
        check_names(one.names, f"{at}.names")
        if (one.action == "redirect") != bool(one.to):
            raise Refused(
                "policy-invalid",
                f"The list {one.id!r} needs `to`, an address, if it redirects, and only then.",
                field=f"{at}.to",
            )
        if one.to:
            _address(one.to, f"{at}.to")
        for net in _nets(one.clients, {}, f"{at}.clients"):
            if not any(net.version == our.version and net.subnet_of(our) for our in border.nets):  # type: ignore[arg-type]
                raise _wrong_rule(f"{at}.clients", f"{net} is not inside the customer's network")
        for place, name in enumerate(one.names):
            other = listed.setdefault((one.clients, name), one.id)
            if other != one.id:
                raise Refused(
                    "names-invalid",
                    f"{name} is in the list {other!r} and again in {one.id!r}, at position "
                    f"{place}: leave it in one of them.",
                    field=f"{at}.names.{place}",
                )


def _check_detection(detection: Detection) -> None:
    for number, rule in enumerate(detection.rules):
        if "\n" in rule or not re.fullmatch(r"(alert|drop) [a-z0-9-]+ .+\(.*\bsid:\d+;.*\)", rule):
            raise Refused(
                "policy-invalid",
                "A rule of detection is one line: what to do, of what, and in brackets its `sid`.",
                field=f"policy.detection.rules.{number}",
            )


def _nets(
    members: Iterable[str], groups: Mapping[str, tuple[str, ...]], where: str
) -> Iterator[Net]:
    for one in members:
        if one.startswith("@"):
            if one[1:] not in groups:
                raise _wrong_rule(where, f"there is no group {one[1:]!r}")
            yield from map(prefix, groups[one[1:]])
            continue
        try:
            yield prefix(one)
        except ValueError as error:
            raise _wrong_rule(where, str(error)) from None


def _apart(nets: list[Net], where: str) -> None:
    """Refuses prefixes that overlap: one of them was meant otherwise."""
    last: Net | None = None
    for net in sorted(nets, key=lambda one: (one.version, int(one.network_address), one.prefixlen)):
        if last is not None and last.overlaps(net):
            raise _wrong_rule(where, f"{net} overlaps {last}")
        last = net


def _port_range(text: str, where: str) -> range:
    first, _, last = text.partition("-")
    if first.isdecimal() and (last or first).isdecimal():
        found = range(int(first), int(last or first) + 1)
        if found and found[0] > 0 and found[-1] < 1 << 16:
            return found
    raise _wrong_rule(where, f"{text!r} is no port and no range of ports")


def _address(text: str, where: str) -> object:
    try:
        return ip_address(text)
    except ValueError as error:
        raise _wrong_rule(where, str(error)) from None


def _distinct(ids: Iterable[str], where: str) -> None:
    seen = set()
    for number, one in enumerate(ids):
        if not _ID.fullmatch(one):
            raise _wrong_rule(f"{where}.{number}.id", f"{one!r} is not small letters and hyphens")
        if one in seen:
            raise _wrong_rule(f"{where}.{number}.id", f"{one!r} is there twice")
        seen.add(one)


def _wrong_rule(where: str, words: str) -> Refused:
    return Refused("rule-invalid", f"{where}: {words}.", field=where)
