"""Sources' files, read in batches: every record once, with its row, whatever state it is in."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from hansa.foundation.errors import Refused
from hansa.lifecycle.usage.model import TEXT_FIELDS, Fault, Layout, Text
from hansa.lifecycle.usage.store import arrow

BLOCK = 8 << 20
"""Octets of a file that are read at a time."""

LINE_MAX = 4 << 20
"""A line that is longer is cut: it is no record."""

Place = Callable[[Sequence[str]], Mapping[str, int]]
"""Finds the place of each field among a file's columns."""

Unread = tuple[int, Fault, str, bytes]
"""A record that could not be read: its row, why, in which field, and as it came."""


@dataclass(slots=True)
class Batch:
    """Some records of a file. rows: of each, from 1. fields: theirs, as buffers. bad: those that
    could not be read. raw: a record by its place in the batch, as it came. octets: how far the
    file has been read.
    """

    rows: npt.NDArray[np.int64]
    fields: Mapping[str, Text]
    raw: Callable[[int], bytes]
    octets: int
    bad: list[Unread] = field(default_factory=list)


def batches(place: Path, layout: Layout, places: Place) -> Iterator[Batch]:
    """The records of a file, in its order.

    Raises Refused `file-encoding`, `file-broken`, and what `places` raises, when it cannot be
    read at all.
    """
    if layout.format == "parquet":
        found = _parquet(place, layout, places)
    elif layout.format == "csv":
        found = _csv(place, layout, places)
    else:
        parse = _json_line if layout.format == "jsonl" else _detail
        end = b"\n" if layout.format == "jsonl" else b"\n\n"
        found = _records(place, layout, parse, end)
    for batch in found:
        yield _valid(batch)


def one(raw: bytes, layout: Layout, places: Mapping[str, int]) -> Mapping[str, bytes]:
    """The fields of one record as it came; none of those that cannot be read.

    places: of the fields among the columns, for CSV.
    """
    if layout.format == "csv":
        cells = _cells(raw, layout)
        return {name: cells[at] for name, at in places.items() if at < len(cells)}
    if layout.format == "detail":
        return _detail(raw, layout) or {}
    return _json_line(raw, layout) or {}


# --- octets to lines ----------------------------------------------------------------------------


