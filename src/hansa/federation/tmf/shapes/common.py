"""What TM Forum resources share: references, money, places, characteristics, prices.

An attribute for which the standard has no place is called `hansa…`; an object that has one
says so by `@type`, `@baseType` and `@schemaLocation` (TMF630 part 2, polymorphism).
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, TypeVar
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from hansa.federation.contract import AgreementRef, Characteristics, Tariff, Terms
from hansa.federation.wire import DIGITS_MAX
from hansa.foundation import documents
from hansa.foundation.characteristics import VALUE_MAX
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import party_id
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period, instant_name

SCHEMA = "urn:hansa:tmf-v4-extensions:1"
"""Names the set of our extensions that these shapes speak."""

TEXT_MAX = 4000

Text = Annotated[str, Field(max_length=TEXT_MAX)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Whole = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Chosen = Annotated[int, Field(ge=-VALUE_MAX, le=VALUE_MAX)]
"""The whole number that a characteristic may be."""

"""A whole number as a database keeps it in four octets."""
MINOR_MAX = 2**63 - 1
"""The most of an amount in minor units: what a database keeps in eight octets."""
Number = int | Decimal

Shape = TypeVar("Shape")
adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""What checks values of a shape; made once a process."""


def checked(kind: type[Shape], value: Json) -> Shape:
    """A JSON value as a shape: strict about types, deaf to attributes that it does not know.

    Raises Refused `malformed` that names the first offending attribute.
    """
    try:
        shape: Shape = adapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise malformed(where(value, first["loc"]), first["msg"]) from None
    return shape


def where(value: Json, path: Sequence[int | str]) -> str:
    """The path of an attribute, as far as it leads into the value and not into our types."""
    steps = []
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            break
        steps.append(str(step))
    return ".".join(steps)


def malformed(field: str, why: str) -> Refused:
    return Refused(
        "malformed", f"{field or 'The body'}: {why}. Correct it and send it again.", field=field
    )


# --- shapes -----------------------------------------------------------------------------------

Extended = TypedDict(
    "Extended",
    {
        "@type": NotRequired[Text],
        "@baseType": NotRequired[Text],
        "@schemaLocation": NotRequired[Text],
    },
)
"""What any object may carry to say which type it is."""


class Ref(Extended):
    """A reference to something by its id."""

    id: Id
    name: NotRequired[Text]
    href: NotRequired[Text]


RelatedParty = TypedDict(
    "RelatedParty",
    {"id": Id, "name": NotRequired[Text], "role": NotRequired[Text], "@referredType": Text},
)


class AgreementReference(Ref):
    """A reference to one version of an agreement."""

    hansaVersion: Whole


class MoneyShape(TypedDict):
    """An amount in major units and its ISO 4217 currency."""

    unit: Text
    value: Number


class TimePeriod(TypedDict):
    """From start up to and excluding end."""

    startDateTime: NotRequired[Text]
    endDateTime: NotRequired[Text]


class Characteristic(TypedDict):
    """A name and a whole number or a text."""

    name: Text
    valueType: NotRequired[Text]
    value: Chosen | Text


class Place(Extended):
    """A place given by value: a TMF673 GeographicAddress as far as we know it."""

    id: Text
    name: Text
    role: Text
    city: Text
    country: Text
    hansaLatitude: NotRequired[Number]
    hansaLongitude: NotRequired[Number]


class Product(Extended):
    """What a line is about; id: the product already held that the line changes or brings."""

    id: NotRequired[Id]
    place: NotRequired[list[Place]]
    productCharacteristic: NotRequired[list[Characteristic]]


class PriceAmount(TypedDict):
    """Tax apart; taxRate in percent."""

    dutyFreeAmount: MoneyShape
    taxRate: NotRequired[Number]


class Price(Extended):
    """One of the three parts of Terms; hansaTariff: how usage is priced."""

    priceType: Literal["oneTime", "recurring", "usage"]
    name: NotRequired[Text]
    recurringChargePeriod: NotRequired[Text]
    price: NotRequired[PriceAmount]
    hansaTariff: NotRequired[Any]


