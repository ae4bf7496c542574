"""Three operators with their own databases and keys, and the notices that pass between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from hansa.federation import directory
from hansa.federation.contract import AgreementRef
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Notice
from hansa.federation.papers import (
    AgreementDocument,
    AgreementDrafted,
    AgreementItem,
    AgreementMoved,
    AgreementParty,
    AgreementSigned,
    RevenueShare,
)
from hansa.foundation import documents
from hansa.foundation.database import Database, all_rows
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import AgreementId, Ids, OfferCode, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import Agreement

BT, MTN, MCI = PartyId("bt"), PartyId("mtn"), PartyId("mci")
PARTIES = {
    BT: Party(BT, "BT", "GB", "GBP"),
    MTN: Party(MTN, "MTN Business", "ZA", "ZAR"),
    MCI: Party(MCI, "MCI", "US", "USD"),
}
CONNECT, SHIELD, TRUNK = OfferCode("connect"), OfferCode("shield"), OfferCode("trunk")
FROM = datetime(2026, 11, 1, tzinfo=UTC)
ID = AgreementId("agr_africa.bt")


def item(**changes: object) -> AgreementItem:
    its = AgreementItem(
        seller=BT,
        buyer=MTN,
        offers=(CONNECT, SHIELD),
        countries=("ZA", "GH"),
        price_list="africa",
        currency="GBP",
        credit_limit=Money(5_000_000, "GBP"),
    )
    return replace(its, **changes)  # type: ignore[arg-type]


def share(**changes: object) -> RevenueShare:
    its = RevenueShare(
        operator=BT,
        beneficiary=MCI,
        share_bp=2_500,
        offers=(CONNECT,),
        currency="USD",
        fx_source="ecb",
    )
    return replace(its, **changes)  # type: ignore[arg-type]


def document(version: int = 1, *, three: bool = False, **changes: object) -> AgreementDocument:
    """BT sells to MTN in South Africa and Ghana; with `three`, MCI shares BT's revenue."""
    parties = (AgreementParty(BT, "lead"), AgreementParty(MTN, "partner"))
    its = AgreementDocument(
        id=ID,
        version=version,
        name="Africa 2026",
        parties=(*parties, AgreementParty(MCI, "member")) if three else parties,
        valid_from=FROM,
        valid_to=None,
        items=(item(),),
        shares=(share(),) if three else (),
        gates=("licence", "tax"),
    )
    return replace(its, **changes)  # type: ignore[arg-type]


