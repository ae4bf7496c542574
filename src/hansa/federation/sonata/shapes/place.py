"""Where: a Site as an address, and an address as a Site.

A node keeps no gazetteer and no list of places: the id of an address that it has checked is
the address itself, so that it can be referred to and looked up again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import Id, Street, Text, checked
from hansa.federation.tmf.shapes.common import Number, bounded
from hansa.federation.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.site import Site

ROLE = "INSTALL_LOCATION"
ADDRESS = "adr_"
SITE_ID_MAX = 200
ID_MAX = 200

Known = Callable[[str], Site | None]
"""A site of the buyer's by the id under which we list it."""


class Formatted(TypedDict):
    """FormattedAddress; hansaSite: the buyer's own name for the place."""

    addrLine1: Text
    city: Text
    country: Text
    addrLine2: NotRequired[Text]
    locality: NotRequired[Text]
    stateOrProvince: NotRequired[Text]
    postcode: NotRequired[Text]
    postcodeExtension: NotRequired[Text]
    hansaSite: NotRequired[Text]
    hansaLatitude: NotRequired[Number]
    hansaLongitude: NotRequired[Number]


class _SiteRef(TypedDict):
    id: Id


class _AddressRef(TypedDict):
    id: Text


class _Typed(TypedDict("_Typed", {"@type": Text})):
    pass


class _Placed(_Typed):
    role: Text


KINDS: Mapping[str, Any] = {
    "FormattedAddress": Formatted,
    "FieldedAddress": Street,
    "GeographicAddressRef": _AddressRef,
    "GeographicSiteRef": _SiteRef,
}
NOT_TAKEN = ("MEFGeographicPoint", "GeographicAddressLabel")


def write(site: Site) -> dict[str, Any]:
    """A place of an item."""
    return {**address(site), "role": ROLE}


def address(site: Site) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "@type": "FormattedAddress",
        "addrLine1": site.name,
        "city": site.place,
        "country": site.country,
        "hansaSite": site.id,
    }
    if site.latitude is not None:
        shape["hansaLatitude"] = site.latitude
    if site.longitude is not None:
        shape["hansaLongitude"] = site.longitude
    return shape


def read_one(places: Sequence[Json], field: str, known: Known) -> Site | None:
    """The one place of an item."""
    placed = [
        (index, checked(_Placed, place, f"{field}.place.{index}"))
        for index, place in enumerate(places)
    ]
    if len(placed) > 1:
        placed = [one for one in placed if one[1]["role"] == ROLE]
        if len(placed) != 1:
            raise unfit(f"{field}.place", f"one place is expected in the role {ROLE}")
    if not placed:
        return None
    index = placed[0][0]
    return read(places[index], f"{field}.place.{index}", known)


def read(value: Json, field: str, known: Known) -> Site:
    """A place by value, or by reference to one that we know."""
    kind = checked(_Typed, value, field)["@type"]
    if kind not in KINDS:
        why = "an address is expected" if kind in NOT_TAKEN else "it is none that Sonata knows"
        raise unfit(f"{field}.@type", f"{kind[:100]!r} is not taken: {why}")
    shape: Any = checked(KINDS[kind], value, field)
    match kind:
        case "FormattedAddress":
            return _formatted(shape, field)
        case "FieldedAddress":
            number = shape.get("streetNr", "") + shape.get("streetNrSuffix", "")
            name = " ".join(filter(None, [number, shape["streetName"], shape.get("streetType")]))
            return _named(name, shape)
        case "GeographicAddressRef":
            try:
                return read(from_id(shape["id"]), field, known)
            except (NotFound, Refused):
                site = None
        case _:
            site = known(shape["id"])
    if site is None:
        raise unfit(f"{field}.id", "it is no place that we know", "referenceNotFound")
    return site


def _formatted(shape: Formatted, field: str) -> Site:
    site = _named(shape["addrLine1"], shape)
    latitude, longitude = shape.get("hansaLatitude"), shape.get("hansaLongitude")
    return Site(
        id=shape.get("hansaSite", site.id),
        name=site.name,
        country=site.country,
        place=site.place,
        latitude=_degrees(latitude, f"{field}.hansaLatitude"),
        longitude=_degrees(longitude, f"{field}.hansaLongitude"),
    )


def _degrees(number: Number | None, field: str) -> Decimal | None:
    if number is None:
        return None
    degrees = Decimal(number)
    bounded(degrees, field)
    return degrees


def _named(name: str, shape: Mapping[str, Any]) -> Site:
    identity = f"{shape['country']}/{shape['city']}/{name}"[:SITE_ID_MAX]
    return Site(id=identity, name=name, country=shape["country"], place=shape["city"])


# --- addresses by id --------------------------------------------------------------------------


def to_id(value: Mapping[str, Any]) -> str:
    """The id of an address: the address itself. Empty for one that is too long to be an id."""
    bare = {name: part for name, part in sorted(value.items()) if name not in ("id", "href")}
    identity = ADDRESS + base64.urlsafe_b64encode(render(bare)).decode().rstrip("=")
    return identity if len(identity) <= ID_MAX else ""


def from_id(identity: str) -> dict[str, Any]:
    """The address of that id. Raises NotFound `address-unknown`."""
    body = identity.removeprefix(ADDRESS)
    try:
        if body == identity or len(identity) > ID_MAX:
            raise ValueError  # noqa: TRY301 - told as any other id that is none of ours
        found = parse(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if not isinstance(found, dict) or to_id(found) != identity:
            raise ValueError  # noqa: TRY301 - as above
        checked_address(found, "")
    except (ValueError, binascii.Error, Refused):
        raise NotFound("address-unknown", "There is no such address.", field="id") from None
    return {**found, "id": identity}


def checked_address(value: Json, field: str) -> Literal["FormattedAddress", "FieldedAddress"]:
    """Whether this is an address by value, and of which kind."""
    kind = checked(_Typed, value, field)["@type"]
    if kind not in ("FormattedAddress", "FieldedAddress"):
        raise unfit(f"{field}.@type", "a FormattedAddress or a FieldedAddress is expected")
    read(value, field, lambda _: None)
    return "FormattedAddress" if kind == "FormattedAddress" else "FieldedAddress"
