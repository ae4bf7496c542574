"""The tables of a session border controller: what is written for it, and what it says it has.

Texts for db_text and the address file of Kamailio 5.6. What it has loaded is asked of it, part
by part, and brought into the same form as what should be, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Network
from typing import Any

from hansa.drivers.voice.intent import Controller, Numbers, Trunk

TRUNKS, PROBER = 1, 2
"""Groups of addresses."""

DUMPS: Sequence[tuple[str, ...]] = (
    ("permissions.addressDump",),
    ("permissions.subnetDump",),
    ("htable.dump", "trunk"),
    ("lcr.dump_gws",),
    ("lcr.dump_rules",),
)
"""What is asked of Kamailio; `loaded` takes the answers in this order."""

RELOADS: Mapping[str, tuple[str, ...]] = {
    "peers": ("permissions.addressReload",),
    "trunks": ("htable.reload", "trunk"),
    "partners": ("lcr.reload",),
    "destinations": ("lcr.reload",),
}
"""What has a part of Loaded read again."""

_VERSIONS = {"htable": 2, "trunk": 2, "lcr_gw": 3, "lcr_rule": 3, "lcr_rule_target": 1}
_HEADS = {
    "version": "table_name(string) table_version(int)",
    "trunk": "id(int,auto) key_name(string) key_type(int) value_type(int) key_value(string) "
    "expires(int)",
    "lcr_gw": "id(int,auto) lcr_id(int) gw_name(string,null) ip_addr(string,null) "
    "hostname(string,null) port(int,null) params(string,null) uri_scheme(int,null) "
    "transport(int,null) strip(int,null) prefix(string,null) tag(string,null) flags(int) "
    "defunct(int,null)",
    "lcr_rule": "id(int,auto) lcr_id(int) prefix(string,null) from_uri(string,null) "
    "request_uri(string,null) mt_tvalue(string,null) stopper(int) enabled(int)",
    "lcr_rule_target": "id(int,auto) lcr_id(int) rule_id(int) gw_id(int) priority(int) weight(int)",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a controller works by. peers: tag by group and source. trunks: values by key.

    partners: address and port by name. destinations: partners in the order of asking, by prefix.
    """

    peers: Mapping[tuple[int, str], str]
    trunks: Mapping[str, int | str]
    partners: Mapping[str, tuple[str, int]]
    destinations: Mapping[str, tuple[str, ...]]


def differing(one: Loaded, other: Loaded) -> tuple[str, ...]:
    """The parts in which two differ, by name."""
    names = [field.name for field in fields(Loaded)]
    return tuple(name for name in names if getattr(one, name) != getattr(other, name))


def wanted(controller: Controller, trunks: Sequence[Trunk]) -> Loaded:
    """What a controller with these trunks has to work by."""
    values: dict[str, int | str] = {}
    peers = {(PROBER, f"{controller.prober}/32"): "prober"}
    for trunk in trunks:
        values[f"{trunk.id}::channels"] = trunk.channels
        values[f"{trunk.id}::numbers"] = pattern(trunk.numbers)
        values[f"{trunk.id}::callers"] = trunk.callers
        peers.update({(TRUNKS, str(source)): trunk.id for source in trunk.sources})
    return Loaded(
        peers,
        values,
        {one.name: (str(one.address), one.port) for one in controller.partners},
        {one.prefix: one.cheapest() for one in controller.destinations},
    )


def pattern(numbers: Sequence[Numbers]) -> str:
    """The regular expression (POSIX, extended) that numbers of these ranges match."""
    ranges = [one.prefix[1:] + (f"[0-9]{{{one.digits}}}" if one.digits else "") for one in numbers]
    return f"^[+]({'|'.join(ranges)})$"


def ranges(expression: str) -> tuple[str, ...]:
    """The ranges that a `pattern` was made of, as `+2711555xx`; anything else as it is."""
    inside = expression.removeprefix("^[+](").removesuffix(")$")
    if f"^[+]({inside})$" != expression:
        return (expression,)
    found = []
    for one in inside.split("|"):
        prefix, _, count = one.partition("[0-9]{")
        digits = count.removesuffix("}")
        found.append(f"+{prefix}" + "x" * (int(digits) if digits.isdecimal() else 0))
    return tuple(found)


def render(controller: Controller, trunks: Sequence[Trunk]) -> Mapping[str, str]:
    """Every file of tables, by its path in the controller's folder."""
    should = wanted(controller, trunks)
    gateways = {name: at for at, name in enumerate(should.partners, 1)}
    destinations = list(enumerate(should.destinations.items(), 1))
    rows: dict[str, list[tuple[int | str, ...]]] = {
        "version": list(_VERSIONS.items()),
        "trunk": [
            (key, 0, 1 if isinstance(value, int) else 0, value, 0)
            for key, value in should.trunks.items()
        ],
        "lcr_gw": [
            (1, name, address, "", port, "", 1, 1, 0, "", name, 0, 0)
            for name, (address, port) in should.partners.items()
        ],
        "lcr_rule": [(1, prefix, "", "", "", 1, 1) for _, (prefix, _) in destinations],
        "lcr_rule_target": [
            (1, rule, gateways[name], order, 1)
            for rule, (_, names) in destinations
            for order, name in enumerate(names)
        ],
    }
    return {
        "peers.list": "".join(
            f"{group} {source.partition('/')[0]} {source.partition('/')[2]} 0 {tag}\n"
            for (group, source), tag in should.peers.items()
        ),
        **{f"tables/{name}": _table(name, found) for name, found in rows.items()},
    }


def _table(name: str, rows: Sequence[tuple[int | str, ...]]) -> str:
    numbered = _HEADS[name].startswith("id(")
    lines = [
        ":".join(_cell(value) for value in ((at, *row) if numbered else row))
        for at, row in enumerate(rows, 1)
    ]
    return "\n".join((_HEADS[name], *lines, ""))


def _cell(value: int | str) -> str:
    return str(value).replace("\\", "\\\\").replace(":", "\\:")


# --- what it says it has ------------------------------------------------------------------------


def loaded(answers: Sequence[Mapping[str, Any]]) -> Loaded:
    """What the answers to DUMPS say. Nothing loaded is no answer to Kamailio, and empty here."""
    hosts, nets, values, gateways, rules = (one.get("result") or {} for one in answers)
    peers = {
        (one["group"], str(IPv4Network((item["ip"], item.get("mask", 32))))): item["tag"]
        for one in (*hosts, *nets)
        for item in (one["item"],)
    }
    names = {one["gw_index"]: one["gw_name"] for one in _list(gateways, "gw")}
    return Loaded(
        peers,
        {slot["name"]: slot["value"] for entry in values for slot in entry["slot"]},
        {one["gw_name"]: (one["ip_addr"], one["port"]) for one in _list(gateways, "gw")},
        {
            rule["prefix"]: tuple(
                names.get(one["gw_index"], "?")
                for one in sorted(_list(rule, "gw"), key=lambda way: way["priority"])
            )
            for rule in _list(rules, "rule")
        },
    )


def _list(of: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = of.get(name) or [] if of else []
    return found if isinstance(found, list) else [found]