# --- write ------------------------------------------------------------------------------------


def href(path: str, identity: str) -> str:
    return f"{path}/{quote(identity, safe='')}"


def related(**roles: str) -> list[RelatedParty]:
    """The parties to something by role, e.g. related(buyer="mtn", seller="bt")."""
    return [
        {"id": party, "name": party, "role": role, "@referredType": "Organization"}
        for role, party in roles.items()
    ]


def write_money(money: Money) -> MoneyShape:
    return {"unit": money.currency, "value": money.amount}


def write_instant(instant: Instant) -> str:
    """RFC 3339 in UTC, to the microsecond if need be."""
    return instant_name(instant)


def write_period(period: Period) -> TimePeriod:
    return {
        "startDateTime": write_instant(period.start),
        "endDateTime": write_instant(period.end),
    }


def write_agreement_ref(ref: AgreementRef) -> AgreementReference:
    return {
        "id": ref.id,
        "hansaVersion": ref.version,
        "@type": "HansaAgreementRef",
        "@baseType": "AgreementRef",
        "@schemaLocation": SCHEMA,
    }


def write_characteristics(characteristics: Characteristics) -> list[Characteristic]:
    return [
        {
            "name": name,
            "valueType": "integer" if isinstance(value, int) else "string",
            "value": value,
        }
        for name, value in characteristics.items()
    ]


def write_product(
    *, site: Site | None, characteristics: Characteristics, holding: str | None
) -> Product:
    product: Product = {"productCharacteristic": write_characteristics(characteristics)}
    if holding is not None:
        product["id"] = holding
    if site is not None:
        product["place"] = [write_place(site)]
    return product


def write_place(site: Site) -> Place:
    place: Place = {
        "id": site.id,
        "name": site.name,
        "role": "delivery",
        "city": site.place,
        "country": site.country,
        "@type": "GeographicAddress",
    }
    if site.latitude is not None:
        place["hansaLatitude"] = site.latitude
    if site.longitude is not None:
        place["hansaLongitude"] = site.longitude
    return place


def write_terms(terms: Terms, tax_rate: Decimal | None = None) -> list[Price]:
    """One-off, monthly and, if there is any, usage price; tax_rate in percent."""
    prices: list[Price] = [
        {"priceType": "oneTime", "name": "one-off", "price": _amount(terms.one_off, tax_rate)},
        {
            "priceType": "recurring",
            "name": "monthly",
            "recurringChargePeriod": "month",
            "price": _amount(terms.monthly, tax_rate),
        },
    ]
    if terms.tariff is not None:
        prices.append(
            {
                "priceType": "usage",
                "name": terms.tariff.kind,
                "hansaTariff": documents.write(terms.tariff),
                "@type": "HansaProductPrice",
                "@baseType": "ProductPrice",
                "@schemaLocation": SCHEMA,
            }
        )
    return prices


def _amount(money: Money, tax_rate: Decimal | None) -> PriceAmount:
    amount: PriceAmount = {"dutyFreeAmount": write_money(money)}
    if tax_rate is not None:
        amount["taxRate"] = tax_rate
    return amount


# --- read -------------------------------------------------------------------------------------


def read_money(shape: MoneyShape, field: str) -> Money:
    """Exact, or Refused: an amount is never rounded to fit."""
    try:
        money = Money.of(shape["value"], shape["unit"])
    except Refused as error:
        raise Refused(error.code, error.words, field=field) from None
    if abs(money.minor) > MINOR_MAX:
        raise malformed(field, "the amount is larger than any that can be kept")
    return money


def read_instant(text: str, field: str) -> Instant:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise malformed(field, "a time needs its offset from UTC, e.g. 2026-11-01T00:00:00Z")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise malformed(field, f"{text[:40]!r} is no time as RFC 3339 writes it") from None


