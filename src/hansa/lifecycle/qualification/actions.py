"""What others may ask of qualification."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from hansa.federation.contract import (
    AgreementRef,
    Need,
    NeedItem,
    Qualification,
    QualificationLine,
    Seller,
)
from hansa.federation.hub import actions as hub
from hansa.federation.shelf import Extras, Page, QualificationKind, ShelfQualification
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import Ids, OfferCode, PartyId, QualificationId
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.agreement.model import TradeTerms
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, Source
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState
from hansa.lifecycle.qualification import rules, store
from hansa.lifecycle.qualification.model import Ask, Part, Pick, Wanted

log = logging.getLogger(__name__)

Sellers = Callable[[PartyId], Seller]
Answered = TypeVar("Answered")


def qualify(
    begin: Begin,
    *,
    us: Party,
    actor: Actor,
    buyer: Party,
    need: Need,
    sellers: Sellers,
    ids: Ids,
    now: Instant,
) -> Qualification:
    """Asks everyone who could serve each item, and says which items can be had.

    Raises Refused only for what is wrong with the need as a whole.
    """
    _, _, refusals = source_what_can_be(
        begin, us=us, actor=actor, buyer=buyer, need=need, sellers=sellers, now=now
    )
    return Qualification(
        id=ids.new(QualificationId),
        lines=tuple(
            QualificationLine(
                item.id,
                feasible=False,
                reason=refusals[item.id].code,
                words=refusals[item.id].words,
            )
            if item.id in refusals
            else QualificationLine(item.id, feasible=True)
            for item in need.items
        ),
    )


def keep(
    tx: Transaction,
    *,
    buyer: PartyId,
    kind: QualificationKind,
    qualification: Qualification,
    need: Need,
    extras: Extras,
    ids: Ids,
    now: Instant,
) -> ShelfQualification:
    """Keeps what was asked and answered for a while; what has expired of this buyer's goes."""
    until = now + rules.KEPT_FOR
    kept = ShelfQualification(qualification, buyer, kind, need, now, until, extras)
    store.forget(tx, buyer, now)
    store.keep(tx, kept)
    if kind == "offering":
        hub.publish(
            tx,
            ids=ids,
            topic="productOfferingQualification",
            thing=qualification.id,
            change="create",
            party=buyer,
            trace=need.trace,
            now=now,
        )
    return kept


def kept(
    tx: Transaction,
    *,
    qualification_id: QualificationId,
    kind: QualificationKind,
    buyer: PartyId | None = None,
    now: Instant,
) -> ShelfQualification:
    """One that is still kept, of this buyer's. Raises NotFound `qualification-unknown`."""
    found = store.get(tx, qualification_id, buyer, now)
    if found is None or found.kind != kind:
        raise NotFound(
            "qualification-unknown",
            f"You have no qualification {qualification_id}, or it has expired; ask again.",
            field="id",
        )
    return found


def all_kept(
    tx: Transaction,
    *,
    kind: QualificationKind,
    buyer: PartyId | None = None,
    now: Instant,
    offset: int = 0,
    limit: int,
) -> Page[ShelfQualification]:
    """Those of one buyer or of all that are still kept, the newest first."""
    return store.page(tx, kind, buyer, now, offset, limit)


def source_what_can_be(
    begin: Begin,
    *,
    us: Party,
    actor: Actor,
    buyer: Party,
    need: Need,
    sellers: Sellers,
    now: Instant,
) -> tuple[Sequence[Wanted], Sequence[Pick], Mapping[str, Refused]]:
    """Asks everyone who could serve each item: one seller for every part of those that can be
    had, and, by item, why the others cannot.

    Raises Refused only for what is wrong with the need as a whole.
    """
    rules.check_need(need, us=us.id, actor=actor)
    wanted: list[Wanted] = []
    refusals: dict[str, Refused] = {}
    with begin() as tx:
        preparing = _Preparing(tx, us=us, actor=actor, buyer=buyer, need=need, now=now)
        for item in need.items:
            try:
                wanted.append(preparing.item(item))
            except Refused as refusal:
                refusals[item.id] = refusal
    picks, unserved = _choose(wanted, us=us, need=need, sellers=sellers, ask_always=True)
    refusals |= unserved
    return (
        [one for one in wanted if one.item.id not in refusals],
        [pick for pick in picks if pick.item not in refusals],
        refusals,
    )


