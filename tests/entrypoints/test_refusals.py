"""Bad input at the command line: a reason code, plain words, the field, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hansa.entrypoints import errors
from hansa.entrypoints.cli import door
from hansa.federation.exchange import BY_FAMILY
from hansa.foundation.errors import NotFound, Refused, TryLater
from tests.entrypoints.desk import Desk, hansa, set_clock

Need = Callable[..., str]


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("offer: line", "offer: lime", "offer-unknown", "offer"),
        ("id: head-office", "id: head-office\n    quantity: 0", "quantity-invalid", "quantity"),
        ("id: head-office", "id: head-office\n    quantity: -2", "quantity-invalid", "quantity"),
        ("place: London", "place: Paris", "site-outside-coverage", "items.head-office"),
        ("country: GB", "country: FR", "country-not-offered", "items.head-office"),
        ("items:", "currency: EUR\nitems:", "currency-wrong", "currency"),
        ("items:", "currency: QQQ\nitems:", "currency", "currency"),
        ("speed_mbps: 200", "speed_mbps: 2000", "characteristic-out-of-range", "speed_mbps"),
        ("speed_mbps: 200", "colour: 1", "characteristic-unknown", "colour"),
        ("offer: line", "ofer: line", "file-invalid", "items.0.ofer"),
        ("speed_mbps: 200", "speed_mbps: [", "file-invalid", ""),
    ],
)
def test_a_need_that_cannot_be_had(
    shop: Desk, need: Need, old: str, new: str, code: str, field: str
) -> None:
    line = shop.refused("quote", "make", "--for", "shop", need((old, new)))
    assert line.startswith(f"refused ({code}"), line
    assert field in line.rpartition("[")[2], line


def test_the_line_of_a_file_is_named(shop: Desk, need: Need) -> None:
    line = shop.refused("quote", "make", "--for", "shop", need(("offer: line", "ofer: line")))
    assert "need.yaml line 4: items.0.ofer: is not known here. [items.0.ofer]" in line


def test_orders_that_cannot_be_placed(shop: Desk, need: Need, clock_file: Path) -> None:
    quote = shop.json("quote", "make", "--for", "shop", need())["id"]
    place = ("order", "place", quote, "--for")
    assert "quote-unknown" in shop.refused(*place, "other", "--key", "k", exit_code=4)
    assert "customer-unknown" in shop.refused(*place, "nobody", "--key", "k", exit_code=4)
    assert "party-name" in shop.refused(*place, "No Body", "--key", "k")
    assert "key-invalid" in shop.refused(*place, "shop", "--key", "")
    assert "quote-unknown" in shop.refused(
        "order", "place", "quo_none", "--for", "shop", "--key", "k", exit_code=4
    )
    shop(*place, "shop", "--key", "k")
    assert "quote-used" in shop.refused(*place, "shop", "--key", "other")
    second = shop.json("quote", "make", "--for", "shop", need())["id"]
    place = ("order", "place", second, "--for")
    assert "key-reused" in shop.refused(*place, "shop", "--key", "k")
    set_clock(clock_file, datetime(2027, 3, 1, tzinfo=UTC))
    assert "quote-expired" in shop.refused(*place, "shop", "--key", "late")
    assert "order-unknown" in shop.refused("order", "show", "ord_none", exit_code=4)
    assert "order-unknown" in shop.refused(
        "order", "cease", "ord_none", "--for", "shop", "--key", "c", exit_code=4
    )


def test_credit_has_its_limit(shop: Desk, need: Need) -> None:
    dear = need(("speed_mbps: 200", "speed_mbps: 1000"))
    for number in range(2):
        quote = shop.json("quote", "make", "--for", "shop", dear)["id"]
        shop("order", "place", quote, "--for", "shop", "--key", f"k{number}")
    quote = shop.json("quote", "make", "--for", "shop", dear)["id"]
    line = shop.refused("order", "place", quote, "--for", "shop", "--key", "k9")
    assert line.startswith("refused (credit-limit): ")


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("quote", "show", "quo_none"), 4, "quote-unknown"),
        (("order", "trace", "ord_none"), 4, "order-unknown"),
        (("order", "list", "--state", "lost"), 3, "choice-unknown"),
        (("order", "list", "--for", "N O"), 3, "party-name"),
        (("order", "change", "hld_x", "--for", "shop", "--key", "k", "--set", "a=1"), 4, "holding"),
        (("order", "cancel", "ord_none", "--why", "x"), 4, "order-unknown"),
        (("usage", "show", "hld_none", "--period", "2026-11"), 4, "holding-unknown"),
        (("usage", "show", "hld_none", "--period", "November"), 3, "period-invalid"),
        (("bill", "show", "bil_none"), 4, "bill-unknown"),
        (("bill", "list", "--period", "2026-13"), 3, "period-invalid"),
        (("settle", "show", "stm_none"), 4, "statement-unknown"),
        (("settle", "compare", "stm_none"), 4, "statement-unknown"),
        (("settle", "confirm", "stm_none"), 4, "statement-unknown"),
        (("settle", "dispute", "statement", "stm_none"), 4, "statement-unknown"),
        (("settle", "dispute", "show", "dsp_none"), 4, "dispute-unknown"),
        (("settle", "correct", "stm_none"), 4, "statement-unknown"),
        (("settle", "accept", "stm_none", "x", "--why", "y"), 4, "statement-unknown"),
        (("settle", "positions", "--period", "soon"), 3, "period-invalid"),
        (("agreement", "show", "agr_none"), 4, "agreement-unknown"),
        (("agreement", "sign", "agr_none"), 4, "agreement-unknown"),
        (("agreement", "sign", "agr_none", "--version", "2"), 4, "agreement-unknown"),
        (("agreement", "launch", "agr_none", "ZA"), 4, "agreement-unknown"),
        (("agreement", "suspend", "agr_none"), 4, "agreement-unknown"),
        (("agreement", "end", "agr_none"), 4, "agreement-unknown"),
        (("ledger", "exposure", "shop", "--currency", "QQQ"), 3, "currency-unknown"),
        (("ledger", "verify", "--head", "1:2:3"), 3, "head-invalid"),
        (("partner", "join", "/nowhere/card"), 3, "file-unreadable"),
        (("catalogue", "import", "/nowhere/operator.yaml"), 3, "file-unreadable"),
        (("catalogue", "offers", "--for", "nobody"), 4, "customer-unknown"),
    ],
)
def test_things_that_are_not_there(
    shop: Desk, words: tuple[str, ...], exit_code: int, code: str
) -> None:
    family = {3: "refused", 4: "not-found"}[exit_code]
    assert shop.refused(*words, exit_code=exit_code).startswith(f"{family} ({code}")


def test_a_file_about_another_operator(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text("party: {id: rival, name: Rival, country: GB, currency: GBP}")
    assert "file-of-another" in desk.refused("catalogue", "import", str(file))


def test_a_file_with_one_bad_entry_enters_nothing(shop: Desk, tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    text = file.read_text().replace("monthly: 100", "monthly: -1").replace("2026-01", "2026-02")
    file.write_text(text.replace("code: access", "code: new-access"))
    assert "price-invalid" in shop.refused("catalogue", "import", str(file))


def test_cards_that_cannot_be_joined(desks: Callable[..., Desk], tmp_path: Path) -> None:
    one, other = desks("one"), desks("two", "ZA", "ZAR")
    card = tmp_path / "card.json"
    one("partner", "invite", "--out", str(card))
    good = json.loads(card.read_text())
    for bad, code in (
        ("{", "malformed"),
        (json.dumps({**good, "version": 9}), "card-version"),
        (json.dumps({**good, "address": "http://evil.example"}), "signature-wrong"),
        (json.dumps([good]), "malformed"),
        ("[" * 100_000, "malformed"),
    ):
        card.write_text(bad)
        assert other.refused("partner", "join", str(card)).startswith(f"refused ({code}): ")
    card.write_text(json.dumps(good))
    assert "file-unwritable" in one.refused("partner", "invite", "--out", "/nowhere/card")
    other("partner", "join", str(card))
    assert [found["party"]["id"] for found in other.json("partner", "list")] == ["one"]


@pytest.mark.parametrize(
    "words",
    [
        ("order", "place"),
        ("order", "dance"),
        ("order", "list", "--limit", "many"),
        ("order", "list", "--limit", "0"),
        ("usage", "show", "hld_one"),
        ("settle", "accept", "stm_one", "key"),
        ("--verbose",),
    ],
)
def test_bad_usage(desk: Desk, words: tuple[str, ...]) -> None:
    said = desk(*words, exit_code=errors.BAD_USAGE.exit_code)
    assert said.out == ""
    assert "Error" in said.err


def test_a_node_that_is_not_there_or_not_running(tmp_path: Path, desk: Desk) -> None:
    said = hansa("order", "list", node=tmp_path / "none")
    assert said.exit_code == 3
    assert said.err.startswith("refused (node-missing): There is no node in ")
    (tmp_path / "own").mkdir()
    toml = "[party]\nid='own'\nname='Own'\ncountry='GB'\ncurrency='GBP'\n[http]\nport=1\n"
    (tmp_path / "own" / "node.toml").write_text(toml)
    said = hansa("order", "list", node=tmp_path / "own")
    assert (said.exit_code, said.out) == (5, "")
    assert said.err.startswith("try-later (node-not-running): ")
    assert "hansa node run --node" in said.err
    (tmp_path / "own" / "node.toml").write_text(
        toml + "[database]\nurl='postgresql://u:secret@127.0.0.1:1/x'\n"
    )
    said = hansa("order", "list", node=tmp_path / "own")
    assert said.err.startswith("try-later (database-unreachable): ")
    assert "secret" not in said.err
    (tmp_path / "own" / "node.toml").write_text(toml.replace("port=1", "port='x'"))
    assert "settings-invalid" in hansa("order", "list", node=tmp_path / "own").err


def test_what_was_not_foreseen_is_one_line_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(folder: Path) -> None:
        raise KeyError(f"a bug in {folder}")

    monkeypatch.setattr("hansa.entrypoints.cli.partner.opened", stumble)
    said = desk("partner", "list", exit_code=1)
    (line,) = said.err.splitlines()
    assert line.startswith("unforeseen (KeyError): ")
    assert door.DEBUG in line


def test_one_table_for_all_doors() -> None:
    assert {family: one.status for family, one in errors.ANSWERS.items()} == BY_FAMILY
    for error, status, code in (
        (Refused("no", "No."), 422, 3),
        (NotFound("gone", "Gone."), 404, 4),
        (TryLater("later", "Later."), 503, 5),
        (KeyError("x"), 500, 1),
    ):
        found = errors.answer(error)
        assert (found.status, found.exit_code) == (status, code)
    assert errors.line(Refused("no", "Not\nso.", field="a.b")) == "refused (no): Not so. [a.b]"
