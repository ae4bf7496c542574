"""What a partner tells us of papers of its own, with ids that it chooses: all that it can name."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from hansa.federation import directory
from hansa.federation.contract import AgreementRef
from hansa.federation.disputes import Dispute, DisputeRaised, DisputeTerms
from hansa.federation.keys import certificates
from hansa.federation.listener import Notice
from hansa.federation.model import Card, CardCertificate
from hansa.federation.papers import (
    AgreementDocument,
    AgreementDrafted,
    AgreementItem,
    AgreementMoved,
    AgreementParty,
    AgreementSigned,
    CardRenewed,
    Confirmation,
    Difference,
    InvoiceIssued,
    Signature,
    Statement,
    StatementIssued,
    StatementLine,
    Summary,
)
from hansa.foundation import documents
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import AgreementId, BillId, DisputeId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.lifecycle.settlement.actions import statements
from hansa.node import Node
from tests.alliance import LINE, LONG_AGO, RETAIL
from tests.isolation.world import US, Answered, House

NOVEMBER = Period.month(2026, 11)


@dataclass(frozen=True)
class Names:
    """What a partner chooses. member: whom else it names as a party. certificate: DER in base64."""

    agreement: str
    statement: str
    correction: str
    replaced: str
    share: str
    evidence: str
    bill: str
    number: str
    dispute: str
    disputed: str
    member: str
    certificate: str


def tell(house: House, node: Node, notice: Notice) -> Answered:
    """What we answer a partner's node to this, signed and sent as it does."""
    house.recorder.exchanges.clear()
    with suppress(HansaError):
        node.listener(US).hear(notice)
    (told,) = house.recorder.exchanges
    return told.answered


def story(house: House, node: Node, names: Names) -> Iterator[tuple[str, Answered]]:
    """A partner drafts, signs and ends an agreement, states a month, is confirmed, invoices,
    disputes, and shows another card: what each was, and what it was answered.
    """
    made = _Papers(node, names, house.alliance.clock.now())
    for name, notice in made.before():
        yield name, tell(house, node, notice)
    _confirm(house, StatementId(names.statement), node.us.id)
    for name, notice in made.after():
        yield name, tell(house, node, notice)


def _confirm(house: House, statement: StatementId, creditor: PartyId) -> None:
    """Our people take a partner's word for its statement."""
    us, now = house.node, house.alliance.clock.now()
    with us.begin() as tx:
        found = statements.find(tx, direction="heard", partner=creditor)
        if statement not in [one.id for one in found]:
            return
        held = statements.compare(tx, us=us.us, statement=statement, now=now)
        for one in held.differences:
            statements.resolve(tx, statement=statement, key=one.key, by="Ada", why="-", now=now)
        statements.confirm(tx, us=us.us, statement=statement, keys=us.keys, ids=us.ids, now=now)
    house.alliance.work()