def source(
    begin: Begin,
    *,
    us: Party,
    actor: Actor,
    buyer: Party,
    need: Need,
    sellers: Sellers,
    now: Instant,
) -> tuple[Sequence[Wanted], Sequence[Pick]]:
    """Finds one seller for every part of every item, for a quote.

    Where only one seller could serve a part, the quote itself will tell whether it can.
    Raises Refused for the first item that cannot be had, naming it.
    """
    rules.check_need(need, us=us.id, actor=actor)
    with begin() as tx:
        preparing = _Preparing(tx, us=us, actor=actor, buyer=buyer, need=need, now=now)
        wanted = [preparing.item(item) for item in need.items]
    picks, unserved = _choose(wanted, us=us, need=need, sellers=sellers, ask_always=False)
    for refusal in unserved.values():
        raise refusal
    return wanted, picks


class _Preparing:
    """Makes the items of one need ready to be sourced.

    Items of a need are much alike, so what the rooms before say of an offer, a country or a
    supplier is asked once and counts for all of them.
    """

    def __init__(
        self, tx: Transaction, *, us: Party, actor: Actor, buyer: Party, need: Need, now: Instant
    ) -> None:
        self._tx = tx
        self._us = us
        self._actor = actor
        self._buyer = buyer
        self._need = need
        self._now = now
        self._known: dict[tuple[object, ...], tuple[Any, Refused | None]] = {}

    def item(self, item: NeedItem) -> Wanted:
        """One item with its offer, price, tax and everyone who may be asked for its parts."""
        with rules.about(item):
            return self._wanted(item)

    def _once(self, question: Callable[..., Answered], **about: object) -> Answered:
        """The answer of an action of a room before, asked once for the same things."""
        key = (question, *about.values())
        if key not in self._known:
            try:
                self._known[key] = question(self._tx, **about), None
            except Refused as refusal:
                self._known[key] = None, refusal
        answer: Answered
        answer, no = self._known[key]
        if no is not None:
            raise Refused(no.code, no.words, field=no.field)
        return answer

    def _wanted(self, item: NeedItem) -> Wanted:
        offer = self._once(catalogue.offer, code=item.offer)
        rules.check_site(item, offer)
        country = item.site.country if item.site else None
        ref: AgreementRef | None = None
        if self._actor.role == "partner":
            trade = self._trade(self._us.id, self._actor.party, item.offer, country)
            ref, price_list = trade.ref, trade.item.price_list
        else:
            price_list = self._once(agreement.customer, party=self._actor.party).price_list
        price = self._once(
            catalogue.price_for,
            price_list=price_list,
            offer=item.offer,
            currency=self._need.currency,
            at=self._now,
        )
        holding = self._changed(item)
        asked = catalogue.characteristics(offer, item.characteristics, field=f"items.{item.id}")
        normal = replace(item, characteristics=asked)
        return Wanted(
            item=normal,
            offer=offer,
            price=price,
            agreement=ref,
            holding=holding,
            tax=self._once(
                catalogue.tax_for, supplier=self._us, customer=self._buyer, now=self._now
            ),
            parts=tuple(self._parts(normal, offer, holding, country)),
        )

    def _trade(
        self, seller: PartyId, buyer: PartyId, offer: OfferCode, country: str | None
    ) -> TradeTerms:
        return self._once(
            agreement.terms_for,
            seller=seller,
            buyer=buyer,
            offer=offer,
            country=country,
            at=self._now,
        )

    def _changed(self, item: NeedItem) -> Holding | None:
        """The holding that an item changes, if it changes one and this buyer holds it."""
        if item.holding is None:
            return None
        ref = HoldingRef(self._us.id, item.holding)
        holding = inventory.get(self._tx, ref=ref, buyer=self._actor.party)
        if holding.state is not HoldingState.ACTIVE or holding.offer != item.offer:
            raise Refused(
                "holding-not-changeable",
                f"{item.holding} is {holding.state} {holding.offer}; only an active holding of "
                "the same offer can be changed.",
                field=f"items.{item.id}.holding",
            )
        return holding

    def _parts(
        self, item: NeedItem, offer: CatalogueOffer, holding: Holding | None, country: str | None
    ) -> list[Part]:
        lower = {}
        if holding is not None:
            below = inventory.below(self._tx, ref=holding.ref)
            lower = {rules.component_of(held): held for _, held in below}
        parts = []
        for component in offer.components:
            held = lower.get(component.name)
            if holding is not None and held is None:
                continue  # this site never needed that component
            if held is not None:
                sources: tuple[Source, ...] = (Source(held.ref.seller, held.offer),)
            else:
                sources = rules.sources_at(component, country)
            parts.append(self._part(item, component, sources, held, country))
        return parts

    def _part(
        self,
        item: NeedItem,
        component: Component,
        sources: Sequence[Source],
        held: Holding | None,
        country: str | None,
    ) -> Part:
        asks: list[Ask] = []
        refusal: HansaError | None = None
        for source in sources:
            line = rules.line(item, component, source, held, buyer=self._actor.party)
            if source.seller == self._us.id:
                asks.append(Ask(source.seller, self._need.currency, None, line))
                continue
            try:
                trade = self._trade(source.seller, self._us.id, source.offer, country)
            except Refused as reason:
                log.info("no supplier", extra=_told(reason, self._need, source.seller))
                refusal = refusal or rules.passed_on(reason, {line.id: item}, plainly=True)
            else:
                asks.append(Ask(source.seller, trade.item.currency, trade.ref, line))
        if not asks:
            raise refusal or Refused(
                "site-outside-coverage",
                f"Nobody who delivers the {component.name} of {item.offer} serves "
                f"{item.site.place if item.site else 'this order'}"
                f"{f' ({country})' if country else ''}.",
                field=f"items.{item.id}.site",
            )
        return Part(component, tuple(asks))


