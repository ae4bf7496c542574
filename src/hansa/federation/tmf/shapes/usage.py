"""TMF635 Usage v4.0: one reading of a holding as a Usage, not yet rated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import UsageRecord
from hansa.federation.tmf.shapes.common import (
    Id,
    Ref,
    Text,
    checked,
    href,
    malformed,
    read_instant,
    write_instant,
)
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import SAMPLES_A_DAY, Call, OctetDay, Reading, SeatDay
from hansa.foundation.time import midnight

BASE = "/tmf-api/usageManagement/v4"
USAGES = f"{BASE}/usage"

Count = Annotated[int, Field(ge=0, lt=2**63)]


class UsageCharacteristic(TypedDict):
    """One measured thing; its value depends on the usage type."""

    name: Text
    valueType: NotRequired[Text]
    value: Any


class RatedProductUsage(TypedDict):
    """The product that was used; here before any rating."""

    productRef: Ref


class UsageShape(TypedDict):
    """Usage; usageDate: when a call was answered, or the day that was counted."""

    id: Id
    href: NotRequired[Text]
    usageType: Literal["octets", "call", "seats"]
    usageDate: Text
    status: NotRequired[Text]
    usageSpecification: NotRequired[Ref]
    usageCharacteristic: list[UsageCharacteristic]
    ratedProductUsage: list[RatedProductUsage]


class Octets(TypedDict):
    """Octets of each five minutes of a UTC day, null where a poll is missing."""

    octetsIn: list[Count | None]
    octetsOut: list[Count | None]


class CallFacts(TypedDict):
    """Numbers are E.164 with `+`; duration in whole seconds."""

    calling: Text
    called: Text
    durationSeconds: Count


class SeatFacts(TypedDict):
    """Seats in use at the end of the day."""

    seats: Count


class Origin(TypedDict):
    """Whether a device was read; False for an imagined network, absent where nobody has told."""

    measured: NotRequired[bool]


def write(record: UsageRecord) -> UsageShape:
    reading = record.reading
    at = reading.answered_at if isinstance(reading, Call) else midnight(reading.day)
    return {
        "id": record.id,
        "href": href(USAGES, record.id),
        "usageType": reading.kind,
        "usageDate": write_instant(at),
        "status": "received",
        "usageSpecification": {"id": f"hansa-{reading.kind}", "name": reading.kind},
        "usageCharacteristic": [*_write_facts(reading), *_write_measured(record)],
        "ratedProductUsage": [{"productRef": {"id": record.holding}}],
    }


def _write_facts(reading: Reading) -> list[UsageCharacteristic]:
    if isinstance(reading, OctetDay):
        return [
            _fact("octetsIn", "array", reading.octets_in),
            _fact("octetsOut", "array", reading.octets_out),
        ]
    if isinstance(reading, Call):
        return [
            _fact("calling", "string", reading.calling),
            _fact("called", "string", reading.called),
            _fact("durationSeconds", "integer", reading.duration_s),
        ]
    return [_fact("seats", "integer", reading.seats)]


def _write_measured(record: UsageRecord) -> list[UsageCharacteristic]:
    if record.measured is None:
        return []
    return [_fact("measured", "boolean", record.measured)]


def _fact(name: str, value_type: str, value: Json) -> UsageCharacteristic:
    return {"name": name, "valueType": value_type, "value": value}


def read_all(value: Json) -> Sequence[UsageRecord]:
    shapes = checked(list[UsageShape], value)
    return [_read(shape, f"{index}.") for index, shape in enumerate(shapes)]


def _read(shape: UsageShape, at: str) -> UsageRecord:
    if len(shape["ratedProductUsage"]) != 1:
        raise malformed(f"{at}ratedProductUsage", "the one product that was used is expected")
    return UsageRecord(
        id=shape["id"],
        holding=HoldingId(shape["ratedProductUsage"][0]["productRef"]["id"]),
        reading=_read_facts(shape, at),
        measured=checked(Origin, _facts(shape)).get("measured"),
    )


def _facts(shape: UsageShape) -> dict[str, Any]:
    return {fact["name"]: fact["value"] for fact in shape["usageCharacteristic"]}


def _read_facts(shape: UsageShape, at: str) -> Reading:
    facts = _facts(shape)
    instant = read_instant(shape["usageDate"], f"{at}usageDate")
    if shape["usageType"] == "call":
        call = checked(CallFacts, facts)
        return Call(
            answered_at=instant,
            calling=call["calling"],
            called=call["called"],
            duration_s=call["durationSeconds"],
        )
    if instant != midnight(instant.date()):
        raise malformed(f"{at}usageDate", "the start of a UTC day is expected")
    if shape["usageType"] == "seats":
        return SeatDay(day=instant.date(), seats=checked(SeatFacts, facts)["seats"])
    octets = checked(Octets, facts)
    if not len(octets["octetsIn"]) == len(octets["octetsOut"]) == SAMPLES_A_DAY:
        raise malformed(f"{at}usageCharacteristic", f"{SAMPLES_A_DAY} samples a day are expected")
    return OctetDay(
        day=instant.date(),
        octets_in=tuple(octets["octetsIn"]),
        octets_out=tuple(octets["octetsOut"]),
    )
