"""Every page of the area, and what of them is live."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.operations import fallout, inventory, orders, tickets

pages = [*orders.pages, *fallout.pages, *inventory.pages, *tickets.pages]
live = [orders.live, tickets.live]
