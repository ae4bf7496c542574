"""What a customer has used of a service in a month, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from starlette.responses import Response

from hansa.entrypoints.portal import language
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, page
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.entrypoints.portal.pages.customer.mine import held, mine, seat
from hansa.federation.contract import UsageRecord
from hansa.federation.shelf import ShelfHolding
from hansa.foundation.errors import TryLater
from hansa.foundation.readings import OctetDay, Reading
from hansa.foundation.time import Period
from hansa.lifecycle.usage.actions import months

MONTHS = 12
"""How many months back are offered."""

GIGA = 10**9

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "octets": (N_("To the site, GB"), N_("From the site, GB")),
    "call": (N_("Calls"), N_("Minutes")),
    "seats": (N_("Seats"),),
}
"""What is told of a day, by the kind of its readings."""


@dataclass(frozen=True)
class Used:
    """A month of one kind of readings. days: each with its values, as the columns are.

    measured: whether devices were read; False where any of it is only imagined, None where nobody
    has told of some of it.
    """

    kind: str
    days: Sequence[tuple[date, Sequence[Decimal]]]
    measured: bool | None

    @property
    def columns(self) -> Sequence[str]:
        return COLUMNS[self.kind]

    @property
    def whole(self) -> Sequence[Decimal]:
        """Of the month: the sums; of seats, the most there were on a day."""
        by_column = list(zip(*(values for _day, values in self.days), strict=True))
        return [max(one) if self.kind == "seats" else sum(one, Decimal()) for one in by_column]


@page("/my/services/{id}/usage", roles=CUSTOMERS)
def service_usage(ask: Ask) -> Response:
    """Whoever delivers may take a while to say, so it comes by itself."""
    one = held(ask)
    with mine(ask) as tx:
        closed = months.closed_periods(tx)
    known = [period for period in closed if period.meet(one.since, one.until)][-MONTHS:][::-1]
    wanted = ask.query.get("month", "")
    period = next((period for period in known if period.name == wanted), None)
    period = period or (known[0] if known else None)
    used, ready = _used(ask, one, period)
    return ask.render(
        "customer/usage.html",
        part="customer/_usage.html",
        held=one,
        months=known,
        month_options=[(each.name, language.month(each.start)) for each in known],
        period=period,
        used=used,
        ready=ready,
    )


def _used(ask: Ask, one: ShelfHolding, period: Period | None) -> tuple[Sequence[Used], bool]:
    """What was used in a month, by kind; and whether that is known yet."""
    if period is None:
        return (), True
    try:
        found = seat(ask).seller.usage(holding_id=one.id, period=period)
    except TryLater:
        return (), False
    return by_kind(found), True


def by_kind(records: Iterable[UsageRecord]) -> Sequence[Used]:
    """Records of one service, added up by the day."""
    days: dict[str, dict[date, list[Decimal]]] = {}
    told: dict[str, set[bool | None]] = {}
    for record in records:
        reading = record.reading
        told.setdefault(reading.kind, set()).add(record.measured)
        day, values = _of(reading)
        kept = days.setdefault(reading.kind, {}).setdefault(day, [Decimal()] * len(values))
        kept[:] = [one + more for one, more in zip(kept, values, strict=True)]
    return [
        Used(kind, sorted(found.items()), _all(told[kind])) for kind, found in sorted(days.items())
    ]


def _of(reading: Reading) -> tuple[date, Sequence[Decimal]]:
    """The day of a reading, and what it adds to that day's columns."""
    if isinstance(reading, OctetDay):
        both = (reading.octets_in, reading.octets_out)
        return reading.day, [Decimal(sum(one or 0 for one in way)) / GIGA for way in both]
    if reading.kind == "call":
        return reading.answered_at.astimezone(UTC).date(), [
            Decimal(1),
            Decimal(reading.duration_s) / 60,
        ]
    return reading.day, [Decimal(reading.seats)]


def _all(told: set[bool | None]) -> bool | None:
    if False in told:
        return False
    return None if None in told else True


pages = [service_usage]
