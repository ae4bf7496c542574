"""What is taken off revenue before it is shared: step by step, exactly, and corrected later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation.disputes import LineCredit
from hansa.federation.papers import (
    Confirmation,
    Deduction,
    RevenueShare,
    Signature,
    StatementIssued,
    StatementState,
    Summary,
    Waterfall,
)
from hansa.foundation import documents
from hansa.foundation.database import Database
from hansa.foundation.errors import Refused
from hansa.foundation.ids import Ids, OfferCode, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period, SetClock
from hansa.lifecycle.settlement.actions import positions
from hansa.lifecycle.settlement.model import Held
from hansa.lifecycle.settlement.rules import shares as rules
from tests.lifecycle.agreement import examples
from tests.lifecycle.settlement.test_month import balances
from tests.lifecycle.settlement.world import (
    ALLIANCE,
    BT,
    CONNECT,
    MCI,
    MONTH_END,
    MTN,
    NOVEMBER,
    REVERSE,
    SHIELD,
    Letter,
    World,
    sell,
    world,
)

OCTOBER, DECEMBER, JANUARY = Period.month(2026, 10), Period.month(2026, 12), Period.month(2027, 1)
TAXES = Deduction("taxes", part_bp=500)
CREDITS = Deduction("credits")
REFUNDS = Deduction("refunds", part_bp=0)
BAD_DEBT = Deduction("bad-debt", part_bp=100)


def gbp(amount: str) -> Money:
    return Money.of(amount, "GBP")


def access(amount: str) -> Deduction:
    return Deduction("access", amount=gbp(amount))


# --- the ladder ---------------------------------------------------------------------------------

EXAMPLES = [
    ("nothing is taken off", "100", "0", (), [], "100"),
    ("access first", "100", "0", (access("30"),), ["70"], "70"),
    ("a part, then an amount", "100", "0", (TAXES, access("30")), ["95", "65"], "65"),
    ("the order changes it", "100", "0", (access("30"), TAXES), ["70", "66.50"], "66.50"),
    (
        "all of it",
        "100",
        "10",
        (TAXES, CREDITS, REFUNDS, access("20"), BAD_DEBT),
        ["95", "85", "85", "65", "64.35"],
        "64.35",
    ),
    ("halves go up", "0.50", "0", (BAD_DEBT,), ["0.49"], "0.49"),
    ("no more than is left", "25", "0", (TAXES, access("30")), ["23.75", "0"], "0"),
    ("all is tax", "25", "0", (Deduction("taxes", part_bp=10_000),), ["0"], "0"),
    ("credits of more", "25", "40", (CREDITS, access("30"), TAXES), ["-15", "-15", "-14.25"],
     "-14.25"),
    ("credits alone", "0", "10", (TAXES, CREDITS, BAD_DEBT), ["0", "-10", "-9.90"], "-9.90"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("gross", "credited", "waterfall", "left", "base"),
    [row[1:] for row in EXAMPLES],
    ids=[row[0] for row in EXAMPLES],
)
def test_each_step_takes_its_part_of_what_is_left(
    gross: str, credited: str, waterfall: Waterfall, left: list[str], base: str
) -> None:
    found = rules.ladder(gbp(gross), gbp(credited), waterfall)
    assert [after for _, _, after in found.steps] == [gbp(one) for one in left]
    assert found.base == gbp(base)


STEPS = st.one_of(
    st.builds(
        Deduction,
        st.sampled_from(["taxes", "refunds", "access", "bad-debt"]),
        part_bp=st.integers(0, 10_000),
    ),
    st.builds(
        Deduction,
        st.sampled_from(["taxes", "refunds", "access", "bad-debt"]),
        amount=st.builds(Money, st.integers(0, 10**9), st.just("GBP")),
    ),
    st.just(CREDITS),
)
AMOUNTS = st.builds(Money, st.integers(0, 10**12), st.just("GBP"))


@given(gross=AMOUNTS, credited=AMOUNTS, steps=st.lists(STEPS, max_size=6).map(tuple))
def test_what_is_taken_and_what_is_left_add_up(
    gross: Money, credited: Money, steps: Waterfall
) -> None:
    found = rules.ladder(gross, credited, steps)
    lefts = [gross, *(left for _, _, left in found.steps)]
    assert found.base == lefts[-1]
    for (before, after), (step, taken, _) in zip(pairwise(lefts), found.steps, strict=True):
        assert before - taken == after
        if step is CREDITS:
            assert taken == credited
        else:
            assert abs(taken.minor) <= abs(before.minor)
            assert taken.minor * before.minor >= 0


def test_without_credits_nothing_goes_below_zero() -> None:
    found = rules.ladder(gbp("1"), gbp("99"), (access("30"), TAXES, BAD_DEBT))
    assert found.base == gbp("0")


@given(
    base=st.integers(-(10**12), 10**12),
    bps=st.lists(st.integers(1, 2_500), min_size=1, max_size=4),
    others=st.lists(st.integers(1, 10_000), max_size=2),
)
def test_parts_of_all_and_the_rest_add_up_to_the_base(
    base: int, bps: list[int], others: list[int]
) -> None:
    of = [RevenueShare(BT, MCI, bp, (CONNECT,), "GBP", "ecb") for bp in bps]
    of += [RevenueShare(BT, MCI, bp, (SHIELD,), "GBP", "ecb") for bp in others]
    amount = Money(base, "GBP")
    parts = [rules.part(amount, place, of, CONNECT).minor for place in range(1, len(of) + 1)]
    assert parts[len(bps) :] == [0] * len(others)
    rest = base - sum(parts)
    assert abs(rest * 10_000 - base * (10_000 - sum(bps))) < 10_000
    for one, bp in zip(parts, bps, strict=False):
        assert abs(one * 10_000 - base * bp) < 10_000


# --- the lines ----------------------------------------------------------------------------------


def confirmed(
    id: str,
    net: dict[str, int],
    *,
    credits: str | None = None,
    period: Period = NOVEMBER,
    debtor: PartyId = MTN,
) -> Confirmation:
    base = Summary(
        statement=StatementId(id),
        creditor=BT,
        debtor=debtor,
        agreement=ALLIANCE,
        period=period,
        currency="GBP",
        net_by_offer=net,
        net=Money(sum(net.values()), "GBP"),
        tax=gbp("0"),
        lines_fingerprint="0" * 64,
        credits=StatementId(credits) if credits else None,
    )
    return Confirmation(base, Signature(debtor, "sig", MONTH_END))


def lines(beside: list[RevenueShare], evidence: list[Confirmation]) -> list[tuple[str, str, str]]:
    found = rules.share_lines(
        list(enumerate(beside, 1)),
        evidence,
        {("ecb", "GBP"): Decimal("1.25") if beside[0].currency == "USD" else Decimal(1)},
        REVERSE,
        beside,
    )
    return [(one.key, one.description, str(one.net)) for one in found]


def share(bp: int, *steps: Deduction, to: str = "GBP", offers: str = "connect") -> RevenueShare:
    return RevenueShare(BT, MCI, bp, (OfferCode(offers),), to, "ecb", steps)


def test_a_line_shows_every_step() -> None:
    evidence = [
        confirmed("stm_1", {"connect": 8_000, "shield": 1}),
        confirmed("stm_2", {"connect": 2_000}, debtor=PartyId("porta")),
        confirmed("stm_3", {"connect": -1_000}, credits="stm_0", period=OCTOBER),
    ]
    assert lines([share(6_000, TAXES, CREDITS, access("20"), BAD_DEBT, to="USD")], evidence) == [
        (
            "GBP/share-1/connect",
            (
                "Share of connect: 100.00 GBP gross, less taxes (5.00 %) 5.00 = 95.00, "
                "less credits 10.00 = 85.00, less access 20.00 = 65.00, "
                "less bad debt (1.00 %) 0.65 = 64.35; 60.00 % is 38.61 GBP at 1.25"
            ),
            "48.26 USD",
        )
    ]


def test_sixty_and_forty_of_what_access_leaves() -> None:
    both = [share(6_000, access("30")), share(4_000, access("30"))]
    found = lines(both, [confirmed("stm_1", {"connect": 10_000})])
    assert [net for _, _, net in found] == ["42.00 GBP", "28.00 GBP"]


def test_a_share_that_does_not_take_credits_off_does_not_see_them() -> None:
    evidence = [
        confirmed("stm_1", {"connect": 100}),
        confirmed("stm_3", {"connect": -10}, credits="stm_1"),
    ]
    for of in (share(5_000), replace(share(5_000), waterfall=None)):
        assert rules.relevant([of], evidence) == (evidence[0],)
        assert [net for _, _, net in lines([of], evidence)] == ["0.50 GBP"]


def test_credits_that_leave_nothing_are_shown_all_the_same() -> None:
    """Else they would be taken off the next month too."""
    evidence = [
        confirmed("stm_1", {"connect": 100}),
        confirmed("stm_3", {"connect": -100}, credits="stm_1"),
    ]
    assert [net for _, _, net in lines([share(5_000, CREDITS)], evidence)] == ["0.00 GBP"]
    nothing = [confirmed("stm_1", {"connect": 0})]
    assert lines([share(5_000, CREDITS)], nothing) == []


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ([confirmed("stm_3", {"connect": -1}, credits="stm_0", period=DECEMBER)], "another period"),
        ([confirmed("stm_3", {"connect": -1}, period=OCTOBER)], "another period"),
        ([confirmed("stm_3", {"connect": -2, "shield": 1}, credits="stm_0")], "adds to what"),
    ],
)
def test_credit_notes_that_cannot_be_are_refused(evidence: list[Confirmation], why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        rules.check_evidence(
            evidence,
            operator=BT,
            agreement=ALLIANCE.id,
            period=NOVEMBER,
            members=(BT, MTN, MCI),
        )
    assert refused.value.code == "evidence-wrong"


def test_a_credit_note_is_taken_off_once_from_what_was_shared() -> None:
    first, second = confirmed("stm_1", {"connect": 9}), confirmed("stm_2", {"connect": 9})
    note = confirmed("stm_3", {"connect": -1}, credits="stm_1")
    assert rules.misplaced(first, [], [first]) is None
    assert rules.misplaced(note, [first, note], []) is None
    assert rules.misplaced(note, [second, note], [first]) is None
    assert rules.misplaced(note, [second, note], []) == "takes back what was not shared"
    assert rules.misplaced(note, [second, note], [first, note]) == "was taken off before"


# --- over months --------------------------------------------------------------------------------


@pytest.fixture
def falling(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> World:
    """BT, MTN and MCI, that has a quarter of what a waterfall leaves, in pounds."""
    steps = (TAXES, CREDITS, access("200"), BAD_DEBT)
    its = examples.share(currency="GBP", waterfall=steps)
    return world(databases, tmp_path, ids, clock, BT, MTN, MCI, auto_confirm=True, shares=(its,))


def month(made: World, clock: SetClock, period: Period) -> None:
    clock.at = period.end + timedelta(hours=6)
    made.month_ends(period)
    made.run()


def credit(made: World, invoice: Held, amount: str) -> None:
    """MTN disputes the one line of an invoice, and BT accepts so much."""
    bt, mtn = made.nodes[BT], made.nodes[MTN]
    (line,) = invoice.statement.lines
    held = mtn.raise_(invoice.id, "rate", {line.key: gbp("0")})
    made.deliver()
    bt.move(held.dispute.id, "offer", LineCredit(line.key, gbp(amount)))
    made.deliver()
    mtn.move(held.dispute.id, "accept")
    made.deliver()
    made.run()


def of_kind(made: World, at: PartyId, kind: str, period: Period) -> list[Held]:
    return [
        one
        for one in made.nodes[at].statements()
        if (one.statement.kind_of, one.statement.period) == (kind, period)
    ]


def shared(made: World, period: Period) -> Held:
    """The share of a month, the same on both sides and invoiced."""
    (ours,), (theirs,) = (of_kind(made, at, "revenue-share", period) for at in (BT, MCI))
    assert ours.statement == theirs.statement
    assert ours.state is theirs.state is StatementState.INVOICED, theirs.waiting
    return theirs


def test_a_later_credit_note_changes_the_next_month(falling: World, clock: SetClock) -> None:
    sell(falling.nodes[BT], falling.nodes[MTN], "jnb")
    month(falling, clock, NOVEMBER)
    first = shared(falling, NOVEMBER)
    (line,) = first.statement.lines
    assert line.description == (
        "Share of connect: 1,000.00 GBP gross, less taxes (5.00 %) 50.00 = 950.00, "
        "less credits 0.00 = 950.00, less access 200.00 = 750.00, "
        "less bad debt (1.00 %) 7.50 = 742.50; 25.00 % is 185.63 GBP"
    )
    (invoice,) = of_kind(falling, MTN, "services", NOVEMBER)
    credit(falling, invoice, "100")
    (note,) = of_kind(falling, BT, "credit-note", NOVEMBER)
    assert (note.state, note.total) == (StatementState.INVOICED, gbp("-100"))
    month(falling, clock, DECEMBER)
    second = shared(falling, DECEMBER)
    (line,) = second.statement.lines
    assert line.description == (
        "Share of connect: 1,000.00 GBP gross, less taxes (5.00 %) 50.00 = 950.00, "
        "less credits 100.00 = 850.00, less access 200.00 = 650.00, "
        "less bad debt (1.00 %) 6.50 = 643.50; 25.00 % is 160.88 GBP"
    )
    assert note.id in {one.summary.statement for one in second.statement.evidence}
    month(falling, clock, JANUARY)
    assert shared(falling, JANUARY).total == first.total == gbp("185.63")
    assert shared(falling, NOVEMBER).statement == first.statement, "it is not edited"
    assert falling.refused == []


def test_what_was_shared_too_much_is_given_back(falling: World, clock: SetClock) -> None:
    """The month in which hardly anything was sold has a share below zero, and all books agree."""
    bt, mtn, mci = (falling.nodes[name] for name in (BT, MTN, MCI))
    sell(bt, mtn, "jnb", end=DECEMBER.start + timedelta(days=1))
    month(falling, clock, NOVEMBER)
    (invoice,) = of_kind(falling, MTN, "services", NOVEMBER)
    credit(falling, invoice, "1000")
    month(falling, clock, DECEMBER)
    found = shared(falling, DECEMBER)
    # 32.26 less 1.61 of tax and 1,000.00 of credits: 1.00 % of what is left is no debt
    assert found.statement.lines[0].description.endswith(
        "less credits 1,000.00 = -969.35, less access 0.00 = -969.35, "
        "less bad debt (1.00 %) -9.69 = -959.66; 25.00 % is -239.92 GBP"
    )
    assert (found.total, found.number) == (gbp("-239.92"), "MCI-2027-000001")
    for node in falling.nodes.values():
        for period in (NOVEMBER, DECEMBER):
            assert not any(one.held_out for one in node.net(period))
    assert positions.proof([node.books() for node in falling.nodes.values()]).ok
    assert balances(mci) == {"settlement/bt/GBP": -5_429, "share-income/GBP": 5_429}
    assert balances(bt)["share-expense/GBP"] == 18_563 - 23_992


def test_nobody_takes_a_credit_note_off_twice(falling: World, clock: SetClock) -> None:
    bt, mci = falling.nodes[BT], falling.nodes[MCI]
    sell(bt, falling.nodes[MTN], "jnb")
    month(falling, clock, NOVEMBER)
    (invoice,) = of_kind(falling, MTN, "services", NOVEMBER)
    credit(falling, invoice, "100")
    month(falling, clock, DECEMBER)
    mci.auto_confirm = False
    month(falling, clock, JANUARY)
    (honest,) = of_kind(falling, MCI, "revenue-share", JANUARY)
    notes = [
        one
        for one in shared(falling, DECEMBER).statement.evidence
        if one.summary.credits is not None
    ]
    forged = replace(
        honest.statement.whole,
        id=StatementId("stm_again.bt"),
        replaces=honest.id,
        evidence=(*honest.statement.evidence, *notes),
    )
    fingerprint = documents.fingerprint(documents.write(forged))
    signature = bt.keys.sign(fingerprint, party=BT, at=clock.at)
    mci.hear(Letter(BT, MCI, StatementIssued(forged, signature)))
    with pytest.raises(Refused, match="was taken off before"):
        mci.confirm(forged.id)
