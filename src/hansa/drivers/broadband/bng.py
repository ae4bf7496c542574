"""The network gateway of a country's lines: its kernel, its agent, and what stands there.

The agent does what belongs to a session (agent.py); here is what stands before any line comes:
the queues, the table that lets nothing pass, and the ports.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence

from hansa.drivers.broadband import agent, device, kea
from hansa.drivers.broadband.access import AAA, BNG, CORE, TO_AAA, Access, Port
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box

DAEMON = "agent"
GIVEN = "agent.json"
CHAINS: Mapping[str, str] = {
    "input": f"""\
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		iifname "{TO_AAA}" accept
		ip daddr != 10.99.0.0/30 icmp type {{ echo-reply, echo-request }} accept
""",
    "forward": f"""\
		type filter hook forward priority filter; policy drop;
		iifname "{CORE}" oifname . ip daddr @passing counter name ip daddr map @down accept
		oifname "{CORE}" iifname . ip saddr @passing counter name ip saddr map @up accept
""",
}
"""What may come in and through, in the words in which nftables tells it: nothing goes from line to
line, from a line to the gateway's servers, or under an address that is not the line's.
"""

_SETS = """\
	map up {
		type ipv4_addr : counter
	}

	map down {
		type ipv4_addr : counter
	}

	set passing {
		type ifname . ipv4_addr
	}
"""


def render() -> str:
    """The table before any line comes, in place of the one that is there."""
    chains = "".join(f"\n\tchain {name} {{\n{rules}\t}}\n" for name, rules in CHAINS.items())
    table = f"table {device.TABLE}"
    return f"add {table}\ndelete {table}\n{table} {{\n{_SETS}{chains}}}\n"


def apply(box: Box, of: Access, *, secret: str) -> list[Change]:
    """Has the gateway be ready for lines; what had to change. Lines that pass go on passing,
    unless the table itself was not as it should be: then the agent lets them in again.
    """
    changes = []
    if not _table_is_right(box):
        box.run("nft", "-c", "-f", "-", input=render())
        box.run("nft", "-f", "-", input=render())
        changes.append(Change("table of the gateway", None, "made"))
    for queue in (device.DOWN, device.UP):
        if not _queues(box, queue):
            box.try_run("ip", "link", "add", "dev", queue, "type", "ifb")
            box.run("ip", "link", "set", "dev", queue, "up")
            box.run("tc", "qdisc", "replace", "dev", queue, "root", "handle", "1:", "htb")
            changes.append(Change(queue, None, "made"))
    changes += _through(box, CORE, device.DOWN, "dst", str(of.pool))
    given = {"nas": str(BNG), "aaa": str(AAA), "kea": box.path(kea.CONTROL), "secret": secret}
    if box.read(GIVEN) != json.dumps(given):
        box.stop(DAEMON)
        box.write(GIVEN, json.dumps(given))
    if not box.runs(DAEMON):
        box.remove(agent.PID)
    if box.start(
        DAEMON,
        *(sys.executable, "-m", agent.__name__, "--folder", box.path(".")),
        ready=lambda: box.try_run("test", "-e", box.path(agent.PID)).ok,
    ):
        changes.append(Change("agent", None, "running"))
    if changes:
        settle(box)
    return changes


def amiss(box: Box, of: Port) -> list[str]:
    """What is not as `apply` and `connect` leave it, for a port."""
    return [
        *([] if _table_is_right(box) else ["table of the gateway"]),
        *(queue for queue in (device.DOWN, device.UP) if not _queues(box, queue)),
        *(
            f"queue of {interface}"
            for interface, queue in ((CORE, device.DOWN), (of.interface, device.UP))
            if not _goes_through(box, interface, queue)
        ),
        *([] if box.runs(DAEMON) else ["agent"]),
    ]


def connect(box: Box, of: Port) -> list[Change]:
    """Has what comes from a port go through the gateway's queue."""
    return _through(box, of.interface, device.UP, "src", f"{of.address}/32")


def lines(box: Box) -> Mapping[int, agent.Line]:
    """The lines that the agent knows, by number."""
    written = json.loads(box.read(agent.LINES) or "[]")
    return {one["number"]: agent.Line(**one) for one in written}


def put(box: Box, wanted: Sequence[agent.Line]) -> bool:
    """Has the agent know these lines and no others; whether it did not."""
    written = [
        {name: getattr(one, name) for name in ("number", "user", "password", "address", "clock_s")}
        for one in sorted(wanted, key=lambda one: one.number)
    ]
    changed = box.write(agent.LINES, json.dumps(written))
    if changed:
        settle(box)
    return changed


def settle(box: Box) -> None:
    """Has the agent put all in order."""
    box.signal(DAEMON, signal.SIGHUP)


def report(box: Box) -> None:
    """Has the agent report every session, which RADIUS answers by what each should be."""
    box.signal(DAEMON, signal.SIGUSR1)


def reading(box: Box) -> device.Reading:
    """What the gateway's kernel says of its lines."""
    return device.read({name: box.try_run(*argv).out for name, argv in device.READ.items()})


def sessions(box: Box) -> Mapping[int, str]:
    """The id of each line's session, by the line's number."""
    written = json.loads(box.read(agent.SESSIONS) or '{"sessions": []}')
    return {one["line"]["number"]: one["id"] for one in written["sessions"]}


def _table_is_right(box: Box) -> bool:
    """Whether the chains are there, rule for rule, in the words of nftables."""
    said = {
        name: box.try_run("nft", "-s", "list", "chain", *device.TABLE.split(), name).out
        for name in CHAINS
    }
    return {
        name: "".join(one for one in text.splitlines(keepends=True) if one.startswith("\t\t"))
        for name, text in said.items()
    } == CHAINS


def _queues(box: Box, queue: str) -> bool:
    return "htb 1: root" in box.try_run("tc", "qdisc", "show", "dev", queue).out


def _goes_through(box: Box, interface: str, queue: str) -> bool:
    there = box.try_run("tc", "filter", "show", "dev", interface, "parent", "ffff:").out
    return f"Egress Redirect to device {queue}" in there


def _through(box: Box, interface: str, queue: str, way: str, net: str) -> list[Change]:
    """Has what comes in by an interface, to or from these addresses, go through a queue."""
    if _goes_through(box, interface, queue):
        return []
    box.try_run("tc", "qdisc", "del", "dev", interface, "ingress")
    box.run("tc", "qdisc", "add", "dev", interface, "handle", "ffff:", "ingress")
    box.run(
        *("tc", "filter", "add", "dev", interface, "parent", "ffff:", "protocol", "ip"),
        *("u32", "match", "ip", way, net, "action", "mirred", "egress", "redirect", "dev", queue),
    )
    return [Change(f"queue of {interface}", None, queue)]
