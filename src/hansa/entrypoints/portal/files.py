"""Files that a browser keeps and does not show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response, StreamingResponse

from hansa.entrypoints.papers import table


def download(octets: bytes, media: str, name: str) -> Response:
    """media: its media type. name: of ASCII letters, digits, `.` and `-`."""
    return Response(octets, media_type=media, headers=_attached(name))


def as_csv(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[table.Cell]]
) -> StreamingResponse:
    """A CSV file that is sent while its rows are read.

    Rows are read after the handler has returned: whatever of them is translated is given as text.
    """
    return StreamingResponse(
        table.pieces(headings, rows),
        media_type="text/csv; charset=utf-8",
        headers=_attached(f"{name}.csv"),
    )


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
