"""An operator's people see to keys and to whom is trusted, at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.entrypoints.desk import Desk, hansa, set_clock

Desks = Callable[..., Desk]


@pytest.fixture
def bt(desks: Desks) -> Desk:
    return desks("bt")


@pytest.fixture
def mtn(desks: Desks) -> Desk:
    return desks("mtn", "ZA", "ZAR")


def card_of(desk: Desk, folder: Path) -> str:
    file = folder / f"{desk.party.id}.card"
    desk("partner", "invite", "--out", str(file))
    return str(file)


def test_a_key_is_replaced(bt: Desk, mtn: Desk, tmp_path: Path) -> None:
    bt("partner", "join", card_of(mtn, tmp_path))
    (first, certificate) = bt.json("keys", "list")["keys"]
    assert (first["kind"], first["in_use"], first["valid_to"]) == ("signing", True, None)
    assert (certificate["kind"], certificate["in_use"]) == ("tls", True)
    told = bt.json("keys", "rotate", "--overlap", "4")
    assert told["waiting"] == ["mtn"]
    old, _, new = told["keys"]
    assert (old["in_use"], new["in_use"], new["edition"]) == (True, False, 2)
    assert old["valid_to"][:10] == "2026-11-06"
    assert new["used_from"][:10] == "2026-11-04"
    shown = bt("keys", "list").out
    assert "mtn" in shown
    assert new["id"] in shown
    assert "(rotation-under-way)" in bt.refused("keys", "rotate", "--tls")
    card = json.loads(Path(card_of(bt, tmp_path)).read_text())
    assert [key["kid"] for key in card["keys"]] == [old["id"], new["id"]]
    assert card["signatures"].keys() == {old["id"], new["id"]}


def test_half_of_the_overlap_is_over(bt: Desk, mtn: Desk, tmp_path: Path, clock_file: Path) -> None:
    bt("partner", "join", card_of(mtn, tmp_path))
    made = bt("keys", "rotate", "--tls").out
    assert "have to answer  mtn" in made
    set_clock(clock_file, datetime(2026, 11, 6, tzinfo=UTC))
    keys = bt.json("keys", "list")
    assert [one["in_use"] for one in keys["keys"]] == [True, False, True]
    assert keys["keys"][2]["id"] in keys["certificate"]
    assert bt.json("keys", "rotate")["keys"][-1]["edition"] == 3


def test_a_partner_is_revoked_and_restored(bt: Desk, mtn: Desk, tmp_path: Path) -> None:
    joined = bt("partner", "join", card_of(mtn, tmp_path)).out
    kid = mtn.json("keys", "list")["keys"][0]["id"]
    assert kid in joined
    bt("partner", "revoke", "mtn", "--key", kid, "--why", "laptop stolen")
    assert bt.json("partner", "show", "mtn")["keys"][0]["revoked_at"]
    assert "(card-unvouched)" in bt.refused("partner", "join", card_of(mtn, tmp_path))
    bt("partner", "join", card_of(mtn, tmp_path), "--confirmed", kid)
    bt("partner", "restore", "mtn", "--key", kid, "--why", "laptop found")
    bt("partner", "revoke", "mtn", "--why", "unpaid")
    assert "2026-11-02" in bt("partner", "list").out
    assert "(partner-revoked)" in bt.refused("partner", "join", card_of(mtn, tmp_path))
    shown = bt("partner", "show", "mtn").out
    for words in ("laptop stolen", "laptop found", "unpaid", "ada", "confirm", "certificate"):
        assert words in shown
    acts = [one["act"] for one in bt.json("partner", "show", "mtn")["acts"]]
    assert acts == ["revoke", "confirm", "restore", "revoke"]
    assert "(partner-unknown)" in bt.refused("partner", "revoke", "tim", "--why", "x", exit_code=4)
    assert "(partner-key-unknown)" in bt.refused(
        "partner", "revoke", "mtn", "--key", "0" * 16, "--why", "x", exit_code=4
    )
    assert "[why]" in bt.refused("partner", "restore", "mtn", "--why", " ")


def test_a_partner_of_another_make_is_entered(bt: Desk) -> None:
    add = (
        "partner", "add", "acme", "--name", "ACME", "--country", "DE", "--currency", "EUR",
        "--address", "https://api.acme.example/oss", "--dialect",
    )  # fmt: skip
    grant = (
        "--token-url", "https://login.acme.example/token", "--client-id", "hansa",
        "--secret-file", "secrets/acme",
    )  # fmt: skip
    assert bt.refused(*add, "tmf", *grant).endswith("[secret_file]")
    secret = bt.folder / "secrets" / "acme"
    secret.parent.mkdir()
    secret.write_text("s3cret")
    secret.chmod(0o644)
    assert "(secret-exposed)" in bt.refused(*add, "tmf", *grant)
    secret.chmod(0o600)
    assert "(choice-unknown)" in bt.refused(*add, "fax", *grant)
    assert "(partner-proof)" in bt.refused(*add, "tmf")
    assert "(partner-proof)" in bt.refused(*add, "tmf", *grant, "--no-auth")
    assert "oauth2" in bt(*add, "tmf", *grant).out
    shown = bt.json("partner", "show", "acme")
    assert (shown["trust"], shown["keys"]) == ("oauth2", [])
    assert "s3cret" not in json.dumps(shown)
    assert bt.json("partner", "list")[0]["grant"]["client_id"] == "hansa"
    bt(*add, "sonata", "--no-auth")
    assert bt.json("partner", "show", "acme")["dialect"] == "sonata"


def test_a_card_of_version_1_is_refused_in_clear_words(bt: Desk, tmp_path: Path) -> None:
    old = tmp_path / "old.card"
    old.write_text('{"version": 1, "party": {}, "address": "", "public_key": "", "signature": {}}')
    assert "reads version 2. Ask for a card" in bt.refused("partner", "join", str(old))


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (("--tls", "sometimes"), "choice-unknown", "tls"),
        (("--address", "http://bt.example"), "settings-invalid", "http.address"),
    ],
)
def test_tls_is_on_or_off(tmp_path: Path, words: tuple[str, ...], code: str, field: str) -> None:
    init = (
        "node", "init", "--party", "bt", "--name", "BT", "--country", "GB", "--currency", "GBP",
        "--port", "7101",
    )  # fmt: skip
    said = hansa(*init, *words, node=tmp_path / "node")
    assert said.err.startswith(f"refused ({code}): ")
    assert said.err.rstrip().endswith(f"[{field}]")
    said = hansa(*init, "--tls", "off", "--address", "http://bt.example", node=tmp_path / "node")
    assert said.exit_code == 0
