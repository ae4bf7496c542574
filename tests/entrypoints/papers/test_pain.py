"""Orders to our bank, held against the schema of ISO 20022."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from lxml import etree

from hansa.entrypoints.papers import pain
from hansa.foundation.ids import BankAccountId, PartyId, PaymentId
from hansa.foundation.money import Money
from hansa.lifecycle.clearing.model import BankAccount, Payment, PaymentOrder, Remitted
from tests.entrypoints.papers.bills import TEJO
from tests.entrypoints.papers.official import against_pain

NOW = datetime(2026, 12, 20, 9, tzinfo=UTC)
OURS = BankAccount(
    BankAccountId("bnk_1"), TEJO.party.id, "Tejo Comunicações, S.A.", "PT50000201231234567890154",
    "BCOMPTPL", "Ben", NOW, "Ada", NOW,
)  # fmt: skip
THEIRS = BankAccount(
    BankAccountId("bnk_2"), PartyId("mtn"), "MTN Business № 1 <ZA>", "62001234567", "FIRNZAJJ",
    "Ben", NOW, "Ada", NOW,
)  # fmt: skip


def payment(minor: int = 5_000, *, source: str = "netting/2026-11/mtn/EUR/1") -> Payment:
    return Payment(
        settlement="0123456789ABCDEF0123456789ABCDEF",
        payee=THEIRS.party,
        amount=Money(minor, "EUR"),
        source=source,
        remitted=(
            Remitted("MTN-2026-000001", Money(8_000, "EUR"), set_off=False),
            Remitted("TEJO-2026-000007", Money(2_000, "EUR"), set_off=True),
            Remitted("MTN-CN-2026-000001", Money(1_500, "EUR"), True, "credit-note"),
            Remitted("TEJO-CN-2026-000002", Money(500, "EUR"), False, "credit-note"),
        ),
        account=THEIRS.id,
    )


def written(*payments: Payment) -> bytes:
    order = PaymentOrder(
        PaymentId("pay_" + "0" * 32), OURS.id, "EUR", date(2026, 12, 30), payments, "Ben", NOW
    )
    return pain.write(order, us=TEJO.party, accounts={OURS.id: OURS, THEIRS.id: THEIRS})


@pytest.mark.parametrize("source", ["netting/2026-11/mtn/EUR/1", "round/rnd_" + "1" * 32 + "/mtn"])
def test_a_file_stands_up_to_the_schema(source: str) -> None:
    document = written(payment(source=source), payment(1))
    assert against_pain(document) == []
    tree = etree.fromstring(document)
    at = {"p": pain.NAMESPACE}
    assert tree.findtext(".//p:EndToEndId", None, at) == "0123456789ABCDEF0123456789ABCDEF"
    assert [one.text for one in tree.iterfind(".//p:CtrlSum", at)] == ["50.01", "50.01"]
    assert tree.findtext(".//p:DbtrAcct//p:IBAN", None, at) == OURS.number
    assert tree.findtext(".//p:CdtrAcct//p:Othr/p:Id", None, at) == THEIRS.number
    assert tree.findtext(".//p:Cdtr/p:Nm", None, at) == "MTN Business No 1 .ZA."
    assert tree.findtext(".//p:Dbtr/p:Nm", None, at) == "Tejo Comunicacoes, S.A."
    named = [one.text for one in tree.iterfind(".//p:Nb", at)]
    assert named.count("MTN-2026-000001") == named.count("TEJO-2026-000007") == 2
    assert ("rnd" + "1" * 32 in named) is source.startswith("round/")
    told = [
        (one.findtext(".//p:Cd", None, at), one.findtext(".//p:Nb", None, at),
         one.findtext(".//p:RmtdAmt", None, at), one.findtext(".//p:CdtNoteAmt", None, at))
        for one in tree.iterfind(".//p:Strd", at)
    ]  # fmt: skip
    assert told[-4:] == [
        ("CINV", "MTN-2026-000001", "80.00", None),
        ("CINV", "TEJO-2026-000007", None, "20.00"),
        ("CREN", "MTN-CN-2026-000001", None, "15.00"),
        ("CREN", "TEJO-CN-2026-000002", "5.00", None),
    ]


def test_the_same_order_is_the_same_file() -> None:
    assert written(payment()) == written(payment())


def test_the_schema_bites() -> None:
    broken = written(payment()).replace(b"EndToEndId>", b"EndToEnd>")
    assert against_pain(broken)
