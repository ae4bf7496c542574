"""Cloud security in a lab: makes a customer's policy true, and says whether it is.

A service is the firewall, the filter of names and the gateway of one private network. What was
ordered lies in the network's own box and is written last: a service whose making was broken off
is not there, and is made by asking again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hansa.drivers.contract import Change, Intent, Observed, Sample
from hansa.drivers.lab import internet, plan, register
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.machine import machine
from hansa.drivers.security import detection, files, firewall, gateway, probe, resolver
from hansa.drivers.security.defaults import POLICY
from hansa.drivers.security.intent import SEATS_MAX, Border, Management, Policy, check
from hansa.drivers.security.probe import Probe
from hansa.drivers.security.usage import Seats
from hansa.foundation import documents
from hansa.foundation.characteristics import NETWORK
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.readings import Check, Reading
from hansa.foundation.time import Instant, Period

FAMILY = "security"
ORDERED = "security.json"
"""In a network's box: the characteristics of its service."""

AS_ORDERED = "as ordered"
_ABSENT = "absent"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""What may be inside a private network (RFC 1918, RFC 4193), whatever its sites have ordered."""


def make(lab: Lab, folder: Path) -> SecurityNetwork:
    """Driver, Meter and Probe. folder: for its keys and seats in use; made when first needed."""
    return SecurityNetwork(lab, folder)


@dataclass(frozen=True, slots=True)
class _Made:
    """A service's place: its network, the box of it, and where it meets everybody else."""

    network: plan.Network
    box: Box
    border: Border


