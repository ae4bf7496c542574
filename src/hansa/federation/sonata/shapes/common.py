"""What Sonata's resources share: contacts, notes, places, prices, times.

Grace lets every object have attributes beyond its own, so what it has no place for travels in
attributes named `hansa…`. A partner that does not know them neither sends nor needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from typing_extensions import TypedDict

from hansa.federation.contract import Tax, Terms
from hansa.federation.sonata.errors import Fault, unfit
from hansa.federation.tmf.shapes.common import (
    MoneyShape,
    Number,
    adapter,
    read_instant,
    read_money,
    read_tariff,
    where,
    write_money,
)
from hansa.foundation import documents
from hansa.foundation.characteristics import VALUE_MAX
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money

ROOT = "/mefApi/sonata"

TEXT_MAX = 4000

Text = Annotated[str, Field(max_length=TEXT_MAX)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Whole = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Chosen = Annotated[int, Field(ge=-VALUE_MAX, le=VALUE_MAX)]
"""The whole number that a characteristic may be."""


Shape = TypeVar("Shape")


def _moment(text: str) -> str:
    try:
        read_instant(text, "")
    except Refused as error:
        raise ValueError(error.words.removeprefix("The body: ")) from None
    return text


Moment = Annotated[Text, AfterValidator(_moment)]
"""A time as RFC 3339 writes it."""


def checked(kind: type[Shape], value: Json, at: str = "") -> Shape:
    """A JSON value as a shape: strict about the attributes that Sonata knows, deaf to others.

    at: where the value stands. Raises Unfit that names the first attribute that is missing or
    not as it has to be.
    """
    try:
        shape: Shape = adapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(filter(None, [at, where(value, first["loc"])]))
        raise unfit(path, first["msg"], _fault(first["type"])) from None
    return shape


def _fault(kind: str) -> Fault:
    if kind == "missing":
        return "missingProperty"
    return "invalidValue" if kind in ("literal_error", "enum") else "invalidFormat"


# --- shapes -----------------------------------------------------------------------------------


class Ref(TypedDict):
    """A reference to something by its id."""

    id: Id
    href: NotRequired[Text]


class SubUnit(TypedDict):
    subUnitNumber: Text
    subUnitType: Text


class SubAddress(TypedDict):
    """Where within a building."""

    buildingName: NotRequired[Text]
    subUnit: NotRequired[list[SubUnit]]
    levelType: NotRequired[Text]
    levelNumber: NotRequired[Text]
    privateStreetNumber: NotRequired[Text]
    privateStreetName: NotRequired[Text]


class Street(TypedDict):
    """An address in its parts."""

    streetName: Text
    city: Text
    country: Text
    streetNr: NotRequired[Text]
    streetNrLast: NotRequired[Text]
    streetNrSuffix: NotRequired[Text]
    streetNrLastSuffix: NotRequired[Text]
    streetType: NotRequired[Text]
    streetSuffix: NotRequired[Text]
    locality: NotRequired[Text]
    stateOrProvince: NotRequired[Text]
    postcode: NotRequired[Text]
    postcodeExtension: NotRequired[Text]
    geographicSubAddress: NotRequired[SubAddress]


class _Typed(TypedDict("_Typed", {"@type": Text})):
    role: Text


class PostalAddress(Street, _Typed):
    """A FieldedAddress where contacts have one."""


class Contact(TypedDict):
    """RelatedContactInformation: whom to call about it."""

    name: Text
    number: Text
    emailAddress: Text
    role: Text
    organization: NotRequired[Text]
    numberExtension: NotRequired[Text]
    postalAddress: NotRequired[PostalAddress]


Contacts = Annotated[list[Contact], Field(min_length=1)]
"""At least one, where the standard wants somebody named."""


class Note(TypedDict):
    id: Text
    author: Text
    date: Moment
    source: Literal["buyer", "seller"]
    text: Text


Units = Literal[
    "calendarMonths",
    "calendarDays",
    "calendarHours",
    "calendarMinutes",
    "businessDays",
    "businessHours",
    "businessMinutes",
]


class Duration(TypedDict):
    amount: Whole
    units: Units


class Term(TypedDict):
    """MEFItemTerm: for how long, and what then."""

    name: Text
    duration: Duration
    endOfTermAction: Literal["roll", "autoDisconnect", "autoRenew"]
    description: NotRequired[Text]
    rollInterval: NotRequired[Duration]


class Relationship(TypedDict):
    id: Text
    relationshipType: Text
    href: NotRequired[Text]
    groupingKey: NotRequired[Text]


class QualifiedItem(TypedDict):
    """An item of a qualification that was made before."""

    id: Text
    productOfferingQualificationId: Text
    productOfferingQualificationHref: NotRequired[Text]


class PriceAmount(TypedDict):
    dutyFreeAmount: MoneyShape
    taxIncludedAmount: NotRequired[MoneyShape]
    taxRate: NotRequired[Number]


class Price(TypedDict):
    """QuotePrice or ProductPrice; hansaTariff: how usage is priced."""

    priceType: NotRequired[Literal["recurring", "nonRecurring", "usageBased"]]
    name: NotRequired[Text]
    recurringChargePeriod: NotRequired[Text]
    price: NotRequired[PriceAmount]
    hansaTariff: NotRequired[Any]


class TaxShape(TypedDict):
    """Which tax rule applies; its rate stands beside each price."""

    code: Literal["standard", "reverse-charge", "exempt"]
    legend: Text


class AgreementShape(TypedDict):
    id: Id
    version: Whole


# --- contacts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """Whom partners may call: Sonata wants somebody named on every request."""

    name: str = ""
    number: str = ""
    email: str = ""


def write_contact(contact: ContactSettings, *, party: str, role: str) -> Contact:
    return {
        "name": contact.name or party,
        "number": contact.number,
        "emailAddress": contact.email,
        "role": role,
        "organization": party,
    }


# --- what was asked, given back ----------------------------------------------------------------

KEPT = "hansaSonata"
"""Among the extras of a thing: the request that made it, as it came."""


def asked(extras: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it came; empty for a thing that was made in another dialect."""
    found = extras.get(KEPT)
    return dict(found) if isinstance(found, dict) else {}


