"""Every page of the alliance's."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.alliance import agreements, launches, partners

pages = [*agreements.pages, *launches.pages, *partners.pages]
