"""The tables of holdings and every line of SQL about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hansa.federation.contract import AgreementRef, Tax, Terms
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, send, some_rows
from hansa.foundation.ids import AgreementId, HoldingId, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell, Support


@dataclass(frozen=True, slots=True)
class Change:
    """What one order brought to one holding. last: no later change stands on it."""

    fingerprint: str
    before: Spell | None
    reverted: bool
    last: bool


def insert(tx: Transaction, holding: Holding, fingerprint: str) -> bool:
    """Enters a holding with its first spell and the order that brought it; False if it is known."""
    agreement, spell = holding.agreement, holding.spells[0]
    return (
        run(
            tx,
            """with new as (
                   insert into inventory_holding (seller, id, buyer, item, offer, offer_name,
                       family, site, agreement, agreement_version, state, trace)
                   values (%(seller)s, %(id)s, %(buyer)s, %(item)s, %(offer)s, %(offer_name)s,
                       %(family)s, %(site)s, %(agreement)s, %(version)s, %(state)s, %(trace)s)
                   on conflict do nothing returning seller, id),
               spell as (
                   insert into inventory_spell (seller, holding, valid, order_id, quantity,
                       characteristics, terms, tax)
                   select seller, id, tstzrange(%(start)s::timestamptz, %(end)s::timestamptz),
                          %(order)s, %(quantity)s, %(characteristics)s, %(terms)s, %(tax)s
                   from new),
               change as (
                   insert into inventory_change (seller, holding, order_id, fingerprint)
                   select seller, id, %(order)s, %(fingerprint)s from new)
               select from new""",
            {
                "seller": holding.ref.seller,
                "id": holding.ref.id,
                "buyer": holding.buyer,
                "item": holding.item,
                "offer": holding.offer,
                "offer_name": holding.offer_name,
                "family": holding.family,
                "site": None if holding.site is None else Jsonb(documents.write(holding.site)),
                "agreement": None if agreement is None else agreement.id,
                "version": None if agreement is None else agreement.version,
                "state": holding.state,
                "trace": holding.trace,
                "start": spell.start,
                "end": spell.end,
                "order": spell.order,
                "quantity": spell.quantity,
                "characteristics": Jsonb(dict(spell.characteristics)),
                "terms": Jsonb(documents.write(spell.terms)),
                "tax": Jsonb(documents.write(spell.tax)),
                "fingerprint": fingerprint,
            },
        )
        == 1
    )


def set_state(tx: Transaction, ref: HoldingRef, state: HoldingState) -> None:
    send(
        tx,
        "update inventory_holding set state = %s where seller = %s and id = %s",
        (state, ref.seller, ref.id),
    )


def write_spells(
    tx: Transaction, ref: HoldingRef, before: Sequence[Spell], after: Sequence[Spell]
) -> None:
    """Turns the spells that are written into others."""
    old = {spell.start: spell for spell in before}
    new = {spell.start: spell for spell in after}
    kept = {start for start in old.keys() & new.keys() if _same_but_end(old[start], new[start])}
    for start in old.keys() - kept:
        send(
            tx,
            "delete from inventory_spell where seller = %s and holding = %s and lower(valid) = %s",
            (ref.seller, ref.id, start),
        )
    for start in kept:
        if old[start].end != new[start].end:
            send(
                tx,
                """update inventory_spell set valid = tstzrange(lower(valid), %s::timestamptz)
                   where seller = %s and holding = %s and lower(valid) = %s""",
                (new[start].end, ref.seller, ref.id, start),
            )
    for spell in after:
        if spell.start not in kept:
            _insert_spell(tx, ref, spell)


def _same_but_end(one: Spell, other: Spell) -> bool:
    return replace(one, end=None) == replace(other, end=None)


def _insert_spell(tx: Transaction, ref: HoldingRef, spell: Spell) -> None:
    send(
        tx,
        """insert into inventory_spell (seller, holding, valid, order_id, quantity,
               characteristics, terms, tax)
           values (%s, %s, tstzrange(%s::timestamptz, %s::timestamptz), %s, %s, %s, %s, %s)""",
        (
            ref.seller,
            ref.id,
            spell.start,
            spell.end,
            spell.order,
            spell.quantity,
            Jsonb(dict(spell.characteristics)),
            Jsonb(documents.write(spell.terms)),
            Jsonb(documents.write(spell.tax)),
        ),
    )


def change_of(tx: Transaction, ref: HoldingRef, order: OrderId) -> Change | None:
    row = one_row(
        tx,
        """select c.fingerprint, c.before, c.reverted_at is not null as reverted,
                  not exists (
                      select 1 from inventory_change later
                      where later.seller = c.seller and later.holding = c.holding
                        and later.seq > c.seq and later.reverted_at is null) as last
           from inventory_change c where c.seller = %s and c.holding = %s and c.order_id = %s""",
        (ref.seller, ref.id, order),
    )
    if row is None:
        return None
    before = row["before"]
    return Change(
        fingerprint=row["fingerprint"],
        before=None if before is None else documents.read(Spell, before),
        reverted=row["reverted"],
        last=row["last"],
    )


def note_change(
    tx: Transaction, ref: HoldingRef, order: OrderId, fingerprint: str, before: Spell | None
) -> None:
    send(
        tx,
        """insert into inventory_change (seller, holding, order_id, fingerprint, before)
           values (%s, %s, %s, %s, %s)""",
        (
            ref.seller,
            ref.id,
            order,
            fingerprint,
            None if before is None else Jsonb(documents.write(before)),
        ),
    )


def note_revert(tx: Transaction, ref: HoldingRef, order: OrderId, now: Instant) -> None:
    send(
        tx,
        """update inventory_change set reverted_at = %s
           where seller = %s and holding = %s and order_id = %s""",
        (now, ref.seller, ref.id, order),
    )


def support(tx: Transaction, support: Support) -> bool:
    """Notes what a holding stands on; False when the lower one is unknown."""
    return (
        run(
            tx,
            """insert into inventory_support
                   (upper_seller, upper_id, lower_seller, lower_id, metered)
               select %s, %s, h.seller, h.id, %s from inventory_holding h
               where h.seller = %s and h.id = %s
               on conflict (upper_seller, upper_id, lower_seller, lower_id)
               do update set metered = excluded.metered""",
            (
                support.upper.seller,
                support.upper.id,
                support.metered,
                support.lower.seller,
                support.lower.id,
            ),
        )
        == 1
    )


def get(tx: Transaction, ref: HoldingRef) -> Holding | None:
    row = one_row(
        tx,
        "select * from inventory_holding where seller = %s and id = %s",
        (ref.seller, ref.id),
    )
    return _holdings(tx, [row])[0] if row else None


def locked(tx: Transaction, ref: HoldingRef) -> Holding | None:
    """The holding, which nobody else can change until this transaction ends."""
    row = one_row(
        tx,
        "select * from inventory_holding where seller = %s and id = %s for update",
        (ref.seller, ref.id),
    )
    return _holdings(tx, [row])[0] if row else None


def find(
    tx: Transaction, *, seller: PartyId | None, buyer: PartyId | None, period: Period | None
) -> list[Holding]:
    """Holdings of a seller, of a buyer or of both, live in any part of the period if given."""
    rows = all_rows(
        tx,
        """select h.* from inventory_holding h
           where (%(seller)s::text is null or h.seller = %(seller)s)
             and (%(buyer)s::text is null or h.buyer = %(buyer)s)
             and (%(start)s::timestamptz is null or exists (
                 select 1 from inventory_spell s where s.seller = h.seller and s.holding = h.id
                 and s.valid && tstzrange(%(start)s, %(end)s)))
           order by h.id, h.seller""",
        {
            "seller": seller,
            "buyer": buyer,
            "start": period.start if period else None,
            "end": period.end if period else None,
        },
    )
    return _holdings(tx, rows)


_HOLDING = "select * from inventory_holding"
_FOUND = """where (%(seller)s::text is null or seller = %(seller)s)
             and (%(not_seller)s::text is null or seller <> %(not_seller)s)
             and (%(buyer)s::text is null or buyer = %(buyer)s)
             and (%(not_buyer)s::text is null or buyer <> %(not_buyer)s)
             and (%(state)s::text is null or state = %(state)s)
             and (%(family)s::text is null or family = %(family)s)
             and (%(text)s = '' or position(%(text)s in lower(concat_ws(' ', id, item, offer,
                  offer_name, seller, buyer, trace, site ->> 'id', site ->> 'name',
                  site ->> 'place', site ->> 'country'))) > 0)"""


def search(
    tx: Transaction,
    *,
    seller: PartyId | None = None,
    not_seller: PartyId | None = None,
    buyer: PartyId | None = None,
    not_buyer: PartyId | None = None,
    state: HoldingState | None = None,
    family: str | None = None,
    text: str = "",
    offset: int = 0,
    limit: int,
) -> tuple[list[Holding], int]:
    """Holdings with these words about them, the newest first, and how many that is in all."""
    asked = {
        "seller": seller,
        "not_seller": not_seller,
        "buyer": buyer,
        "not_buyer": not_buyer,
        "state": state,
        "family": family,
        "text": text.lower(),
    }
    sql = f"{_HOLDING} {_FOUND}"
    rows, total = some_rows(tx, sql, asked, order="id desc, seller", offset=offset, limit=limit)
    return _holdings(tx, rows), total


def earliest(tx: Transaction) -> Instant | None:
    row = one_row(tx, "select min(lower(valid)) as first from inventory_spell")
    return row["first"] if row else None


def below(tx: Transaction, ref: HoldingRef) -> list[tuple[Support, Holding]]:
    key = (ref.seller, ref.id)
    rows = all_rows(
        tx,
        """select (b.lower).*, b.metered from inventory_below(%s, %s) b
           order by (b.lower).id, (b.lower).seller""",
        key,
    )
    if not rows:
        return []
    spells = _by_holding(
        all_rows(tx, _SPELLS + " from inventory_spells_below(%s, %s) order by lower(valid)", key)
    )
    return [
        (Support(upper=ref, lower=holding.ref, metered=row["metered"]), holding)
        for row, holding in ((row, _with_spells(row, spells)) for row in rows)
    ]


def above(tx: Transaction, ref: HoldingRef, limit: int) -> list[tuple[Support, Holding]]:
    rows = all_rows(
        tx,
        """select h.*, s.metered from inventory_support s
           join inventory_holding h on h.seller = s.upper_seller and h.id = s.upper_id
           where s.lower_seller = %s and s.lower_id = %s
           order by h.state, h.id desc limit %s""",
        (ref.seller, ref.id, limit),
    )
    return [
        (Support(upper=holding.ref, lower=ref, metered=row["metered"]), holding)
        for row, holding in zip(rows, _holdings(tx, rows), strict=True)
    ]


_SPELLS = """select seller, holding, lower(valid) as starts, upper(valid) as ends, order_id,
                    quantity, characteristics, terms, tax"""
_OF_HOLDINGS = """ from inventory_spell
    where (seller, holding) in (select * from unnest(%s::text[], %s::text[]))
    order by lower(valid)"""


def _holdings(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[Holding]:
    """The holdings of these rows, in their order, with their spells."""
    keys = ([row["seller"] for row in rows], [row["id"] for row in rows])
    spells = _by_holding(all_rows(tx, _SPELLS + _OF_HOLDINGS, keys))
    return [_with_spells(row, spells) for row in rows]


_Spells = Mapping[tuple[str, str], Sequence[Spell]]


def _by_holding(rows: Sequence[Mapping[str, Any]]) -> _Spells:
    spells: dict[tuple[str, str], list[Spell]] = defaultdict(list)
    for row in rows:
        spells[row["seller"], row["holding"]].append(_spell(row))
    return spells


def _with_spells(row: Mapping[str, Any], spells: _Spells) -> Holding:
    return _holding(row, tuple(spells.get((row["seller"], row["id"]), ())))


def _spell(row: Mapping[str, Any]) -> Spell:
    return Spell(
        start=row["starts"],
        end=row["ends"],
        order=OrderId(row["order_id"]),
        characteristics=row["characteristics"],
        quantity=row["quantity"],
        terms=documents.read(Terms, row["terms"]),
        tax=documents.read(Tax, row["tax"]),
    )


def _holding(row: Mapping[str, Any], spells: tuple[Spell, ...]) -> Holding:
    agreement = None
    if row["agreement"] is not None:
        agreement = AgreementRef(AgreementId(row["agreement"]), row["agreement_version"])
    return Holding(
        ref=HoldingRef(PartyId(row["seller"]), HoldingId(row["id"])),
        buyer=PartyId(row["buyer"]),
        item=row["item"],
        offer=OfferCode(row["offer"]),
        offer_name=row["offer_name"],
        family=row["family"],
        site=None if row["site"] is None else documents.read(Site, row["site"]),
        agreement=agreement,
        state=HoldingState(row["state"]),
        trace=TraceId(row["trace"]),
        spells=spells,
    )