def asked_items(body: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The items of such a request, by id."""
    return {item["id"]: dict(item) for item in body.get(name) or () if isinstance(item, dict)}


# --- prices -----------------------------------------------------------------------------------


def write_terms(terms: Terms, tax: Tax) -> list[dict[str, Any]]:
    """One-off, monthly and, if there is any, usage price."""
    rate = Decimal(tax.rate_bp).scaleb(-2)
    prices: list[dict[str, Any]] = [
        {"priceType": "nonRecurring", "name": "one-off", "price": _amount(terms.one_off, rate)},
        {
            "priceType": "recurring",
            "name": "monthly",
            "recurringChargePeriod": "month",
            "price": _amount(terms.monthly, rate),
        },
    ]
    if terms.tariff is not None:
        prices.append(
            {
                "priceType": "usageBased",
                "name": terms.tariff.kind,
                "hansaTariff": documents.write(terms.tariff),
            }
        )
    return prices


def _amount(money: Money, rate: Decimal) -> PriceAmount:
    return {"dutyFreeAmount": write_money(money), "taxRate": rate}


def read_terms(prices: Sequence[Price], currency: str, field: str) -> tuple[Terms, Decimal | None]:
    """The terms and the tax rate in percent, the same in all prices that name one.

    What is not charged for at all may be missing. Raises Unfit for a price that we could not
    account for: in another currency, for another period than a month, or by usage without a
    tariff of ours.
    """
    sums = {"nonRecurring": Money.zero(currency), "recurring": Money.zero(currency)}
    tariff = None
    rates: set[Decimal] = set()
    for index, shape in enumerate(prices):
        where = f"{field}.{index}"
        kind = shape.get("priceType")
        if kind == "usageBased":
            if "hansaTariff" not in shape:
                path = f"{where}.hansaTariff"
                raise unfit(path, "a price by usage needs the tariff in full", "missingProperty")
            tariff = read_tariff(shape.get("hansaTariff"), f"{where}.hansaTariff")
            continue
        if kind is None or "price" not in shape:
            raise unfit(where, "a price with its type is expected", "missingProperty")
        amount = read_money(shape["price"]["dutyFreeAmount"], f"{where}.price.dutyFreeAmount")
        if amount.currency != currency:
            raise unfit(f"{where}.price.dutyFreeAmount.unit", f"prices in {currency} are expected")
        if kind == "recurring" and shape.get("recurringChargePeriod") != "month":
            raise unfit(f"{where}.recurringChargePeriod", "prices a month are expected")
        if "taxRate" in shape["price"]:
            rates.add(Decimal(shape["price"]["taxRate"]))
        sums[kind] += amount
    if len(rates) > 1:
        raise unfit(field, "one tax rate for all prices of an item is expected")
    return Terms(sums["nonRecurring"], sums["recurring"], tariff), rates.pop() if rates else None


def read_tax(percent: Decimal | None, shape: TaxShape | None, field: str) -> Tax:
    """Without a word of ours, a rate is the standard one, and none at all is an exemption."""
    rate_bp = (percent or Decimal(0)).scaleb(2)
    if rate_bp != rate_bp.to_integral_value():
        raise unfit(field, "a taxRate of at most two decimals is expected", "invalidFormat")
    if shape is not None:
        return Tax(shape["code"], int(rate_bp), shape["legend"])
    return Tax("standard" if rate_bp else "exempt", int(rate_bp))


# --- times ------------------------------------------------------------------------------------


def without_empty(shape: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that say something."""
    return {name: value for name, value in shape.items() if value not in (None, "", [])}
