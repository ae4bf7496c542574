"""Evidence at the command line: shown and exported by one node, verified by anyone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from hansa.entrypoints.cli import evidence as commands
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import SetClock
from hansa.lifecycle.order.actions import orders
from tests.alliance import Alliance, chain
from tests.entrypoints.desk import hansa


@pytest.fixture
def order(
    databases: Callable[[], Database],
    tmp_path: Path,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """What op2 has ordered of op1 for its customer; commands are typed at op1."""
    alliance = Alliance(databases, tmp_path, clock, b"evidence")
    front = chain(alliance, 2)
    front.order(quote_id=front.quote(alliance.need("Durban")).id, key=BuyerKey("k"))
    alliance.work()
    first = next(iter(alliance.nodes.values()))
    monkeypatch.setattr(commands, "opened", lambda _: nullcontext(first))
    with first.begin() as tx:
        (placed,) = orders.orders(tx, us=first.us.id)
    yield placed.order.id
    alliance.close()


def test_evidence_is_shown_exported_and_verified(order: str, tmp_path: Path) -> None:
    shown = hansa("evidence", "show", order)
    assert shown.exit_code == 0
    assert "all of it holds" in shown.out
    assert "op2 ordered of op1: 1 x line in ZA" in shown.out
    assert "op2 asked op1: POST productOrder" in shown.out
    assert "op1 asked op2: POST productOrderStateChangeEvent" in shown.out
    assert "state completed" in shown.out

    listed = json.loads(hansa("evidence", "list", "--with", "op2", "--json").out)
    assert {one["party"] for one in listed} == {"op2"}
    assert not any("body" in one for one in listed)
    assert "productOrder" in hansa("evidence", "list", "--limit", "5").out

    file = tmp_path / "order.json"
    assert hansa("evidence", "export", order, "--out", str(file)).exit_code == 0
    verified = hansa("evidence", "verify", str(file), "--json")
    assert (verified.exit_code, json.loads(verified.out)["holds"]) == (0, True)

    file.write_text(file.read_text().replace('"method": "POST"', '"method": "PUT"'))
    spoilt = hansa("evidence", "verify", str(file))
    bare = {**json.loads(file.read_text()), "messages": [], "mandate": None}
    file.write_text(json.dumps(bare))
    assert "nothing is proved" in hansa("evidence", "verify", str(file)).out
    assert spoilt.exit_code == 3
    assert "it does NOT hold" in spoilt.out


def test_what_is_no_evidence_is_refused(order: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for text, code in (
        (None, "file-unreadable"),
        ("[", "malformed"),
        ("[]", "malformed"),
        ('{"version": 2}', "evidence-version"),
        ('{"version": 1}', "malformed"),
    ):
        if text is not None:
            file.write_text(text)
        said = hansa("evidence", "verify", str(file))
        assert (said.exit_code, f"({code})" in said.err) == (3, True), text
    missing = hansa("evidence", "show", "ord_none")
    assert (missing.exit_code, "(order-unknown)" in missing.err) == (4, True)
    nowhere = hansa("evidence", "export", order, "--out", str(tmp_path / "none" / "x"))
    assert (nowhere.exit_code, "(file-unwritable)" in nowhere.err) == (3, True)