def _octets(file: IO[bytes], layout: Layout) -> Iterator[bytes]:
    """The file in blocks, in UTF-8 as far as its own encoding is kept."""
    decoder = None
    if codecs.lookup(layout.encoding).name != "utf-8":
        decoder = codecs.getincrementaldecoder(layout.encoding)()
    first = True
    while block := file.read(BLOCK):
        if decoder:
            try:
                block = decoder.decode(block).encode()
            except UnicodeError as error:
                raise _encoding(layout, str(error)) from error
        if first and block[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise _encoding(layout, "it begins as UTF-16 does")
        yield block.removeprefix(codecs.BOM_UTF8) if first else block
        first = False


def _pieces(file: IO[bytes], layout: Layout, end: bytes = b"\n") -> Iterator[bytes]:
    """The file in pieces that end where a record does."""
    rest = b""
    for block in _octets(file, layout):
        rest += block
        if b"\r" in rest:  # one at the very end may have its other half in the next block
            held = b"\r" if rest.endswith(b"\r") else b""
            rest = rest.removesuffix(held).replace(b"\r\n", b"\n") + held
        cut = rest.rfind(end) + len(end)
        if cut < len(end) and len(rest) > LINE_MAX:
            cut = len(rest)
        if cut >= len(end):
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _encoding(layout: Layout, why: str) -> Refused:
    return Refused(
        "file-encoding",
        f"The file is not in {layout.encoding}: {why}. Say its encoding in the layout.",
        field="encoding",
    )


# --- CSV ----------------------------------------------------------------------------------------


def _csv(place: Path, layout: Layout, places: Place) -> Iterator[Batch]:
    with place.open("rb") as file:
        pieces = _pieces(file, layout)
        piece = next(pieces, b"")
        line, at, wanted, columns = 1, 0, None, 0
        if layout.header:
            head, _, piece = piece.partition(b"\n")
            try:
                names = [name.strip().decode() for name in _cells(head, layout)]
            except UnicodeDecodeError as error:
                raise _encoding(layout, "its header is no UTF-8") from error
            wanted, columns, line = places(names), len(names), 2
        while piece or (piece := next(pieces, b"")):
            at = file.tell()
            if wanted is None:
                columns = len(_cells(piece.partition(b"\n")[0], layout))
                wanted = places([str(number) for number in range(1, columns + 1)])
            how = (layout, wanted, columns, line, at)
            yield _quickly(piece, *how) or _sifted(piece, *how) or _slowly(piece, *how)
            line += piece.count(b"\n")
            piece = b""


def _quickly(
    piece: bytes, layout: Layout, wanted: Mapping[str, int], columns: int, line: int, at: int
) -> Batch | None:
    """A piece in which every line is a record; None for one in which some are not."""
    if piece.startswith(b"\n") or b"\n\n" in piece or b"\r" in piece or _odd(piece):
        return None
    names = [str(number) for number in range(columns)]
    used = [str(number) for number in sorted(set(wanted.values()))]
    try:
        table = pcsv.read_csv(
            pa.BufferReader(piece),
            pcsv.ReadOptions(column_names=names, block_size=len(piece) + 1, use_threads=False),
            pcsv.ParseOptions(delimiter=layout.delimiter, quote_char='"'),
            pcsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()),
                include_columns=used,
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    fields = {name: arrow.text(table[str(where)]) for name, where in wanted.items()}
    rows = np.arange(line, line + table.num_rows, dtype=np.int64)
    return Batch(rows, fields, _Lines(piece), at)


def _sifted(
    piece: bytes, layout: Layout, wanted: Mapping[str, int], columns: int, line: int, at: int
) -> Batch | None:
    """A piece without those lines that have too many columns or too few; None where quotation
    marks or so make that harder to tell than by counting delimiters.
    """
    if b'"' in piece or b"\r" in piece or columns < 2:
        return None
    octets = np.frombuffer(piece if piece.endswith(b"\n") else piece + b"\n", np.uint8)
    marks = np.cumsum(octets == ord(layout.delimiter), dtype=np.int64)
    good = np.diff(marks[octets == ord("\n")], prepend=0) == columns - 1
    lines = piece.removesuffix(b"\n").split(b"\n")
    keep = good.tolist()
    kept = b"".join(raw + b"\n" for raw, well in zip(lines, keep, strict=True) if well)
    batch = _quickly(kept, layout, wanted, columns, line, at) if kept else None
    if batch is None:
        return None
    batch.rows = line + np.flatnonzero(good)
    batch.bad = [
        (line + row, Fault.COLUMNS, "line", lines[row])
        for row in np.flatnonzero(~good).tolist()
        if lines[row].strip()
    ]
    return batch


def _odd(piece: bytes) -> bool:
    """Whether a line has a quotation mark without its other half."""
    if b'"' not in piece:
        return False
    octets = np.frombuffer(piece, np.uint8)
    marks = np.cumsum(octets == ord('"'), dtype=np.int64)[octets == ord("\n")]
    return bool((marks & 1).any()) or piece.count(b'"') % 2 == 1


class _Lines:
    """The lines of a piece, split when the first is asked for."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece
        self._lines: list[bytes] | None = None

    def __call__(self, place: int) -> bytes:
        if self._lines is None:
            self._lines = self._piece.split(b"\n")
        return self._lines[place]


def _slowly(
    piece: bytes, layout: Layout, wanted: Mapping[str, int], columns: int, line: int, at: int
) -> Batch:
    """A piece line by line; lines with nothing on them are no records."""
    rows: list[int] = []
    kept: list[bytes] = []
    found: dict[str, list[bytes]] = {name: [] for name in wanted}
    bad: list[Unread] = []
    for row, raw in enumerate(piece.removesuffix(b"\n").split(b"\n"), start=line):
        if not raw.strip():
            continue
        cells = _cells(raw, layout)
        if len(cells) != columns:
            bad.append((row, Fault.COLUMNS, "line", raw))
            continue
        rows.append(row)
        kept.append(raw)
        for name, place in wanted.items():
            found[name].append(cells[place])
    return _listed(rows, found, kept, bad, at)


def _cells(raw: bytes, layout: Layout) -> list[bytes]:
    """The cells of a line; none when a quotation mark is never closed."""
    try:
        text = raw.rstrip(b"\r\n").decode("latin-1")
        odd = text.count('"') % 2 == 1
        cells = next(csv.reader([text], delimiter=layout.delimiter, strict=odd), [])
    except csv.Error:
        return []
    return [cell.encode("latin-1") for cell in cells]


# --- records of other forms ---------------------------------------------------------------------


def _records(
    place: Path,
    layout: Layout,
    parse: Callable[[bytes, Layout], Mapping[str, bytes] | None],
    end: bytes,
) -> Iterator[Batch]:
    """JSON, one document a line; or blocks of lines with nothing in between."""
    with place.open("rb") as file:
        line = 1
        for piece in _pieces(file, layout, end):
            rows: list[int] = []
            kept: list[bytes] = []
            found: dict[str, list[bytes]] = {name: [] for name in layout.columns}
            bad: list[Unread] = []
            raws = piece.split(end)
            cut = raws[-1] if end == b"\n\n" and not piece.endswith(b"\n") else None
            for raw in raws:
                start = line + len(raw) - len(raw.lstrip(b"\n"))
                line += raw.count(b"\n") + len(end)
                if not raw.strip():
                    continue
                fields = parse(raw, layout) if raw is not cut else None
                row = _row_of(raw, start, layout)
                if fields is None:
                    bad.append((row, Fault.UNREADABLE, "line", raw))
                    continue
                rows.append(row)
                kept.append(raw)
                for name, values in found.items():
                    values.append(fields.get(name, b""))
            line -= len(end)  # behind the last there was none
            yield _listed(rows, found, kept, bad, file.tell())


def _row_of(raw: bytes, line: int, layout: Layout) -> int:
    """The row of a record: of a repaired one, which it had first."""
    if layout.replayed:
        row: int = json.loads(raw)["row"]
        return row
    return line


def _json_line(raw: bytes, layout: Layout) -> Mapping[str, bytes] | None:
    """The fields of a JSON object, numbers as they are written; None when it is none."""
    try:
        said = json.loads(raw, parse_float=str, parse_int=str, parse_constant=str)
        if not isinstance(said, dict):
            return None
        found = {}
        for name, column in layout.columns.items():
            value = said.get(str(column).removesuffix("?"))
            if isinstance(value, dict | list | bool):
                return None
            found[name] = b"" if value is None else value.encode("utf-8", "surrogateescape")
    except (ValueError, RecursionError):
        return None
    return found


def _detail(raw: bytes, layout: Layout) -> Mapping[str, bytes] | None:
    """The fields of a block of FreeRADIUS's detail file; None when a line of it is cut."""
    said: dict[str, bytes] = {}
    for text in raw.strip(b"\n").split(b"\n")[1:]:
        name, equals, value = text.strip().partition(b" = ")
        if not equals:
            return None
        if value.startswith(b'"'):
            if len(value) < 2 or not value.endswith(b'"'):
                return None
            value = value[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        said[name.decode("latin-1")] = value
    if not said:
        return None
    names = {field: str(column).removesuffix("?") for field, column in layout.columns.items()}
    return {field: said[name] for field, name in names.items() if name in said}


# --- Parquet ------------------------------------------------------------------------------------


def _parquet(place: Path, layout: Layout, places: Place) -> Iterator[Batch]:
    try:
        file = pq.ParquetFile(place)
        names = file.schema_arrow.names
        wanted = places(names)
        row, size = 1, place.stat().st_size
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=[names[at] for at in wanted.values()])
            texts = {name: _written(table[names[at]]) for name, at in wanted.items()}
            fields = {name: arrow.text(one) for name, one in texts.items()}
            rows = np.arange(row, row + table.num_rows, dtype=np.int64)
            row += table.num_rows
            at = size * (group + 1) // file.num_row_groups
            yield Batch(rows, fields, _as_json(texts, layout), at)
    except (pa.ArrowException, OSError) as error:
        raise Refused(
            "file-broken", f"The file is no Parquet that can be read: {error}.", field="file"
        ) from error


def _written(column: Any) -> Any:
    """A column as text, moments of a zone in UTC."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        zoned = kind.tz is not None
        text = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        text = text.cast(pa.timestamp("us")).cast(pa.string())
        return pc.binary_join_element_wise(text, "Z", "") if zoned else text
    return column.cast(pa.string())


def _as_json(texts: Mapping[str, Any], layout: Layout) -> Callable[[int], bytes]:
    """A record as an object, under the names that its columns have."""

    def raw(place: int) -> bytes:
        said = {
            str(layout.columns[name]).removesuffix("?"): column[place].as_py()
            for name, column in texts.items()
        }
        return json.dumps(said).encode()

    return raw


# --- columns ------------------------------------------------------------------------------------


def _listed(
    rows: list[int], found: Mapping[str, list[bytes]], kept: list[bytes], bad: list[Unread], at: int
) -> Batch:
    fields = {name: arrow.text(pa.array(cells, pa.binary())) for name, cells in found.items()}
    return Batch(np.array(rows, np.int64), fields, kept.__getitem__, at, bad)


def _valid(batch: Batch) -> Batch:
    """The batch without records in which a name is no UTF-8: those are among the bad."""
    wrong: dict[int, str] = {}
    for name in TEXT_FIELDS:
        text = batch.fields.get(name)
        if text is not None and not text.data.tobytes().isascii():
            wrong |= {at: name for at in range(len(text)) if not _is_utf8(text[at])}
    if not wrong:
        return batch
    bad = [(int(batch.rows[at]), Fault.ENCODING, name, batch.raw(at)) for at, name in wrong.items()]
    good = [at for at in range(len(batch.rows)) if at not in wrong]
    fields = {
        name: arrow.text(pa.array([text[at] for at in good], pa.binary()))
        for name, text in batch.fields.items()
    }
    return Batch(
        batch.rows[good], fields, lambda at: batch.raw(good[at]), batch.octets, batch.bad + bad
    )


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
