"""Every page of a customer's."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.customer import bills, orders, quotes, services, tickets, usage

pages = [
    *services.pages, *usage.pages, *quotes.pages, *orders.pages, *bills.pages, *tickets.pages,
]  # fmt: skip
