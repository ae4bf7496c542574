"""What imagined services consume: the shape of a day, family by family.

Pure: the same seed, service, day and history give the same readings for ever. Whole numbers
only. Draws do not depend on how a service is set, so a faster line carries more of the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hansa.foundation.readings import SAMPLES_A_DAY, Call, OctetDay, Reading, SeatDay
from hansa.foundation.time import Instant, midnight

SLOT = timedelta(minutes=5)
OCTETS_A_SLOT_PER_MBPS = 300 * 10**6 // 8
"""What 1 Mbit/s carries in five minutes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a service is set from `at` on; None: it is not there."""

    at: Instant
    characteristics: Mapping[str, int | str] | None


class Dice:
    """Numbers that look drawn and are not: a keyed hash of what they are for."""

    def __init__(self, seed: str, service: str) -> None:
        self._key = hashlib.sha256(f"{seed}\n{service}".encode()).digest()

    def octets(self, *what: object, count: int) -> bytes:
        """`count` octets (64 at most) that belong to `what`."""
        text = "/".join(map(str, what)).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=count).digest()

    def number(self, *what: object, below: int) -> int:
        """A whole number from 0 up to `below`."""
        return int.from_bytes(self.octets(*what, count=8), "big") % below


def in_force(history: Sequence[Setting], at: Instant) -> Mapping[str, int | str] | None:
    """How the service is set at an instant; None when it is not there."""
    found = None
    for setting in history:
        if setting.at > at:
            break
        found = setting.characteristics
    return found


def _size(characteristics: Mapping[str, int | str], name: str) -> int:
    return int(characteristics.get(name, 0)) * int(characteristics.get("quantity", 1))


# --- octets -------------------------------------------------------------------------------------

OFFICE = (30, 25, 20, 20, 25, 40, 90, 220, 480, 640, 700, 690,
          560, 600, 710, 680, 600, 420, 260, 180, 130, 100, 70, 45)  # fmt: skip
HOME = (6, 4, 3, 2, 2, 2, 4, 6, 7, 8, 8, 9,
        10, 9, 9, 10, 12, 15, 19, 23, 26, 27, 21, 12)  # fmt: skip
"""Thousandths of the line's speed, hour by hour (UTC)."""

MISSING = 131
"""Of 65,536 polls this many are lost: one in five hundred."""
OUTAGE_DAYS = 64
"""One day in so many, on average, the poller is away for one to three hours."""


def _octets(
    hours: Sequence[int], *, weekend: int, out: int, burst: int
) -> Callable[..., Iterable[Reading]]:
    """weekend, out: percent of a weekday's load, and of the inward direction's. burst: the
    least load of a burst, in thousandths of the speed.
    """

    def day_of(dice: Dice, history: Sequence[Setting], day: date) -> Iterable[Reading]:
        speeds = tuple(_speeds(history, day))
        if not any(speeds):
            return
        share = weekend if day.weekday() >= 5 else 100
        lost = _outage(dice, day)
        inward: list[int | None] = []
        outward: list[int | None] = []
        for hour in range(24):
            noise = dice.octets("octets", day, hour, count=48)
            for index in range(12):
                slot = hour * 12 + index
                drawn = [
                    int.from_bytes(noise[at : at + 2], "big") for at in (index * 4, index * 4 + 2)
                ]
                speed = None if slot in lost or drawn[0] < MISSING else speeds[slot]
                load = hours[hour] * share // 100
                inward.append(_sample(speed, load, burst, 100, drawn[0]))
                outward.append(_sample(speed, load, burst, out, drawn[1]))
        yield OctetDay(day, tuple(inward), tuple(outward))

    return day_of


def _speeds(history: Sequence[Setting], day: date) -> Iterable[int | None]:
    """Mbit/s in force at the start of each slot; None unless in place for the whole slot."""
    first = midnight(day)
    changes = any(first < setting.at < first + SAMPLES_A_DAY * SLOT for setting in history)
    for start in [first + slot * SLOT for slot in range(SAMPLES_A_DAY if changes else 1)]:
        setting = in_force(history, start)
        stays = in_force(history, start + SLOT - timedelta.resolution) is not None
        speed = _size(setting, "speed_mbps") or None if setting is not None and stays else None
        yield from [speed] * (1 if changes else SAMPLES_A_DAY)


def _outage(dice: Dice, day: date) -> range:
    if dice.number("outage", day, below=OUTAGE_DAYS):
        return range(0)
    start = dice.number("outage-start", day, below=SAMPLES_A_DAY)
    return range(start, start + 12 + dice.number("outage-length", day, below=25))