def _choose(
    wanted: Sequence[Wanted], *, us: Party, need: Need, sellers: Sellers, ask_always: bool
) -> tuple[list[Pick], dict[str, Refused]]:
    """Round by round each open part asks its next seller, one need to each seller a round."""
    picks: list[Pick] = []
    unserved: dict[str, Refused] = {}
    items = {one.item.id: one.item for one in wanted}
    open_parts = [(one.item.id, part) for one in wanted for part in one.parts]
    round_no = 0
    while open_parts:
        asked = []
        for item, part in open_parts:
            if len(part.asks) == 1 and not ask_always:
                picks.append(Pick(item, part.component, part.asks[0]))
            else:
                asked.append((item, part, part.asks[round_no]))
        by_name = {ask.item.id: items[item] for item, _, ask in asked}
        answers = _answers([ask for _, _, ask in asked], by_name, us=us, need=need, sellers=sellers)
        open_parts = []
        for item, part, ask in asked:
            answer = answers[ask.item.id]
            if answer.feasible:
                picks.append(Pick(item, part.component, ask))
            elif round_no + 1 < len(part.asks):
                open_parts.append((item, part))
            else:
                refusal = Refused(answer.reason, answer.words, field=f"items.{item}.site")
                unserved.setdefault(item, refusal)
        round_no += 1
    return picks, unserved


def _answers(
    asks: Sequence[Ask],
    items: Mapping[str, NeedItem],
    *,
    us: Party,
    need: Need,
    sellers: Sellers,
) -> dict[str, QualificationLine]:
    """items: ours, by the names under which sellers are asked for their parts."""
    lines: dict[str, QualificationLine] = {}
    for (seller, currency), group in rules.by_need(asks).items():
        asked = Need(tuple(ask.item for ask in group), currency, need.trace, (*need.trail, us.id))
        with heard_from(seller, items, us=us, need=need):
            answer = sellers(seller).qualify(asked)
        for line in answer.lines:
            lines[line.item] = line
            if not line.feasible and seller != us.id:
                reason = Refused(line.reason, line.words)
                log.info("supplier cannot", extra=_told(reason, need, seller))
                words = rules.passed_on(reason, {line.item: items[line.item]}, plainly=True).words
                lines[line.item] = replace(line, words=words)
    return lines


@contextmanager
def heard_from(
    seller: PartyId, items: Mapping[str, NeedItem], *, us: Party, need: Need
) -> Iterator[None]:
    """What the seller refuses in the block is passed on about our own items; in our words too,
    unless it is our own network, and what it said goes to the log for our own people.

    items: ours, by the names under which the seller is asked for their parts.
    """
    try:
        yield
    except HansaError as error:
        log.info("supplier refused", extra=_told(error, need, seller))
        raise rules.passed_on(error, items, plainly=seller != us.id) from error


def _told(error: HansaError, need: Need, seller: PartyId) -> dict[str, str]:
    return {
        "seller": seller,
        "trace": need.trace,
        "reason": error.code,
        "words": error.words,
    }
