"""The filter of names: unbound in the network's box, with response policy zones for each list.

A list's zones are tagged with the list's id, and so are the clients for which it is; zones are
asked in the order allow, redirect, block, and the first that knows a name decides. Nothing is
remembered of what the daemon holds: it says itself which configuration it has read (its
`identity`) and which text of each list (the serials of its zones). So whatever is killed between
writing a file and having it read, the next comparison finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from zlib import crc32

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.drivers.security import files
from hansa.drivers.security.intent import Border, NameList, Net, Policy, digest
from hansa.drivers.security.names import topmost
from hansa.foundation.errors import TryLater

NAME = "resolver"
FOLDER = "resolver"
CONFIG = f"{FOLDER}/unbound.conf"
ZONE_NAMES_MAX = 8192
_ENOUGH = 64 << 10
ORDER = ("allow", "redirect", "block")


def in_order(lists: Iterable[NameList]) -> list[NameList]:
    """Lists as they are asked: what is allowed first, what is blocked last."""
    return sorted(lists, key=lambda one: ORDER.index(one.action))


def render(policy: Policy, border: Border, folder: str) -> Mapping[str, str]:
    """The resolver's files, by their names in the folder: the configuration as unbound reads it,
    and the zones.
    """
    found = {one.id: zones(one) for one in policy.lists}
    config = _config(policy, border, folder, {name: list(of) for name, of in found.items()})
    texts = {f"{name}.zone": text for of in found.values() for name, text in of.items()}
    return {"unbound.conf": config, **texts}


def _config(policy: Policy, border: Border, folder: str, parts: Mapping[str, list[str]]) -> str:
    body = _body(policy, border, folder, parts)
    return body.replace("@IDENTITY@", digest(body))


def zones(one: NameList) -> Mapping[str, str]:
    """A list as response policy zones (RPZ) by their names: one, or for a long list several, so
    that unbound, which answers nobody while it reads a zone, never reads long. A name stays in
    its zone, and a zone's serial is told from its text: what changes is read, and that alone.
    """
    names = topmost(one.names)
    parts = 1 << max(0, (len(names) - 1) // ZONE_NAMES_MAX).bit_length()
    shared: list[list[str]] = [[] for _ in range(parts)]
    for name in names:
        shared[crc32(name.encode()) % parts].append(name)
    return {f"{one.id}.{number}": _zone(one, names) for number, names in enumerate(shared)}


def _zone(one: NameList, names: list[str]) -> str:
    if one.action == "redirect":
        kind = "A" if ip_address(one.to).version == 4 else "AAAA"
        becomes = f"{kind} {one.to}"
    else:
        becomes = "CNAME rpz-passthru." if one.action == "allow" else "CNAME ."
    records = "".join(f"{name} {becomes}\n*.{name} {becomes}\n" for name in names)
    serial = int(digest(records)[:8], 16)
    soa = f"$TTL 60\n@ SOA localhost. hostmaster.localhost. {serial} 3600 600 86400 60\n"
    return f"{soa}@ NS localhost.\n{records}"


def _body(policy: Policy, border: Border, folder: str, parts: Mapping[str, list[str]]) -> str:
    lists = in_order(policy.lists)
    lines = [
        "server:",
        f"  interface: {border.resolver}",
        "  identity: @IDENTITY@",
        *(f"  access-control: {net} allow" for net in border.clients),
        '  module-config: "respip iterator"',
        *_tags(lists, border),
        "  do-daemonize: no",
        "  use-syslog: no",
        '  logfile: ""',
        "  log-time-ascii: no",
        '  chroot: ""',
        '  username: ""',
        '  pidfile: ""',
        f'  directory: "{folder}"',
        "  num-threads: 1",
        "  do-not-query-localhost: no",
        "  ede: yes",
        "remote-control:",
        "  control-enable: yes",
        f"  control-interface: {folder}/control",
        "  control-use-cert: no",
        "forward-zone:",
        '  name: "."',
        f"  forward-addr: {border.upstream}",
        *(line for one in lists for part in parts[one.id] for line in _list(one, part, folder)),
        "",
    ]
    return "\n".join(lines)


def _list(one: NameList, part: str, folder: str) -> list[str]:
    return [
        "rpz:",
        f"  name: {part}.rpz",
        f'  zonefile: "{folder}/{part}.zone"',
        f'  tags: "{one.id}"',
        "  rpz-log: yes",
        f'  rpz-log-name: "{one.id}"',
    ]


def _tags(lists: list[NameList], border: Border) -> Iterator[str]:
    """Which clients have which lists; unbound goes by the narrowest prefix, and by that alone."""
    if not lists:
        return
    yield f'  define-tag: "{" ".join(one.id for one in lists)}"'
    nets = {net for one in lists for net in _clients(one, border)}
    for net in sorted(nets, key=lambda one: (one.version, one)):
        tags = [one.id for one in lists if any(_within(net, of) for of in _clients(one, border))]
        yield f'  access-control-tag: {net} "{" ".join(tags)}"'


def _clients(one: NameList, border: Border) -> list[Net]:
    return [ip_network(net) for net in one.clients or border.clients]


def _within(net: Net, other: Net) -> bool:
    return net.version == other.version and net.subnet_of(other)  # type: ignore[arg-type]


# --- on the device --------------------------------------------------------------------------------


def texts(box: Box, policy: Policy, border: Border) -> Mapping[str, str]:
    """Every file of the resolver, by its path in the box."""
    rendered = render(policy, border, box.path(FOLDER))
    return {f"{FOLDER}/{name}": text for name, text in rendered.items()}


def differs(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """What `apply` would change: a file, a list that was not read, the daemon. wanted: from
    `texts`.
    """
    changes = files.changed(box, wanted)
    reads, identity = loaded(box, wanted), _identity(wanted[CONFIG])
    if reads != identity:
        return [*changes, Change("resolver", reads or "dead", identity)]
    there = _serials(box)
    unread = [name for name, number in _serials_of(wanted) if there.get(name) != number]
    names = sorted({name.partition(".")[0] for name in unread})
    return [*changes, *(Change(f"list {name}", "read otherwise", "read") for name in names)]


def apply(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """Has the box's resolver filter by these files; lists change without its starting anew."""
    changes = differs(box, wanted)
    if not changes:
        return []
    _check(box, wanted)
    files.write(box, wanted)
    argv = ("unbound", "-d", "-p", "-c", box.path(CONFIG))
    box.start(NAME, *argv, ready=lambda: loaded(box, wanted) is not None)
    identity = _identity(wanted[CONFIG])
    if loaded(box, wanted) != identity:
        _control(box, "reload")
        box.wait(lambda: loaded(box, wanted) == identity, what=NAME)
        files.forget(box, FOLDER, ".zone", wanted)
    there = _serials(box)
    for name, number in _serials_of(wanted):
        if there.get(name) != number:
            _control(box, "auth_zone_reload", f"{name}.rpz")
    return changes


