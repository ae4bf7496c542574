"""Between Arrow columns and the plain arrays that rules work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Offsets = npt.NDArray[np.int32] | npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

NOTHING = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Text:
    """A column of strings as its buffers: string i is data[offsets[i]:offsets[i + 1]]."""

    offsets: Offsets
    data: Bytes

    def __len__(self) -> int:
        return len(self.offsets) - 1


def text(column: Any) -> Text:
    """The buffers of a column of strings or bytes, not copied where it is one piece.

    column: an Arrow array or chunked array, or a sequence of str. A null is an empty string.
    """
    array = _one(column)
    if not (pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)):
        width: npt.DTypeLike = np.int32
    else:
        width = np.int64
    if array.null_count:
        array = array.fill_null(pa.scalar("" if "string" in str(array.type) else b"", array.type))
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return Text(np.zeros(len(array) + 1, np.int32), NOTHING)
    starts = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
    return Text(starts, NOTHING if data is None else np.frombuffer(data, np.uint8))


def column(of: Text, *, rows: int) -> Any:
    """Buffers as an Arrow column of strings; what they hold must be UTF-8."""
    offsets = np.ascontiguousarray(of.offsets, np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(of.data))


def _one(column: Any) -> Any:
    if isinstance(column, Sequence) and not isinstance(column, pa.Array | pa.ChunkedArray):
        return pa.array(column, pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column
