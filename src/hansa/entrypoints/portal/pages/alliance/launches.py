"""The launch board: country by country, gate by gate, for every agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal import language, paging
from hansa.entrypoints.portal.ask import Ask, change, nothing_here, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.alliance.lists import LOOKING, PAGE, TESTING, TRADING
from hansa.entrypoints.portal.pages.parties import names
from hansa.foundation.ids import AgreementId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import (
    Agreement,
    AgreementState,
    Country,
    CountryState,
    GatePassed,
)

OPEN = frozenset({AgreementState.SIGNED, AgreementState.LIVE})
"""In which a country can be launched."""


@dataclass(frozen=True, slots=True)
class Board:
    """A country of an agreement: what was shown at its gates, and what it still takes."""

    country: Country
    gates: tuple[tuple[str, GatePassed | None], ...]

    @property
    def passed(self) -> int:
        return sum(shown is not None for _, shown in self.gates)

    @property
    def live(self) -> bool:
        return self.country.state is CountryState.LIVE

    @property
    def ready(self) -> bool:
        return not self.live and self.passed == len(self.gates)


def boards(agreement: Agreement) -> Sequence[Board]:
    """Every country that the version lists, with all gates in the order of the document."""
    return [_board(agreement, one) for one in agreement.countries]


def _board(agreement: Agreement, country: Country) -> Board:
    shown: Mapping[str, GatePassed] = {one.gate: one for one in country.gates}
    gates = agreement.document.gates
    return Board(country, tuple((gate, shown.get(gate)) for gate in gates))


@page("/launches", roles=LOOKING)
def launch_list(ask: Ask) -> Response:
    text = ask.sought()
    turn = paging.turn(ask, PAGE)
    with ask.node.begin() as tx:
        found, total = actions.page(tx, text=text, offset=turn.offset, limit=turn.size, now=ask.now)
        called = names(ask, tx)
    return ask.render(
        "alliance/launches.html",
        part="alliance/_launches.html",
        found=[(one.shown, boards(one.shown)) for one in found],
        called=called,
        wanted={"q": text},
        turn=turn,
        total=total,
    )


@page("/launches/{id}/{country}", roles=LOOKING)
def launch_page(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        one = _version(ask, tx)
        called = names(ask, tx)
    board = next(board for board in boards(one) if board.country.code == ask.path["country"])
    leads = one.lead == ask.node.us.id
    return ask.render(
        "alliance/launch.html",
        one=one,
        board=board,
        called=called,
        leads=leads,
        may_pass=leads and ask.has(TESTING) and one.state is not AgreementState.ENDED,
        may_launch=leads and ask.has(TRADING) and one.state in OPEN,
    )


@change("/launches/{id}/{country}/pass", roles=TESTING, again=launch_page)
def pass_gate(ask: Ask) -> Response:
    """Puts on record what was shown; it stays as it was shown first."""
    country, gate = ask.path["country"], ask.typed("gate")
    evidence = ask.typed("evidence").strip()
    subject = f"{ask.path['id']}/{country}/{gate}"
    with ask.change("gate-passed", subject=subject, details={"evidence": evidence}) as tx:
        actions.pass_gate(
            tx,
            us=ask.node.us.id,
            ref=_version(ask, tx).ref,
            country=country,
            gate=gate,
            evidence=evidence,
            by=ask.me.login,
            now=ask.now,
        )
    return ask.back(_here(ask), said=_("It is on record what was shown for %(gate)s.", gate=gate))


@change("/launches/{id}/{country}/launch", roles=TRADING, again=launch_page)
def launch(ask: Ask) -> Response:
    """Makes the country live, and tells all parties; there is no way back but to suspend."""
    node, country, why = ask.node, ask.path["country"], ask.why()
    with ask.change("country-launched", subject=f"{ask.path['id']}/{country}", why=why) as tx:
        actions.launch(
            tx,
            us=node.us.id,
            ref=_version(ask, tx).ref,
            country=country,
            keys=node.keys,
            ids=node.ids,
            now=ask.now,
        )
    name = language.country(country)
    return ask.back(_here(ask), said=_("%(country)s is live. All parties are told.", country=name))


def _here(ask: Ask) -> str:
    return f"/launches/{ask.path['id']}/{ask.path['country']}"


def _version(ask: Ask, tx: Transaction) -> Agreement:
    """The version in force, or else the newest, of those that list this country."""
    versions, _moves = actions.history(tx, id=AgreementId(ask.path["id"]))
    listing = [
        one
        for one in versions
        if ask.path["country"] in [country.code for country in one.countries]
    ]
    if not listing:
        raise nothing_here()
    counts = [one for one in listing if one.in_force and one.in_force.holds(ask.now)]
    return (counts or listing)[-1]


pages = [launch_list, launch_page, pass_gate, launch]
