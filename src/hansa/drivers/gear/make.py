"""Makes of equipment, as data: what differs between them stands in a YAML file for each, which is
checked when it is read. There is no code for any one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from hansa.drivers.connectivity.intent import (
    CLASSES,
    LINES_MAX,
    TUNNELS,
    ClassOfService,
    Link,
    SiteVpn,
)
from hansa.drivers.gear import template
from hansa.drivers.gear.site import Site, site
from hansa.drivers.gear.template import Template, Wrong
from hansa.foundation.errors import Refused

FOLDER = Path(__file__).with_name("makes")
NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"

NUMBERED = re.compile(r"[A-Za-z0-9/._: -]*\{number\}[A-Za-z0-9/._: -]*")
PLAIN = re.compile(r"[A-Za-z0-9/._: -]+")

Most = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Names:
    """What interfaces are called. wan, tunnel: with `{number}` for the line's and the tunnel's."""

    wan: str
    lan: str
    tunnel: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What it can bear."""

    lines_max: Most
    classes_max: Most
    bfd_ms_min: Most
    speed_mbps_max: Most


@dataclass(frozen=True, slots=True)
class Text:
    """A make's file, part by part, before its texts are read. See Make."""

    name: str
    speaks: Literal["cli", "netconf"]
    names: Names
    limits: Limits
    tunnels: tuple[Literal["wireguard", "ipsec"], ...]
    configure: str
    remove: str
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Make:
    """A make of equipment. speaks: lines that are typed in, or NETCONF. tunnels: of which kinds.

    leaves: what the texts do not settle and an operator has to, in words. configure, remove: the
    texts that make a site true on it, and that take it away.
    """

    name: str
    speaks: Literal["cli", "netconf"]
    names: Names
    limits: Limits
    tunnels: Sequence[str]
    leaves: Sequence[str]
    configure: Template
    remove: Template

    def site(self, vpn: SiteVpn) -> Site:
        """The facts of a site, under this make's names."""
        return site(
            vpn,
            wan=lambda number: self.names.wan.replace("{number}", str(number)),
            lan=self.names.lan,
            tunnel=lambda number: self.names.tunnel.replace("{number}", str(number)),
        )


def makes() -> Sequence[str]:
    """The makes that Hansa knows without being told."""
    return sorted(one.stem for one in FOLDER.glob("*.yaml"))


def known(name: str) -> Make:
    """A make that comes with Hansa. Raises Refused `make-unknown`."""
    if name not in makes():
        raise Refused(
            "make-unknown",
            f"There is no make {name!r}: choose one of {', '.join(makes())}, or name a file.",
            field="make",
        )
    return load(FOLDER / f"{name}.yaml")


