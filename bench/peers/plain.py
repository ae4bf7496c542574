"""A peer of rating: plain Python, a dictionary of codes, whole numbers, one call at a time."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import traffic

from hansa.lifecycle.rating.model.book import CODE_BITS


def rate(raw: Path, sample: int) -> int:
    """Rates a sample of calls on three legs as one would write it by hand; how many."""
    made = traffic.prices()
    book = made.book()
    place = {code: at for at, code in enumerate(made.codes)}
    prices: dict[int, list[tuple[int, ...]]] = {}
    for row in zip(*(column.tolist() for column in book.rate.values()), strict=True):
        prices.setdefault(row[0], []).append(row[1:])
    band = dict(zip(book.cal["cal_k"].tolist(), book.cal["band"].tolist(), strict=True))
    rates = {
        key: (n, d)
        for key, n, d in zip(*(column.tolist() for column in book.fx.values()), strict=True)
    }
    legs: dict[int, list[tuple[int, ...]]] = {}
    for row in zip(*(column.tolist() for column in book.leg.values()), strict=True):
        legs.setdefault(row[0], []).append(row[1:])
    table = pq.read_table(raw).slice(0, sample)
    calls = zip(
        *(table[name].to_pylist() for name in ("called", "route_id", "answered_us", "duration_s")),
        strict=True,
    )
    lines: dict[tuple[int, int, int], list[int]] = {}
    for called, route, answered_us, duration in calls:
        code = -1
        for length in range(min(9, len(called)), 0, -1):
            code = place.get(called[:length], -1)
            if code >= 0:
                break
        start = answered_us // 1_000_000
        for _, leg, deck, since, until, fx, share_bp in legs[route]:
            if not since <= start < until:
                continue
            for row in prices.get((deck * 256 << CODE_BITS) + code, ()):
                if row[0] <= start < row[1]:
                    _, _, price, peak, off, setup, least, first, following = row
                    when = band[(deck << 32) + start // 900]
                    billed = first
                    if duration > first:
                        billed += -(-(duration - first) // following) * following
                    rated = peak if when == 0 else off
                    charge = max(least, setup + (rated * billed * 2 + 60) // 120)
                    if duration == 0:
                        billed = charge = 0
                    n, d = rates[(fx << 32) + start // 86_400]
                    amount = (charge * n * 2 + d) // (2 * d)
                    share = (amount * share_bp * 2 + 10_000) // 20_000
                    line = lines.setdefault((leg, price, when), [0] * 5)
                    for at, more in enumerate((1, billed, charge, amount, share)):
                        line[at] += more
                    break
    return sample
