"""Something is wrong, and an operator's people see to it at the command line."""

from __future__ import annotations

from collections.abc import Callable

from tests.entrypoints.desk import Desk
from tests.entrypoints.test_trade import held, placed, quoted


def test_a_ticket_from_open_to_closed(shop: Desk, need: Callable[..., str]) -> None:
    order = placed(shop, quoted(shop, need()))
    shop.work()
    holding = held(shop, order)
    opening = ("ticket", "open", holding, "No light.", "--for", "shop", "--key", "t-1")
    made = shop.json(*opening, "--severity", "critical")
    assert shop.json(*opening, "--severity", "critical")["id"] == made["id"]
    assert "key-reused" in shop.refused(*opening)
    ticket = made["id"]
    assert (made["moves"][-1]["state"], made["ask"]["priority"]) == ("acknowledged", "high")
    assert [one["id"] for one in shop.json("ticket", "list", "--for", "shop")] == [ticket]
    assert shop.json("ticket", "list", "--state", "closed") == []
    assert "No light." in shop("ticket", "list").out

    shop("ticket", "note", ticket, "The cheap card again.", "--private")
    shop("ticket", "note", ticket, "An engineer is on the way.", "--key", "n-1")
    shop("ticket", "note", ticket, "An engineer is on the way.", "--key", "n-1")
    shop("ticket", "move", ticket, "inProgress")
    shop("ticket", "move", ticket, "resolved", "--reason", "Card replaced.")
    assert "Card replaced." in shop("ticket", "show", ticket).out
    assert "ticket-move-not-yours" in shop.refused("ticket", "move", ticket, "closed")
    shop("ticket", "move", ticket, "closed", "--for", "shop")
    kept = shop.json("ticket", "show", ticket)
    assert [(one["author"], one["state"], one["text"]) for one in kept["entries"]] == [
        ("shop", "acknowledged", ""),
        ("ada", None, "The cheap card again."),
        ("ada", None, "An engineer is on the way."),
        ("ada", "inProgress", ""),
        ("ada", "resolved", "Card replaced."),
        ("ada", "closed", ""),
    ]
    assert "ticket-over" in shop.refused("ticket", "note", ticket, "And now?")
    assert "ticket-unknown" in shop.refused("ticket", "show", "tck_none", exit_code=4)
    line = shop.refused("ticket", "open", "hld_none", "x", "--for", "shop", "--key", "t-2",
                        exit_code=4)  # fmt: skip
    assert "holding-unknown" in line
    assert "choice-unknown" in shop.refused("ticket", "move", ticket, "asleep")