def read_period(shape: TimePeriod, field: str) -> Period:
    return Period(
        read_instant(shape.get("startDateTime", ""), f"{field}.startDateTime"),
        read_instant(shape.get("endDateTime", ""), f"{field}.endDateTime"),
    )


def read_party(parties: Sequence[RelatedParty], role: str) -> PartyId:
    """The one party in a role."""
    found = [party["id"] for party in parties if party.get("role") == role]
    if len(found) != 1:
        raise malformed("relatedParty", f"exactly one party is expected as {role}")
    return party_id(found[0])


def read_parties(texts: Iterable[str]) -> tuple[PartyId, ...]:
    return tuple(party_id(text) for text in texts)


def read_agreement_ref(shape: AgreementReference) -> AgreementRef:
    return AgreementRef(AgreementId(shape["id"]), shape["hansaVersion"])


def read_characteristics(
    shapes: Sequence[Characteristic] | None, field: str
) -> Mapping[str, int | str]:
    characteristics: dict[str, int | str] = {}
    for shape in shapes or ():
        if shape["name"] in characteristics:
            raise malformed(field, f"{shape['name']!r} is given twice")
        characteristics[shape["name"]] = shape["value"]
    return characteristics


def read_site(product: Product, field: str) -> Site | None:
    places = product.get("place") or []
    if not places:
        return None
    if len(places) > 1:
        raise malformed(f"{field}.place", "one place is expected at most")
    place = places[0]
    return Site(
        id=place["id"],
        name=place["name"],
        country=place["country"],
        place=place["city"],
        latitude=_decimal(place.get("hansaLatitude")),
        longitude=_decimal(place.get("hansaLongitude")),
    )


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def read_terms(prices: Sequence[Price], field: str) -> tuple[Terms, Decimal | None]:
    """The terms and the tax rate in percent, the same in all prices that name one."""
    one_off = monthly = tariff = None
    rates: set[Decimal] = set()
    for index, shape in enumerate(prices):
        where = f"{field}.{index}"
        if shape["priceType"] == "usage":
            tariff = read_tariff(shape.get("hansaTariff"), f"{where}.hansaTariff")
            continue
        if "price" not in shape:
            raise malformed(f"{where}.price", "an amount is expected")
        amount = read_money(shape["price"]["dutyFreeAmount"], f"{where}.price.dutyFreeAmount")
        if "taxRate" in shape["price"]:
            rates.add(Decimal(shape["price"]["taxRate"]))
        if shape["priceType"] == "oneTime":
            one_off = amount
        else:
            monthly = amount
    if one_off is None or monthly is None or len(rates) > 1:
        raise malformed(field, "one oneTime and one recurring price with one tax rate are expected")
    if one_off.currency != monthly.currency:
        raise malformed(field, "all prices of a line are in one currency")
    return Terms(one_off, monthly, tariff), rates.pop() if rates else None


def read_tariff(value: Json, field: str) -> Tariff:
    tariff: Tariff = read_document(Tariff, value, field)
    return tariff


def read_document(kind: Any, value: Json, field: str) -> Any:
    """A value of ours that travels as its own document (see foundation.documents).

    kind: the type, or a union of types. Its numbers are small enough to compute with.
    """
    try:
        thing = adapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join([field, *(str(part) for part in first["loc"])])
        raise malformed(path, first["msg"]) from None
    bounded(thing, field)
    return thing


def bounded(thing: object, field: str) -> None:
    """Refuses a decimal anywhere in `thing` that has too many digits or is out of range."""
    if isinstance(thing, Decimal):
        if not thing.is_finite():
            raise malformed(field, "a finite number is expected")
        if len(thing.as_tuple().digits) > DIGITS_MAX or abs(thing.adjusted()) > DIGITS_MAX:
            raise malformed(field, f"a number of at most {DIGITS_MAX} digits is expected")
    elif isinstance(thing, tuple):
        for part in thing:
            bounded(part, field)
    elif is_dataclass(thing):
        for part in fields(thing):
            bounded(getattr(thing, part.name), field)
