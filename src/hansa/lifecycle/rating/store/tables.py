"""The tables of rated usage."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.model.lines import RatedLine


def claim(
    tx: Transaction, holding: HoldingRef, period: Period, *, missing: bool, now: Instant
) -> bool:
    """True for the one transaction that rates this holding's month."""
    claimed = run(
        tx,
        """insert into rating_holding (seller, holding, period, rated_at, missing)
           values (%s, %s, %s, %s, %s) on conflict do nothing""",
        (holding.seller, holding.id, period.name, now, missing),
    )
    return claimed == 1


def claimed(tx: Transaction, period: Period) -> set[HoldingRef]:
    """The holdings whose month is rated."""
    rows = all_rows(
        tx, "select seller, holding from rating_holding where period = %s", (period.name,)
    )
    return {HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])) for row in rows}


def without_usage(tx: Transaction, period: Period) -> Sequence[HoldingRef]:
    """The holdings whose month was rated without their usage, for it never came."""
    rows = all_rows(
        tx,
        """select seller, holding from rating_holding where period = %s and missing
           order by seller, holding""",
        (period.name,),
    )
    return [HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])) for row in rows]


def insert(
    tx: Transaction, holding: HoldingRef, period: Period, lines: Sequence[RatedLine]
) -> None:
    for line in lines:
        run(
            tx,
            """insert into rating_line (seller, holding, period, label, description, quantity,
                   unit, nano, currency, reason)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                holding.seller,
                holding.id,
                period.name,
                line.label,
                line.description,
                line.quantity,
                line.unit,
                line.nano,
                line.currency,
                Jsonb(line.reason),
            ),
        )


def lines(tx: Transaction, holding: HoldingRef, period: Period) -> Sequence[RatedLine]:
    """A holding's charges of a month, by label."""
    rows = all_rows(
        tx,
        """select label, description, quantity, unit, nano, currency, reason from rating_line
           where seller = %s and holding = %s and period = %s order by label""",
        (holding.seller, holding.id, period.name),
    )
    return [RatedLine(**{**row, "nano": int(row["nano"])}) for row in rows]


def charges(
    tx: Transaction, holdings: Sequence[HoldingRef], period: Period
) -> dict[HoldingRef, list[RatedLine]]:
    """The charges of many holdings in a month, by label, their reasons left out."""
    found: dict[HoldingRef, list[RatedLine]] = {one: [] for one in holdings}
    by_name = {(one.seller, one.id): its for one, its in found.items()}
    for row in all_rows(
        tx,
        """select seller, holding, label, description, quantity, unit, nano, currency
           from rating_line
           where seller = any(%s) and holding = any(%s) and period = %s
           order by seller, holding, label""",
        (
            list({one.seller for one in holdings}),
            [one.id for one in holdings],
            period.name,
        ),
    ):
        its = by_name.get((row["seller"], row["holding"]))
        if its is not None:
            its.append(
                RatedLine(
                    row["label"],
                    row["description"],
                    row["quantity"],
                    row["unit"],
                    int(row["nano"]),
                    row["currency"],
                    {},
                )
            )
    return found


def close_period(tx: Transaction, period: Period, now: Instant) -> None:
    run(
        tx,
        "insert into rating_period (period, rated_at) values (%s, %s) on conflict do nothing",
        (period.name, now),
    )


def is_rated(tx: Transaction, period: Period) -> bool:
    row = one_row(tx, "select 1 as one from rating_period where period = %s", (period.name,))
    return row is not None


def rated_periods(tx: Transaction) -> Sequence[Period]:
    rows = all_rows(tx, "select period from rating_period order by period")
    return [Period.parse(row["period"]) for row in rows]
