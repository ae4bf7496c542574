"""What partners tell us, late or twice or out of order. `us` is this node's own party's id."""

from __future__ import annotations

from dataclasses import replace

from hansa.federation import directory, packed
from hansa.federation.papers import (
    InvoiceIssued,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import EntryId, Ids, OfferCode, PartyId, check_given
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillState, SupplierInvoice
from hansa.lifecycle.settlement.actions import credit_notes, shares, statements
from hansa.lifecycle.settlement.model import STATEMENT_STATES, Held
from hansa.lifecycle.settlement.rules import papers
from hansa.lifecycle.settlement.store import papers as store


def hear_statement(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: StatementIssued, now: Instant
) -> None:
    """Keeps a partner's statement for comparison; heard again changes nothing.

    One that replaces another withdraws that one, also when it comes before it. Raises
    TryLater `statement-overtaken` while a statement between is on its way,
    `statement-busy`, `agreement-not-heard`, `credit-early`; Refused `statement-party`,
    `signature-wrong`, `statement-lines`, `statement-sums`, `evidence-wrong`, `statement-twice`,
    `statement-final`, `credit-wrong`, `id-not-given`, `key-reused`; NotFound `partner-unknown`.
    """
    paper = notice.statement
    papers.check_parties(paper, us=us, sender=sender, signer=notice.signature.party)
    if notice.parts:
        if paper.lines:
            raise Refused("malformed", "Lines are written out or packed, not both.", field="lines")
        paper = replace(paper, lines=packed.from_text(notice.parts))
    kept = packed.keep(paper)
    directory.verify_paper(
        tx, party=sender, fingerprint=kept.fingerprint, signature=notice.signature
    )
    before = store.get(tx, paper.id)
    if before is None or before.partner(us) != sender:
        check_given(paper.id, by=sender, field="id")
    else:
        if before.statement.fingerprint != kept.fingerprint:
            raise Refused(
                "key-reused", f"Statement {paper.id} came before with other content.", field="id"
            )
        return
    papers.check_statement(paper)
    if paper.kind_of == "revenue-share":
        shares.check_form(tx, statement=paper)
        shares.check_signatures(tx, us=us, statement=paper, all_known=False)
    state = StatementState.ISSUED
    if paper.kind_of == "credit-note":
        if credit_notes.expected(tx, paper=paper) != paper.lines:
            raise credit_notes.wrong(paper)
    elif store.replaced(tx, paper.id):
        state = StatementState.WITHDRAWN
    elif (current := store.like(tx, paper)) is not None:
        _give_way(tx, current, paper)
    held = Held(statement=kept, direction="heard", signature=notice.signature, state=state)
    if not store.insert(tx, held, now):
        raise TryLater("statement-busy", "This month is just being stated; send it again.")


def _give_way(tx: Transaction, current: Held, new: Statement) -> None:
    """Withdraws the statement that counts now, if the new one replaces it."""
    if current.id == new.replaces:
        if current.state is StatementState.INVOICED:
            raise Refused(
                "statement-final",
                f"Statement {current.id} is invoiced and cannot be replaced.",
                field="replaces",
            )
        store.update(tx, replace(current, state=StatementState.WITHDRAWN))
        return
    for between in (current.statement.bare.replaces, new.replaces):
        if between is not None and not store.known(tx, between):
            raise TryLater(
                "statement-overtaken",
                f"Statement {between} has not arrived here yet; send this again after it.",
            )
    raise Refused(
        "statement-twice",
        f"Statement {current.id} is about the same month; name it as the one replaced.",
        field="replaces",
    )


def hear_answer(
    tx: Transaction,
    *,
    us: PartyId,
    sender: PartyId,
    notice: StatementAnswered,
    ids: Ids,
    now: Instant,
) -> None:
    """Takes in a partner's answer to a statement of ours; heard again changes nothing.

    A confirmation of services makes the bill final in the same transaction, and the partner
    is told its number. A dispute puts the bill on hold. An answer to a withdrawn statement
    counts no more. Raises NotFound `statement-unknown`; Refused `confirmation-wrong`,
    `signature-wrong`, `bill-differs`.
    """
    held = statements.issued(tx, notice.statement)
    if held.partner(us) != sender:
        raise statements.unknown(notice.statement)
    if notice.confirmation is None:
        if held.state is StatementState.ISSUED:
            found = papers.mirrored(notice.differences)
            store.update(tx, replace(held, state=StatementState.DISPUTED, differences=found))
            if held.bill is not None:
                billing.move(tx, bill=held.bill, state=BillState.ON_HOLD)
        return
    papers.check_confirmation(held.statement, notice.confirmation, sender=sender)
    directory.verify_paper(
        tx,
        party=sender,
        fingerprint=documents.fingerprint(documents.write(notice.confirmation.summary)),
        signature=notice.confirmation.signature,
    )
    if not STATEMENT_STATES.may(held.state, StatementState.CONFIRMED):
        return
    held = replace(held, state=StatementState.CONFIRMED, confirmation=notice.confirmation)
    store.update(tx, held)
    if held.statement.creditor == us:
        statements.invoice(tx, us, held, ids, now)


def hear_invoice(
    tx: Transaction,
    *,
    us: PartyId,
    sender: PartyId,
    notice: InvoiceIssued,
    ids: Ids,
    now: Instant,
) -> None:
    """Books the invoice that a confirmed statement has become; heard again changes nothing.

    Raises NotFound `statement-unknown`; TryLater `answer-awaited` when it overtook the
    creditor's confirmation; Refused `invoice-unconfirmed`, `key-reused`, `malformed`.
    """
    papers.check_invoice(notice)
    held = store.get(tx, notice.statement, lock=True)
    if held is None or (held.statement.creditor, held.statement.debtor) != (sender, us):
        raise statements.unknown(notice.statement)
    paper = held.statement
    if held.state is StatementState.INVOICED:
        if (held.bill, held.number) != (notice.bill, notice.number):
            raise Refused(
                "key-reused", f"{paper.id} is invoiced as {held.number} already.", field="number"
            )
        return
    if held.direction == "issued" and held.state is StatementState.ISSUED:
        raise TryLater(
            "answer-awaited", "The confirmation has not arrived yet; send this again after it."
        )
    if held.state is not StatementState.CONFIRMED:
        raise Refused(
            "invoice-unconfirmed",
            f"Statement {paper.id} is {held.state}; only a confirmed one can be invoiced.",
            field="statement",
        )
    families = billing.families(tx, us=us, seller=sender, period=paper.period)
    billing.record_supplier_invoice(
        tx,
        us=us,
        invoice=SupplierInvoice(
            bill=notice.bill,
            number=notice.number,
            kind_of=paper.kind_of,
            issuer=sender,
            statement=paper.id,
            agreement=paper.agreement,
            period=paper.period,
            currency=paper.currency,
            net=paper.net,
            tax=paper.tax,
            issued_at=notice.issued_at,
            booked_at=now,
            entry=ids.new(EntryId),
        ),
        document=paper.fingerprint,
        costs=[
            (families.get(OfferCode(offer)), Money(minor, paper.currency))
            for offer, minor in paper.packed.net_by_offer.items()
        ],
        now=now,
    )
    store.update(
        tx,
        replace(held, state=StatementState.INVOICED, bill=notice.bill, number=notice.number),
    )
