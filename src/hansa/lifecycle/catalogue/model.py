"""Offers and what they are made of, price lists, reference rates and tax rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from hansa.federation.contract import CharacteristicSpec, Family, Tariff, Tax
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Source:
    """Where a component can be had: a seller and what it calls it.

    seller: a partner, or this node itself for its own network. countries: only for sites
    there; empty means anywhere the seller says yes.
    """

    seller: PartyId
    offer: OfferCode
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One part that an offer is delivered from.

    sources: in order of preference. stage: lower stages are delivered before higher ones
    begin (access before overlay). metered: its usage is the usage of the whole. passes: the
    characteristics handed on to the seller; empty hands on none.
    """

    name: str
    sources: tuple[Source, ...]
    stage: int = 0
    metered: bool = False
    passes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueOffer:
    """Something we sell (TMF620 ProductOffering), made of components.

    countries: where it may be sold at all; agreements and launches narrow this.
    """

    code: OfferCode
    name: str
    family: Family
    per: Literal["site", "order"]
    countries: tuple[str, ...]
    characteristics: tuple[CharacteristicSpec, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class ListPrice:
    """The price of an offer in one price list, from valid_from up to valid_to.

    one_off, monthly, cancellation: major units for a quantity of one; the last is owed when
    an order is cancelled on which work has begun. monthly_per: added for each unit of
    a characteristic. margin_bp: when given, what partners charge us is passed on with this
    many hundredths of a percent on top; None: the list price is all. tariff: usage at list
    price; None with a margin passes a metered partner's tariff on, marked up.
    """

    price_list: str
    offer: OfferCode
    currency: str
    one_off: Decimal
    monthly: Decimal
    valid_from: Instant
    valid_to: Instant | None = None
    monthly_per: Mapping[str, Decimal] = field(default_factory=dict)
    margin_bp: int | None = None
    tariff: Tariff | None = None
    cancellation: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class BookEntry:
    """An offer in the price book of one buyer, or of one price list. countries: where this buyer
    may have it now.
    """

    offer: CatalogueOffer
    price: ListPrice
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """Units of `quote` for one unit of `base` on a day, as a named source published it."""

    base: str
    quote: str
    day: date
    source: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxRule:
    """How supplies between businesses are taxed, by country of supplier and of customer.

    customer_country `*`: any other country. Dated reference data, never a constant in code.
    """

    supplier_country: str
    customer_country: str
    valid_from: date
    tax: Tax


# --- decks --------------------------------------------------------------------------------------

OPEN_S = 253402300800
"""The end of what has none, in seconds since 1970: 10000-01-01."""

DeckKind = Literal["full", "partial"]
"""Whether a code that a version does not name is withdrawn by it, or goes on as it was."""


@dataclass(frozen=True, slots=True)
class DeckNotice:
    """When a version may take effect, at the earliest.

    increase_days: calendar days (UTC) from the day on which receipt was acknowledged to the day at
    whose beginning an increase takes effect. others: decreases, new codes, blocks and withdrawals
    count from receipt on, `at-once` or from the next 00:00 UTC, `midnight`.
    """

    increase_days: int = 7
    others: Literal["at-once", "midnight"] = "at-once"


@dataclass(frozen=True, slots=True)
class DeckLayout:
    """How the files of a deck are to be read.

    columns: the headers that stand for a field, beside the usual ones. delimiter: of CSV. sheet:
    of a spreadsheet, by its name; empty: the first. dates: as `strptime` writes them, beside ISO
    8601. last_day: whether a valid-to without a time is the last day in force, or the first after.
    increment: of rows that have none, as `60/1`; empty: every row has its own.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delimiter: Literal[",", ";", "tab"] = ","
    encoding: Literal["utf-8", "utf-8-sig", "latin-1"] = "utf-8"
    sheet: str = ""
    dates: tuple[str, ...] = ()
    last_day: bool = True
    decimal: Literal[".", ","] = "."
    increment: str = ""


@dataclass(frozen=True, slots=True)
class Deck:
    """A price list of calls by dial code: whose, for whom, and how it is read.

    buyers: all of them acknowledge receipt before notice runs. Peak is Monday to Friday, from
    peak_from_h up to peak_to_h in `zone` (IANA), but not on holidays. origins: groups of calling
    numbers by their leading digits.
    """

    name: str
    seller: PartyId
    buyers: tuple[PartyId, ...]
    currency: str
    zone: str = "UTC"
    peak_from_h: int = 0
    peak_to_h: int = 24
    holidays: tuple[date, ...] = ()
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notice: DeckNotice = DeckNotice()
    layout: DeckLayout = field(default_factory=DeckLayout)


@dataclass(frozen=True, slots=True)
class DeckFacts:
    """What rating has to know of a deck beside its rows. number: what its rows name it by."""

    number: int
    name: str
    seller: PartyId
    currency: str
    zone: str
    peak_from_h: int
    peak_to_h: int
    holidays: tuple[date, ...]
    origins: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a buyer has acknowledged to have received a version: since `at`; noted by whom."""

    party: PartyId
    at: Instant
    noted_at: Instant
    noted_by: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version as it is imported.

    correction: what it puts right, if it speaks of the past. effective_at: from when on codes
    that a full version does not name are withdrawn. stands_on: the published version that it
    was checked against.
    """

    kind: DeckKind
    file: str
    source_sha256: str
    received_at: Instant
    effective_at: Instant
    imported_at: Instant
    imported_by: str
    correction: str = ""
    stands_on: int | None = None


@dataclass(frozen=True, slots=True)
class DeckVersion:
    """A version as it is kept. Its price rows have the ids from first_id on, in their order."""

    deck: str
    version: int
    rows: int
    rows_sha256: str
    first_id: int
    said: NewVersion
    published_at: Instant | None = None
    published_by: str | None = None
    receipts: tuple[Receipt, ...] = ()

    @property
    def path(self) -> str:
        """Where its rows are, below the node's folder."""
        return f"decks/{self.deck}/{self.version}-{self.rows_sha256}.parquet"


@dataclass(frozen=True, slots=True)
class PricedRow:
    """One price of a version as its file said it, for one dial code.

    row: in the file, its first line is 1. Amounts in billionths of the major unit: rates for 60
    seconds, set-up for each answered call, minimum the least that one costs. from_s up to to_s:
    seconds since 1970, as stated; notice may move them (see `price_rows`).
    """

    deck: str
    version: int
    file: str
    price_id: int
    row: int
    code: str
    origin: str
    destination: str
    rate_peak: int
    rate_off: int
    setup: int
    minimum: int
    first_s: int
    next_s: int
    from_s: int
    to_s: int
    blocked: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, or doubtful, in a row of a deck's file. row: None for the file as a whole.

    An error refuses the file; a warning has to be accepted.
    """

    severity: Literal["error", "warning"]
    code: str
    row: int | None
    words: str

    def line(self, file: str) -> str:
        """`deck.csv, row 12: words (code)`, after what it is."""
        place = f"{file}, row {self.row}" if self.row else file
        return f"{self.severity}: {place}: {self.words} ({self.code})"


Kind = Literal["new", "increase", "decrease", "withdrawn", "blocked", "unchanged", "past"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a version does to one code. Rates in billionths for 60 s, peak then off-peak.

    before, after: None where there is none, or where it is blocked. effective_at: when it takes
    effect, None for never. late: it waits for notice longer than it says.
    """

    kind: Kind
    code: str
    origin: str
    destination: str
    row: int | None
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    stated_at: Instant | None
    effective_at: Instant | None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a version changes once it counts.

    supposed_at: when receipt is supposed to be acknowledged, if it is not yet. counts: by kind.
    dates: how many of which kind take effect when. late: increases whose notice was too short.
    changes: all but what is unchanged, those that change most first.
    """

    deck: str
    currency: str
    version: int | None
    supposed_at: Instant | None
    counts: Mapping[Kind, int]
    dates: tuple[tuple[Instant | None, Kind, int], ...]
    late: int
    changes: tuple[Change, ...]
