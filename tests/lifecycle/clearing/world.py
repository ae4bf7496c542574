"""An alliance of any size, with a month invoiced, whose members net among many."""

from __future__ import annotations

import random  # noqa: TID251 - a bad post, by seeds
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hansa.federation.contract import Tax
from hansa.federation.keys.ring import KeyRing
from hansa.federation.papers import AgreementParty, CountryNetting, NettingMode, NettingTerms
from hansa.foundation.database import Database
from hansa.foundation.ids import Ids, OfferCode, PartyId, RoundId
from hansa.foundation.party import Party
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing import work as clearing_work
from hansa.lifecycle.clearing.actions import centre, netting
from hansa.lifecycle.clearing.model import Part, Round
from hansa.lifecycle.settlement.actions import positions
from tests.lifecycle.agreement import examples as agreements
from tests.lifecycle.agreement.examples import PARTIES, Letter
from tests.lifecycle.settlement import world as settlement
from tests.lifecycle.settlement.world import ALLIANCE, MONTH_END, NOVEMBER, sell

NAMES = tuple(PartyId(name) for name in ("bt", "dt", "mtn", "orange", "telia", "vivo"))
COUNTRIES = dict(zip(NAMES, ("GB", "DE", "ZA", "FR", "SE", "BR"), strict=True))
PARTIES.update(
    {
        name: Party(name, name.upper(), COUNTRIES[name], "GBP")
        for name in NAMES
        if name not in PARTIES
    }
)
CENTRE = NAMES[0]
UNTAXED = Tax("reverse-charge", 0, "Reverse charge.")
HOURS = 48


@dataclass
class Member(settlement.Node):
    """One operator that takes part in netting."""

    auto_net: bool = True
    asleep: bool = False

    def hear_in(self, tx: Transaction, letter: Letter) -> None:
        if letter.notice.kind.startswith("netting-"):
            netting.hear(tx, sender=letter.sender, notice=letter.notice, now=self.now)  # type: ignore[arg-type]
        else:
            settlement.Node.hear_in(self, tx, letter)

    def clear(self) -> int:
        """What clearing does unasked, until nothing moves."""
        moved = 0
        while not self.asleep:
            with self.begin() as tx:
                turn = self.clear_in(tx)
            moved += turn
            if not turn:
                break
        return moved

    def clear_in(self, tx: Transaction) -> int:
        return clearing_work.run(
            tx, us=self.party, keys=self.keys, ids=self.ids, auto_net=self.auto_net, now=self.now
        )

    def call(self, currency: str = "GBP") -> Round:
        with self.begin() as tx:
            return centre.call(
                tx, us=self.party, agreement=ALLIANCE, period=NOVEMBER, currency=currency,
                ids=self.ids, now=self.now,
            )  # fmt: skip

    def round(self, id: RoundId) -> Round:
        with self.begin() as tx:
            return centre.round_of(tx, id=id)

    def part(self, id: RoundId) -> Part:
        with self.begin() as tx:
            return netting.part(tx, round=id)


@dataclass
class Alliance(settlement.World):
    """Members, and a post between them that may repeat and reorder what it carries."""

    members: dict[PartyId, Member] = field(default_factory=dict)
    carried: list[Letter] = field(default_factory=list)

    def settle_down(self, draw: random.Random | None = None) -> None:
        """All members work and all letters arrive, until nothing moves. draw: in any order,
        some twice and some again long after.
        """
        waiting: list[Letter] = []
        while True:
            moved = sum(member.clear() for member in self.members.values())
            waiting += self.collect()
            if not waiting and not moved:
                return None
            if draw is not None:
                draw.shuffle(waiting)
            again = []
            for letter in waiting:
                member = self.members[letter.to]
                if member.asleep:
                    again.append(letter)
                    continue
                member.hear(letter)
                self.carried.append(letter)
                if draw is not None and draw.random() < 0.4:
                    late = draw.choice(self.carried)
                    if not self.members[late.to].asleep:
                        self.members[late.to].hear(late)
            if len(again) == len(waiting) and not moved:
                return self._give_back(again)
            waiting = again

    def _give_back(self, letters: Sequence[Letter]) -> None:
        self.held_back = list(letters)

    held_back: list[Letter] = field(default_factory=list)

    def proof(self) -> tuple[bool, tuple[str, ...]]:
        found = positions.proof([member.books() for member in self.members.values()])
        return found.ok, found.breaks

    def settlement_of(self, party: PartyId) -> int:
        """What the party's settlement accounts come to, in pence."""
        return sum(line.settlement.minor for line in self.members[party].books().lines)


def alliance(
    databases: Callable[[], Database],
    folder: Path,
    ids: Ids,
    clock: SetClock,
    size: int,
    *,
    modes: dict[str, NettingMode] | None = None,
) -> Alliance:
    """Members who all may sell to each other in pounds, under one agreement with a centre."""
    names = NAMES[:size]
    members = {
        name: Member(
            name, databases(), KeyRing.load_or_create(folder / name), ids, clock, auto_confirm=True
        )
        for name in names
    }
    made = Alliance(offices=dict(members), nodes=dict(members), members=members)
    for member in members.values():
        for other in members.values():
            if other is not member:
                agreements.introduce(member, to=other)
    clock.at = agreements.FROM
    said = {COUNTRIES[name]: "multilateral" for name in names} | (modes or {})
    made.agree(
        agreements.document(
            parties=tuple(
                AgreementParty(name, "lead" if name == CENTRE else "partner") for name in names
            ),
            items=tuple(
                agreements.item(
                    seller=seller, buyer=buyer, offers=(offer(seller, buyer),), credit_limit=None
                )
                for seller in names
                for buyer in names
                if seller != buyer
            ),
            netting=NettingTerms(
                CENTRE,
                tuple(
                    CountryNetting(country, mode, f"leave of {country}")  # type: ignore[arg-type]
                    for country, mode in said.items()
                ),
                HOURS,
            ),
        )
    )
    clock.at = MONTH_END
    return made


def offer(seller: PartyId, buyer: PartyId) -> OfferCode:
    return OfferCode(f"{seller}-to-{buyer}")


def invoice(made: Alliance, sales: Sequence[tuple[int, int, int]]) -> None:
    """A month of sales (seller, buyer, pence), stated, confirmed and invoiced."""
    members = list(made.members.values())
    for number, (seller, buyer, pence) in enumerate(sales):
        one, other = members[seller], members[buyer]
        sell(one, other, f"sale-{number}", offer=offer(one.us, other.us), monthly=pence,
             tax=UNTAXED)  # fmt: skip
    made.month_ends()
    made.run()
