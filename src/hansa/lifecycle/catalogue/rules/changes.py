"""What a version changes, from its rows and what they are beside those before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hansa.foundation.time import Instant
from hansa.lifecycle.catalogue.model import Change, Kind, Preview
from hansa.lifecycle.catalogue.rules.cells import nano_text

KINDS: Sequence[Kind] = ("past", "new", "increase", "decrease", "unchanged", "blocked")
"""In the order of the numbers that `effective` gives them."""

MILLION = 10**6


def preview(
    *,
    deck: str,
    currency: str,
    version: int | None,
    supposed_at: Instant | None,
    kinds: Sequence[Kind],
    changes: Sequence[Change],
) -> Preview:
    """kinds: of every row; changes: of those that change something, and of codes withdrawn."""
    counts = Counter(kinds)
    counts["withdrawn"] = sum(one.kind == "withdrawn" for one in changes)
    dates = Counter((one.effective_at, one.kind) for one in changes)
    return Preview(
        deck=deck,
        currency=currency,
        version=version,
        supposed_at=supposed_at,
        counts={kind: counts[kind] for kind in ORDER if counts[kind]},
        dates=tuple(
            (at, kind, number)
            for (at, kind), number in sorted(
                dates.items(), key=lambda one: (one[0][0] is None, str(one[0][0]), one[0][1])
            )
        ),
        late=sum(one.late for one in changes),
        changes=tuple(sorted(changes, key=_weight)),
    )


ORDER: Sequence[Kind] = (
    "new", "increase", "decrease", "withdrawn", "blocked", "unchanged", "past",
)  # fmt: skip


def _weight(one: Change) -> tuple[int, str, str]:
    """The change that moves its rate most, in proportion, comes first."""
    moved = 0
    if one.before and one.after:
        pairs = zip(one.before, one.after, strict=True)
        moved = max(abs(new - old) * MILLION // max(old, 1) for old, new in pairs)
    return -moved, one.code, one.origin


Said = Mapping[tuple[str, str, int], Mapping[str, object]]
"""What a version says: by code, origin and the second from which on, all the rest of the row."""


def shown(row: Mapping[str, object] | None, beside: Mapping[str, object] | None) -> str:
    """What of a row differs from the one beside it, in a line; all of it beside none."""
    said = {
        name.replace("_", " "): nano_text(value)
        if name in AMOUNTS and isinstance(value, int)
        else value
        for name, value in (row or {}).items()
        if beside is None or beside[name] != value
    }
    return ", ".join(f"{name} {value}" for name, value in said.items())


AMOUNTS = ("rate_peak", "rate_off", "setup", "minimum")


def differences(one: Said, other: Said) -> Sequence[tuple[str, tuple[str, str, int]]]:
    """`added`, `removed` or `changed`, for every row in which two versions differ."""
    found = [("removed", key) for key in one.keys() - other.keys()]
    found += [("added", key) for key in other.keys() - one.keys()]
    found += [("changed", key) for key in one.keys() & other.keys() if one[key] != other[key]]
    return sorted(found, key=lambda each: each[1])
