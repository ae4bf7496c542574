"""What commands read: the shapes of their files, and values written on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from hansa.federation.contract import NeedItem
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.lifecycle.catalogue.model import ReferenceRate


@dataclass(frozen=True, slots=True)
class RatesFile:
    """Reference rates as a source published them."""

    rates: tuple[ReferenceRate, ...]


@dataclass(frozen=True, slots=True)
class NeedFile:
    """What a customer wants. currency: None for the customer's own."""

    items: tuple[NeedItem, ...]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """Equipment that speaks NETCONF. make: one that is known, or the path of a make's own file.

    key_file: where our private key is. host_key: the device's public one, as OpenSSH writes it.
    Paths are seen from the folder of this file.
    """

    make: str
    host: str
    user: str
    key_file: str
    host_key: str
    port: int = 830


def amount(text: str, currency: str, *, option: str) -> Money:
    """An amount as people write it, `250,000.00`. Raises Refused `amount-invalid`."""
    try:
        written = Decimal(text.replace(",", ""))
        if written.is_finite():
            return Money.of(written, currency)
    except InvalidOperation:
        pass
    raise Refused("amount-invalid", f"{text!r} is no amount; write it as 250000.00.", field=option)


def day(text: str, *, option: str) -> date:
    """A date as ISO 8601 has it, `2026-12-30`. Raises Refused `date-invalid`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(
            "date-invalid", f"{text!r} is no date, as 2026-12-30.", field=option
        ) from None


def values(pairs: dict[str, str]) -> dict[str, int | str]:
    """Characteristics from the command line: whole numbers as such, all else as text."""
    return {
        name: int(value) if value.lstrip("-").isdecimal() else value
        for name, value in pairs.items()
    }


Choice = TypeVar("Choice", bound=StrEnum)


def one_of(kind: type[Choice], text: str, *, option: str) -> Choice:
    """One of a closed list, as its value is written. Raises Refused `choice-unknown`."""
    for one in kind:
        if one.value == text:
            return one
    raise Refused(
        "choice-unknown",
        f"{text!r} is not known; choose one of {', '.join(one.value for one in kind)}.",
        field=option,
    )


def instant(text: str, option: str) -> Instant:
    """A day or a time, in UTC where it does not say. Raises Refused `time-unreadable`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            "time-unreadable", f"{text!r} is no time; write it as 2026-11-16T08:00.", field=option
        ) from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
