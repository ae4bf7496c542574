"""Between Arrow columns and the plain arrays that rules work on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hansa.lifecycle.usage.model import Text

NOTHING = np.empty(0, np.uint8)


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


def column(of: Any) -> Any:
    """Text or a NumPy array as an Arrow array; masked values are null.

    What Text holds must be UTF-8.
    """
    if isinstance(of, Text):
        offsets = np.ascontiguousarray(of.offsets, np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(of.data))]
        return pa.Array.from_buffers(pa.string(), len(of), buffers)
    if isinstance(of, np.ma.MaskedArray):
        return pa.array(of.data, mask=np.ma.getmaskarray(of))
    return pa.array(of)


def pairs(
    rows: int, first: Text | None, second: Text | None, *, otherwise: tuple[str, str]
) -> tuple[npt.NDArray[np.int64], list[tuple[str, str]]]:
    """Which pairs of two columns there are, and for each row which of them it has.

    otherwise: what stands for an empty text, and for a column that there is not.
    """
    sides = []
    for text_, empty in zip((first, second), otherwise, strict=True):
        if text_ is None:
            sides.append((np.zeros(rows, np.int64), [empty]))
            continue
        coded = column(text_).dictionary_encode()
        words = [word or empty for word in coded.dictionary.to_pylist()]
        sides.append((coded.indices.to_numpy().astype(np.int64), words))
    (left, lefts), (right, rights) = sides
    wide = max(1, len(rights))
    used, places = np.unique(left * wide + right, return_inverse=True)
    return places, [(lefts[one // wide], rights[one % wide]) for one in used.tolist()]


def _one(column: Any) -> Any:
    if isinstance(column, Sequence) and not isinstance(column, pa.Array | pa.ChunkedArray):
        return pa.array(column, pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column
