"""The side menu: what there is for whom. An item leads to one page of an area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hansa.entrypoints.portal.language import gettext
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.foundation.people.model import Person, StaffRole


@dataclass(frozen=True, slots=True)
class Item:
    """current: whether the page shown lies below it. parts: of a heading."""

    label: str
    href: str = ""
    icon: str = ""
    current: bool = False
    parts: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """Items for the same people. items: label, address, icon. Areas of one label stand together."""

    label: str
    roles: frozenset[StaffRole]
    items: tuple[tuple[str, str, str], ...]


S = StaffRole
AREAS: Sequence[Area] = (
    Area(
        N_("Overview"),
        frozenset(S) - {S.CUSTOMER},
        ((N_("Overview"), "/overview", "layout-dashboard"),),
    ),
    Area(
        N_("Sales"),
        frozenset({S.SALES, S.FINANCE, S.APPROVER}),
        (
            (N_("Quotes"), "/quotes", "clipboard-list"),
            (N_("Catalogue"), "/catalogue", "book-2"),
            (N_("Price decks"), "/decks", "table"),
        ),
    ),
    Area(
        N_("Operations"),
        frozenset({S.SALES, S.OPERATIONS}),
        ((N_("Orders"), "/orders", "clipboard-list"),),
    ),
    Area(
        N_("Operations"),
        frozenset({S.OPERATIONS}),
        (
            (N_("Held for a person"), "/fallout", "player-pause"),
            (N_("Inventory"), "/inventory", "stack-2"),
            (N_("Tickets"), "/tickets", "lifebuoy"),
        ),
    ),
    Area(
        N_("Finance"),
        frozenset({S.FINANCE, S.APPROVER}),
        (
            (N_("Invoices"), "/invoices", "file-invoice"),
            (N_("Statements"), "/statements", "file-text"),
            (N_("Disputes"), "/disputes", "flag"),
            (N_("Netting"), "/netting", "arrows-exchange"),
            (N_("Payments"), "/payments", "building-bank"),
            (N_("Ageing"), "/ageing", "hourglass"),
            (N_("Ledger"), "/ledger", "book-2"),
        ),
    ),
    Area(
        N_("Alliance"),
        frozenset({S.SALES, S.OPERATIONS, S.FINANCE, S.APPROVER}),
        (
            (N_("Agreements"), "/agreements", "writing-sign"),
            (N_("Launch board"), "/launches", "rocket"),
            (N_("Partners"), "/partners", "affiliate"),
        ),
    ),
    Area(
        N_("Administration"),
        frozenset(S) - {S.CUSTOMER},
        ((N_("Approvals"), "/approvals", "checks"),),
    ),
    Area(
        N_("Administration"),
        frozenset({S.ADMIN, S.APPROVER}),
        ((N_("Audit log"), "/audit", "history"),),
    ),
    Area(N_("Administration"), frozenset({S.ADMIN}), ((N_("People"), "/people", "users"),)),
    Area(
        N_("Your services"),
        frozenset({S.CUSTOMER}),
        (
            (N_("Overview"), "/my", "home"),
            (N_("Services"), "/my/services", "plug-connected"),
            (N_("Quotes"), "/my/quotes", "file-text"),
            (N_("Orders"), "/my/orders", "shopping-cart"),
            (N_("Bills"), "/my/bills", "file-invoice"),
            (N_("Tickets"), "/my/tickets", "lifebuoy"),
        ),
    ),
)


def of(person: Person | None, *, here: str) -> Sequence[Item]:
    """The areas for who asks, each with its items. here: the path of the page shown."""
    if person is None:
        return []
    shown = [area for area in AREAS if area.items and person.roles & area.roles]
    nearest = _nearest(shown, here)
    return [
        Item(
            label=gettext(heading),
            parts=tuple(
                Item(gettext(label), href, icon, href == nearest)
                for area in areas
                for label, href, icon in area.items
            ),
        )
        for heading, areas in groupby(shown, key=lambda area: area.label)
    ]


def _nearest(areas: Sequence[Area], here: str) -> str:
    """The item that leads to a page, or to the nearest page above it."""
    hrefs = [href for area in areas for _label, href, _icon in area.items]
    above = [href for href in hrefs if here == href or here.startswith(f"{href}/")]
    return max(above, key=len, default="")
