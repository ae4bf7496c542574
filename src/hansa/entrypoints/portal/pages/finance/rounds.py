"""Netting among many: rounds that are called, plans that are signed or refused, what came of them.

A plan is signed as it was shown: what the centre has proposed anew since is not signed unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from starlette.responses import Response

from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance.netting import Flow, month_of
from hansa.federation.contract import AgreementRef
from hansa.federation.papers import NettingPayment
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import RoundId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.agreement.model import Agreement
from hansa.lifecycle.clearing.actions import centre
from hansa.lifecycle.clearing.actions import netting as clearing
from hansa.lifecycle.clearing.model import Part, PartState, Round

ROUNDS = 100
"""So many rounds are listed, the newest."""


@page("/netting/rounds", roles=BOOKS)
def rounds(ask: Ask) -> Response:
    """The rounds in which we have a part or which we lead, the newest first."""
    with ask.node.begin() as tx:
        parts = {one.id: one for one in clearing.parts(tx)}
        led = {one.id: one for one in centre.rounds(tx)}
        leads = centre.led(tx, us=ask.node.us.id) if ask.has(FINANCE) else []
    ids = sorted(parts.keys() | led.keys(), reverse=True)[:ROUNDS]
    return ask.render(
        "finance/rounds.html",
        rounds=[((parts.get(id) or led[id]).call, parts.get(id), led.get(id)) for id in ids],
        us=ask.node.us.id,
        leads=[(_value(one.ref), _named(one)) for one in leads],
        currencies=[(one, one) for one in _currencies(leads)],
        month=month_of(ask).name,
    )


def _named(one: Agreement) -> str:
    return _("%(name)s, version %(version)s", name=one.document.name, version=one.ref.version)


def _value(ref: AgreementRef) -> str:
    """A version of an agreement, as a form names it."""
    return f"{ref.id}/{ref.version}"


def _currencies(leads: Iterable[Agreement]) -> Sequence[str]:
    """In which there is something to be netted under these agreements."""
    return sorted({item.currency for one in leads for item in one.document.items})


@change("/netting/rounds", roles=FINANCE, again=rounds)
def call(ask: Ask) -> Response:
    """Asks all parties what may be netted; while a round for the same is under way, it is that."""
    node, currency = ask.node, ask.typed("currency")
    with ask.change("netting-called", subject=ask.typed("agreement")) as tx:
        leads = centre.led(tx, us=node.us.id)
        chosen = next((one for one in leads if _value(one.ref) == ask.typed("agreement")), None)
        if chosen is None:
            raise Refused("choice-unknown", _("Choose an agreement."), field="agreement")
        if currency not in _currencies([chosen]):
            words = _("Nothing is sold in this currency under that agreement.")
            raise Refused("choice-unknown", words, field="currency")
        made = centre.call(
            tx,
            us=node.us,
            agreement=chosen.ref,
            period=Period.parse(ask.typed("period")),
            currency=currency,
            ids=node.ids,
            now=ask.now,
        )
    said = _("All parties are asked what may be netted; what they answer is shown here.")
    return ask.back(f"/netting/rounds/{made.id}", said=said)


# --- one of them ----------------------------------------------------------------------------------


@page("/netting/rounds/{id}", roles=BOOKS)
def round_of(ask: Ask) -> Response:
    """Who would pay whom, and who pays whom by the plan; if we lead it, what each party says."""
    id = RoundId(ask.path["id"])
    with ask.node.begin() as tx:
        part, led = _found(tx, id)
        before = centre.debts(tx, us=ask.node.us.id, part=part) if part else ()
        entry = ledger.get_by_key(tx, key=f"clearing/{id}")
    whole = part or led
    assert whole is not None
    plan, currency = whole.plan, whole.call.currency
    owed = {
        party: Money(minor, currency)
        for party, minor in (sorted(plan.positions.items()) if plan else ())
    }
    return ask.render(
        "finance/round.html",
        id=id,
        call=whole.call,
        centre=part.centre if part else ask.node.us.id,
        ours=part,
        led=led,
        plan=plan,
        before=_flows(before),
        after=_flows(plan.payments if plan else ()),
        owed=owed,
        entry=entry,
        may_answer=ask.has(FINANCE) and part is not None and part.state is PartState.PROPOSED,
    )


def _found(tx: Transaction, id: RoundId) -> tuple[Part | None, Round | None]:
    """Our part in a round, and the round as its centre holds it; NotFound if there is neither."""
    led = None
    with suppress(NotFound):
        led = centre.round_of(tx, id=id)
    try:
        return clearing.part(tx, round=id), led
    except NotFound:
        if led is None:
            raise
        return None, led


def _flows(payments: Iterable[NettingPayment]) -> Sequence[Flow]:
    return [Flow(one.payer, one.payee, one.amount) for one in payments]


@change("/netting/rounds/{id}/sign", roles=FINANCE, again=round_of)
def sign(ask: Ask) -> Response:
    """Signs the plan that was shown; what cannot be signed any more is answered with no."""
    node, id = ask.node, RoundId(ask.path["id"])
    with ask.change("netting-signed", subject=id) as tx:
        part = _shown(ask, tx, id)
        done = clearing.sign(tx, us=node.us, part=part, keys=node.keys, ids=node.ids, now=ask.now)
    said = _("We have signed. It is posted once all have.")
    if done.state is not PartState.SIGNED:
        said = _("It could not be signed any more, so the centre is told no: see why below.")
    return ask.back(f"/netting/rounds/{id}", said=said)


@change("/netting/rounds/{id}/refuse", roles=FINANCE, again=round_of)
def refuse(ask: Ask) -> Response:
    """Says no to the plan that was shown, with a reason; the others net without us."""
    node, id, why = ask.node, RoundId(ask.path["id"]), ask.why(_("Say why; the centre reads it."))
    with ask.change("netting-refused", subject=id, why=why) as tx:
        part = _shown(ask, tx, id)
        clearing.refuse(tx, us=node.us, part=part, why=why, ids=node.ids, now=ask.now)
    return ask.back(f"/netting/rounds/{id}", said=_("The centre is told that we say no."))


def _shown(ask: Ask, tx: Transaction, id: RoundId) -> Part:
    """Our part, locked, if its plan is the one that was looked at."""
    part = clearing.part(tx, round=id)
    if ask.typed("attempt") != str(part.attempt):
        raise Refused(
            "shown-changed",
            _("The centre has proposed another plan meanwhile. Look at it, then answer."),
        )
    return part


pages = [rounds, call, round_of, sign, refuse]
