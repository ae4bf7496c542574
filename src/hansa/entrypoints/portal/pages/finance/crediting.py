"""Credit notes: what takes back a part of an invoice of ours. One proposes, another carries out.

Of a partner's invoice it ends a dispute: an offer, an acceptance, or one that we raise about our
own invoice. An end customer's invoice is credited at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from hansa.entrypoints.portal.ask import FINANCE, Ask, change, nothing_here, page
from hansa.entrypoints.portal.duties import Duty, propose
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import money, month
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.disputes import DisputeAct, DisputeCause, LineCredit
from hansa.federation.papers import StatementLine
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId, DisputeId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import credit_notes, disputes, looking
from hansa.lifecycle.settlement.model import DisputeState, Held, HeldDispute

KIND = "credit-note"
DOES: Mapping[str, str] = {
    "accept": N_("Accept all that is disputed"),
    "offer": N_("Offer a part of what is disputed"),
    "raise": N_("Say that our own invoice is too high"),
    "customer": N_("Credit an end customer's invoice"),
}


def _told(
    does: str, *, partner: PartyId, period: str, number: str, amount: Money, **more: Json
) -> dict[str, Json]:
    return {
        "does": does,
        "partner": partner,
        "month": period,
        "number": number,
        "amount": amount.minor,
        "currency": amount.currency,
        **more,
    }


def of_dispute(
    tx: Transaction, held: HeldDispute, of: Held, does: DisputeAct, credits: Sequence[LineCredit]
) -> Mapping[str, Json]:
    """An offer or acceptance of ours about a dispute as it stands now."""
    if does == "accept":
        claims = [(one.key, one.theirs, one.ours) for one in held.dispute.lines]
        full = [LineCredit(key, a - b) for key, a, b in claims if a is not None and b is not None]
        credits = held.credits if held.dispute.raiser == of.statement.creditor else full
    else:
        looking.check_offer(held, credits)
    amount = disputes.worth(tx, statement=of.id, credits=credits)
    return _told(
        does,
        partner=held.partner,
        period=of.statement.period.name,
        number=held.dispute.number,
        amount=amount,
        moves=len(held.moves),
        credits=[[one.key, one.net.minor] for one in credits],
        fingerprint=documents.fingerprint(documents.write(held.dispute)),
    )


def of_raising(
    tx: Transaction,
    held: Held,
    cause: DisputeCause,
    claims: Mapping[str, Money],
    *,
    us: PartyId,
    words: str,
) -> Mapping[str, Json]:
    """A dispute of ours about our own invoice: what lines should have been, net, by key."""
    wholes = {line.key: line.net for line in _lines(tx, held, claims)}
    credits = [LineCredit(key, wholes[key] - net) for key, net in claims.items() if key in wholes]
    return _told(
        "raise",
        partner=held.partner(us),
        period=held.statement.period.name,
        number=held.number,
        amount=disputes.worth(tx, statement=held.id, credits=credits),
        cause=cause,
        words=words,
        claims=[[key, net.minor] for key, net in claims.items()],
        fingerprint=held.statement.fingerprint,
    )


def _lines(tx: Transaction, held: Held, claims: Mapping[str, Money]) -> Sequence[StatementLine]:
    if not claims:
        raise Refused("claim-invalid", _("Begin at the line that is too high."), field="should_be")
    every = looking.lines(tx, statement=held.id, limit=1_000_000).things
    return [line for line in every if line.key in claims]


# --- an end customer's invoice --------------------------------------------------------------------


@page("/invoices/{id}/credit", roles=FINANCE)
def credit(ask: Ask) -> Response:
    """A form: how much of one line, `?line=`, or of the whole invoice is taken back."""
    id = BillId(ask.path["id"])
    number = ask.number("line", 0)
    with ask.node.begin() as tx:
        bill = billing.bare(tx, id=id)
        if not bill.final or bill.agreement is not None or bill.kind_of != "services":
            raise nothing_here()
        left = credit_notes.left_of(tx, invoice=id)
        found = billing.lines(tx, id=id, offset=number - 1, limit=1).things if number else ()
    line = found[0] if found else None
    nets = [left[line.key]] if line else list(left.values())
    return ask.render(
        "finance/credit.html",
        bill=bill,
        line=line,
        number=number,
        left=Money(sum(one.minor for one in nets), bill.currency),
    )


@change("/invoices/{id}/credit", roles=FINANCE, again=credit)
def propose_credit(ask: Ask) -> Response:
    id, why = BillId(ask.path["id"]), ask.typed("why").strip()
    with ask.change("credit-note-proposed", subject=id, why=why) as tx:
        bill = billing.bare(tx, id=id)
        left = credit_notes.left_of(tx, invoice=id)
        lines: list[tuple[str, Money]] = []
        amount = Money(sum(one.minor for one in left.values()), bill.currency)
        if key := ask.typed("key"):
            amount = lists.amount(ask, "amount", bill.currency)
            lines = [(key, amount)]
        if not 0 < amount.minor <= (left[key].minor if key in left else amount.minor):
            raise Refused(
                "credit-invalid", _("That is more than what is left of it."), field="amount"
            )
        content = _told(
            "customer",
            partner=bill.buyer,
            period=bill.period.name,
            number=bill.number,
            amount=amount,
            lines=[[key, net.minor] for key, net in lines],
        )
        one = propose(ask, tx, kind=KIND, subject=id, content=content, why=why)
    return ask.back(f"/approvals/{one.id}", said=_("Another person can approve it now."))


# --- what another person does ---------------------------------------------------------------------


def _carry_out(ask: Ask, tx: Transaction, one: Proposal) -> None:
    match one.content["does"]:
        case "customer":
            _credit_customer(ask, tx, one)
        case "raise":
            _raise(ask, tx, one)
        case "accept" | "offer" as does:
            _move(ask, tx, one, does)


def _pairs(one: Proposal, name: str) -> list[tuple[str, Money]]:
    currency = str(one.content["currency"])
    return documents.read(
        list[tuple[str, Money]],
        [[key, {"minor": minor, "currency": currency}] for key, minor in one.content[name]],
    )


def _credit_customer(ask: Ask, tx: Transaction, one: Proposal) -> None:
    made = credit_notes.for_customer(
        tx,
        invoice=BillId(one.subject),
        lines=_pairs(one, "lines"),
        ids=ask.node.ids,
        now=ask.now,
    )
    if -made.net.minor != one.content["amount"]:
        raise _changed()


def _raise(ask: Ask, tx: Transaction, one: Proposal) -> None:
    node, told = ask.node, one.content
    id = StatementId(one.subject)
    if looking.bare(tx, statement=id).statement.fingerprint != told["fingerprint"]:
        raise _changed()
    disputes.raise_(
        tx,
        us=node.us,
        statement=id,
        cause=documents.read(DisputeCause, told["cause"]),  # type: ignore[arg-type]
        claims=dict(_pairs(one, "claims")),
        words=str(told["words"]),
        keys=node.keys,
        ids=node.ids,
        now=ask.now,
    )


def _move(ask: Ask, tx: Transaction, one: Proposal, does: DisputeAct) -> None:
    """The act that was proposed about the dispute as it was; its credit note comes with it."""
    node, id = ask.node, DisputeId(one.subject)
    held = disputes.get(tx, dispute=id)
    if len(held.moves) != one.content["moves"]:
        raise _changed()
    done = disputes.move(
        tx,
        us=node.us,
        dispute=id,
        act=does,
        credits=[LineCredit(key, net) for key, net in _pairs(one, "credits")],
        reason=one.why,
        by=ask.me.login,
        keys=node.keys,
        ids=node.ids,
        now=ask.now,
    )
    if done.state is DisputeState.ACCEPTED:
        disputes.credit(tx, us=node.us, held=done, keys=node.keys, ids=node.ids, now=ask.now)


def _changed() -> Refused:
    return Refused(
        "proposal-changed",
        _("It is not as it was when this was proposed. Reject it, and have it proposed anew."),
    )


def _href(one: Proposal) -> str:
    match one.content["does"]:
        case "customer":
            return f"/invoices/{one.subject}"
        case "raise":
            return f"/statements/{one.subject}"
        case _:
            return f"/disputes/{one.subject}"


def _facts(one: Proposal) -> Sequence[tuple[str, str]]:
    told = one.content
    amount = Money(int(str(told["amount"])), str(told["currency"]))
    label = N_("Amount, without tax") if told["does"] == "customer" else N_("Amount, with tax")
    facts = [
        (N_("What is done"), _(DOES[str(told["does"])])),
        (N_("Partner or customer"), str(told["partner"])),
        (N_("Month"), month(str(told["month"]))),
        (N_("Invoice"), str(told["number"])),
        (label, money(amount)),
    ]
    if "fingerprint" in told:
        facts.append((N_("Fingerprint of what it is about"), str(told["fingerprint"])))
    return facts


DUTY = Duty(
    kind=KIND, label=N_("Give a credit note"), carry_out=_carry_out, href=_href, facts=_facts
)

pages = [credit, propose_credit]