@dataclass(slots=True)
class SecurityNetwork:
    """Driver, Meter and Probe of security in a lab.

    Characteristics: seats; network, of which it is (else of its own); policy, a JSON document of
    `intent.Policy`, for those who want another than the usual one.
    """

    lab: Lab
    folder: Path
    name: str = "lab"
    measured: bool = True

    def can(self, intent: Intent) -> str | None:
        try:
            self._check(intent)
        except Refused as refused:
            return refused.words
        return None

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        was = observed.characteristics if observed else {}
        wanted = intent.characteristics
        changes = [
            Change(name, was.get(name), wanted.get(name, AS_ORDERED))
            for name in sorted({*was, *wanted})
            if was.get(name) != wanted.get(name)
        ]
        return changes if observed else [Change("service", None, intent.service), *changes]

    def apply(self, intent: Intent, *, now: Instant) -> None:
        policy = self._check(intent)
        seats = _seats(intent.characteristics)
        label = _label(intent)
        moved = self._place(intent.service)
        if moved is not None and moved.network != plan.network(self.lab, label):
            self._clear(moved)
        register.put(self.lab, FAMILY, intent.service, {NETWORK: label})
        box = plan.furnish_network(self.lab, plan.network(self.lab, label))
        made = self._made(label)
        plan.address(box, "lo", f"{made.border.resolver}/32", f"{made.border.gateway}/32")
        self._build(made, policy, self._authority(intent.service))
        box.write(ORDERED, json.dumps(dict(intent.characteristics), sort_keys=True))
        Seats(self.folder / "usage").set(intent.service, seats, now=now)

    def observe(self, service: str) -> Observed | None:
        made = self._place(service)
        text = files.read(made.box, ORDERED) if made else None
        if made is None or text is None:
            return None
        ordered: dict[str, int | str] = json.loads(text)
        changes = self._differs(made, _policy(ordered), self._authority(service))
        return Observed(service, ordered | {one.what: one.was or _ABSENT for one in changes})

    def verify(self, intent: Intent) -> Sequence[Check]:
        observed = self.observe(intent.service)
        told = dict(observed.characteristics) if observed else {}
        there = Check("in service", "yes", "yes" if observed else "no", observed is not None)
        wanted = {**dict.fromkeys(told, AS_ORDERED), **intent.characteristics}
        checks = [
            Check(
                name,
                _short(value),
                _short(told.get(name, _ABSENT)),
                told.get(name) == value,
            )
            for name, value in sorted(wanted.items())
        ]
        made = self._place(intent.service)
        if observed is None or made is None:
            return [there, *checks]
        client = probe.join(self.lab, made.network)
        found = Probe(made.box, client, made.border).checks(_policy(intent.characteristics))
        return [there, *checks, *found]

    def teardown(self, service: str, *, now: Instant) -> None:
        made = self._place(service)
        if made is not None:
            self._clear(made)
            register.drop(self.lab, FAMILY, service)
        Seats(self.folder / "usage").set(service, 0, now=now)

    def readings(self, service: str, period: Period) -> Sequence[Reading]:
        return tuple(Seats(self.folder / "usage").days(service, period))

    def samples(self, service: str, *, now: Instant) -> Sequence[Sample]:
        """Whether an open name is answered and its page comes, as a client inside finds it."""
        made = self._place(service)
        if made is None or made.box.read(ORDERED) is None:
            return ()
        client = probe.join(self.lab, made.network)
        there = Probe(made.box, client, made.border).is_served()
        return (Sample(now, service, "", "available", int(there)),)

    # --- inside ---------------------------------------------------------------------------------

    def _check(self, intent: Intent) -> Policy:
        """The policy, if it can be made. Raises Refused; nothing has been touched then."""
        lacking = machine().why_not("security")
        if lacking:
            raise Refused("network-cannot", f"This network cannot filter: {lacking}.")
        seats = _seats(intent.characteristics)
        if not 1 <= seats <= SEATS_MAX:
            raise Refused(
                "network-cannot",
                f"seats must be from 1 to {SEATS_MAX:,}, not {seats:,}.",
                field="seats",
            )
        policy = _policy(intent.characteristics)
        check(policy, _border(plan.Network(0, "", plan.WEB)))
        if policy.detection is not None:
            self._can_detect(policy.detection.mode)
        if NETWORK in intent.characteristics:
            self._alone(intent)
        return policy

    @staticmethod
    def _can_detect(mode: str) -> None:
        lacking = machine().why_not("ids" if mode == "detect" else "ips")
        if lacking:
            raise Refused("network-cannot", f"This network cannot look for attacks: {lacking}.")

    def _alone(self, intent: Intent) -> None:
        mine = quote(intent.service, safe="")
        for service, made in register.all(self.lab, FAMILY).items():
            if service != mine and made[NETWORK] == _label(intent):
                raise Refused(
                    "network-cannot",
                    "This private network has cloud security already: change that one.",
                    field=NETWORK,
                )

    def _place(self, service: str) -> _Made | None:
        made = register.get(self.lab, FAMILY, service)
        return None if made is None else self._made(made[NETWORK])

    def _made(self, label: str) -> _Made:
        network = plan.network(self.lab, label)
        return _Made(network, self.lab.box(network.box), _border(network))

    def _differs(self, made: _Made, policy: Policy, authority: str) -> list[Change]:
        """Everything on the devices that is not as this policy wants it."""
        box, border = made.box, made.border
        changes = resolver.differs(box, resolver.texts(box, policy, border))
        for name, part in ((gateway.NAME, policy.gateway), (detection.NAME, policy.detection)):
            if part is None and box.runs(name):
                changes.append(Change(name, "not ordered", None))
        if policy.gateway is not None:
            changes += gateway.differs(box, self._gateway(made, policy, authority))
        if policy.detection is not None:
            changes += detection.differs(box, detection.texts(box, policy.detection, border))
        return [*changes, *firewall.differs(box, policy, border)]

    def _build(self, made: _Made, policy: Policy, authority: str) -> None:
        """Makes what differs: who answers first, then who leads clients to it."""
        box, border = made.box, made.border
        resolver.apply(box, resolver.texts(box, policy, border))
        if policy.gateway is not None:
            gateway.apply(box, self._gateway(made, policy, authority))
        if policy.detection is not None:
            detection.apply(box, policy.detection, border)
        firewall.apply(box, policy, border)
        if policy.gateway is None:
            gateway.remove(box)
        if policy.detection is None:
            detection.remove(box)

    def _gateway(self, made: _Made, policy: Policy, authority: str) -> Mapping[str, str]:
        roots = self.lab.box(plan.INET).read(internet.AUTHORITY)
        if roots is None:
            raise TryLater("device-failed", "The lab's internet has no authority yet.")
        return gateway.texts(made.box, policy, made.border, authority, roots)

    def _clear(self, made: _Made) -> None:
        """Takes it off, what leads clients to it first; the network's box stays for others."""
        made.box.remove(ORDERED)
        firewall.remove(made.box)
        detection.remove(made.box)
        gateway.remove(made.box)
        resolver.remove(made.box)
        probe.leave(self.lab, made.network)
        for one in (made.border.resolver, made.border.gateway):
            made.box.try_run("ip", "addr", "del", f"{one}/32", "dev", "lo")

    def _authority(self, service: str) -> str:
        """The key and certificate by which this customer's gateway signs, made once."""
        file = self.folder / "keys" / f"{quote(service, safe='')}.pem"
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key, certificate = internet.authority("Security gateway")
            draft = file.with_suffix(".new")
            draft.unlink(missing_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(key + certificate)
            draft.replace(file)
        return file.read_text()


def _border(network: plan.Network) -> Border:
    """Where a network of the lab meets everybody else."""
    return Border(
        clients=_PRIVATE,
        outside="up",
        public=str(network.public),
        resolver=str(plan.DNS),
        gateway=str(plan.GATEWAY),
        upstream=str(plan.RESOLVER),
        management=tuple(
            Management(str(plan.SERVICES), str(plan.INSIDE), "tcp", port) for port in (22, 830)
        ),
    )


def _policy(characteristics: Mapping[str, int | str]) -> Policy:
    """The policy that was asked for, or the usual one. Raises Refused `malformed`."""
    text = characteristics.get("policy")
    if text is None:
        return POLICY
    try:
        asked = json.loads(str(text))
    except ValueError as error:
        raise Refused("malformed", f"policy: it is no JSON: {error}.", field="policy") from None
    return documents.read(Policy, asked, what="policy")


def _seats(characteristics: Mapping[str, int | str]) -> int:
    try:
        return int(characteristics["seats"]) * int(characteristics.get("quantity", 1))
    except (KeyError, ValueError):
        raise Refused("network-cannot", "seats must be a whole number.", field="seats") from None


def _label(intent: Intent) -> str:
    return str(intent.characteristics.get(NETWORK, intent.service))


def _short(value: int | str) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
