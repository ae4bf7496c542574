"""What a client sent beside what we understand: kept with the thing, and given back with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hansa.federation.tmf.shapes.common import SCHEMA
from hansa.foundation.documents import Json

Known = Mapping[str, Any]
"""Names that we understand or write ourselves; None, or what is known of the objects below."""


def leftover(sent: Mapping[str, Json], known: Known) -> dict[str, Json]:
    """The part of an object that is not known; entries of known lists bear their `id`.

    A type of the client's own stays with it; those of our own extensions are not kept.
    """
    left: dict[str, Json] = {}
    for name, value in sent.items():
        if name.startswith("@"):
            if sent.get("@schemaLocation") != SCHEMA:
                left[name] = value
        elif name not in known:
            left[name] = value
        elif known[name] is not None:
            below = _below(value, known[name])
            if below:
                left[name] = below
    return left


def _below(value: Json, known: Known) -> Json:
    if isinstance(value, list):
        return [
            {"id": entry.get("id"), **left}
            for entry in value
            if isinstance(entry, dict) and (left := leftover(entry, known))
        ]
    return leftover(value, known) if isinstance(value, dict) else None


def laid_over(document: Mapping[str, Json], extras: Mapping[str, Json]) -> dict[str, Json]:
    """A document of ours with what its client had sent beside it.

    What we say goes before, types apart. Entries of lists are matched by `id`, others that have
    one follow; a list of ours in which nothing has an `id` stays as it is.
    """
    made = dict(document)
    for name, value in extras.items():
        ours = made.get(name)
        if ours is None or name.startswith("@"):
            made[name] = value
        elif isinstance(ours, dict) and isinstance(value, dict):
            made[name] = laid_over(ours, value)
        elif isinstance(ours, list) and isinstance(value, list):
            made[name] = _entries(ours, value)
    return made


def _entries(ours: Sequence[Json], theirs: Sequence[Json]) -> list[Json]:
    by_id = {entry["id"]: entry for entry in theirs if isinstance(entry, dict) and entry.get("id")}
    made = [
        laid_over(entry, by_id.pop(entry["id"]))
        if isinstance(entry, dict) and entry.get("id") in by_id
        else entry
        for entry in ours
    ]
    return [*made, *by_id.values()]
