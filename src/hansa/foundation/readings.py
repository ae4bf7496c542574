"""What a network measures of a service: the raw material of usage and assurance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from hansa.foundation.time import Instant

SAMPLES_A_DAY = 288
"""Five-minute samples in a UTC day."""


@dataclass(frozen=True, slots=True)
class OctetDay:
    """A UTC day of five-minute octet counts per direction; None where a poll is missing.

    octets_in, octets_out: 288 counts each, the first for 00:00 to 00:05. Samples before the
    service started or after it ended are None too.
    """

    day: date
    octets_in: tuple[int | None, ...]
    octets_out: tuple[int | None, ...]
    kind: Literal["octets"] = "octets"


@dataclass(frozen=True, slots=True)
class Call:
    """One answered call. Numbers are E.164 strings with `+`; duration in whole seconds."""

    answered_at: Instant
    calling: str
    called: str
    duration_s: int
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True)
class SeatDay:
    """How many seats were in use at the end of a UTC day."""

    day: date
    seats: int
    kind: Literal["seats"] = "seats"


Reading = OctetDay | Call | SeatDay


@dataclass(frozen=True, slots=True)
class Check:
    """One promise held against one measurement, in the buyer's terms."""

    check: str
    wanted: str
    measured: str
    ok: bool
