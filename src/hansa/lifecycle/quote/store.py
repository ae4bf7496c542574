"""The tables of quotes and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.contract import Quote
from hansa.federation.shelf import Extras, Page, QuoteState, ShelfQuote
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, lasting, one_row, run, send, some_rows
from hansa.foundation.ids import BuyerKey, DraftId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.quote.model import (
    Draft,
    DraftHead,
    KeptPart,
    KeptQuote,
    SupplyQuote,
    Wish,
)


def add(tx: Transaction, kept: KeptQuote, extras: Extras) -> None:
    quote = kept.quote
    send(
        tx,
        """insert into quote_quote
           (id, buyer, currency, made_at, valid_until, trace, trail, document)
           values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            quote.id,
            quote.buyer,
            quote.currency,
            quote.made_at,
            quote.valid_until,
            kept.trace,
            list(kept.trail),
            Jsonb(documents.write(quote)),
        ),
    )
    for position, supply in enumerate(kept.supplies):
        send(
            tx,
            "insert into quote_supply (quote, position, seller, document) values (%s,%s,%s,%s)",
            (quote.id, position, supply.seller, Jsonb(documents.write(supply))),
        )
    if extras:
        send(
            tx,
            "insert into quote_extra (quote, document) values (%s, %s)",
            (quote.id, render(extras).decode()),
        )


def get(tx: Transaction, quote: QuoteId) -> KeptQuote | None:
    return lasting(tx, quote, lambda: _get(tx, quote))


def _get(tx: Transaction, quote: QuoteId) -> KeptQuote | None:
    row = one_row(
        tx,
        """select document, trace, trail, (
               select coalesce(jsonb_agg(s.document order by s.position), '[]')
               from quote_supply s where s.quote = q.id) as supplies
           from quote_quote q where id = %s""",
        (quote,),
    )
    if row is None:
        return None
    return KeptQuote(
        quote=documents.read(Quote, row["document"]),
        trace=TraceId(row["trace"]),
        trail=tuple(PartyId(node) for node in row["trail"]),
        supplies=documents.read(tuple[SupplyQuote, ...], row["supplies"]),
    )


def enter_bulk(tx: Transaction, buyer: PartyId, key: BuyerKey, asked: str) -> str:
    """Enters what is asked under a key; returns what is asked under it."""
    run(
        tx,
        """insert into quote_bulk (buyer, key, asked) values (%s, %s, %s)
           on conflict (buyer, key) do nothing""",
        (buyer, key, asked),
    )
    row = one_row(tx, "select asked from quote_bulk where buyer = %s and key = %s", (buyer, key))
    assert row is not None
    entered: str = row["asked"]
    return entered


def part(tx: Transaction, buyer: PartyId, key: BuyerKey, position: int) -> KeptPart | None:
    row = one_row(
        tx,
        """select quotes, refusals from quote_bulk_part
           where buyer = %s and key = %s and position = %s""",
        (buyer, key, position),
    )
    return documents.read(KeptPart, row) if row else None


def add_part(
    tx: Transaction, buyer: PartyId, key: BuyerKey, position: int, answers: KeptPart
) -> bool:
    """Keeps what is answered; False when somebody was quicker."""
    kept = run(
        tx,
        """insert into quote_bulk_part (buyer, key, position, quotes, refusals)
           values (%s, %s, %s, %s, %s) on conflict (buyer, key, position) do nothing""",
        (
            buyer,
            key,
            position,
            list(answers.quotes),
            Jsonb(documents.write(answers)["refusals"]),
        ),
    )
    return kept == 1


def bulk_parts(tx: Transaction, buyer: PartyId, key: BuyerKey) -> dict[int, KeptPart] | None:
    """What has been answered so far, by position; None when nothing was asked under the key."""
    rows = all_rows(
        tx,
        """select p.position, p.quotes, p.refusals
           from quote_bulk b left join quote_bulk_part p using (buyer, key)
           where b.buyer = %s and b.key = %s""",
        (buyer, key),
    )
    if not rows:
        return None
    return {
        row["position"]: documents.read(
            KeptPart, {"quotes": row["quotes"], "refusals": row["refusals"]}
        )
        for row in rows
        if row["position"] is not None
    }


def of_buyer(tx: Transaction, buyer: PartyId | None, limit: int) -> Sequence[Quote]:
    rows = all_rows(
        tx,
        """select document from quote_quote where %(buyer)s::text is null or buyer = %(buyer)s
           order by made_at desc, id desc limit %(limit)s""",
        {"buyer": buyer, "limit": limit},
    )
    return [documents.read(Quote, row["document"]) for row in rows]


# --- what became of them ------------------------------------------------------------------------


def add_move(tx: Transaction, quote: QuoteId, state: QuoteState, reason: str, now: Instant) -> bool:
    """Notes what became of a quote; False when something has become of it already."""
    added = run(
        tx,
        """insert into quote_move (quote, state, reason, at) values (%s, %s, %s, %s)
           on conflict do nothing""",
        (quote, state, reason, now),
    )
    return added == 1


_SHELF = """select q.document, q.trace, q.made_at, coalesce(m.state, 'approved') as state,
                   coalesce(m.reason, '') as reason, m.at, x.document as extra
            from quote_quote q
            left join quote_move m on m.quote = q.id
            left join quote_extra x on x.quote = q.id"""

