"""Voice trunks in a lab: Driver and Meter of the family on real daemons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

from hansa.drivers.contract import Change, Intent, Observed
from hansa.drivers.lab import plan, register, taken
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.machine import machine
from hansa.drivers.voice import calls, keys, orders, records, sbc, tables
from hansa.drivers.voice.intent import Trunk, check
from hansa.drivers.voice.orders import Made
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.readings import Check, Reading
from hansa.foundation.time import Instant, Period

FAMILY = "voice"
DIFFERS = "differs"
"""What a device is observed to have besides what was ordered, where it is not as it should be."""


class VoiceTrunks:
    """Driver, Meter and Recorder. folder: its own, for keys and for the records of calls."""

    name = "lab"
    measured = True

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        self._ahead = timedelta()

    @property
    def records(self) -> Path:
        """Where the records of calls lie, as files that the usage room takes in."""
        return self._folder / "cdr"

    # --- what should be -------------------------------------------------------------------------

    def can(self, intent: Intent) -> str | None:
        why_not = machine().why_not(FAMILY)
        if why_not is not None:
            return f"Voice cannot be delivered here: {why_not}."
        try:
            made = orders.made(intent)
            ordered = {"numbers": "+2711555xx", **made.ordered}
            check(orders.trunk(self._lab, Made(made.service, made.network, "", "", ordered)))
        except Refused as refused:
            return refused.words
        return None

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        was = observed.characteristics if observed else {}
        wanted = intent.characteristics
        changes = [
            Change(name, was.get(name), wanted.get(name))
            for name in sorted({*was, *wanted})
            if was.get(name) != wanted.get(name)
        ]
        return changes if observed else [Change("service", None, intent.service), *changes]

    def apply(self, intent: Intent, *, now: Instant) -> None:  # noqa: ARG002 - devices have clocks
        self.bring(intent)

    def bring(self, intent: Intent) -> Sequence[Change]:
        """Makes it so, and says what had to be changed for that.

        Raises Refused `trunk-invalid`, `range-invalid`, `number-taken` or `source-taken` before it
        has touched anything, and TryLater `device-failed`.
        """
        made = orders.made(intent)
        with self._alone():
            trunks = self._trunks()
            was = trunks.get(made.service, (made, None))[0]
            trunk = orders.trunk(self._lab, made)
            others = {id: one for id, one in trunks.items() if id != made.service}
            check(
                trunk,
                beside=[one for of, one in others.values() if of.network == made.network],
                taken={one.id: one.numbers for _, one in others.values()},
            )
            if was.network != made.network:
                self._leave(was)
            register.put(self._lab, FAMILY, made.service, made.kept())
            network = plan.network(self._lab, made.network)
            box = orders.furnish(self._lab, network)
            return self._bring(box, made.network)

    def teardown(self, service: str, *, now: Instant) -> None:
        with self._alone():
            made = self._made(service)
            if made is not None:
                self._ahead = records.clock_of(self._box(made), now)
                self._leave(made)
                register.drop(self._lab, FAMILY, service)

    def _leave(self, made: Made) -> None:
        """Takes a trunk out of its network: no new calls, then none, then no record is missing."""
        box = self._box(made)
        rest = self._in(made.network, without=made.service)
        if rest or box.runs(sbc.SIGNALLING):
            self._bring(box, made.network, without=made.service)
            sbc.hang_up(box, orders.trunk_id(made.service))
        if not rest:
            sbc.stop(box)
        records.take_over(box, self.records, ahead=self._ahead)

    def _bring(self, box: Box, network: str, *, without: str = "") -> Sequence[Change]:
        controller = orders.controller(self._lab, plan.network(self._lab, network))
        key = keys.private(self._folder / "secrets", controller.key)
        return sbc.apply(box, controller, self._in(network, without=without), key=key)

    # --- what is --------------------------------------------------------------------------------

    def observe(self, service: str) -> Observed | None:
        made = self._made(service)
        if made is None:
            return None
        state = sbc.observe(self._box(made))
        controller = orders.controller(self._lab, plan.network(self._lab, made.network))
        should = tables.wanted(controller, self._in(made.network))
        id = orders.trunk_id(service)
        values = state.loaded.trunks if state.loaded and state.media else {}
        channels, count = values.get(f"{id}::channels", 0), made.count
        whole = isinstance(channels, int) and channels % count == 0
        found: dict[str, int | str] = {
            "channels": channels // count if isinstance(channels, int) and whole else channels,
            "quantity": count if whole else 1,
            "numbers": ", ".join(tables.ranges(str(values.get(f"{id}::numbers", "")))),
            "callers": values.get(f"{id}::callers", ""),
            "network": made.ordered.get("network", ""),
        }
        there = {name: found[name] for name in ("channels", *made.ordered)}
        differs = self._differs(state.loaded, should, id, told=there) if state.loaded else ()
        if differs:
            there[DIFFERS] = ", ".join(differs)
        return Observed(service, there)

    @staticmethod
    def _differs(
        loaded: tables.Loaded, should: tables.Loaded, id: str, *, told: Mapping[str, int | str]
    ) -> tuple[str, ...]:
        """The parts that are not as this trunk needs them, besides what is told anyway."""
        own = {f"{id}::{name}" for name in ("channels", "numbers", "callers") if name not in told}
        found = set(tables.differing(loaded, should))
        if all(loaded.trunks.get(key) == should.trunks.get(key) for key in own):
            found.discard("trunks")
        if all(
            loaded.peers.get(key) == tag
            for key, tag in should.peers.items()
            if tag == id or key[0] == tables.PROBER
        ) and all(key in should.peers for key, tag in loaded.peers.items() if tag == id):
            found.discard("peers")
        return tuple(sorted(found))

    def verify(self, intent: Intent) -> Sequence[Check]:
        """Besides what was ordered: whether SIP OPTIONS are answered, and a call to a test number,
        which asks for no channel, leaves no record, and is hung up at once.
        """
        observed, made = self.observe(intent.service), self._made(intent.service)
        if observed is None or made is None:
            return (Check("in service", "yes", "no", ok=False),)
        has = observed.characteristics
        return (
            Check("in service", "yes", "yes", ok=True),
            *(
                Check(name, str(wanted), str(has.get(name, "absent")), has.get(name) == wanted)
                for name, wanted in sorted(intent.characteristics.items())
            ),
            *(
                [Check("configuration", "as ordered", f"differs: {has[DIFFERS]}", ok=False)]
                if DIFFERS in has
                else []
            ),
            *self._tries(made),
        )

    def _tries(self, made: Made) -> Sequence[Check]:
        box, trunk = self._box(made), orders.trunk(self._lab, made)
        prober, at = plan.SBC + 1, plan.SBC
        answers = calls.answers(box, source=prober, at=at)
        tried = calls.call(
            box,
            source=prober,
            at=at,
            caller=trunk.numbers[0].first,
            called=orders.TEST_NUMBER,
            trunk=trunk.id,
        )
        code = ", ".join(map(str, tried.refused)) or "silence"
        called = tried.answered == 1
        return (
            Check("SIP answered", "yes", "yes" if answers else "no", answers),
            Check("test call", "answered", "answered" if called else f"not: {code}", called),
        )

    # --- what was consumed ----------------------------------------------------------------------

    def readings(self, service: str, period: Period) -> Sequence[Reading]:
        """Calls by this trunk, from the controller's records. Raises TryLater `calls-in-progress`
        while one that was answered in the period goes on.
        """
        made = self._made(service) if self._lab.is_up else None
        id = orders.trunk_id(service)
        if made is not None:
            box = self._box(made)
            going_on = sbc.calls(box, id) if box.runs(sbc.SIGNALLING) else []
            if any(0 < one["start_ts"] < period.end.timestamp() for one in going_on):
                raise TryLater(
                    "calls-in-progress",
                    f"Calls that were answered before {period.end:%Y-%m-%d %H:%M} UTC go on; ask "
                    "again when they have ended.",
                    field="period",
                )
            records.take_over(box, self.records, ahead=self._ahead)
        return records.calls(self.records, id, period)

    def take_over(self, *, now: Instant) -> int:
        """As promised. Records come on the caller's clock, as that goes at this moment."""
        if not self._lab.is_up:
            return 0
        boxes = {self._box(made).name: self._box(made) for made, _ in self._trunks().values()}
        for box in boxes.values():
            self._ahead = records.clock_of(box, now)
        return sum(
            records.take_over(box, self.records, ahead=self._ahead) for box in boxes.values()
        )

    # --- where it is ----------------------------------------------------------------------------

    def _alone(self) -> AbstractContextManager[None]:
        """Among all that change trunks of this lab. Raises TryLater `lab-silent`."""
        self._lab.boxes()
        return taken.alone(self._lab.folder / "voice.lock")

    def _made(self, service: str) -> Made | None:
        kept = register.get(self._lab, FAMILY, service)
        return None if kept is None else Made(**kept)

    def _trunks(self) -> Mapping[str, tuple[Made, Trunk]]:
        """Every trunk of the lab, by its service."""
        found = [Made(**kept) for kept in register.all(self._lab, FAMILY).values()]
        return {made.service: (made, orders.trunk(self._lab, made)) for made in found}

    def _in(self, network: str, *, without: str = "") -> Sequence[Trunk]:
        return [
            trunk
            for service, (made, trunk) in sorted(self._trunks().items())
            if made.network == network and service != without
        ]

    def _box(self, made: Made) -> Box:
        return self._lab.box(plan.network(self._lab, made.network).box)


def make(lab: Lab, folder: Path) -> VoiceTrunks:
    """The family's driver, which is its meter too."""
    return VoiceTrunks(lab, folder)
