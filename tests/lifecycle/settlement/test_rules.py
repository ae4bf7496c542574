"""Comparing, sharing and proving, as tables."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from hansa.federation.contract import AgreementRef, Tax
from hansa.federation.packed import keep
from hansa.federation.papers import (
    Confirmation,
    Difference,
    RevenueShare,
    Signature,
    Statement,
    StatementLine,
    Summary,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, BillId, OfferCode, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.lifecycle.billing.model import keep as keep_bill
from hansa.lifecycle.settlement.model import Books, BooksLine
from hansa.lifecycle.settlement.rules import books as books_rules
from hansa.lifecycle.settlement.rules import papers
from hansa.lifecycle.settlement.rules import shares as rules
from tests.lifecycle.settlement.world import ALLIANCE, BT, MCI, MONTH_END, MTN, NOVEMBER, REVERSE

CONNECT, SHIELD = OfferCode("connect"), OfferCode("shield")
MEMBERS = (BT, MTN, MCI)


def line(key: str, net: int, tax: int = 0, offer: OfferCode = CONNECT) -> StatementLine:
    return StatementLine(
        key=key,
        offer=offer,
        description=f"line {key}",
        quantity=Decimal(1),
        unit="month",
        net=Money(net, "GBP"),
        tax=Money(tax, "GBP"),
    )


def pounds(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, "GBP")


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ([], [], []),
        ([line("a", 100, 20)], [line("a", 100, 20)], []),
        ([line("a", 101)], [line("a", 100)], [("a", 101, 100)]),
        ([line("a", 100)], [], [("a", 100, None)]),
        ([], [line("a", 100)], [("a", None, 100)]),
        ([line("a", 100, 20)], [line("a", 100, 21)], [("a#tax", 20, 21)]),
        (
            [line("b", 1), line("a", 2), line("c", 3)],
            [line("c", 4), line("b", 1), line("d", 5)],
            [("a", 2, None), ("c", 3, 4), ("d", None, 5)],
        ),
    ],
)
def test_every_line_that_differs_is_named(
    theirs: list[StatementLine],
    ours: list[StatementLine],
    found: list[tuple[str, int | None, int | None]],
) -> None:
    said = papers.compare(theirs, ours)
    assert [(one.key, one.theirs, one.ours) for one in said] == [
        (key, pounds(their), pounds(our)) for key, their, our in found
    ]
    assert papers.compare(ours, theirs) == papers.mirrored(said)


def test_what_is_only_said_differently_does_not_differ() -> None:
    ours = replace(line("a", 100), description="Leitung a", unit="Monat", quantity=Decimal("1.0"))
    assert papers.compare([line("a", 100)], [ours]) == ()


def test_a_refusal_names_the_first_line_and_how_many_more() -> None:
    differences = (
        Difference("a", "line a", Money(100, "GBP"), None),
        Difference("b", "line b", Money(1, "GBP"), Money(2, "GBP")),
    )
    said = papers.differs(differences)
    assert (said.code, said.field) == ("statement-differs", "a")
    assert said.words.startswith(
        "line a: the statement says 1.00 GBP, our own computation says no such line, and 1 more."
    )


def statement(*lines: StatementLine) -> Statement:
    bare = Statement(
        id=StatementId("stm_1"),
        kind_of="services",
        agreement=ALLIANCE,
        creditor=BT,
        debtor=MTN,
        period=NOVEMBER,
        currency="GBP",
        lines=(),
        net=Money(0, "GBP"),
        tax=Money(0, "GBP"),
    )
    return papers.summed(bare, lines)


def test_a_summary_shows_totals_by_offer_and_no_line() -> None:
    said = papers.summary(
        keep(statement(line("a", 100, 20), line("b", 50, 10, SHIELD), line("c", -30, -6)))
    )
    assert said.net_by_offer == {"connect": 70, "shield": 50}
    assert (said.net, said.tax) == (Money(120, "GBP"), Money(24, "GBP"))
    changed = papers.summary(
        keep(statement(line("a", 99, 20), line("b", 50, 10, SHIELD), line("c", -29, -6)))
    )
    assert changed.net_by_offer == said.net_by_offer
    assert changed.lines_fingerprint != said.lines_fingerprint


def share(bp: int = 2_500, to: str = "USD", source: str = "ecb") -> RevenueShare:
    return RevenueShare(BT, MCI, bp, (CONNECT,), to, source)


def confirmed(
    net: int, *, currency: str = "GBP", id: str = "stm_1", debtor: PartyId = MTN
) -> Confirmation:
    base = Summary(
        statement=StatementId(id),
        creditor=BT,
        debtor=debtor,
        agreement=ALLIANCE,
        period=NOVEMBER,
        currency=currency,
        net_by_offer={"connect": net, "shield": 7_777},
        net=Money(net + 7_777, currency),
        tax=Money(0, currency),
        lines_fingerprint="0" * 64,
    )
    return Confirmation(base, Signature(debtor, "sig", MONTH_END))


@pytest.mark.parametrize(
    ("net", "base", "bp", "to", "rate", "due"),
    [
        (100_000, "GBP", 2_500, "GBP", "1", "250.00 GBP"),
        (100_000, "GBP", 2_500, "USD", "1.2505", "312.63 USD"),  # 312.625: halves go up
        (100_000, "GBP", 2_500, "USD", "1.2504", "312.60 USD"),
        (3, "GBP", 5_000, "GBP", "1", "0.02 GBP"),  # 1.5 pence
        (-3, "GBP", 5_000, "GBP", "1", "-0.02 GBP"),
        (100_000, "GBP", 1_000, "JPY", "190.125", "19,013 JPY"),  # 19012.5
        (100_000, "GBP", 1_000, "UGX", "4650.55", "465,055 UGX"),
        (500_000, "UGX", 1_000, "GBP", "0.00021503", "10.75 GBP"),
        (100_000, "GBP", 1, "KWD", "0.38765", "0.039 KWD"),  # 0.038765
        (100_000, "GBP", 10_000, "USD", "1.25", "1,250.00 USD"),
    ],
)
def test_a_share_is_converted_and_rounded_once(
    net: int, base: str, bp: int, to: str, rate: str, due: str
) -> None:
    (found,) = rules.share_lines(
        [(1, share(bp, to))],
        [confirmed(net, currency=base)],
        {("ecb", base): Decimal(rate)},
        REVERSE,
        [],
    )
    assert (str(found.net), str(found.tax.minor), found.key) == (
        due,
        "0",
        "stm_1/share-1/connect",
    )


def test_only_the_offers_of_the_share_count_and_nothing_is_no_line() -> None:
    both = [confirmed(1_000, id="stm_2"), confirmed(0, id="stm_1")]
    found = rules.share_lines(
        [(1, share(to="GBP"))], both, {("ecb", "GBP"): Decimal(1)}, REVERSE, []
    )
    assert [(one.key, one.net.minor) for one in found] == [("stm_2/share-1/connect", 250)]


def test_a_share_at_home_is_taxed() -> None:
    vat = Tax("standard", 2_000)
    rate = {("ecb", "GBP"): Decimal(1)}
    (found,) = rules.share_lines([(1, share(to="GBP"))], [confirmed(1_000)], rate, vat, [])
    assert (found.net.minor, found.tax.minor) == (250, 50)
    bill = rules.share_bill(statement(found), vat, id=BillId("bil_1"), now=MONTH_END)
    assert (bill.lines[0].tax_code, bill.lines[0].rate_bp) == ("standard", 2_000)
    assert keep_bill(bill).packed.lines == (found,)


def wrong(**changes: object) -> Confirmation:
    good = confirmed(1_000)
    return replace(good, summary=replace(good.summary, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ([wrong(creditor=MTN)], "another creditor"),
        ([wrong(agreement=AgreementRef(AgreementId("agr_x"), 1))], "another agreement"),
        ([wrong(debtor=PartyId("zain"))], "no party of the agreement"),
        ([wrong(debtor=MCI)], "not signed by its debtor"),
        ([wrong(net=Money(1, "GBP"))], "does not add up"),
        ([confirmed(1_000), confirmed(2_000)], "given twice"),
    ],
)
def test_evidence_that_cannot_be_true_is_refused(evidence: list[Confirmation], why: str) -> None:
    with pytest.raises(Refused, match=why):
        rules.check_evidence(
            evidence, operator=BT, agreement=ALLIANCE.id, period=NOVEMBER, members=MEMBERS
        )


def test_evidence_of_another_version_of_the_agreement_counts() -> None:
    rules.check_evidence(
        [wrong(agreement=AgreementRef(ALLIANCE.id, 2))],
        operator=BT,
        agreement=ALLIANCE.id,
        period=NOVEMBER,
        members=MEMBERS,
    )


def said(
    party: PartyId,
    partner: PartyId,
    *,
    receivable: int = 0,
    payable: int = 0,
    settlement: int = 0,
    chain_ok: bool = True,
) -> Books:
    amounts = (Money(amount, "GBP") for amount in (receivable, payable, settlement))
    return Books(party, (BooksLine(partner, "GBP", *amounts),), chain_ok, "0" * 64)


@pytest.mark.parametrize(
    ("a", "b", "breaks"),
    [
        (said(BT, MTN, receivable=100), said(MTN, BT, payable=100), []),
        (said(BT, MTN, settlement=70), said(MTN, BT, settlement=-70), []),
        (
            said(BT, MTN, receivable=100),
            said(MTN, BT, payable=99),
            [
                "bt is owed 1.00 GBP by mtn, mtn says it owes 0.99 GBP",
                "positions in GBP add up to 0.01 GBP",
            ],
        ),
        (
            said(BT, MTN, settlement=70),
            said(MTN, BT, settlement=70),
            [
                "bt has 0.70 GBP to settle with mtn, mtn has 0.70 GBP to settle with bt",
                "positions in GBP add up to 1.40 GBP",
            ],
        ),
        (
            said(BT, MTN, receivable=100),
            said(MTN, BT, settlement=-100),
            [
                "bt is owed 1.00 GBP by mtn, mtn says it owes 0.00 GBP",
                "bt has 0.00 GBP to settle with mtn, mtn has -1.00 GBP to settle with bt",
            ],
        ),
        (
            said(BT, MTN, receivable=100, chain_ok=False),
            said(MTN, BT, payable=100),
            ["the ledger chain of bt does not hold"],
        ),
        (
            said(BT, MTN, receivable=100),
            Books(MTN, (), chain_ok=True, chain_head=""),
            [
                "bt is owed 1.00 GBP by mtn, mtn says it owes 0.00 GBP",
                "positions in GBP add up to 1.00 GBP",
            ],
        ),
        (said(BT, MCI, receivable=100), said(MTN, MCI, payable=100), []),
    ],
)
def test_books_are_laid_beside_each_other(a: Books, b: Books, breaks: list[str]) -> None:
    for order in ([a, b], [b, a]):
        proof = books_rules.agree(order)
        assert list(proof.breaks) == breaks
        assert proof.ok == (not breaks)
