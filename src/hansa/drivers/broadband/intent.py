"""A broadband line as it should be, and what no line may be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hansa.drivers.contract import Intent
from hansa.foundation.errors import Refused

SPEED_MIN_KBPS = 64
SPEED_MAX_KBPS = 1_000_000
"""What a port of the access network carries."""

QUOTA_MAX_OCTETS = 10**15
INTERIM_MIN_S = 60
"""RFC 2869 section 5.16 forbids less."""

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")
"""What a line may be called: nothing that SQL or a file of records would write otherwise."""

REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
COUNTRY = re.compile(r"[A-Z]{2}")
OCTETS_A_GB = 10**9
THROTTLED_KBPS = 1000
CHARACTERISTICS = ("speed_mbps", "up_mbps", "quota_gb")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. user: its name, at login and in accounting. country: whose gateway it ends at.

    quota_octets: of both directions in a calendar month (UTC), after which it goes on at
    throttled_kbps; None: as much as it carries. interim_s: how often its use is reported.
    secret: the name of the file that holds its password, in the driver's folder.
    """

    user: str
    country: str
    down_kbps: int
    up_kbps: int
    secret: str
    quota_octets: int | None = None
    throttled_kbps: int = THROTTLED_KBPS
    interim_s: int = INTERIM_MIN_S


def line(intent: Intent) -> Line:
    """The line that is meant. Raises Refused `line-invalid` for what cannot be read as one."""
    if intent.site is None:
        raise _invalid("site", "A broadband line needs a site: say where it ends.")
    unknown = sorted({*intent.characteristics} - {*CHARACTERISTICS})
    if unknown:
        raise _invalid(
            f"characteristics.{unknown[0]}",
            f"A broadband line has no {unknown[0]}; it has {', '.join(CHARACTERISTICS)}.",
        )
    down = _whole(intent.characteristics, "speed_mbps")
    if down is None:
        raise _invalid("characteristics.speed_mbps", "Say the line's speed_mbps.")
    up, quota = (_whole(intent.characteristics, name) for name in ("up_mbps", "quota_gb"))
    return Line(
        user=intent.service,
        country=intent.site.country,
        down_kbps=down * 1000,
        up_kbps=down * 100 if up is None else up * 1000,
        secret=f"line-{hashlib.sha256(intent.service.encode()).hexdigest()[:32]}",
        quota_octets=None if quota is None else quota * OCTETS_A_GB,
        throttled_kbps=min(THROTTLED_KBPS, max(SPEED_MIN_KBPS, down * 100)),
    )


def check(wanted: Line) -> None:
    """Raises Refused `line-invalid` or `speed-beyond-access`, with the field, before anything is
    touched.
    """
    if not USER.fullmatch(wanted.user):
        raise _invalid("user", "A line's name is letters, digits and ._:/@- and at most 128 long.")
    if not COUNTRY.fullmatch(wanted.country):
        raise _invalid("country", "A country is two capital letters (ISO 3166-1 alpha-2).")
    if not REFERENCE.fullmatch(wanted.secret):
        raise _invalid("secret", "A secret is named by small letters, digits and hyphens.")
    for field, kbps in (("down_kbps", wanted.down_kbps), ("up_kbps", wanted.up_kbps)):
        if not SPEED_MIN_KBPS <= kbps <= SPEED_MAX_KBPS:
            raise Refused(
                "speed-beyond-access",
                f"A line carries from {SPEED_MIN_KBPS:,} to {SPEED_MAX_KBPS:,} kbit/s, "
                f"not {kbps:,}.",
                field=field,
            )
    if wanted.quota_octets is not None and not 0 < wanted.quota_octets <= QUOTA_MAX_OCTETS:
        raise _invalid("quota_octets", f"A quota is from 1 to {QUOTA_MAX_OCTETS:,} octets.")
    if not SPEED_MIN_KBPS <= wanted.throttled_kbps <= wanted.down_kbps:
        raise _invalid(
            "throttled_kbps",
            f"After its quota a line has from {SPEED_MIN_KBPS:,} kbit/s to what it was sold with.",
        )
    if wanted.interim_s < INTERIM_MIN_S:
        raise _invalid("interim_s", f"Use is reported every {INTERIM_MIN_S} s at the most often.")


def _whole(characteristics: Mapping[str, int | str], name: str) -> int | None:
    value = characteristics.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _invalid(f"characteristics.{name}", f"{name} must be a whole number, not {value!r}.")
    return value


def _invalid(field: str, words: str) -> Refused:
    return Refused("line-invalid", words, field=field)
