"""The tables of rating in bulk: legs, books, which files are rated by which, adjustments."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.model.events import Adjustment, RatedFile
from hansa.lifecycle.rating.model.lines import RatedLine


def leg(tx: Transaction, ref: HoldingRef, since: Instant) -> int:
    """The number of a holding's stretch, which it keeps."""
    key = (ref.seller, ref.id, since)
    run(
        tx,
        """insert into rating_leg (seller, holding, since) values (%s, %s, %s)
           on conflict do nothing""",
        key,
    )
    row = one_row(
        tx, "select leg from rating_leg where seller = %s and holding = %s and since = %s", key
    )
    assert row is not None
    number: int = row["leg"]
    return number


def legs(tx: Transaction, ref: HoldingRef) -> dict[Instant, int]:
    """The numbers of a holding's stretches by their beginning."""
    rows = all_rows(
        tx,
        "select since, leg from rating_leg where seller = %s and holding = %s",
        (ref.seller, ref.id),
    )
    return {row["since"]: row["leg"] for row in rows}


def holding_of(tx: Transaction, leg: int) -> tuple[HoldingRef, Instant] | None:
    """Whose leg this is, and since when."""
    row = one_row(tx, "select seller, holding, since from rating_leg where leg = %s", (leg,))
    if row is None:
        return None
    return HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])), row["since"]


# --- books and files ----------------------------------------------------------------------------


def put_book(tx: Transaction, book: str, codes: str, now: Instant) -> None:
    run(
        tx,
        "insert into rating_book (book, codes, made_at) values (%s, %s, %s) on conflict do nothing",
        (book, codes, now),
    )


def codes_of(tx: Transaction, book: str) -> str:
    """The name of the list that a book's codes are."""
    row = one_row(tx, "select codes from rating_book where book = %s", (book,))
    assert row is not None
    codes: str = row["codes"]
    return codes


def choose(tx: Transaction, month: Period, book: str, why: str, now: Instant) -> None:
    """From now on the month is rated by this book."""
    run(
        tx,
        """insert into rating_month (month, book, chosen_at, why) values (%s, %s, %s, %s)
           on conflict (month, chosen_at) do update set book = excluded.book, why = excluded.why""",
        (month.name, book, now, why),
    )


def chosen(tx: Transaction, month: Period) -> str | None:
    """The book that the month is rated by."""
    row = one_row(
        tx,
        "select book from rating_month where month = %s order by chosen_at desc limit 1",
        (month.name,),
    )
    return row["book"] if row else None


def note_events(tx: Transaction, month: Period, now: Instant) -> None:
    run(
        tx,
        "insert into rating_events (month, rated_at) values (%s, %s) on conflict do nothing",
        (month.name, now),
    )


def events_done(tx: Transaction, month: Period) -> bool:
    row = one_row(tx, "select 1 as one from rating_events where month = %s", (month.name,))
    return row is not None


def put_file(tx: Transaction, file: RatedFile) -> None:
    """Enters a rated file; the same again changes nothing."""
    run(
        tx,
        """insert into rating_file (delivery, month, book, engine, rows, rated, no_price,
               rated_at) values (%s, %s, %s, %s, %s, %s, %s, %s)
           on conflict (delivery, month, book) do nothing""",
        (
            file.delivery,
            file.month,
            file.book,
            file.engine,
            file.rows,
            file.rated,
            file.no_price,
            file.rated_at,
        ),
    )


def files(tx: Transaction, month: str, book: str) -> Sequence[RatedFile]:
    """The files of a month that are rated by a book."""
    rows = all_rows(
        tx,
        """select delivery, month, book, engine, rows, rated, no_price, rated_at from rating_file
           where month = %s and book = %s order by delivery""",
        (month, book),
    )
    return [RatedFile(**row) for row in rows]


# --- adjustments --------------------------------------------------------------------------------

_ADJUSTMENT = """select seller, holding, usage_month, number, document, made_at, charged_in
                   from rating_adjustment"""


def put_adjustment(tx: Transaction, one: Adjustment) -> None:
    run(
        tx,
        """insert into rating_adjustment (seller, holding, usage_month, number, label, document,
               made_at, charged_in) values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            one.holding.seller,
            one.holding.id,
            one.usage_month,
            one.number,
            one.line.label,
            Jsonb(documents.write(one.line)),
            one.made_at,
            one.charged_in,
        ),
    )


def adjustments(
    tx: Transaction,
    *,
    holding: HoldingRef | None = None,
    usage_month: str | None = None,
    waiting: bool = False,
) -> Sequence[Adjustment]:
    """Adjustments in the order in which they were made; waiting: those not charged yet."""
    rows = all_rows(
        tx,
        f"""{_ADJUSTMENT}
             where (%(seller)s::text is null or seller = %(seller)s)
               and (%(holding)s::text is null or holding = %(holding)s)
               and (%(month)s::text is null or usage_month = %(month)s)
               and (not %(waiting)s or charged_in is null)
             order by made_at, seller, holding, usage_month, number, label""",
        {
            "seller": holding and holding.seller,
            "holding": holding and holding.id,
            "month": usage_month,
            "waiting": waiting,
        },
    )
    return [
        Adjustment(
            holding=HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])),
            usage_month=row["usage_month"],
            number=row["number"],
            line=documents.read(RatedLine, row["document"], what="rated line"),
            made_at=row["made_at"],
            charged_in=row["charged_in"],
        )
        for row in rows
    ]


def corrected(tx: Transaction, *, before: str, charged_in: str | None) -> Sequence[HoldingRef]:
    """The holdings with adjustments of months before one, charged in that month; None: waiting."""
    rows = all_rows(
        tx,
        """select distinct seller, holding from rating_adjustment
            where charged_in is not distinct from %s and usage_month < %s
            order by seller, holding""",
        (charged_in, before),
    )
    return [HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])) for row in rows]


def charge_in(tx: Transaction, holding: HoldingRef, month: str) -> None:
    """What waits for this holding is charged in this month."""
    run(
        tx,
        """update rating_adjustment set charged_in = %s
           where seller = %s and holding = %s and charged_in is null and usage_month < %s""",
        (month, holding.seller, holding.id, month),
    )
