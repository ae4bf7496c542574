"""What a session border controller should be and do, and which of that cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from hansa.foundation.errors import Refused

CHANNELS_MAX = 2_000
"""Each call takes four of the ports that a controller has for media, with room to spare."""

WAYS_MAX = 200
"""Kamailio orders the ways to a destination by an octet."""

_NUMBERS = re.compile(r"\+([1-9][0-9]{3,14})(x{0,6})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_PREFIX = re.compile(r"\+[0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class Numbers:
    """A range of numbers (ITU-T E.164). prefix: `+` and the digits that all begin with; digits:
    how many follow, each of them any. `+2711555xx` is a hundred numbers.
    """

    prefix: str
    digits: int

    @staticmethod
    def read(text: str) -> Numbers:
        """`+2711555xx`, or one number. Raises Refused `range-invalid`, field `numbers`."""
        found = _NUMBERS.fullmatch(text)
        if found is None or not 7 <= len(text) - 1 <= 15:
            raise Refused(
                "range-invalid",
                f"{text!r} is no range of E.164 numbers: write + and 7 to 15 digits, the last of "
                "them as x where every digit is meant, as +2711555xx.",
                field="numbers",
            )
        return Numbers(f"+{found[1]}", len(found[2]))

    def __str__(self) -> str:
        return self.prefix + "x" * self.digits

    @property
    def first(self) -> str:
        return self.prefix + "0" * self.digits

    def meets(self, other: Numbers) -> bool:
        """Whether a number of the one is, or begins with, a number of the other."""
        mine, theirs = self.prefix, other.prefix
        return mine.startswith(theirs) or theirs.startswith(mine)


@dataclass(frozen=True, slots=True)
class Trunk:
    """One service. sources: whence its calls come. channels: how many at the same time.

    callers: `own`: only its own numbers may be shown, anything else is refused; `any`: others
    too, and partners are told that we do not vouch for them (attestation B of SHAKEN).
    """

    id: str
    sources: tuple[IPv4Network, ...]
    channels: int
    numbers: tuple[Numbers, ...]
    callers: Literal["own", "any"] = "own"


@dataclass(frozen=True, slots=True)
class Partner:
    """Who takes calls from us, by the name that records bear."""

    name: str
    address: IPv4Address
    port: int = 5060


@dataclass(frozen=True, slots=True)
class Way:
    """One partner for a destination. cost: of a minute, in one unit for all ways."""

    partner: str
    cost: int


@dataclass(frozen=True, slots=True)
class Destination:
    """How to reach the numbers that begin so; the longest prefix counts, `+` is any number."""

    prefix: str
    ways: tuple[Way, ...]

    def cheapest(self) -> tuple[str, ...]:
        """The partners in the order in which they are asked."""
        return tuple(one.partner for one in sorted(self.ways, key=lambda w: (w.cost, w.partner)))


@dataclass(frozen=True, slots=True)
class Controller:
    """The session border controller of a network.

    inside, outside: where trunks and partners reach it. prober: whence we try it ourselves.
    key: the reference of the key that it signs calls with; certificate: where the public one is
    to be had (STIR/SHAKEN, RFC 8225, ATIS-1000074). silence_ms: how long a partner may say nothing
    before the next is asked; it is left alone for rest_s then. longest_s: the longest call.
    misses: how often in a row one side, asked every 30 s, may not answer for a call before it is
    taken for ended.
    """

    inside: IPv4Address
    outside: IPv4Address
    prober: IPv4Address
    key: str
    certificate: str
    partners: tuple[Partner, ...]
    destinations: tuple[Destination, ...]
    silence_ms: int = 2_000
    rest_s: int = 30
    longest_s: int = 14_400
    misses: int = 2


def check(
    trunk: Trunk,
    *,
    beside: Iterable[Trunk] = (),
    taken: Mapping[str, Sequence[Numbers]] | None = None,
) -> None:
    """Whether a trunk can be made, before anything is touched.

    beside: the other trunks of its network. taken: the numbers of all other trunks, by their
    ids. Raises Refused `trunk-invalid`, `number-taken`, `source-taken`.
    """
    if not _NAME.fullmatch(trunk.id):
        raise Refused("trunk-invalid", f"{trunk.id!r} is no name of a trunk.", field="id")
    if not 1 <= trunk.channels <= CHANNELS_MAX:
        raise Refused(
            "trunk-invalid",
            f"A trunk has from 1 to {CHANNELS_MAX:,} channels, not {trunk.channels:,}.",
            field="channels",
        )
    if trunk.callers not in {"own", "any"}:
        raise Refused("trunk-invalid", "Callers are `own` or `any`.", field="callers")
    if not trunk.numbers:
        raise Refused("trunk-invalid", "A trunk needs a range of numbers.", field="numbers")
    if not trunk.sources:
        raise Refused("trunk-invalid", "Say from where the trunk's calls come.", field="sources")
    for at, mine in enumerate(trunk.numbers):
        if _has(mine, trunk.id, taken or {}):
            raise Refused(
                "number-taken",
                f"Numbers of {mine} belong to another trunk; choose another range.",
                field=f"numbers[{at}]",
            )
    others = [source for one in beside if one.id != trunk.id for source in one.sources]
    for at, source in enumerate(trunk.sources):
        if any(map(source.overlaps, others)):
            raise Refused(
                "source-taken",
                f"Calls from {source} are those of another trunk of this network; order the trunk "
                "for a site of its own.",
                field=f"sources[{at}]",
            )


def _has(mine: Numbers, id: str, taken: Mapping[str, Sequence[Numbers]]) -> bool:
    return any(
        mine.meets(theirs) for other, ranges in taken.items() if other != id for theirs in ranges
    )


def check_ways(controller: Controller) -> None:
    """Raises Refused `destination-invalid` where partners or destinations do not fit each other."""
    names = [one.name for one in controller.partners]
    prefixes = [one.prefix for one in controller.destinations]
    for at, name in enumerate(names):
        if not _NAME.fullmatch(name) or names.index(name) != at:
            raise _wrong(f"partners[{at}].name", f"{name!r} is no name, or one that comes twice.")
    for at, destination in enumerate(controller.destinations):
        field, prefix = f"destinations[{at}]", destination.prefix
        partners = [one.partner for one in destination.ways]
        if not _PREFIX.fullmatch(prefix) or prefixes.index(prefix) != at:
            raise _wrong(f"{field}.prefix", f"{prefix!r} is no prefix, or one that comes twice.")
        if not 1 <= len(partners) <= WAYS_MAX or len(set(partners)) != len(partners):
            raise _wrong(f"{field}.ways", f"Name from 1 to {WAYS_MAX} partners, each once.")
        unknown = sorted(set(partners) - set(names))
        if unknown:
            raise _wrong(f"{field}.ways", f"There is no partner {', '.join(unknown)}.")


def _wrong(field: str, words: str) -> Refused:
    return Refused("destination-invalid", words, field=field)