class _Papers:
    def __init__(self, node: Node, names: Names, now: datetime) -> None:
        self._node = node
        self._names = names
        self._now = now
        self._ref = AgreementRef(AgreementId(names.agreement), 1)

    def before(self) -> Iterator[tuple[str, Notice]]:
        document = self._document()
        fingerprint = documents.fingerprint(documents.write(document))
        yield "draft", AgreementDrafted(document)
        yield "signature", AgreementSigned(self._ref, fingerprint, self._sign(fingerprint))
        yield "end", self._end()
        stated = self._statement()
        yield "statement", self._issued(stated)
        yield "statement again", self._issued(stated)
        yield "statement with other words", self._issued(replace(stated, currency="EUR"))
        yield "share", self._issued(self._share())

    def after(self) -> Iterator[tuple[str, Notice]]:
        names, its = self._names, self._node.us.id
        invoice = InvoiceIssued(
            StatementId(names.statement), BillId(names.bill), names.number, self._now
        )
        yield "invoice", invoice
        yield "invoice again", invoice
        yield "dispute", self._disputes(names.statement, names.dispute)
        yield "dispute about another's", self._disputes(names.disputed, f"{names.share}.d.{its}")
        yield "correction", self._issued(self._correction())
        yield "card", CardRenewed(self._card())

    def _document(self) -> AgreementDocument:
        its, names = self._node.us.id, self._names
        return AgreementDocument(
            id=self._ref.id,
            version=1,
            name="of its own",
            parties=(
                AgreementParty(its, "lead"),
                AgreementParty(US, "partner"),
                AgreementParty(PartyId(names.member), "member"),
            ),
            valid_from=LONG_AGO,
            valid_to=None,
            items=(AgreementItem(its, US, (LINE,), ("ZA",), RETAIL, "GBP"),),
        )

    def _end(self) -> AgreementMoved:
        bare = AgreementMoved(self._ref, "end", "", {}, Signature(self._node.us.id, "", self._now))
        return replace(bare, signature=self._sign(documents.fingerprint(documents.write(bare))))

    def _statement(self) -> Statement:
        line = StatementLine("line", LINE, "A line", Decimal(1), "month", _gbp(100), _gbp(20))
        return Statement(
            id=StatementId(self._names.statement),
            kind_of="services",
            agreement=self._ref,
            creditor=self._node.us.id,
            debtor=US,
            period=NOVEMBER,
            currency="GBP",
            lines=(line,),
            net=_gbp(100),
            tax=_gbp(20),
        )

    def _correction(self) -> Statement:
        """Of another agreement, so that it is not refused for being about the same month."""
        other = AgreementRef(self._ref.id, 2)
        names = self._names
        return replace(
            self._statement(),
            id=StatementId(names.correction),
            agreement=other,
            replaces=StatementId(names.replaced),
        )

    def _share(self) -> Statement:
        """Says that the member has confirmed what it owes, which it has not."""
        its, names = self._node.us.id, self._names
        summary = Summary(
            statement=StatementId(names.evidence),
            creditor=its,
            debtor=PartyId(names.member),
            agreement=self._ref,
            period=NOVEMBER,
            currency="GBP",
            net_by_offer={LINE: 100},
            net=_gbp(100),
            tax=_gbp(0),
            lines_fingerprint="0" * 64,
        )
        forged = self._sign(documents.fingerprint(documents.write(summary)))
        base = Confirmation(summary, replace(forged, party=PartyId(names.member)))
        return replace(
            self._statement(),
            id=StatementId(names.share),
            kind_of="revenue-share",
            creditor=US,
            debtor=its,
            evidence=(base,),
        )

    def _disputes(self, statement: str, id: str) -> DisputeRaised:
        line = Difference("line", "A line", theirs=_gbp(100), ours=_gbp(50))
        dispute = Dispute(
            id=DisputeId(id),
            statement=StatementId(statement),
            number=self._names.number,
            raiser=self._node.us.id,
            cause="rate",
            lines=(line,),
            words="too dear",
            evidence=(),
            terms=DisputeTerms(),
            raised_at=self._now,
        )
        return DisputeRaised(dispute, self._sign(documents.fingerprint(documents.write(dispute))))

    def _issued(self, stated: Statement) -> StatementIssued:
        return StatementIssued(stated, self._sign(documents.fingerprint(documents.write(stated))))

    def _sign(self, fingerprint: str) -> Signature:
        return self._node.keys.sign(fingerprint, party=self._node.us.id, at=self._now)

    def _card(self) -> Card:
        node, der = self._node, self._names.certificate
        shown = directory.invite(
            node.keys, party=node.us, address=node.settings.address, now=self._now
        )
        pinned = CardCertificate(certificates.sha256(der), der, self._now, None)
        bare = replace(shown, certificates=(pinned,), signatures={})
        content = documents.fingerprint(documents.write(bare)).encode()
        key = node.keys.current(self._now)
        return replace(bare, signatures={key.kid: b64encode(key.sign(content)).decode()})


def certificate(party: str) -> str:
    """A new certificate, DER in base64."""
    _, pem, _ = certificates.make(party, f"https://{party}.test")
    return b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()


def _gbp(minor: int) -> Money:
    return Money(minor, "GBP")