def _sample(speed_mbps: int | None, load: int, burst: int, percent: int, drawn: int) -> int | None:
    """Octets of one slot: the hour's load give or take a third, one in forty a burst."""
    if speed_mbps is None:
        return None
    most = speed_mbps * OCTETS_A_SLOT_PER_MBPS
    usual = load * (667 + drawn % 667)
    millionths = (burst + drawn % 121) * 1000 if drawn % 41 == 0 else usual
    return min(most, most * millionths * percent // 10**8 + drawn)


# --- calls --------------------------------------------------------------------------------------

CALLS = (2, 1, 1, 1, 2, 4, 10, 28, 55, 62, 60, 58,
         40, 52, 60, 58, 48, 30, 14, 9, 7, 5, 4, 3)  # fmt: skip
"""Percent chance that a channel has a call in the two-hour window that this hour opens."""

AWKWARD_S = (0, 1, 30, 31, 59, 60, 61, 119, 120, 121, 205, 3599)
"""Durations on which increments go wrong first; two calls in five have one of them."""

STEMS = (
    "+27101234", "+27711234", "+27711234", "+27101234", "+27711234", "+442079460", "+442079460",
    "+442079460", "+2348021234", "+233231234", "+256712345", "+250720123", "+22501234567",
    "+237671234", "+351212345", "+351912345", "+34612345", "+55119612345", "+549112345",
    "+56221234", "+573211234", "+519123", "+598942312",
)  # fmt: skip
"""Beginnings of numbers kept for examples; the rest is drawn. As often here as called."""

NUMBER_DIGITS = {"+27": 11, "+44": 12, "+234": 13, "+233": 12, "+256": 12, "+250": 12,
                 "+225": 13, "+237": 12, "+351": 12, "+34": 11, "+55": 13, "+54": 13,
                 "+56": 11, "+57": 12, "+51": 11, "+598": 11}  # fmt: skip


def _calls(dice: Dice, history: Sequence[Setting], day: date) -> Iterable[Reading]:
    """Every call of a day. A channel has one call at a time, so channels bound them all."""
    channels = max(
        (_size(one.characteristics or {}, "channels") for one in _touching(history, day)), default=0
    )
    share = 3 if day.weekday() >= 5 else 1
    calls = [
        call
        for channel in range(channels)
        for window in range(0, 24, 2)
        if dice.number("call", day, channel, window, below=100 * share) < CALLS[window]
        for call in [_call(dice, day, channel, window)]
        if _size(in_force(history, call.answered_at) or {}, "channels") > channel
    ]
    return sorted(calls, key=lambda call: (call.answered_at, call.called, call.duration_s))


def _call(dice: Dice, day: date, channel: int, window: int) -> Call:
    about = ("call", day, channel, window)
    start = dice.number(*about, "start", below=3600)
    awkward = dice.number(*about, "awkward", below=5) < 2
    return Call(
        answered_at=midnight(day) + timedelta(hours=window, seconds=start),
        calling=_number(dice, "+27101234", *about, "calling"),
        called=_number(dice, STEMS[dice.number(*about, "to", below=len(STEMS))], *about, "called"),
        duration_s=(
            AWKWARD_S[dice.number(*about, "which", below=len(AWKWARD_S))]
            if awkward
            else 8 + dice.number(*about, "length", below=900)
        ),
    )


def _number(dice: Dice, stem: str, *about: object) -> str:
    digits = next(count for code, count in NUMBER_DIGITS.items() if stem.startswith(code))
    rest = digits + 1 - len(stem)
    return f"{stem}{dice.number(*about, below=10**rest):0{rest}d}"


def _touching(history: Sequence[Setting], day: date) -> Iterable[Setting]:
    """The setting in force as the day begins, and every one that comes in its course."""
    start = midnight(day)
    before = [setting for setting in history if setting.at <= start]
    return [
        *before[-1:],
        *(one for one in history if start < one.at < start + timedelta(days=1)),
    ]


# --- seats --------------------------------------------------------------------------------------


def _seats(dice: Dice, history: Sequence[Setting], day: date) -> Iterable[Reading]:
    """Seats in use as the day ends: between 92 and 104 in a hundred of those ordered."""
    setting = in_force(history, midnight(day) + timedelta(days=1) - timedelta.resolution)
    ordered = _size(setting or {}, "seats")
    if ordered:
        yield SeatDay(day, max(1, ordered * (920 + dice.number("seats", day, below=121)) // 1000))


@dataclass(frozen=True, slots=True)
class Family:
    """limits: the most of each characteristic that this network takes. day: a day's readings."""

    limits: Mapping[str, int]
    day: Callable[[Dice, Sequence[Setting], date], Iterable[Reading]]


FAMILIES: Mapping[str, Family] = {
    "connectivity": Family({"speed_mbps": 100_000}, _octets(OFFICE, weekend=35, out=60, burst=880)),
    "broadband": Family({"speed_mbps": 10_000}, _octets(HOME, weekend=115, out=14, burst=40)),
    "voice": Family({"channels": 10_000}, _calls),
    "security": Family({"seats": 1_000_000}, _seats),
}
