"""What finance proposes and another person carries out: confirmations, and credit notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.duties import Duty
from hansa.entrypoints.portal.language import gettext, money, month
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.entrypoints.portal.pages.finance import correcting, crediting
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.actions import statements as settlement
from hansa.lifecycle.settlement.model import Held

CONFIRMATION = "settlement-confirmation"


def content(held: Held, *, us: PartyId) -> Mapping[str, Json]:
    """What of a statement is confirmed: exactly what has this fingerprint."""
    return {
        "partner": held.partner(us),
        "month": held.statement.period.name,
        "currency": held.statement.currency,
        "net": held.statement.net.minor,
        "tax": held.statement.tax.minor,
        "fingerprint": held.statement.fingerprint,
    }


def _confirm(ask: Ask, tx: Transaction, one: Proposal) -> None:
    """Signs the statement that was shown, and no other."""
    id = StatementId(one.subject)
    if looking.bare(tx, statement=id).statement.fingerprint != one.content["fingerprint"]:
        raise Refused(
            "proposal-changed", gettext("The statement is not the one that was proposed.")
        )
    node = ask.node
    settlement.confirm(tx, us=node.us, statement=id, keys=node.keys, ids=node.ids, now=ask.now)


def _facts(one: Proposal) -> Sequence[tuple[str, str]]:
    told = one.content
    net, tax = (Money(int(str(told[name])), str(told["currency"])) for name in ("net", "tax"))
    return [
        (N_("Partner"), str(told["partner"])),
        (N_("Month"), month(str(told["month"]))),
        (N_("Amount"), money(net + tax)),
        (N_("Net"), money(net)),
        (N_("Tax"), money(tax)),
        (N_("Fingerprint of the statement"), str(told["fingerprint"])),
    ]


CONFIRMING = Duty(
    kind=CONFIRMATION,
    label=N_("Confirm a statement"),
    carry_out=_confirm,
    href=lambda one: f"/statements/{one.subject}",
    facts=_facts,
)

DUTIES = (CONFIRMING, crediting.DUTY, correcting.DUTY)
