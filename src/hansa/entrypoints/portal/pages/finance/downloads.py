"""Invoices and statements as files: what may be too long for a file is said, not tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from starlette.responses import Response

from hansa.entrypoints.papers import pdf, sheets, ubl, whole
from hansa.entrypoints.portal import files
from hansa.entrypoints.portal.ask import Ask, nothing_here
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import Page
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId, StatementId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import looking, statements

AT_ONCE = 5_000
LINES_MAX: Mapping[str, int] = {"pdf": 5_000, "ubl": 50_000, "peppol": 50_000, "xlsx": 100_000}
"""So many lines a file of that kind may have; a CSV file has as many as there are."""

KINDS: Mapping[str, tuple[str, str]] = {
    "pdf": ("application/pdf", "pdf"),
    "ubl": ("application/xml", "xml"),
    "peppol": ("application/xml", "peppol.xml"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
}

Lines = Callable[[Transaction, int, int], Page[StatementLine]]


def bill(ask: Ask, id: BillId, kind: str) -> Response:
    """A bill of ours as a file of that kind."""
    with ask.node.begin() as tx:
        bare = billing.bare(tx, id=id)
        name = bare.number or bare.id

        def lines(tx: Transaction, offset: int, limit: int) -> Page[StatementLine]:
            return billing.lines(tx, id=id, offset=offset, limit=limit)

        if kind == "csv":
            return _csv(ask, name, lines, sheets.sums(bare))
        _check(kind, KINDS, lines(tx, 0, 1).total)
        if kind == "xlsx":
            return _file(name, kind, sheets.as_xlsx(billing.bill(tx, id=id)))
        paper = whole.paper(tx, us=ask.node.us, bill=id)
    if kind == "pdf":
        return _file(name, kind, pdf.write(paper))
    return _file(name, kind, ubl.write(paper, peppol=kind == "peppol"))


def statement(ask: Ask, id: StatementId, kind: str) -> Response:
    """A statement as a file of that kind: XLSX or CSV."""
    with ask.node.begin() as tx:
        bare = looking.bare(tx, statement=id)

        def lines(tx: Transaction, offset: int, limit: int) -> Page[StatementLine]:
            return looking.lines(tx, statement=id, offset=offset, limit=limit)

        if kind == "csv":
            return _csv(ask, id, lines, sheets.sums(bare))
        _check(kind, {"xlsx"}, lines(tx, 0, 1).total)
        return _file(id, kind, sheets.as_xlsx(statements.get(tx, statement=id)))


def _check(kind: str, known: Mapping[str, object] | set[str], lines: int) -> None:
    if kind not in known:
        raise nothing_here()
    if lines > LINES_MAX[kind]:
        raise Refused(
            "paper-too-long",
            _(
                "It has %(lines)s lines, and a file of this kind takes %(most)s. Take the CSV "
                "file: it has them all.",
                lines=lines,
                most=LINES_MAX[kind],
            ),
        )


def _csv(ask: Ask, name: str, lines: Lines, sums: Sequence[sheets.Cell]) -> Response:
    every = lists.every(ask.node, lines, at_once=AT_ONCE)
    return files.as_csv(name, sheets.HEADINGS, chain(map(sheets.row, every), [sums]))


def _file(name: str, kind: str, octets: bytes) -> Response:
    media, ending = KINDS[kind]
    return files.download(octets, media, f"{name}.{ending}")