def ref(version: int = 1) -> AgreementRef:
    return AgreementRef(ID, version)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice on its way."""

    sender: PartyId
    to: PartyId
    notice: Notice


@dataclass
class Office:
    """One operator's node, as far as agreements go."""

    us: PartyId
    database: Database
    keys: KeyRing
    ids: Ids
    clock: SetClock
    _fetched: set[str] = field(default_factory=set)

    def begin(self) -> AbstractContextManager[Transaction]:
        return self.database.begin()

    def draft(self, text: AgreementDocument) -> Agreement:
        with self.begin() as tx:
            return actions.draft(tx, us=self.us, document=text, ids=self.ids, now=self.now)

    def sign(self, version: int = 1) -> Agreement:
        return self._act(actions.sign, version)

    def suspend(self, version: int = 1) -> Agreement:
        return self._act(actions.suspend, version)

    def resume(self, version: int = 1) -> Agreement:
        return self._act(actions.resume, version)

    def run_off(self, version: int = 1) -> Agreement:
        return self._act(actions.run_off, version)

    def end(self, version: int = 1) -> Agreement:
        return self._act(actions.end, version)

    def pass_gates(self, country: str, version: int = 1) -> None:
        for gate in self.show(version).document.gates:
            self.pass_gate(country, gate, f"{gate} of {country} is in order", version)

    def pass_gate(self, country: str, gate: str, evidence: str, version: int = 1) -> Agreement:
        with self.begin() as tx:
            return actions.pass_gate(
                tx,
                us=self.us,
                ref=ref(version),
                country=country,
                gate=gate,
                evidence=evidence,
                by="Ada",
                now=self.now,
            )

    def launch(self, country: str, version: int = 1) -> Agreement:
        with self.begin() as tx:
            return actions.launch(
                tx,
                us=self.us,
                ref=ref(version),
                country=country,
                keys=self.keys,
                ids=self.ids,
                now=self.now,
            )

    def show(self, version: int = 1) -> Agreement:
        with self.begin() as tx:
            return actions.show(tx, ref=ref(version))

    def hear(self, letter: Letter) -> None:
        with self.begin() as tx:
            self.hear_in(tx, letter)

    def hear_in(self, tx: Transaction, letter: Letter) -> None:
        """What the node's door does with a notice, in a transaction that the test holds."""
        notice, sender = letter.notice, letter.sender
        if isinstance(notice, AgreementDrafted):
            actions.hear_draft(tx, us=self.us, sender=sender, notice=notice, now=self.now)
        elif isinstance(notice, AgreementSigned):
            actions.hear_signature(tx, us=self.us, sender=sender, notice=notice, now=self.now)
        elif isinstance(notice, AgreementMoved):
            actions.hear_move(tx, us=self.us, sender=sender, notice=notice, now=self.now)

    def outbox(self) -> list[Letter]:
        """The notices written since the last look, in the order in which they were written."""
        with self.begin() as tx:
            rows = all_rows(
                tx,
                """select id, body from plan_task where kind = 'federation.notice'
                   order by plan, position""",
            )
        new = [row for row in rows if row["id"] not in self._fetched]
        self._fetched |= {row["id"] for row in new}
        return [documents.read(Letter, {"sender": self.us, **row["body"]}) for row in new]

    @property
    def now(self) -> Instant:
        return self.clock.now()

    def _act(self, act: Callable[..., Agreement], version: int) -> Agreement:
        with self.begin() as tx:
            return act(tx, us=self.us, ref=ref(version), keys=self.keys, ids=self.ids, now=self.now)


@dataclass
class World:
    """Some operators who know each other."""

    offices: dict[PartyId, Office]

    @property
    def bt(self) -> Office:
        return self.offices[BT]

    @property
    def mtn(self) -> Office:
        return self.offices[MTN]

    @property
    def mci(self) -> Office:
        return self.offices[MCI]

    def collect(self) -> list[Letter]:
        return [letter for office in self.offices.values() for letter in office.outbox()]

    def deliver(self, letters: Sequence[Letter] | None = None) -> None:
        """Delivers all that is on its way; what must wait for another goes to the end."""
        waiting = list(self.collect() if letters is None else letters)
        patience = len(waiting) ** 2 + 1
        while waiting:
            letter, patience = waiting.pop(0), patience - 1
            assert patience > 0, f"nobody takes {letter}"
            try:
                self.offices[letter.to].hear(letter)
            except TryLater:
                waiting.append(letter)

    def agree(self, text: AgreementDocument) -> None:
        """The lead drafts it, all sign, and all hear of it."""
        self.bt.draft(text)
        self.deliver()
        for party in text.parties:
            self.offices[party.party].sign(text.version)
        self.deliver()

    def launch(self, country: str, version: int = 1) -> None:
        self.bt.pass_gates(country, version)
        self.bt.launch(country, version)
        self.deliver()


def world(
    databases: Callable[[], Database], folder: Path, ids: Ids, clock: SetClock, *names: PartyId
) -> World:
    """Offices of these names, each a partner of all others."""
    made = World(
        {
            name: Office(name, databases(), KeyRing.load_or_create(folder / name), ids, clock)
            for name in names
        }
    )
    for office in made.offices.values():
        for other in made.offices.values():
            if other is not office:
                introduce(office, to=other)
    return made


def introduce(office: Office, *, to: Office) -> None:
    """Makes the one a partner of the other."""
    card = directory.invite(
        office.keys, party=PARTIES[office.us], address="http://127.0.0.1:1", now=office.now
    )
    with to.begin() as tx:
        directory.join(tx, card=card, now=to.now)
