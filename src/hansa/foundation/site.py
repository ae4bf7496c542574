"""A place where a service is delivered (TMF674 GeographicSite)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Site:
    """One address of a buyer. id: the buyer's own name for it. country: ISO 3166-1 alpha-2.

    place: the city or town by its common English name, as coverage lists name it.
    latitude, longitude: degrees (WGS 84), where known.
    """

    id: str
    name: str
    country: str
    place: str
    latitude: Decimal | None = None
    longitude: Decimal | None = None
