"""One type per kind of thing, from one append-only list.

An id is a readable prefix on a time-ordered UUID (RFC 9562 version 7) and is made before
the thing is. What several operators call by one id has the name of who gave it behind a dot, so
that nobody can give another's. Parties, offers and currencies have codes that people choose.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import NewType, TypeVar

from hansa.foundation.errors import Refused
from hansa.foundation.time import Clock

PartyId = NewType("PartyId", str)
"""An operator or customer, by the short name under which it joined: `bt`, `mtn`."""
OfferCode = NewType("OfferCode", str)
"""An offer in one seller's catalogue: `global-connect`."""
BuyerKey = NewType("BuyerKey", str)
"""The buyer's own key of a changing request: same key, same answer."""

AgreementId = NewType("AgreementId", str)
QuoteId = NewType("QuoteId", str)
OrderId = NewType("OrderId", str)
HoldingId = NewType("HoldingId", str)
PlanId = NewType("PlanId", str)
TaskId = NewType("TaskId", str)
EntryId = NewType("EntryId", str)
HoldId = NewType("HoldId", str)
BillId = NewType("BillId", str)
StatementId = NewType("StatementId", str)
UsageFileId = NewType("UsageFileId", str)
QualificationId = NewType("QualificationId", str)
NoticeId = NewType("NoticeId", str)
CancellationId = NewType("CancellationId", str)
BillRequestId = NewType("BillRequestId", str)
TicketId = NewType("TicketId", str)
NoteId = NewType("NoteId", str)
RecordId = NewType("RecordId", str)
SubscriptionId = NewType("SubscriptionId", str)
EventId = NewType("EventId", str)
ClientId = NewType("ClientId", str)
RoundId = NewType("RoundId", str)
PaymentId = NewType("PaymentId", str)
BankAccountId = NewType("BankAccountId", str)
DisputeId = NewType("DisputeId", str)
PersonId = NewType("PersonId", str)
SessionId = NewType("SessionId", str)
ProposalId = NewType("ProposalId", str)
DraftId = NewType("DraftId", str)
TraceId = NewType("TraceId", str)
"""32 lower-case hexadecimal digits (W3C Trace Context), the same at every hop of an order."""

# Append only: a prefix, once given, keeps its meaning for ever.
PREFIXES: dict[Callable[[str], str], str] = {
    AgreementId: "agr",
    QuoteId: "quo",
    OrderId: "ord",
    HoldingId: "hld",
    PlanId: "pln",
    TaskId: "tsk",
    EntryId: "ent",
    HoldId: "hol",
    BillId: "bil",
    StatementId: "stm",
    UsageFileId: "usf",
    QualificationId: "qal",
    NoticeId: "ntc",
    CancellationId: "can",
    BillRequestId: "brq",
    TicketId: "tck",
    NoteId: "nte",
    RecordId: "rec",
    SubscriptionId: "sub",
    EventId: "evt",
    ClientId: "cli",
    RoundId: "rnd",
    PaymentId: "pay",
    BankAccountId: "bnk",
    DisputeId: "dsp",
    PersonId: "per",
    SessionId: "ses",
    ProposalId: "prp",
    DraftId: "drf",
}

Kind = TypeVar("Kind", bound=str)


KEY_MAX = 128

GIVEN_MAX = 200


def check_key(key: BuyerKey) -> None:
    """Raises Refused `key-invalid` unless the key has 1 to 128 printable ASCII characters."""
    if not (1 <= len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
        raise Refused(
            "key-invalid", f"A key has 1 to {KEY_MAX} printable ASCII characters.", field="key"
        )


def check_given(id: str, *, by: PartyId, field: str) -> None:
    """Raises Refused `id-not-given` unless this is an id as this party gives them.

    Whether anything is called so makes no difference: nobody learns from it what others have.
    """
    if not id.endswith(f".{by}") or len(id) > GIVEN_MAX:
        raise Refused(
            "id-not-given",
            f"An id that {by} gives ends with .{by} and has at most {GIVEN_MAX} characters. Name "
            "it anew.",
            field=field,
        )


class Ids:
    """Makes ids; injected, so that a test can repeat a run exactly."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock = clock
        self._entropy = entropy

    def _uuid7(self) -> uuid.UUID:
        millis = int(self._clock.now().timestamp() * 1000)
        noise = int.from_bytes(self._entropy(10), "big")
        bits = (millis << 80) | (noise & ((1 << 80) - 1))
        bits = (bits & ~(0xF << 76)) | (0x7 << 76)
        bits = (bits & ~(0x3 << 62)) | (0x2 << 62)
        return uuid.UUID(int=bits)

    def new(self, kind: Callable[[str], Kind]) -> Kind:
        """A new id of the given kind, e.g. `ids.new(OrderId)` gives `ord_0198…`."""
        return kind(f"{PREFIXES[kind]}_{self._uuid7().hex}")

    def given(self, kind: Callable[[str], Kind], *, by: PartyId) -> Kind:
        """A new id for what others call by it too, e.g. `agr_0198….bt`; by: our own party."""
        return kind(f"{self.new(kind)}.{by}")

    def trace(self) -> TraceId:
        """A new trace id for an order that starts here."""
        return TraceId(self._entropy(16).hex())
