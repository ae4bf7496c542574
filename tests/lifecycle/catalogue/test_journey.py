"""From a supplier's files to the prices in force: imported, previewed, published, acknowledged."""

from __future__ import annotations

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.lifecycle.catalogue.actions import decks, imports, prices
from hansa.lifecycle.catalogue.model import OPEN_S, Preview
from hansa.lifecycle.catalogue.rules.notice import seconds
from tests.lifecycle.catalogue.stage import Stage, day

FIRST = """Code,Destination,Rate,Valid from
27,South Africa,0.05,2026-11-02
"2771,2772",South Africa mobile,0.08,2026-11-02
49,Germany,0.01,2026-11-02
33,France,0.01,2026-11-02
"""
SECOND = """Code,Destination,Rate,Valid from,Change
27,South Africa,0.06,2026-11-12,increase
2771,South Africa mobile,0.07,2026-11-06,decrease
2772,South Africa mobile,0.08,2026-11-02,unchanged
351,Portugal,0.02,2026-11-06,new
49,Germany,,2026-11-06,blocked
"""


@pytest.fixture
def traded(stage: Stage) -> Stage:
    """The first file, received and in force on the 2nd."""
    stage.put()
    stage.clock.at = day(2)
    stage.keep(stage.read(FIRST, kind="full"))
    stage.clock.at = day(5, 8)
    return stage


def preview(stage: Stage, number: int | None = None) -> Preview:
    with stage.begin() as tx:
        return imports.preview(
            tx, name="mtn-az", number=number, folder=stage.folder, now=stage.clock.now()
        )


