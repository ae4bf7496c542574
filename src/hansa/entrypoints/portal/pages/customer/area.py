"""Every page of a customer's."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.customer import (
    bills,
    history,
    orders,
    quotes,
    services,
    tickets,
    usage,
)

pages = [
    *services.pages, *history.pages, *usage.pages, *quotes.pages, *orders.pages, *bills.pages,
    *tickets.pages,
]  # fmt: skip
