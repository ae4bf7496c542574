"""What rating is given of decks, and what the database holds of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from hansa.foundation.database import run
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.lifecycle.catalogue.actions import decks, prices
from hansa.lifecycle.catalogue.model import OPEN_S, DeckNotice
from hansa.lifecycle.catalogue.rules.notice import seconds
from hansa.lifecycle.catalogue.store import files
from tests.lifecycle.catalogue.stage import BT, DECK, MTN, Stage, day, row

OTHER = replace(DECK, name="other", origins={}, notice=DeckNotice(3, "midnight"))


def test_rows_of_all_decks_with_the_time_in_which_they_are_in_force(stage: Stage) -> None:
    stage.put()
    stage.put(OTHER)
    stage.version([row("27", 60, day(1)), row("2771", 90, day(1), origin="eea", line=3)])
    stage.version([row("27", 50, day(1))], OTHER)
    second = stage.version([row("27", 70, day(3))])
    assert [one["price_id"] for one in stage.prices()] == [1, 2, 3]  # nobody has heard of the rise
    stage.clock.move(timedelta(days=1))
    stage.acknowledge(second, day(3, 7))
    found = stage.prices()
    assert [
        (p["deck"], p["price_id"], p["version"], p["row"], p["code"], p["origin"]) for p in found
    ] == [
        (1, 1, 1, 2, "27", ""),
        (1, 2, 1, 3, "2771", "eea"),
        (1, 4, 2, 2, "27", ""),
        (2, 3, 1, 2, "27", ""),
    ]
    spans = [(p["from_s"], p["to_s"]) for p in found]
    assert spans == [
        (seconds(day(1)), seconds(day(10))),
        (seconds(day(1)), OPEN_S),
        (seconds(day(10)), OPEN_S),
        (seconds(day(1)), OPEN_S),
    ]
    assert found[2] == {
        "deck": 1, "price_id": 4, "version": 2, "row": 2, "code": "27", "origin": "",
        "destination": "to 27", "rate_peak": 70, "rate_off": 70, "setup": 0, "minimum": 0,
        "first_s": 1, "next_s": 1, "from_s": seconds(day(10)), "to_s": OPEN_S, "blocked": False,
    }  # fmt: skip


def test_what_is_no_increase_may_wait_for_midnight(stage: Stage) -> None:
    stage.put(OTHER)
    stage.version([row("27", 50, day(1))], OTHER)
    stage.version([row("27", 40, day(2, 7))], OTHER)
    assert [(p["rate_peak"], p["from_s"]) for p in stage.prices()] == [
        (50, seconds(day(1))),
        (40, seconds(day(3))),
    ]


def test_all_buyers_acknowledge_before_notice_runs(stage: Stage) -> None:
    both = replace(DECK, buyers=(BT, MTN), seller=BT.__class__("vodacom"))
    stage.put(both)
    stage.version([row("27", 60, day(1))], both)
    second = stage.version([row("27", 70, day(3))], both)
    stage.clock.move(timedelta(days=2))
    stage.acknowledge(second, day(2, 9))
    assert len(stage.prices()) == 1
    stage.acknowledge(second, day(3, 9), MTN)
    assert [p["from_s"] for p in stage.prices()] == [seconds(day(1)), seconds(day(10))]


def test_no_deck_has_no_prices(stage: Stage) -> None:
    with stage.begin() as tx:
        assert prices.price_rows(tx, folder=stage.folder).schema == files.EFFECTIVE
        assert prices.deck_facts(tx) == []
        none = prices.codes(tx, folder=stage.folder)
    assert none.codes.to_pylist() == []


def test_codes_are_named_by_what_they_are(stage: Stage) -> None:
    stage.put()
    stage.version([row("27", 60, day(1)), row("2771", 90, day(1))])
    with stage.begin() as tx:
        one = prices.codes(tx, folder=stage.folder)
    assert one.codes.to_pylist() == ["27", "2771", "43", "49"]
    stage.version([row("2771", 80, day(3))])
    with stage.begin() as tx:
        assert prices.codes(tx, folder=stage.folder).name == one.name
    stage.version([row("0", 80, day(3))])
    with stage.begin() as tx:
        more = prices.codes(tx, folder=stage.folder)
    assert more.codes.to_pylist() == ["0", "27", "2771", "43", "49"]
    assert more.name != one.name and len(more.name) == 16


def test_facts_of_a_deck(stage: Stage) -> None:
    stage.put(replace(DECK, zone="Africa/Johannesburg", holidays=(date(2026, 12, 25),)))
    with stage.begin() as tx:
        (facts,) = prices.deck_facts(tx)
    assert (facts.number, facts.name, facts.seller, facts.currency) == (1, "mtn-az", MTN, "USD")
    assert (facts.zone, facts.holidays) == ("Africa/Johannesburg", (date(2026, 12, 25),))
    assert facts.origins == {"eea": ("43", "49")}


def test_a_price_is_led_back_to_its_row(stage: Stage) -> None:
    stage.put()
    stage.version([row("27", 60, day(1)), row("2771", 90, day(1), line=7)])
    with stage.begin() as tx:
        found = prices.row_of(tx, folder=stage.folder, price_id=2)
        assert (found.deck, found.version, found.file, found.row) == ("mtn-az", 1, "deck.csv", 7)
        assert (found.code, found.rate_peak, found.from_s) == ("2771", 90, seconds(day(1)))
        with pytest.raises(NotFound, match="price-unknown"):
            prices.row_of(tx, folder=stage.folder, price_id=3)


@pytest.mark.parametrize("harm", [lambda f: f.unlink(), lambda f: f.write_bytes(b"PAR1 no more")])
def test_a_damaged_file_is_found(stage: Stage, harm: object) -> None:
    stage.put()
    made = stage.version([row("27", 60, day(1))])
    harm(stage.folder / made.path)  # type: ignore[operator]
    with pytest.raises(HansaError, match="deck-file-damaged") as found:
        stage.prices()
    assert made.path in found.value.words


def test_a_version_is_published_once_and_never_changed(stage: Stage) -> None:
    stage.put()
    made = stage.version([row("27", 60, day(1))])
    with stage.begin() as tx:
        again = decks.publish(tx, name="mtn-az", number=1, by="eve", now=day(4))
    assert again == made and again.published_by == "ann"
    for table in ("catalogue_deck_version", "catalogue_deck_receipt"):
        stage.acknowledge(made, day(2, 8))
        for sql in (f"update {table} set version = 9", f"delete from {table}"):
            with pytest.raises(psycopg.errors.RaiseException), stage.begin() as tx:
                run(tx, sql)


def test_a_version_that_was_checked_against_an_older_one_is_stale(stage: Stage) -> None:
    stage.put()
    stage.version([row("27", 60, day(1))])
    with pytest.raises(Refused, match="deck-stale"):
        stage.version([row("27", 70, day(3))], stands_on=None)


def test_receipts_are_kept(stage: Stage) -> None:
    stage.put()
    made = stage.version([row("27", 60, day(1))])
    stage.clock.move(timedelta(days=3))
    first = stage.acknowledge(made, day(3))
    assert first == stage.acknowledge(made, day(3))
    assert [(r.party, r.at, r.noted_by) for r in first.receipts] == [(BT, day(3), "bob")]
    for at, party, code in (
        (day(4), BT, "receipt-on-record"),
        (day(4), MTN, "not-a-buyer"),
        (day(1), BT, "receipt-time"),
        (day(9), BT, "receipt-time"),
    ):
        with pytest.raises(Refused, match=code):
            stage.acknowledge(made, at, party)


def test_what_a_deck_stands_on_is_fixed(stage: Stage) -> None:
    stage.put()
    stage.put(replace(DECK, buyers=(BT, BT.__class__("kpn")), holidays=(date(2026, 12, 25),)))
    for other in (
        replace(DECK, currency="EUR"),
        replace(DECK, holidays=(date(2026, 11, 1),)),
        replace(DECK, notice=DeckNotice(0)),
    ):
        with pytest.raises(Refused, match="deck-fixed"):
            stage.put(other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "A deck"},
        {"buyers": ()},
        {"zone": "Nowhere/Land"},
        {"peak_from_h": 20, "peak_to_h": 8},
        {"notice": DeckNotice(-1)},
        {"origins": {"eea": ("+43",)}},
    ],
)
def test_a_deck_that_contradicts_itself_is_refused(stage: Stage, wrong: dict[str, object]) -> None:
    with pytest.raises(Refused, match="deck-invalid"):
        stage.put(replace(DECK, **wrong))  # type: ignore[arg-type]
