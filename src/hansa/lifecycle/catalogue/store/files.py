"""The rows of decks' versions as Parquet files in the node's folder, and as Arrow tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hansa.foundation import disk
from hansa.foundation.errors import HansaError
from hansa.lifecycle.catalogue.model import DeckVersion, PricedRow

ROWS = pa.schema(
    [
        ("row", pa.int32()),
        ("code", pa.string()),
        ("origin", pa.string()),
        ("destination", pa.string()),
        ("rate_peak", pa.int64()),
        ("rate_off", pa.int64()),
        ("setup", pa.int64()),
        ("minimum", pa.int64()),
        ("first_s", pa.int32()),
        ("next_s", pa.int32()),
        ("from_s", pa.int64()),
        ("to_s", pa.int64()),
        ("blocked", pa.bool_()),
    ],
)
"""The rows of a version, in the order of their price ids."""

EFFECTIVE = pa.schema(
    [("deck", pa.int32()), ("price_id", pa.int32()), ("version", pa.int32()), *ROWS]
)
"""What rating is given: the same rows with the time in which they are in force."""

BATCH = 100_000

Whole = Any
"""An array of whole numbers."""

UNIT = "\x1f"
"""Parts code and origin in a key; neither can hold it."""


def keep(folder: Path, deck: str, version: int, rows: pa.Table) -> str:
    """Puts the rows of a version on the disk, under a name of their content; gives its sha256.

    When this returns, the file survives a power cut. The same rows again change nothing.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(rows.cast(ROWS), sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    sha256 = hashlib.sha256(content).hexdigest()
    place = folder / "decks" / deck / f"{version}-{sha256}.parquet"
    if not place.exists():
        disk.put(place, content)
    for parent in (place.parent, place.parent.parent, folder):
        disk.sync(parent)
    return sha256


def rows_of(folder: Path, version: DeckVersion) -> pa.Table:
    """The rows of a version. Raises `deck-file-damaged` when they are not what was kept."""
    try:
        content = (folder / version.path).read_bytes()
    except OSError as error:
        raise _damaged(version, error.strerror or "cannot be read") from error
    if hashlib.sha256(content).hexdigest() != version.rows_sha256:
        raise _damaged(version, "has other content than its name says")
    return pq.read_table(pa.BufferReader(content), schema=ROWS)


def row_of(folder: Path, version: DeckVersion, price_id: int) -> PricedRow:
    """One price row of a version, as its file said it."""
    (row,) = rows_of(folder, version).slice(price_id - version.first_id, 1).to_pylist()
    return PricedRow(version.deck, version.version, version.said.file, price_id, **row)


def table(rows: Iterable[Sequence[object]]) -> pa.Table:
    """Rows, each with the columns of `ROWS` in their order, as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(ROWS)
    arrays = [pa.array(one, kind.type) for one, kind in zip(columns, ROWS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=ROWS)


def effective(
    rows: pa.Table,
    number: int,
    versions: Sequence[DeckVersion],
    taken: Whole,
    span: Sequence[Whole],
) -> pa.Table:
    """The rows of a deck's versions, one version after the other, as rating is given them.

    taken: which of them, by their place. span: from_s and to_s of these.
    """
    ids = [pa.arange(one.first_id, one.first_id + one.rows).cast(pa.int32()) for one in versions]
    told = [pa.repeat(pa.scalar(one.version, pa.int32()), one.rows) for one in versions]
    found = rows.append_column("price_id", pa.chunked_array(ids, pa.int32()))
    found = found.append_column("version", pa.chunked_array(told, pa.int32())).take(pa.array(taken))
    deck = pa.repeat(pa.scalar(number, pa.int32()), len(taken))
    found = found.append_column("deck", deck).drop_columns(["from_s", "to_s"])
    for name, column in zip(("from_s", "to_s"), span, strict=True):
        found = found.append_column(name, pa.array(column))
    return found.select(EFFECTIVE.names).cast(EFFECTIVE)


def of_longest_code(rows: pa.Table, number: str) -> list[dict[str, Any]]:
    """Those of the longest code that begins the number."""
    begins = pa.array([number[:length] for length in range(1, len(number) + 1)], pa.string())
    found: list[dict[str, Any]] = rows.filter(pc.is_in(rows["code"], begins)).to_pylist()
    longest = max((len(one["code"]) for one in found), default=0)
    return [one for one in found if len(one["code"]) == longest]


def said(rows: pa.Table) -> Mapping[tuple[str, str, int], Mapping[str, object]]:
    """What each row says, by its code, origin and beginning; not where it stands."""
    made = {}
    for row in rows.drop_columns(["row"]).to_pylist():
        key = (row.pop("code"), row.pop("origin"), row.pop("from_s"))
        made[key] = row
    return made


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of these, one after the other."""
    return pa.concat_tables(tables)


def picked(rows: pa.Table, places: Sequence[int]) -> list[dict[str, Any]]:
    """The rows at these places."""
    found: list[dict[str, Any]] = rows.take(pa.array(places, pa.int64())).to_pylist()
    return found


def indexed(*columns: pa.ChunkedArray) -> tuple[pa.Array, int]:
    """A number for each different row of these texts, and how many there are."""
    joined = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, UNIT)
    encoded = joined.combine_chunks().dictionary_encode()
    return encoded.indices.cast(pa.int64()), len(encoded.dictionary)


def distinct(columns: Iterable[pa.ChunkedArray | pa.Array]) -> pa.Array:
    """Each text once, in order of its characters."""
    each = [pc.unique(one).cast(pa.string()) for one in columns]
    if not each:
        return pa.array([], pa.string())
    found = pc.unique(pa.chunked_array(each))
    return found.take(pc.sort_indices(found))


def name_of(texts: pa.Array) -> str:
    """A short name of these texts: 16 digits of the SHA-256 of their lines."""
    joined = hashlib.sha256()
    for batch in range(0, len(texts), BATCH):
        lines = texts.slice(batch, BATCH).to_pylist()
        joined.update("".join(f"{one}\n" for one in lines).encode())
    return joined.hexdigest()[:16]


def _damaged(version: DeckVersion, why: str) -> HansaError:
    return HansaError(
        "deck-file-damaged",
        f"The rows of {version.deck}, version {version.version}, {version.path}: the file {why}; "
        "bring it back from a copy.",
        field="decks",
    )
