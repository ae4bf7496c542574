"""Correcting a statement of ours: it is withdrawn, computed anew, and sent again.

Where we take the debtor's figure on a line, we are owed less by somebody's word: one person
proposes that, and another has it done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from starlette.responses import Response

from hansa.entrypoints.portal.ask import FINANCE, Ask, change, nothing_here, page
from hansa.entrypoints.portal.duties import Duty, propose, proposed
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import money, month
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.federation.papers import Difference, StatementState
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import StatementId
from hansa.foundation.money import Money
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.actions import statements as actions
from hansa.lifecycle.settlement.model import Held

KIND = "statement-correction"
DIFFERENCES = 100
"""So many differing lines a page shows."""


@page("/statements/{id}/correct", roles=FINANCE)
def correct(ask: Ask) -> Response:
    """A form: on which of the lines that differ we take the debtor's figure, if on any."""
    id = StatementId(ask.path["id"])
    with ask.node.begin() as tx:
        held = looking.bare(tx, statement=id)
        waiting = proposed(tx, kind=KIND, subject=id)
    if held.direction != "issued":
        raise nothing_here()
    return ask.render(
        "finance/correct.html",
        held=held,
        partner=held.partner(ask.node.us.id),
        differences=[one for one in held.differences if one.ours is not None][:DIFFERENCES],
        chosen=ask.lists.get("concede", ()),
        may=actions.correctable(held),
        waiting=waiting,
    )


@change("/statements/{id}/correct", roles=FINANCE, again=correct)
def correct_send(ask: Ask) -> Response:
    """Sends the corrected one; where lines are conceded it proposes that. Once, however often it
    is pressed: who comes too late is led to the statement that took its place.
    """
    id = StatementId(ask.path["id"])
    with ask.node.begin() as tx:
        held = looking.bare(tx, statement=id)
        after = follower(tx, held)
    if after is not None:
        said = _("It was corrected before; this is the statement that took its place.")
        return ask.back(f"/statements/{after}", said=said)
    why = ask.why()
    if keys := sorted(set(ask.lists.get("concede", ()))):
        return _propose(ask, id, keys, why)
    with ask.change("statement-corrected", subject=id, why=why) as tx:
        made = _reissue(ask, tx, id, ())
    return ask.back(f"/statements/{made.id}", said=_("The corrected statement is on its way."))


def follower(tx: Transaction, held: Held) -> StatementId | None:
    """The statement that took the place of one of ours, if one did."""
    if held.state is not StatementState.WITHDRAWN or held.bill is None:
        return None
    return looking.of_bill(tx, bill=held.bill)


def _reissue(ask: Ask, tx: Transaction, id: StatementId, keys: Collection[str]) -> Held:
    node = ask.node
    return actions.reissue(
        tx, us=node.us, statement=id, concede=keys, keys=node.keys, ids=node.ids, now=ask.now
    )


# --- what another person does ---------------------------------------------------------------------


class _TakeBack(Exception):
    def __init__(self, content: Mapping[str, Json]) -> None:
        self.content = content


def _tried(ask: Ask, id: StatementId, keys: Collection[str]) -> Mapping[str, Json]:
    """What the corrected statement would say, computed as when it is sent, and nothing kept."""

    def attempt() -> None:
        with ask.node.begin() as tx:
            held = looking.bare(tx, statement=id)
            raise _TakeBack(_content(ask, held, _reissue(ask, tx, id, keys), keys))

    try:
        attempt()
    except _TakeBack as taken_back:
        return taken_back.content
    raise AssertionError


def _propose(ask: Ask, id: StatementId, keys: Sequence[str], why: str) -> Response:
    content = _tried(ask, id, keys)
    with ask.change("correction-proposed", subject=id, why=why) as tx:
        one = propose(ask, tx, kind=KIND, subject=id, content=content, why=why)
    return ask.back(f"/approvals/{one.id}", said=_("Another person can approve it now."))


def _content(ask: Ask, held: Held, made: Held, keys: Collection[str]) -> Mapping[str, Json]:
    """What is stated now, what would be stated then, and on which lines we give way."""
    return {
        "partner": held.partner(ask.node.us.id),
        "month": held.statement.period.name,
        "currency": held.statement.currency,
        "total": held.total.minor,
        "net": made.statement.net.minor,
        "tax": made.statement.tax.minor,
        "lines": [_line(one) for one in held.differences if one.key in keys],
        "fingerprint": held.statement.fingerprint,
    }


def _line(one: Difference) -> list[Json]:
    """Its key, what it is for, our figure and theirs; the last is None where they have no line."""
    ours, theirs = (None if found is None else found.minor for found in (one.ours, one.theirs))
    return [one.key, one.description, ours, theirs]


def _carry_out(ask: Ask, tx: Transaction, one: Proposal) -> None:
    """Sends exactly what was proposed, or nothing."""
    id, told = StatementId(one.subject), one.content
    changed = Refused(
        "proposal-changed",
        _("It is not as it was when this was proposed. Reject it, and have it proposed anew."),
    )
    if looking.bare(tx, statement=id).statement.fingerprint != told["fingerprint"]:
        raise changed
    made = _reissue(ask, tx, id, [key for key, *_more in _lines(one)])
    if [made.statement.net.minor, made.statement.tax.minor] != [told["net"], told["tax"]]:
        raise changed


def _lines(one: Proposal) -> Sequence[Sequence[Json]]:
    lines = one.content["lines"]
    assert isinstance(lines, list)
    return [line for line in lines if isinstance(line, list)]


def _facts(one: Proposal) -> Sequence[tuple[str, str]]:
    told = one.content

    def amount(minor: Json) -> str:
        return money(Money(int(str(minor)), str(told["currency"])))

    facts = [
        (N_("Partner"), str(told["partner"])),
        (N_("Month"), month(str(told["month"]))),
        (N_("Amount so far, with tax"), amount(told["total"])),
        (N_("Amount then, with tax"), amount(int(str(told["net"])) + int(str(told["tax"])))),
    ]
    for _key, description, ours, theirs in _lines(one):
        then = _("no such line") if theirs is None else amount(theirs)
        facts.append((N_("Their figure is taken"), f"{description}: {amount(ours)} → {then}"))
    facts.append((N_("Fingerprint of the statement"), str(told["fingerprint"])))
    return facts


DUTY = Duty(
    kind=KIND,
    label=N_("Correct a statement by the debtor's figures"),
    carry_out=_carry_out,
    href=lambda one: f"/statements/{one.subject}",
    facts=_facts,
)

pages = [correct, correct_send]
