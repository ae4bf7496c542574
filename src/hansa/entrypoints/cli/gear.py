"""`hansa gear`: what real equipment is told of a service, and how it gets there."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.errors import NotFound, Refused

if TYPE_CHECKING:
    from hansa.drivers.connectivity.intent import SiteVpn
    from hansa.drivers.gear.make import Make
    from hansa.drivers.gear.netconf import Device, Difference, Pushed
    from hansa.drivers.gear.render import Rendered
    from hansa.drivers.model import Service
    from hansa.node import Node

app = group("Real equipment: what it is told of a service, and taking that there on probation.")

CONFIRM_S = 120

Site = Annotated[
    str,
    typer.Argument(
        metavar="SITE", help="A site of a private network: hld_…, or a file of `gear intent`."
    ),
]
MakeName = Annotated[
    str,
    typer.Option(
        "--make", metavar="MAKE", help="A make that `hansa gear makes` lists, or a make's file."
    ),
]
DevicePath = Annotated[
    Path,
    typer.Option(
        "--device", metavar="FILE", help="Where the device is, its make, and which key is ours."
    ),
]
Remove = Annotated[bool, typer.Option("--remove", help="What takes the site away again, instead.")]


@app.command(epilog="Example: hansa gear makes --json")
def makes(as_json: AsJson = False) -> None:
    """List the makes of equipment that are known, what each can bear and what it leaves open."""
    from hansa.drivers.gear import make

    found = [make.known(name) for name in make.makes()]
    if as_json:
        render.as_json(
            [
                {
                    **{name: getattr(one, name) for name in ("name", "speaks", "tunnels")},
                    "limits": render.plain(one.limits),
                    "leaves": one.leaves,
                }
                for one in found
            ]
        )
        return
    render.table(
        "Makes",
        ("make", "speaks", "tunnels", "lines>", "classes>", "Mbit/s>", "left to you"),
        [
            (
                one.name,
                one.speaks,
                one.tunnels,
                one.limits.lines_max,
                one.limits.classes_max,
                one.limits.speed_mbps_max,
                one.leaves,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa gear intent hld_0198… > site.yaml")
def intent(site: Site, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Print a site in full as its network's driver has it: a file that the others take, too."""
    import yaml

    told = render.plain(_site(site, node))
    if as_json:
        render.as_json(told)
    else:
        typer.echo(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), nl=False)


