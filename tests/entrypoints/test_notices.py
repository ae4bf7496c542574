"""Notices that a partner does not answer, as an operator's people see them and send them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from starlette.testclient import TestClient

from hansa.entrypoints import http
from hansa.federation import notices
from hansa.federation.papers import InvoiceIssued
from hansa.foundation.ids import BillId, PartyId, StatementId
from tests.entrypoints.desk import SOON, Desk, set_clock

ACME = PartyId("acme")


def told(desk: Desk) -> None:
    """The node tells its foreign partner something; nobody listens there."""
    desk(
        "partner", "add", "acme", "--name", "ACME", "--country", "DE", "--currency", "EUR",
        "--address", "http://127.0.0.1:1", "--dialect", "tmf", "--no-auth",
    )  # fmt: skip
    with desk.node() as node:
        notice = InvoiceIssued(StatementId("stm_1.bt"), BillId("bil_1"), "1", SOON)
        with node.begin() as tx:
            trace = node.ids.trace()
            notices.send(
                tx, ids=node.ids, to=ACME, notice=notice, trace=trace, now=node.clock.now()
            )


def metrics(desk: Desk) -> dict[str, str]:
    with desk.node() as node:
        text = TestClient(http.app(node)).get("/metrics").text
    return dict(line.split() for line in text.splitlines() if line.startswith("hansa_notices{"))


def test_a_notice_without_an_answer_is_seen_and_sent_again(desks: Callable[..., Desk]) -> None:
    desk = desks("bt")
    told(desk)
    desk.work()
    (waiting,) = desk.json("partner", "notices")
    assert (waiting["to"], waiting["notice"], waiting["tries"]) == ("acme", "invoice-issued", 1)
    assert waiting["error"].startswith("partner-silent")
    assert desk.json("partner", "show", "acme")["notices_waiting"] == 1
    clock = desk.folder.parent / "clock"
    set_clock(clock, SOON + timedelta(days=1, hours=1))
    assert metrics(desk) == {
        'hansa_notices{state="waiting"}': "1.0",
        'hansa_notices{state="overdue"}': "1.0",
        'hansa_notices{state="given-up"}': "0.0",
    }
    assert status(desk) == (1, 0, 0)

    settings = desk.folder / "node.toml"
    settings.write_text(settings.read_text() + "\n[limits]\nforeign_notice_h = 0\n")
    desk.work()
    assert status(desk) == (0, 1, 0)
    assert metrics(desk)['hansa_notices{state="given-up"}'] == "1.0"
    assert desk.json("order", "fallout") == []
    (given_up,) = desk.json("partner", "notices", "acme")
    assert given_up["next_at"] is None
    assert re.search(r"notices given up +1\b", desk("partner", "show", "acme").out)
    said = desk("partner", "resend", "acme", "--why", "their listener is back")
    assert "1 notices are sent to acme again" in said.out
    assert desk.json("partner", "notices", "acme")[0]["next_at"] is not None
    assert "partner-unknown" in desk.refused(
        "partner", "resend", "nobody", "--why", "?", exit_code=4
    )


def status(desk: Desk) -> tuple[int, int, int]:
    """Overdue notices, those given up, and what is held for a person beside them."""
    found = desk("node", "status", "--json", exit_code=5).json
    return found["notices_overdue"], found["notices_given_up"], found["fallout"]
