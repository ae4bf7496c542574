"""A quote as files for its buyer. What we pay, and whom, is in none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from starlette.responses import Response

from hansa.entrypoints.papers import quote as paper
from hansa.entrypoints.papers.table import Cell
from hansa.entrypoints.portal import files, language
from hansa.entrypoints.portal.ask import Ask, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.sales.buyers import LOOKERS
from hansa.entrypoints.portal.pages.sales.look import Look, Row, look
from hansa.entrypoints.portal.words import said
from hansa.foundation.errors import Refused
from hansa.foundation.party import Party

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")


def _priced(ask: Ask) -> Look:
    with ask.node.begin() as tx:
        found = look(ask, tx)
    if not found.feasible:
        raise Refused("draft-unpriced", _("Nothing in this quote has a price yet."))
    return found


def _name(found: Look) -> str:
    """The title in letters that every file system takes."""
    return _NOT_IN_A_NAME.sub("-", found.draft.head.title).strip("-") or "quote"


@page("/quotes/{id}/quote.csv", roles=LOOKERS)
def quote_csv(ask: Ask) -> Response:
    """Every site with what was answered."""
    found = _priced(ask)
    headings = [
        _("Number"), _("Site"), _("Country"), _("Place"), _("Answer"), _("Quantity"),
        _("Currency"), _("One-off"), _("Monthly"), _("Why not"),
    ]  # fmt: skip
    return files.as_csv(_name(found), headings, [_cells(found, row) for row in found.rows])


def _cells(found: Look, row: Row) -> Sequence[Cell]:
    site = row.item.site
    terms = row.line.terms if row.line else None
    return (
        row.item.id,
        site.name if site else found.offer.name,
        site.country if site else "",
        site.place if site else "",
        said(row.state),
        str(row.item.quantity),
        found.draft.head.currency if terms else "",
        terms.one_off.amount if terms else "",
        terms.monthly.amount if terms else "",
        language.explained(row.reason) or row.words,
    )


@page("/quotes/{id}/quote.pdf", roles=LOOKERS)
def quote_pdf(ask: Ask) -> Response:
    found = _priced(ask)
    document = paper.write(_paper(ask, found))
    return files.download(document, "application/pdf", f"{_name(found)}.pdf")


def _paper(ask: Ask, found: Look) -> paper.QuotePaper:
    sums, until = found.sums, found.valid_until
    assert sums is not None and until is not None
    made = min(one.quote.made_at for one in found.kept)
    lines = [(row, row.line) for row in found.rows if row.line is not None]
    return paper.QuotePaper(
        language=ask.language.partition("-")[0],
        title=_("Quote: %(title)s", title=found.draft.head.title),
        seller=(_("Seller"), *_side(ask.node.us)),
        buyer=(_("Buyer"), *_side(found.buyer.party)),
        facts=[
            (_("Offer"), found.offer.name),
            (_("Made"), language.moment(made)),
            (_("Valid until"), language.moment(until)),
            *(
                (said(name), language.number(int(value)))
                for name, value in sorted(found.draft.head.characteristics.items())
            ),
            (_("Number"), ", ".join(one.quote.id for one in found.kept[:4])),
        ],
        sums_head=(_("Sum"), found.draft.head.currency),
        sums=[
            (_("One-off"), language.money(sums.one_off)),
            (_("Monthly"), language.money(sums.monthly)),
        ],
        lines_title=_("What can be had"),
        lines_head=(
            _("Site"), _("Place"), _("Quantity"), _("One-off"), _("Monthly"), _("Tax"),
        ),
        lines=[
            (
                *_where(found, row),
                language.number(line.quantity),
                language.money(line.terms.one_off),
                language.money(line.terms.monthly),
                language.percent(line.tax.rate_bp / Decimal(10_000), 2),
            )
            for row, line in lines
        ],
        left_out_title=_("What cannot be had"),
        left_out_head=(_("Site"), _("Place"), _("Why")),
        left_out=[
            (*_where(found, row), language.explained(row.reason) or row.words)
            for row in found.rows
            if row.line is None
        ],
        legends=sorted({line.tax.legend for _row, line in lines if line.tax.legend}),
        terms=_("Prices are without tax. Usage, where there is any, is charged beside them."),
    )  # fmt: skip


def _side(party: Party) -> Sequence[str]:
    return [party.name, party.country, *([party.tax_id] if party.tax_id else [])]


def _where(found: Look, row: Row) -> tuple[str, str]:
    site = row.item.site
    return (site.name, f"{site.place} ({site.country})") if site else (found.offer.name, "")


pages = [quote_csv, quote_pdf]
