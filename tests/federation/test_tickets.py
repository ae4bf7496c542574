"""Tickets in official shapes, and tickets of sellers who say less than we do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from hansa.federation.helpdesk import Ticket, TicketAsk, TicketState
from hansa.federation.papers import TicketMoved
from hansa.federation.tmf.shapes import ticket
from hansa.federation.wire import parse, render
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey
from tests.federation import swagger
from tests.federation.values import value


def faults(name: str, shape: Any) -> list[str]:
    schema = swagger.document(621)["definitions"][name]
    return list(swagger.faults(621, schema, parse(render(shape))))


@settings(max_examples=40, deadline=None)
@given(value(Ticket))
def test_a_ticket_is_as_the_official_document_says(made: Ticket) -> None:
    assert faults("TroubleTicket", ticket.write(made)) == []
    assert (
        faults("TroubleTicketStatusChangeEvent", ticket.write_moved(TicketMoved(made), "e")) == []
    )


@settings(max_examples=40, deadline=None)
@given(value(TicketAsk))
def test_so_is_what_a_buyer_asks(ask: TicketAsk) -> None:
    assert faults("TroubleTicket_Create", ticket.write_opening(ask, BuyerKey("k"))) == []
    assert faults("TroubleTicket_Update", ticket.write_note("Red.", BuyerKey("n"))) == []
    for state in TicketState:
        assert faults("TroubleTicket_Update", ticket.write_move(state, "why")) == []


LEAST: dict[str, Any] = {
    "id": "T-1",
    "description": "No light.",
    "severity": "Urgent",
    "ticketType": "complain",
    "status": "pending",
    "statusChangeReason": "Which port?",
    "creationDate": "2026-11-02T09:00:00+01:00",
    "statusChange": [{"status": "acknowledged", "changeDate": "2026-11-02T08:00:00Z"}],
    "relatedParty": [
        {"id": "bt", "role": "seller", "@referredType": "Organization"},
        {"id": "mtn", "role": "buyer", "@referredType": "Organization"},
    ],
    "relatedEntity": [{"id": "B-7", "role": "disputed", "@referredType": "CustomerBill"}],
    "channel": {"id": "phone"},
}


def test_a_seller_may_tell_less_than_we_do() -> None:
    read = ticket.read(LEAST)
    assert [(move.state, move.reason) for move in read.moves] == [
        (TicketState.ACKNOWLEDGED, ""),
        (TicketState.PENDING, "Which port?"),
    ]
    assert (read.seller, read.buyer, read.key, read.ask.holding) == ("bt", "mtn", "", None)


@pytest.mark.parametrize(
    ("field", "replaced"),
    [
        ("status", {"status": "asleep"}),
        ("severity", {"severity": 3}),
        ("creationDate", {"creationDate": "yesterday"}),
        ("statusChange.0.status", {"statusChange": [{"status": "?", "changeDate": "2026-11-02"}]}),
        ("note.0.id", {"note": [{"text": "x"}]}),
        ("relatedParty", {"relatedParty": []}),
        (
            "relatedEntity.1",
            {"relatedEntity": [{"id": "a", "role": "r", "@referredType": "Product"}] * 2},
        ),
    ],
)
def test_what_is_no_ticket_is_refused(field: str, replaced: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="malformed") as refusal:
        ticket.read({**LEAST, **replaced})
    assert refusal.value.field == field


def test_a_note_that_is_there_is_not_added_again() -> None:
    read = ticket.read(
        {
            **LEAST,
            "note": [{"id": "n1", "author": "mtn", "date": "2026-11-02T08:00:00Z", "text": "Red."}],
        }
    )
    change = ticket.read_change({"note": [{"id": "n1", "text": "Red."}, {"text": "Green."}]})
    (new,) = ticket.added(change, read)
    assert new.text == "Green."
    assert new.key == ticket.read_change({"note": [{"text": "Green."}]}).notes[0].key