_FITS = """where (%(buyer)s::text is null or q.buyer = %(buyer)s)
             and (%(state)s::text is null or coalesce(m.state, 'approved') = %(state)s)"""


def shelf_quote(tx: Transaction, quote: QuoteId) -> ShelfQuote | None:
    row = one_row(tx, f"{_SHELF} where q.id = %s", (quote,))
    return _shelf_quote(row) if row else None


def shelf_quotes(
    tx: Transaction, buyer: PartyId | None, state: QuoteState | None, offset: int, limit: int
) -> Page[ShelfQuote]:
    """Quotes of a buyer or of all, the newest first."""
    asked = {"buyer": buyer, "state": state}
    sql, newest = f"{_SHELF} {_FITS}", "q.made_at desc, q.id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return Page([_shelf_quote(row) for row in rows], total)


def _shelf_quote(row: dict[str, Any]) -> ShelfQuote:
    return ShelfQuote(
        quote=documents.read(Quote, row["document"]),
        state=QuoteState(row["state"]),
        changed_at=row["at"] or row["made_at"],
        trace=TraceId(row["trace"]),
        reason=row["reason"],
        extras=parse(row["extra"].encode()) if row["extra"] else {},
    )


# --- drafts -------------------------------------------------------------------------------------

_DRAFT = """select d.id, d.version, d.asked, d.sites, d.made_by, d.made_at, d.changed_by,
                   d.changed_at, d.document,
                   (select count(*) from quote_bulk_part p
                    where p.buyer = d.buyer and p.key = d.id || '.' || d.asked) as parts
            from quote_draft d"""

_DRAFT_FITS = """where (%(buyer)s::text is null or d.buyer = %(buyer)s)
                   and (%(text)s = '' or strpos(lower(d.document ->> 'title'), %(text)s) > 0)"""


def add_draft(tx: Transaction, draft: Draft) -> None:
    run(
        tx,
        """insert into quote_draft (id, buyer, version, asked, sites, made_by, made_at, changed_by,
                                    changed_at, document)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            draft.id,
            draft.head.buyer,
            draft.version,
            draft.asked,
            draft.sites,
            draft.made_by,
            draft.made_at,
            draft.changed_by,
            draft.changed_at,
            Jsonb(documents.write(draft.head)),
        ),
    )


def draft(tx: Transaction, draft: DraftId) -> Draft | None:
    row = one_row(tx, f"{_DRAFT} where d.id = %s", (draft,))
    return _draft(row) if row else None


def lock_draft(tx: Transaction, draft: DraftId) -> Draft | None:
    """As it is now, and nobody else changes it until this transaction ends."""
    row = one_row(tx, f"{_DRAFT} where d.id = %s for update of d", (draft,))
    return _draft(row) if row else None


def drafts(
    tx: Transaction, buyer: PartyId | None, text: str, offset: int, limit: int
) -> Page[Draft]:
    asked = {"buyer": buyer, "text": text.lower()}
    sql, newest = f"{_DRAFT} {_DRAFT_FITS}", "d.changed_at desc, d.id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return Page([_draft(row) for row in rows], total)


def change_draft(tx: Transaction, draft: Draft) -> None:
    run(
        tx,
        """update quote_draft
           set buyer = %s, version = %s, asked = %s, sites = %s, changed_by = %s, changed_at = %s,
               document = %s
           where id = %s""",
        (
            draft.head.buyer,
            draft.version,
            draft.asked,
            draft.sites,
            draft.changed_by,
            draft.changed_at,
            Jsonb(documents.write(draft.head)),
            draft.id,
        ),
    )


def is_ordered(tx: Transaction, draft: Draft) -> bool:
    """Whether anything that was answered to what it asks for now has been ordered."""
    row = one_row(
        tx,
        """select exists (
               select from quote_bulk_part p join quote_move m on m.quote = any(p.quotes)
               where p.buyer = %s and p.key = %s and m.state = 'accepted') as ordered""",
        (draft.head.buyer, f"{draft.id}.{draft.asked}"),
    )
    assert row is not None
    ordered: bool = row["ordered"]
    return ordered


def put_wishes(tx: Transaction, draft: DraftId, wishes: Sequence[Wish]) -> None:
    """These are the draft's sites from now on."""
    run(tx, "delete from quote_draft_site where draft = %s", (draft,))
    run(
        tx,
        """insert into quote_draft_site (draft, position, document)
           select %s, number - 1, document
           from jsonb_array_elements(%s) with ordinality as given (document, number)""",
        (draft, Jsonb([documents.write(wish) for wish in wishes])),
    )


def wishes(tx: Transaction, draft: DraftId) -> tuple[Wish, ...]:
    row = one_row(
        tx,
        """select coalesce(jsonb_agg(document order by position), '[]') as documents
           from quote_draft_site where draft = %s""",
        (draft,),
    )
    assert row is not None
    return documents.read(tuple[Wish, ...], row["documents"])


def _draft(row: dict[str, Any]) -> Draft:
    return Draft(
        id=DraftId(row["id"]),
        version=row["version"],
        asked=row["asked"],
        head=documents.read(DraftHead, row["document"]),
        sites=row["sites"],
        parts=row["parts"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
