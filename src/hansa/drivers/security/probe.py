"""A client of the customer's network, which asks for what a policy lets through and what not.

It is a box of its own, joined to the network's, so that a policy is held to its word before, and
whether or not, any site stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface

from hansa.drivers.lab import internet, plan
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.security import firewall
from hansa.drivers.security.firewall import PROXY
from hansa.drivers.security.gateway import ROOTS
from hansa.drivers.security.intent import INSIDE, Border, Gateway, NameList, Policy, Rule
from hansa.foundation.readings import Check

OPEN = f"open.{internet.ZONE_NAMES}"
"""A name of the lab's internet that nobody has a reason to list."""

_HOST = IPv4Interface("10.50.254.10/24")
_ROUTER = IPv4Interface("10.50.254.1/24")
_NO_ANSWER = "no answer"
_REFUSED, _SILENT, _ENDED = 7, 28, 35
"""curl's exit codes: not connected, no answer in time, the TLS handshake was broken off."""


def join(lab: Lab, network: plan.Network) -> Box:
    """The network's client, made when there is none."""
    router, client = lab.box(network.box), lab.box(f"probe-{network.number}")
    if lab.link(router, client, names=("probe", "lan")):
        plan.address(router, "probe", str(_ROUTER))
        plan.address(client, "lan", str(_HOST))
        client.run("ip", "route", "replace", "default", "via", str(_ROUTER.ip))
    return client


def leave(lab: Lab, network: plan.Network) -> None:
    """Takes the client away; none is no error."""
    lab.unbox(f"probe-{network.number}")


@dataclass(frozen=True, slots=True)
class Probe:
    """router: the network's box, on which counters are read. client: where it is asked from."""

    router: Box
    client: Box
    border: Border

    def checks(self, policy: Policy) -> Iterator[Check]:
        """A policy in the buyer's terms, one example of each of its promises."""
        everybody = [one for one in policy.lists if not one.clients]
        blocked = next((one for one in everybody if one.action == "block"), None)
        names = list(self._names(everybody))
        yield from names
        yield from self._ports(policy.firewall.rules)
        # where no name is answered no page comes: to wait for each of them tells nothing more
        answered = all(one.measured != _NO_ANSWER for one in names)
        if policy.gateway is not None and answered:
            for way in self._ways(policy.gateway):
                yield from self._web(policy.gateway, blocked, *way)

    def is_served(self) -> bool:
        """Whether an open name is answered and a page comes, in whichever way clients have it."""
        if not self._name("an open name", OPEN, str(plan.WEB)).ok:
            return False
        return self._curl("--resolve", f"{OPEN}:80:{plan.WEB}", f"http://{OPEN}/")[0] == "200"

    def _names(self, lists: list[NameList]) -> Iterator[Check]:
        yield self._name("an open name", OPEN, str(plan.WEB))
        for action, words in (("block", "a blocked name"), ("redirect", "a redirected name")):
            for one in [one for one in lists if one.action == action and one.names][:1]:
                yield self._name(words, one.names[0], one.to or "NXDOMAIN")

    def _name(self, check: str, name: str, wanted: str) -> Check:
        asked = ("dig", "+time=1", "+tries=2", f"@{self.border.resolver}", name, "A")
        said = self.client.try_run(*asked).out
        answers = [line.split()[-1] for line in said.splitlines() if "\tIN\tA\t" in line]
        status = said.partition("status: ")[2].partition(",")[0] or _NO_ANSWER
        measured = answers[-1] if answers else status
        return Check(f"{check}: {name}", wanted, measured, measured == wanted)

    def _ports(self, rules: tuple[Rule, ...]) -> Iterator[Check]:
        """The first port that is denied to everybody inside: closed, and its counter rises."""
        for rule in rules:
            ours = not rule.dst and (not rule.src or f"@{INSIDE}" in rule.src)
            if rule.action != "accept" and ours and rule.ports and "tcp" in rule.proto:
                port = rule.ports[0].partition("-")[0]
                before = self._count(rule)
                ended = self._curl(f"telnet://{plan.WEB}:{port}")[1]
                counted = self._count(rule) - before
                closed = ended in {_REFUSED, _SILENT}
                measured = f"{'closed' if closed else 'open'}, counted {counted}"
                yield Check(
                    f"a denied port: {rule.id} ({port})",
                    "closed, and counted",
                    measured,
                    closed and counted > 0,
                )
                return

    def _count(self, rule: Rule) -> int:
        return firewall.counts(self.router).get(f"r-{rule.id}", (0, 0))[0]

    def _ways(self, gateway: Gateway) -> Iterator[tuple[str, Callable[[str], tuple[str, ...]]]]:
        """How a page can be asked for: by naming the gateway, and by not knowing of it."""
        proxy = f"http://{self.border.gateway}:{PROXY}"
        if gateway.explicit:
            yield "through the gateway", lambda _: ("--proxy", proxy)
        if gateway.transparent:
            yield (
                "by itself",
                lambda name: tuple(
                    word
                    for port in (80, 443)
                    for word in ("--resolve", f"{name}:{port}:{plan.WEB}")
                ),
            )

    def _web(
        self,
        gateway: Gateway,
        blocked: NameList | None,
        how: str,
        way: Callable[[str], tuple[str, ...]],
    ) -> Iterator[Check]:
        status, _ = self._curl(*way(OPEN), f"http://{OPEN}/")
        yield Check(f"a page {how}", "200", status, status == "200")
        roots = ("--cacert", self.router.path(ROOTS))
        status, ended = self._curl(*way(OPEN), *roots, f"https://{OPEN}/")
        closed = "closed to us" if status == "200" else f"status {status}, curl {ended}"
        yield Check(f"a secured page {how}", "closed to us", closed, status == "200")
        if blocked is not None and blocked.names:
            name = blocked.names[0]
            status, _ = self._curl(*way(name), f"http://{name}/")
            yield Check(f"a blocked page {how}: {name}", "403", status, status == "403")
            _, ended = self._curl(*way(name), "--insecure", f"https://{name}/")
            measured = "ended" if ended == _ENDED else f"curl {ended}"
            yield Check(f"a blocked secured page {how}: {name}", "ended", measured, ended == _ENDED)
        for name in gateway.inspect[:1]:
            # decrypted, it bears our customer's certificate, which the web's authority has not made
            _, ended = self._curl(*way(name), *roots, f"https://{name}/")
            status, _ = self._curl(*way(name), "--insecure", f"https://{name}/")
            measured = "decrypted" if (ended, status) == (60, "200") else f"{status}, curl {ended}"
            yield Check(
                f"a page to be looked into {how}: {name}",
                "decrypted",
                measured,
                measured == "decrypted",
            )

    def _curl(self, *argv: str) -> tuple[str, int]:
        """The HTTP status of an answer (`000`: there was none), and curl's own exit code."""
        said = self.client.try_run(
            *(
                "curl",
                "-s",
                "--connect-timeout",
                "1",
                "-m",
                "3",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                *argv,
            )
        )
        return said.out.strip(), said.status
