"""Every page of sales."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.sales import (
    catalogue,
    decks,
    exports,
    pricing,
    quotes,
    sites,
)

pages = [
    *catalogue.pages,
    *decks.pages,
    *quotes.pages,
    *sites.pages,
    *pricing.pages,
    *exports.pages,
]
