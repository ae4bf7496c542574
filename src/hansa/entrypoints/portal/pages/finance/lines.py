"""One line of an invoice or statement: why it is what it is, and the calls behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import BOOKS, Ask, nothing_here, page
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import Page
from hansa.foundation.documents import Json
from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.ledger.model import Entry
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.settlement.actions.explaining import LineExplained, Recurring, explain


@dataclass(frozen=True, slots=True)
class Place:
    """A line where it stands. paper: the page of the whole; title: what that is called.

    entry: the posting of the whole, if it is posted. wrong: where somebody says that the line is
    too high; empty where nobody can.
    """

    line: StatementLine
    number: int
    seller: PartyId
    period: Period
    paper: str
    title: str
    entry: Entry | None
    wrong: str = ""

    @property
    def href(self) -> str:
        return f"{self.paper}/lines/{self.number}"


def number(ask: Ask) -> int:
    """Which line the address names, from 1."""
    text = ask.path["number"]
    if not text.isdecimal() or not 0 < int(text) <= 10_000_000:
        raise nothing_here()
    return int(text)


def only(found: Page[StatementLine]) -> StatementLine:
    """The line where one was asked for. Raises NotFound `page-missing` if there is none."""
    if not found.things:
        raise nothing_here()
    return found.things[0]


def shown(ask: Ask, tx: Transaction, place: Place) -> Response:
    """The page of one line."""
    found = explain(tx, seller=place.seller, line=place.line, period=place.period)
    because = found.because
    rated = because if isinstance(because, RatedLine) else None
    return ask.render(
        "finance/line.html",
        place=place,
        found=found,
        recurring=because if isinstance(because, Recurring) else None,
        rated=rated,
        exact=exact(rated.nano) if rated else None,
        facts=facts(rated.reason) if rated else [],
        tables=tables(rated.reason) if rated else [],
        has_calls=bool(rated and rated.reason.get("rule") == "deck"),
        income=_account_of(place, found),
    )


def _account_of(place: Place, found: LineExplained) -> str:
    """The account of income or cost that the line's net is part of; empty where none is known."""
    if place.entry is None or found.holding is None:
        return ""
    ending = f"/{found.holding.family}/{place.line.net.currency}"
    codes = [leg.account.code for leg in place.entry.legs]
    return next((code for code in codes if code.endswith(ending)), "")


FIRST = ("rule", "deck", "destination", "time", "label", "why", "month", "basis", "mode", "tier")
LAST = (
    "because",
    "currency",
    "share-of-month",
    "rate",
    "charged",
    "now",
    "arithmetic",
    "simulated",
)
"""In which order a reason is told: what it is about, what was measured, what was made of it."""


def _place_of(name: str) -> int:
    for place, known in enumerate(FIRST):
        if name == known:
            return place
    word = name.replace("_", "-")
    found = [place for place, known in enumerate(LAST) if word.startswith(known)]
    return len(FIRST) + 1 + found[0] if found else len(FIRST)


def exact(nano: int) -> Decimal:
    """Billionths as major units, with all digits that say something."""
    return Decimal(nano).scaleb(-9).normalize()


def facts(reason: Mapping[str, Json]) -> Sequence[tuple[str, str]]:
    """What a reason says, one word and value after the other; what is nested with its path."""
    found: list[tuple[str, str]] = []
    for name, value in sorted(reason.items(), key=lambda pair: _place_of(pair[0])):
        if isinstance(value, Mapping):
            found += [(f"{name}-{inner}", said) for inner, said in facts(value)]
        elif not isinstance(value, list):
            found.append((name, "" if value is None else str(value)))
        elif not any(isinstance(one, Mapping) for one in value):
            found.append((name, ", ".join(map(str, value))))
    return found


def tables(reason: Mapping[str, Json]) -> Sequence[tuple[str, Sequence[str], list[list[str]]]]:
    """The lists of a reason that are tables: name, columns, rows."""
    found = []
    for name, value in reason.items():
        rows = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
        if rows:
            columns = list(dict.fromkeys(key for row in rows for key in row))
            cells = [[str(row.get(column, "")) for column in columns] for row in rows]
            found.append((name, columns, cells))
    return found


def calls(ask: Ask, tx: Transaction, place: Place) -> Response:
    """The calls that a line charges, some at a time."""
    need("duckdb", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import listing

    found = explain(tx, seller=place.seller, line=place.line, period=place.period)
    if found.holding is None or not isinstance(found.because, RatedLine):
        raise nothing_here()
    turn = paging.turn(ask, lists.PAGE)
    behind = listing.calls(
        tx,
        holding=found.holding.ref,
        month=place.period,
        label=found.because.label,
        folder=ask.node.folder,
        offset=turn.offset,
        limit=turn.size,
    )
    return ask.render(
        "finance/calls.html",
        part="finance/_calls.html",
        place=place,
        rated=found.because,
        calls=[(one, exact(one.nano)) for one in behind.calls],
        charged=exact(found.because.nano),
        come_to=exact(behind.nano),
        agrees=behind.nano == found.because.nano,
        turn=turn,
        total=behind.total,
    )


@page("/events", roles=BOOKS)
def event(ask: Ask) -> Response:
    """One record of usage, `?number=`, and why it costs what it does."""
    text = ask.query.get("number", "").strip()
    if not text:
        return ask.render("finance/event.html", number="", call=None, measured=None)
    if not text.isdecimal() or len(text) > 18:
        raise nothing_here()
    need("duckdb", "numba", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import explaining
    from hansa.lifecycle.rating.actions.samples import MeasuredExplained

    node = ask.node
    with node.begin() as tx:
        found = explaining.explain(tx, us=node.us.id, event=int(text), folder=node.folder)
    is_measured = isinstance(found, MeasuredExplained)
    return ask.render(
        "finance/event.html",
        number=text,
        call=None if is_measured else found,
        measured=found if is_measured else None,
    )


pages = [event]