def remove(box: Box) -> None:
    """Ends the resolver and takes its files away; none is no error."""
    box.stop(NAME)
    box.remove(FOLDER)


def loaded(box: Box, wanted: Mapping[str, str]) -> str | None:
    """The fingerprint of the configuration that is at work where clients ask; None: none is."""
    if not box.runs(NAME):
        return None
    door = next(line.split()[1] for line in wanted[CONFIG].splitlines() if "interface:" in line)
    said = box.try_run("dig", "+short", "+time=1", "+tries=2", f"@{door}", "CH", "TXT", "id.server")
    return said.out.strip().strip('"') or None if said.ok else None


def _serials(box: Box) -> Mapping[str, int]:
    """The serial of each list that the daemon has read."""
    found = {}
    for line in _control(box, "list_auth_zones").splitlines():
        name, _, rest = line.partition("\t")
        if name.endswith(".rpz.") and rest.startswith("serial "):
            found[name.removesuffix(".rpz.")] = int(rest.split()[1])
    return found


def _serials_of(wanted: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The same, as the files have them."""
    for path, text in wanted.items():
        if path.endswith(".zone"):
            name = path.removeprefix(f"{FOLDER}/").removesuffix(".zone")
            yield name, int(text[: text.index("\n@ NS")].split(" ")[-5])


def _control(box: Box, *what: str) -> str:
    return box.run("unbound-control", "-c", box.path(CONFIG), *what)


def _identity(config: str) -> str:
    return next(
        line.split()[1] for line in config.splitlines() if line.strip().startswith("identity:")
    )


def _check(box: Box, wanted: Mapping[str, str]) -> None:
    """Has unbound read the new files before the old ones are touched. Of a long list it reads the
    beginning: every name in it has been checked already, and to read all takes seconds.
    """
    begun = {path: text[: text.find("\n", _ENOUGH) + 1] or text for path, text in wanted.items()}
    said = files.try_out(box, FOLDER, begun, "unbound-checkconf", box.path(CONFIG))
    if not said.ok:
        raise TryLater("device-failed", f"unbound does not take its files: {said.err[-500:]}")
