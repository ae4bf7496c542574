"""A record: a document kept whole for one party, and what it can be found by."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from hansa.federation.wire import DIGITS_MAX
from hansa.foundation.documents import Json
from hansa.foundation.ids import PartyId, RecordId
from hansa.foundation.time import Instant

Test = Literal["eq", "gt", "gte", "lt", "lte"]


@dataclass(frozen=True, slots=True)
class Record:
    """resource: what it is one of, e.g. `TMF632/individual`. owner: who has made it."""

    id: RecordId
    resource: str
    owner: PartyId
    document: Json
    created_at: Instant
    changed_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class Condition:
    """A value at `path` passes the test with one of `values`; lists count by any element.

    Compared as text; as numbers where the value is a number and so is the other.
    """

    path: tuple[str, ...]
    test: Test
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Sort:
    """What lacks the attribute comes last."""

    path: tuple[str, ...]
    descending: bool = False


def comparable(text: str) -> Decimal | None:
    """The number that a text is, if it is one that numbers are compared with."""
    if not text or len(text) > DIGITS_MAX or not text.isascii() or text[-1] not in "0123456789":
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= DIGITS_MAX else None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the records that fit, and how many fit in all."""

    records: tuple[Record, ...]
    total: int
