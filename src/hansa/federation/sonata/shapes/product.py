"""What a line is about: its product configuration, by an official schema or by ours.

Which attribute of an official payload says what of our characteristics is data: a Layout a
schema. What a schema has no place for travels beside it in `hansaCharacteristic`; an offer
with no layout travels in a schema of ours, agreed between the two, with its characteristics as
they are. A payload names its schema in `@type`, so reading needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Characteristics
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import Chosen, Id, Ref, Relationship, Text, checked
from hansa.foundation.documents import Json

OURS = "urn:hansa:spec:characteristics:v1:all"
"""The schema of an offer that no official schema describes."""

UNITS: Mapping[str, int] = {"BPS": 1, "KBPS": 10**3, "MBPS": 10**6, "GBPS": 10**9, "TBPS": 10**12}
"""Bits a second."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a product of ours looks in one official schema.

    urn: the schema. frame: what the schema demands of every payload. rates: characteristics in
    Mbit/s, each with the paths of the information rates that say it, the first to be read.
    """

    urn: str
    frame: Mapping[str, Any]
    rates: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


_FLOW: Path = ("ingressBandwidthProfilePerClassOfServiceName", 0, "bwpFlow", "cir")
_BEST = {"classOfServiceName": "low", "bwpFlow": {}}

LAYOUTS: Mapping[str, Layout] = {
    "access-eline": Layout(
        urn="urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all",
        frame={
            "listOfClassOfServiceNames": ["low"],
            "uniEp": {"ingressBandwidthProfilePerClassOfServiceName": [_BEST]},
            "enniEp": {"ingressBandwidthProfilePerClassOfServiceName": [_BEST]},
        },
        rates={"speed_mbps": (("uniEp", *_FLOW), ("enniEp", *_FLOW))},
    ),
    "internet-access": Layout(
        urn="urn:mef:lso:spec:cantata-sonata:basic-internet-access:v1.0.0:all",
        frame={
            "ipvc": {"ipvcEndPoint": {}},
            "ipUni": {
                "ingressBandwidthProfileEnvelope": [{}],
                "egressBandwidthProfileEnvelope": [{}],
            },
            "ipUniAccessLink": {},
            "ipUniAccessLinkTrunk": {},
        },
        rates={
            "speed_mbps": (
                ("ipUni", "ingressBandwidthProfileEnvelope", 0, "maxIr"),
                ("ipUni", "egressBandwidthProfileEnvelope", 0, "maxIr"),
            )
        },
    ),
}
"""By the name under which an operator's settings give an offer a layout."""

BY_URN: Mapping[str, Layout] = {layout.urn: layout for layout in LAYOUTS.values()}

Products = Mapping[str, str]
"""Which offer has which layout, by name; an offer that is not here travels in our schema."""


class ProductShape(TypedDict):
    """What an item is about; id: the product already held that it changes or ends."""

    id: NotRequired[Id]
    href: NotRequired[Text]
    place: NotRequired[list[dict[str, Any]]]
    productConfiguration: NotRequired[dict[str, Any]]
    productOffering: NotRequired[Ref]
    productRelationship: NotRequired[list[Relationship]]


# --- write ------------------------------------------------------------------------------------


def write(offer: str, characteristics: Characteristics, products: Products) -> dict[str, Any]:
    """The productConfiguration of an offer with these characteristics."""
    layout = LAYOUTS.get(products.get(offer, ""))
    if layout is None:
        return {"@type": OURS, "characteristic": dict(characteristics)}
    payload: dict[str, Any] = {"@type": layout.urn, **deepcopy(dict(layout.frame))}
    beside: dict[str, int | str] = {}
    for name, value in characteristics.items():
        if name in layout.rates and isinstance(value, int) and value >= 0:
            for path in layout.rates[name]:
                _put(payload, path, {"irValue": value, "irUnits": "MBPS"})
        else:
            beside[name] = value
    if beside:
        payload["hansaCharacteristic"] = beside
    return payload


def _put(payload: Any, path: Path, value: Json) -> None:
    for step in path[:-1]:
        payload = payload[step]
    payload[path[-1]] = value


# --- read -------------------------------------------------------------------------------------


def read(payload: Mapping[str, Any] | None, field: str) -> Characteristics:
    """The characteristics that a payload says. Raises Unfit for a schema that nobody agreed on."""
    if payload is None:
        return {}
    urn = payload.get("@type")
    if not isinstance(urn, str):
        raise unfit(f"{field}.@type", "the URN of the product's schema is expected", _missing(urn))
    if urn == OURS:
        return _plain(payload.get("characteristic", {}), f"{field}.characteristic")
    layout = BY_URN.get(urn)
    if layout is None:
        known = ", ".join(sorted([OURS, *BY_URN]))
        raise unfit(f"{field}.@type", f"{urn[:100]!r} is no schema that is taken here: {known}")
    found: dict[str, int | str] = {}
    for name, paths in layout.rates.items():
        for path in paths:
            rate = _at(payload, path)
            if rate is not None:
                found[name] = _mbps(rate, ".".join([field, *map(str, path)]))
                break
    beside = payload.get("hansaCharacteristic", {})
    return {**found, **_plain(beside, f"{field}.hansaCharacteristic")}


def _missing(value: object) -> Any:
    return "missingProperty" if value is None else "invalidFormat"


def _at(value: Any, path: Path) -> Any:
    """What is at the end of a path, None where it leads nowhere."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


class _Rate(TypedDict):
    irValue: int | Decimal
    irUnits: Text


def _mbps(value: Json, field: str) -> int:
    """A rate in whole Mbit/s; none is rounded to fit."""
    rate = checked(_Rate, value, field)
    if rate["irUnits"] not in UNITS:
        raise unfit(f"{field}.irUnits", f"one of {', '.join(UNITS)} is expected")
    mbps = Decimal(rate["irValue"]) * UNITS[rate["irUnits"]] / 10**6
    if mbps != mbps.to_integral_value() or not 0 <= mbps < 2**31:
        raise unfit(f"{field}.irValue", "a whole number of Mbit/s is expected")
    return int(mbps)


def _plain(value: Json, field: str) -> dict[str, int | str]:
    return dict(checked(dict[Text, Chosen | Text], value, field))