def in_force(stage: Stage, at: int) -> dict[str, tuple[int, bool]]:
    """The rate of each code at noon of a day, in thousandths."""
    noon = seconds(day(at, 12))
    return {
        p["code"]: (p["rate_peak"] // 1_000_000, p["blocked"])
        for p in stage.prices()
        if p["from_s"] <= noon < p["to_s"]
    }


def test_a_month_of_a_deck(traded: Stage) -> None:
    assert in_force(traded, 3) == {
        "27": (50, False), "2771": (80, False), "2772": (80, False), "49": (10, False),
        "33": (10, False),
    }  # fmt: skip
    draft = traded.read(SECOND, kind="full")
    assert draft.problems == () and draft.preview is not None
    assert draft.preview.counts == {
        "new": 1, "increase": 1, "decrease": 1, "withdrawn": 1, "blocked": 1, "unchanged": 1,
    }  # fmt: skip
    version = traded.keep(draft, publish=False)
    assert preview(traded).version == 2
    assert in_force(traded, 7)["27"] == (50, False), "a draft counts for nothing"
    with traded.begin() as tx:
        decks.publish(tx, name="mtn-az", number=2, by="ann", now=traded.clock.now())
    assert in_force(traded, 7) == {
        "27": (50, False), "2771": (70, False), "2772": (80, False), "351": (20, False),
        "49": (0, True),
    }  # fmt: skip
    assert in_force(traded, 28)["27"] == (50, False), "nobody has acknowledged"
    traded.clock.at = day(9)
    traded.acknowledge(version, day(8, 15))
    assert in_force(traded, 14)["27"] == (50, False)
    assert in_force(traded, 15)["27"] == (60, False)


def test_a_preview_says_what_when_and_at_what_notice(traded: Stage) -> None:
    traded.keep(traded.read(SECOND, kind="full"), publish=False)
    found = preview(traded)
    assert found.supposed_at == day(5, 8)
    assert found.late == 0
    assert found.dates == (
        (day(6), "blocked", 1), (day(6), "decrease", 1), (day(6), "new", 1),
        (day(6), "withdrawn", 1), (day(12), "increase", 1),
    )  # fmt: skip
    biggest = found.changes[0]
    assert (biggest.code, biggest.before, biggest.after) == (
        "27",
        (5 * 10**7,) * 2,
        (6 * 10**7,) * 2,
    )
    gone = next(one for one in found.changes if one.kind == "withdrawn")
    assert (gone.code, gone.after, gone.effective_at) == ("33", None, day(6))
    traded.clock.at = day(7)
    found = preview(traded)
    (late,) = [one for one in found.changes if one.late]
    assert found.late == 1
    assert (late.code, late.stated_at, late.effective_at) == ("27", day(12), day(14))


def test_the_same_file_again_changes_nothing(traded: Stage) -> None:
    draft = traded.read(FIRST, kind="full")
    assert draft.same is not None and draft.same.version == 1
    assert traded.keep(draft).version == 1
    traded.keep(traded.read(SECOND, kind="full"), publish=False)
    traded.clock.at = day(6)
    assert traded.keep(traded.read(SECOND, kind="full"), publish=False).version == 2
    assert traded.keep(traded.read(FIRST, kind="full")).version == 1
    with traded.begin() as tx:
        assert len(decks.versions(tx, name="mtn-az")) == 2


def test_the_same_file_as_a_partial_deck_says_something_else(traded: Stage) -> None:
    draft = traded.read(SECOND)
    assert draft.same is None and draft.preview is not None
    assert "withdrawn" not in draft.preview.counts
    traded.keep(draft)
    assert in_force(traded, 7)["33"] == (10, False)


def test_a_draft_is_checked_again_when_another_was_published(traded: Stage) -> None:
    traded.keep(traded.read(SECOND, kind="full"), publish=False)
    other = traded.keep(traded.read("Code,Rate,Valid from\n27,0.04,2026-11-06\n"))
    assert other.version == 3
    with traded.begin() as tx, pytest.raises(Refused, match="deck-stale"):
        decks.publish(tx, name="mtn-az", number=2, by="ann", now=traded.clock.now())
    again = traded.keep(traded.read(SECOND, kind="full"))
    assert (again.version, again.said.stands_on) == (4, 3)


def test_a_correction_puts_right_what_was_published(traded: Stage) -> None:
    wrong = "Code,Rate,Valid from\n27,0.5,2026-11-06\n2771,0.07,2026-11-06\n"
    version = traded.keep(traded.read(wrong), accept=True)
    traded.acknowledge(version, day(5, 8))
    traded.clock.at = day(20)
    assert in_force(traded, 13)["27"] == (500, False)
    right = "Code,Rate,Valid from\n27,0.055,2026-11-12\n"
    draft = traded.read(right, correction="the unit of row 2 was wrong; agreed by mail")
    assert draft.preview is not None
    assert [(one.kind, one.effective_at) for one in draft.preview.changes] == [
        ("decrease", day(12))
    ]
    traded.keep(draft, accept=True)
    assert in_force(traded, 13) == {**in_force(traded, 11), "27": (55, False)}
    with traded.begin() as tx:
        found = prices.of_code(tx, folder=traded.folder, name="mtn-az", number="2799123")
    assert [(one.code, one.version, one.row) for one in found] == [
        ("27", 1, 2), ("27", 3, 2),
    ]  # fmt: skip


def test_prices_of_a_number_follow_in_time(traded: Stage) -> None:
    traded.keep(traded.read(SECOND, kind="full"))
    with traded.begin() as tx:
        found = prices.of_code(tx, folder=traded.folder, name="mtn-az", number="27715550123")
        assert [(one.code, one.version, one.file, one.from_s, one.to_s) for one in found] == [
            ("2771", 1, "d.csv", seconds(day(2)), seconds(day(6))),
            ("2771", 2, "d.csv", seconds(day(6)), OPEN_S),
        ]
        with pytest.raises(NotFound, match="code-unknown"):
            prices.of_code(tx, folder=traded.folder, name="mtn-az", number="81")


def test_what_two_versions_say_differently(traded: Stage) -> None:
    traded.keep(traded.read(SECOND, kind="full"))
    with traded.begin() as tx:
        found = prices.differences(tx, folder=traded.folder, name="mtn-az", one=1, other=2)
    said = {(one.what, one.code) for one in found}
    assert ("added", "351") in said and ("removed", "33") in said
    assert not any(code == "2772" for _, code in said)
    (added,) = [one for one in found if one.code == "351"]
    assert added.one == "" and "rate peak 0.02" in added.other


def test_a_deck_that_is_sent_again_does_not_start_its_notice_again(traded: Stage) -> None:
    rise = "Code,Rate,Valid from\n27,0.06,2026-11-09\n"
    version = traded.keep(traded.read(rise))
    traded.acknowledge(version, day(5, 8))
    traded.clock.at = day(10)
    draft = traded.read(rise + "2771,0.07,2026-11-11\n")
    assert draft.problems == (), "nothing is changed in the past"
    again = traded.keep(draft)
    assert draft.preview and draft.preview.counts == {"decrease": 1, "unchanged": 1}
    traded.acknowledge(again, day(10))
    assert in_force(traded, 11)["27"] == (50, False)
    assert in_force(traded, 12)["27"] == (60, False)
