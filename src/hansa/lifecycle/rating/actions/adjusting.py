"""Months that were rated before and come to something else now: charged as differences, later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import books, measuring, months
from hansa.lifecycle.rating.model.events import Adjustment
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules import decks
from hansa.lifecycle.rating.rules.rate import MEASURED_RULES
from hansa.lifecycle.rating.store import runs
from hansa.lifecycle.rating.store import tables as store

NOTHING = Decimal(0)


def adjust(
    tx: Transaction, *, us: PartyId, month: Period, folder: Path, why: str, now: Instant
) -> Sequence[Adjustment]:
    """Lays what each holding's month comes to by its book now beside what it was charged.

    Each line that differs becomes an adjustment, charged with the holding's next month that is
    rated; what was rated stays as it is. The same again finds nothing. Empty for a month that is
    not rated yet: its bills will say what it comes to. folder: the node's.
    """
    if not store.is_rated(tx, month):
        return ()
    made: list[Adjustment] = []
    by_deck = [holding.ref for holding, _ in books.by_deck(tx, us=us, month=month)]
    for ref in dict.fromkeys([*by_deck, *measuring.holdings(tx, month=month)]):
        before = runs.adjustments(tx, holding=ref, usage_month=month.name)
        number = max((one.number for one in before), default=0) + 1
        measured = measuring.lines(tx, holding=ref, month=month) is not None
        rules = decks.RULES | MEASURED_RULES if measured else decks.RULES
        charged = _charged(store.lines(tx, ref, month), before, rules)
        found = _differences(charged, _now(tx, ref, month, folder), month, number, why)
        made += [Adjustment(ref, month.name, number, line, now) for line in found]
    for one in made:
        store.claim(tx, one.holding, month, missing=False, now=now)  # known only after the month
        runs.put_adjustment(tx, one)
    return made


def waiting(tx: Transaction) -> Sequence[Adjustment]:
    """Adjustments that no month has charged yet."""
    return runs.adjustments(tx, waiting=True)


def _now(tx: Transaction, ref: HoldingRef, month: Period, folder: Path) -> Mapping[str, RatedLine]:
    holding = inventory.get(tx, ref=ref)
    found = months.by_deck(tx, holding=holding, month=month, folder=folder)
    measured = measuring.lines(tx, holding=ref, month=month) or ()
    return {line.label: line for line in (*found, *measured)}


def _charged(
    lines: Sequence[RatedLine], adjustments: Sequence[Adjustment], rules: frozenset[str]
) -> Mapping[str, RatedLine]:
    """By label what a month was charged so far, adjustments of it included."""
    found = {line.label: line for line in lines if line.reason.get("rule") in rules}
    for one in adjustments:
        label = str(one.line.reason["label"])
        known = found.get(label) or replace(
            one.line, label=label, quantity=0 * one.line.quantity, nano=0
        )
        found[label] = replace(
            known, quantity=known.quantity + one.line.quantity, nano=known.nano + one.line.nano
        )
    return found


def _differences(
    charged: Mapping[str, RatedLine],
    now: Mapping[str, RatedLine],
    month: Period,
    number: int,
    why: str,
) -> Iterator[RatedLine]:
    for label in sorted(charged.keys() | now.keys()):
        old, new = charged.get(label), now.get(label)
        known = new or old
        assert known is not None
        before, after = (one.nano if one else 0 for one in (old, new))
        quantities = [one.quantity if one else NOTHING for one in (old, new)]
        if before == after and quantities[0] == quantities[1]:
            continue
        yield replace(
            known,
            label=f"{label}~{month.name}.{number}",
            description=f"{known.description}, {month.name} corrected",
            quantity=quantities[1] - quantities[0],
            nano=after - before,
            reason={
                "rule": "adjustment",
                "label": label,
                "month": month.name,
                "why": why,
                "charged_nano": before,
                "now_nano": after,
                "currency": known.currency,
            },
        )