def load(path: Path) -> Make:
    """A make from its file. Raises Refused `make-invalid`, with file, line and field."""
    root = _compose(path)
    lines: dict[str, int] = {}
    try:
        parts = _plain(path, root, "", lines)
        text: Text = TypeAdapter(Text).validate_python(parts, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        _refuse(path, _nearest(lines, field), field, first["msg"])
    _check_names(path, text.names, lines)
    found = Make(
        name=text.name,
        speaks=text.speaks,
        names=text.names,
        limits=text.limits,
        tunnels=text.tunnels,
        leaves=text.leaves,
        configure=_template(path, "configure", text, lines),
        remove=_template(path, "remove", text, lines),
    )
    _try_out(path, found, lines)
    return found


def wrapped(text: str) -> str:
    """A configuration as NETCONF carries it (RFC 6241, `config`)."""
    return f"<nc:config xmlns:nc={quoteattr(NETCONF)}>\n{text}</nc:config>\n"


# --- reading --------------------------------------------------------------------------------------


def _compose(path: Path) -> yaml.Node:
    try:
        root = yaml.compose(path.read_text("utf-8"), yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, 1, "", f"it cannot be read: {error}")
    except yaml.MarkedYAMLError as error:
        _refuse(path, error.problem_mark.line + 1 if error.problem_mark else 1, "", str(error))
    if not isinstance(root, yaml.MappingNode):
        _refuse(path, 1, "", "it is no list of `name: value` lines")
    return root


def _plain(path: Path, node: yaml.Node, field: str, lines: dict[str, int]) -> Any:
    """Texts, lists and mappings as they stand; lines: where each field begins, from 1."""
    lines[field] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        below = [(str(number), one) for number, one in enumerate(node.value)]
        return [_plain(path, one, _join(field, key), lines) for key, one in below]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, one in node.value:
            if key.value in found:
                _refuse(path, key.start_mark.line + 1, _join(field, key.value), "is given twice")
            found[str(key.value)] = _plain(path, one, _join(field, str(key.value)), lines)
        return found
    return node.value


def _check_names(path: Path, names: Names, lines: Mapping[str, int]) -> None:
    for field, name, pattern, words in (
        ("names.wan", names.wan, NUMBERED, "must have `{number}` in it once"),
        ("names.tunnel", names.tunnel, NUMBERED, "must have `{number}` in it once"),
        ("names.lan", names.lan, PLAIN, "must be a plain name"),
    ):
        if not pattern.fullmatch(name):
            _refuse(path, lines[field], field, f"{words}, beside letters, digits and / . _ : -")


def _template(path: Path, field: str, text: Text, lines: Mapping[str, int]) -> Template:
    try:
        return template.read(
            getattr(text, field),
            escape=escape if text.speaks == "netconf" else str,
            site=Site,
        )
    except Wrong as wrong:
        _refuse(path, lines[field] + wrong.line, field, str(wrong))


def _try_out(path: Path, make: Make, lines: Mapping[str, int]) -> None:
    """Has both texts filled for a site that has as much as the make can bear."""
    for field in ("configure", "remove"):
        told = getattr(make, field).fill(site=make.site(_example(make)))
        if make.speaks == "cli":
            continue
        try:
            expat.ParserCreate(namespace_separator=" ").Parse(wrapped(told), True)
        except expat.ExpatError as error:
            said = wrapped(told).splitlines()[error.lineno - 1].strip()
            words = f"it does not come out as XML: {expat.ErrorString(error.code)} at `{said}`"
            _refuse(path, lines[field], field, words)


def _example(make: Make) -> SiteVpn:
    inside6 = int(IPv6Network("fd51::/32").network_address)
    return SiteVpn(
        service="example",
        router="router",
        network="network",
        public=IPv4Address("203.0.113.1"),
        network_asn=64999,
        asn=65001,
        prefixes=(IPv4Network("10.60.0.0/16"), IPv6Network("fd60::/48")),
        addresses=("10.60.0.1/24", "10.60.1.1/24", "fd60::1/64"),
        down_kbps=1000,
        up_kbps=1000,
        classes=tuple(ClassOfService(name, 1) for name in CLASSES)[: make.limits.classes_max],
        links=tuple(
            Link(
                number=number,
                line=number,
                wan="wan",
                line_kbps=None,
                at_router=IPv4Interface(f"100.64.{number}.2/30"),
                at_pop=IPv4Interface(f"100.64.{number}.1/30"),
                inside=IPv4Network(f"172.16.{number}.0/30"),
                inside6=IPv6Network((inside6 + (number << 64), 126)),
                preference=100,
                router_key="key",
                network_key="key",
            )
            for number in range(1, min(LINES_MAX, make.limits.lines_max) + 1)
        ),
        tunnel=next(iter(make.tunnels), TUNNELS[0]),
    )


def _join(field: str, step: str) -> str:
    return f"{field}.{step}" if field else step


def _nearest(lines: Mapping[str, int], field: str) -> int:
    while field and field not in lines:
        field = field.rpartition(".")[0]
    return lines.get(field, 1)


def _refuse(path: Path, line: int, field: str, words: str) -> NoReturn:
    raise Refused(
        "make-invalid",
        f"{path} line {line}: {f'{field}: ' if field else ''}{words.rstrip('.')}.",
        field=field or None,
    )
