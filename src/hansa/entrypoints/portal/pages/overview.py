"""The first page of all staff: how things stand, and what waits for who asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from hansa.entrypoints.portal.ask import (
    APPROVERS,
    BOOKS,
    FINANCE,
    OPERATIONS,
    SALES,
    STAFF,
    Ask,
    page,
)
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages import figures
from hansa.entrypoints.portal.pages.alliance.lists import LOOKING, TRADING
from hansa.entrypoints.portal.pages.operations import fallout
from hansa.entrypoints.portal.pages.parties import names
from hansa.foundation.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for this person. href: of the page that shows it."""

    label: str
    count: int
    href: str


@page("/overview", roles=STAFF)
def overview(ask: Ask) -> Response:
    shown: dict[str, Any] = {}
    with ask.node.begin() as tx:
        unsolved = figures.unsolved(tx) if ask.has(OPERATIONS) else 0
        shown["waiting"] = [one for one in _waiting(ask, tx, unsolved) if one.count]
        if ask.has(OPERATIONS | SALES):
            shown["delivery"] = figures.delivery(ask, tx)
        if ask.has(OPERATIONS):
            shown |= {"held": figures.held(ask, tx), "unsolved": unsolved}
            shown["available"] = figures.available(ask, tx)
        if ask.has(LOOKING):
            counting = figures.counting(ask, tx)
            shown["launches"] = figures.launches(counting)
        if ask.has(BOOKS):
            shown |= _money(ask, tx, figures.exposures(ask, tx, counting))
    return ask.render("alliance/overview.html", **shown)


def _waiting(ask: Ask, tx: Transaction, unsolved: int) -> Iterator[Waiting]:
    """What this person's roles have it do, the most pressing first."""
    theirs, own = figures.to_approve(ask, tx)
    if ask.has(OPERATIONS):
        stuck = figures.stuck(tx, fallout.BESIDES)
        yield Waiting(_("Work that is stuck"), stuck, "/fallout")
        yield Waiting(_("Open tickets"), unsolved, "/tickets")
    if ask.has(APPROVERS):
        yield Waiting(_("Proposals to decide"), theirs, "/approvals")
    if ask.has(FINANCE):
        heard = "/statements?state=issued&direction=heard"
        yield Waiting(_("Statements to answer"), figures.to_answer(tx), heard)
        disputed = "/statements?state=disputed&direction=issued"
        yield Waiting(_("Statements to correct"), figures.to_correct(tx), disputed)
        plans = figures.plans_to_answer(tx)
        yield Waiting(_("Netting plans to answer"), plans, "/netting/rounds")
        yield Waiting(_("Open disputes"), figures.undecided(tx), "/disputes")
    if ask.has(TRADING):
        signing = figures.to_sign(ask, tx)
        yield Waiting(_("Agreements to sign"), signing, "/agreements?state=draft")
    yield Waiting(_("Your proposals that wait"), own, "/approvals")


def _money(ask: Ask, tx: Transaction, exposures: Sequence[figures.Exposure]) -> dict[str, Any]:
    found = figures.outstanding(tx)
    return {
        "called": names(ask, tx),
        "outstanding": found,
        "converted": figures.converted(ask, tx, found),
        "revenue": figures.revenue(ask, tx),
        "exposures": exposures,
    }


pages = [overview]
