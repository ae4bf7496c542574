"""Geographic Address v7 and Geographic Site v7: where something can be had, and is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from typing_extensions import TypedDict

from hansa.federation.sonata.shapes import place
from hansa.federation.sonata.shapes.common import ROOT, checked
from hansa.federation.sonata.shapes.inventory import SITES, site_id
from hansa.federation.tmf.shapes.common import href
from hansa.foundation.documents import Json
from hansa.foundation.site import Site

BASE = f"{ROOT}/geographicAddressManagement/v7"
VALIDATIONS = f"{BASE}/geographicAddressValidation"
ADDRESSES = f"{BASE}/geographicAddress"


class Create(TypedDict):
    """GeographicAddressValidation_Create."""

    provideAlternative: bool
    submittedGeographicAddress: dict[str, Any]


def read_asked(value: Json) -> Create:
    shape = checked(Create, value)
    place.checked_address(shape["submittedGeographicAddress"], "submittedGeographicAddress")
    return shape


def write_validation(asked: Create, countries: Collection[str]) -> dict[str, Any]:
    """Whether we deal in the country of an address; we keep no list of streets to look it up in.

    countries: where something is on offer to whoever asks.
    """
    submitted = asked["submittedGeographicAddress"]
    shape = {**asked, "validationResult": "fail"}
    if submitted["country"] in countries:
        shape["validationResult"] = "success"
        shape["bestMatchGeographicAddress"] = write(place.to_id(submitted), submitted)
    return shape


def write(identity: str, address: dict[str, Any]) -> dict[str, Any]:
    """An address with its id, if it has one."""
    named = {"id": identity, "href": href(ADDRESSES, identity)} if identity else {}
    return {**address, **named, "allowsNewSite": True}


# --- sites ------------------------------------------------------------------------------------


def write_site(site: Site) -> dict[str, Any]:
    """A place where the buyer has something from us; it is nobody else's."""
    identity = site_id(site)
    return {
        "id": identity,
        "href": href(SITES, identity),
        "name": site.name,
        "siteType": "private",
        "place": [place.address(site)],
    }