@app.command("render", epilog="Example: hansa gear render site.yaml --make ios-xe")
def render_site(
    site: Site,
    make: MakeName,
    remove: Remove = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Print what equipment of a make is told of a site; nothing is sent anywhere."""
    from hansa.drivers.gear.render import render as rendered

    told = rendered(_site(site, node), _make(make, Path()))
    if as_json:
        render.as_json(told)
        return
    typer.echo(told.remove if remove else told.configure, nl=False)
    _say_what_is_left(told)


@app.command(epilog="Example: hansa gear check site.yaml --device london.yaml")
def check(
    site: Site,
    device: DevicePath,
    remove: Remove = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Have a device try what it would be told, and show what would change; nothing is kept."""
    from hansa.drivers.gear import netconf

    make, where = _device(device)
    told = _told(site, make, node)
    found = netconf.difference(where, told.remove if remove else told.configure)
    if as_json:
        render.as_json({"difference": found.lines})
    else:
        _draw(found, where)


@app.command(epilog="Example: hansa gear push site.yaml --device london.yaml --yes")
def push(
    site: Site,
    device: DevicePath,
    remove: Remove = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask whether the difference may be made.")
    ] = False,
    verify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COMMAND", help="Run this here while it is on probation: it must end well."
        ),
    ] = None,
    confirm_s: Annotated[
        int, typer.Option(metavar="N", min=1, max=3600, help="How long the probation is at most.")
    ] = CONFIRM_S,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Take a site to a device: shown first, committed on probation, looked at, then confirmed.

    The device goes back by itself, also when this command is killed, unless it has what it was
    told, lets us in anew, and every COMMAND has ended well.
    """
    from hansa.drivers.gear import netconf
    from hansa.drivers.gear.looks import looks, read

    make, where = _device(device)
    look = looks(read(verify or []), within_s=confirm_s * 0.8)
    told = _told(site, make, node)
    text = told.remove if remove else told.configure
    shown = netconf.difference(where, text)
    if not as_json:
        _draw(shown, where)
    if shown.lines and not yes:
        _ask(where, asks=not as_json and sys.stdin.isatty())
    pushed = netconf.push(
        where,
        text,
        verify=lambda: [netconf.answers(where), *look()],
        confirm_s=confirm_s,
        shown=shown,
    )
    if as_json:
        render.as_json({"difference": shown.lines, **render.plain(pushed)})
    else:
        _draw_pushed(pushed, where)
    if not pushed.kept:
        raise Refused(
            "gear-taken-back",
            f"Not all was well, so {where.host} has gone back to what it was: see the checks.",
        )
    if not as_json and not remove:
        _say_what_is_left(told)


# --- what is meant --------------------------------------------------------------------------------


def _site(text: str, node: Path) -> SiteVpn:
    """From a file, else as a driver of the node has it."""
    from hansa.drivers.connectivity.intent import SiteVpn
    from hansa.drivers.gear import written
    from hansa.entrypoints.yaml_files import load

    if text.startswith("hld_") and not Path(text).exists():
        with opened(node) as ours:
            return _site_of(ours, text)
    found = load(Path(text), SiteVpn)
    written.check(found)
    return found


def _site_of(node: Node, holding: str) -> SiteVpn:
    """Raises NotFound `holding-unknown`; Refused `gear-family`, `gear-unplanned`."""
    from hansa.drivers.connectivity import services
    from hansa.drivers.lab.box import Lab, usual_folder

    service = _service(node, holding)
    driver = node.settings.network.drivers.get(service.family)
    if driver != "lab":
        raise Refused(
            "gear-unplanned",
            f"The driver {driver!r} gives {service.holding} no addresses, so there is nothing to "
            "tell a router of: write the site in a file (see docs/recipes/equipment.md).",
            field="site",
        )
    where = node.settings.network.lab
    found = services.site_of(Lab(Path(where) if where else usual_folder()), service.holding)
    if found is None:
        raise NotFound(
            "holding-unknown",
            f"The lab has no site for {service.holding} now; see `hansa lab status`.",
            field="site",
        )
    return found


def _service(node: Node, holding: str) -> Service:
    """The site that a holding is, or the one that it stands on."""
    from hansa.drivers import actions as network
    from hansa.foundation.ids import HoldingId
    from hansa.lifecycle.inventory import actions as inventory
    from hansa.lifecycle.inventory.model import HoldingRef

    us, id = node.us.id, HoldingId(holding)
    with node.begin() as tx:
        try:
            found = [network.service(tx, buyer=us, holding=id)]
        except NotFound:
            below = inventory.below(tx, ref=HoldingRef(us, id))
            own = [lower.ref.id for _, lower in below if lower.ref.seller == us]
            if not own:
                raise
            found = [network.service(tx, buyer=us, holding=one) for one in own]
    for one in found:
        if one.family == "connectivity" and one.intent and one.intent.technology != "access":
            return one
    families = ", ".join(sorted({one.family for one in found}))
    raise Refused(
        "gear-family",
        f"{holding} is {families} and no site of a private network in service: equipment is told "
        "of these alone (what is missing is in src/hansa/drivers/gear/GAPS.md).",
        field="site",
    )


def _make(name: str, folder: Path) -> Make:
    from hansa.drivers.gear import make

    if name.endswith((".yaml", ".yml")):
        return make.load(folder / name)
    return make.known(name)


def _device(file: Path) -> tuple[Make, Device]:
    from hansa.drivers.gear.netconf import Device
    from hansa.entrypoints.cli.files import DeviceFile
    from hansa.entrypoints.yaml_files import load

    found = load(file, DeviceFile)
    if not _is_public_key(found.host_key):
        raise Refused(
            "file-invalid",
            f"{file}: host_key: write the device's public key as OpenSSH does, "
            "`ssh-ed25519 AAAA…`; on the device it is in /etc/ssh/ssh_host_*_key.pub.",
            field="host_key",
        )
    key = file.parent / Path(found.key_file).expanduser()
    make = _make(found.make, file.parent)
    return make, Device(found.host, found.user, key, found.host_key, found.port)


def _is_public_key(text: str) -> bool:
    """Whether it is one of OpenSSH's lines: its kind, and the same again within what follows."""
    kind, _, rest = text.partition(" ")
    try:
        inner = base64.b64decode(rest.split()[0], validate=True)
    except (IndexError, ValueError):
        return False
    return inner[4:].startswith(kind.encode()) and bool(kind)


def _told(site: str, make: Make, node: Path) -> Rendered:
    """Raises Refused `gear-typed` for what cannot be taken there by NETCONF."""
    from hansa.drivers.gear.render import render as rendered

    if make.speaks != "netconf":
        raise Refused(
            "gear-typed",
            f"Make {make.name} is told lines that are typed in: print them with "
            f"`hansa gear render --make {make.name}` and take them there by your own tools.",
            field="make",
        )
    return rendered(_site(site, node), make)


# --- what is said ---------------------------------------------------------------------------------


def _ask(device: Device, *, asks: bool) -> None:
    if asks and typer.confirm(f"Tell {device.host} so, on probation?"):
        return
    raise Refused(
        "gear-unconfirmed",
        f"Nothing was done to {device.host}: read the difference, then say --yes.",
        field="yes",
    )


def _draw(found: Difference, device: Device) -> None:
    for line in found.lines:
        render.say(line)
    if not found.lines:
        render.say(f"{device.host} has all of it already.")


def _draw_pushed(pushed: Pushed, device: Device) -> None:
    said = "kept" if pushed.kept else "taken back"
    how = said if pushed.changed else "nothing was to do"
    render.table(
        f"{device.host}: {how}",
        ("check", "wanted", "found", "well"),
        [(one.check, one.wanted, one.measured, one.ok) for one in pushed.checks],
    )


def _say_what_is_left(told: Rendered) -> None:
    for one in told.leaves:
        typer.echo(f"left to you: {one}", err=True)
