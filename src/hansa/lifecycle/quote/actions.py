"""What others may ask or do about quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hansa.federation.contract import AgreementRef, Need, Quote, QuoteLine
from hansa.federation.shelf import Extras, Page, QuoteState, ShelfQuote
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import Ids, PartyId, QuoteId
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.catalogue import actions as catalogue
from hansa.lifecycle.qualification import actions as qualification
from hansa.lifecycle.qualification.actions import Sellers
from hansa.lifecycle.qualification.model import Pick, Wanted
from hansa.lifecycle.quote import rules, store
from hansa.lifecycle.quote.model import QUOTE_STATES, KeptQuote, SupplyLine, SupplyQuote


def quote(
    begin: Begin,
    *,
    us: Party,
    actor: Actor,
    buyer: Party,
    need: Need,
    sellers: Sellers,
    ids: Ids,
    now: Instant,
    extras: Extras | None = None,
) -> Quote:
    """A locked price for the whole need, with every supplier's locked quote behind it.

    extras: what the client sent beside what we understand, to be kept beside the quote.
    Raises Refused naming the first item that cannot be had or priced; nothing is kept then.
    """
    wanted, picks = qualification.source(
        begin, us=us, actor=actor, buyer=buyer, need=need, sellers=sellers, now=now
    )
    offered = _ask(picks, us=us, need=need, sellers=sellers)
    with begin() as tx:
        supplies = tuple(
            _supply(tx, group, quote, currency=need.currency, now=now) for group, quote in offered
        )
        costs = _costs(supplies)
        made = Quote(
            id=ids.new(QuoteId),
            seller=us.id,
            buyer=actor.party,
            currency=need.currency,
            lines=tuple(_line(one, costs.get(one.item.id, ())) for one in wanted),
            made_at=now,
            valid_until=rules.valid_until(now, [supply.quote for supply in supplies]),
            agreement=_one_agreement(wanted),
        )
        if made.valid_until <= now:
            raise TryLater(
                "supplier-quote-expired",
                "A supplier's quote ended while this one was made.",
                after_s=1,
            )
        store.add(tx, KeptQuote(made, need.trace, need.trail, supplies), extras or {})
    return made


def get(tx: Transaction, *, quote_id: QuoteId, buyer: PartyId | None = None) -> KeptQuote:
    """One quote, of this buyer if one is given. Raises NotFound `quote-unknown`."""
    kept = store.get(tx, quote_id)
    if kept is None or (buyer is not None and kept.quote.buyer != buyer):
        raise _unknown(quote_id)
    return kept


def _unknown(quote_id: QuoteId) -> NotFound:
    return NotFound("quote-unknown", f"You have no quote {quote_id}; ask for one.", field="quote")


def quotes(tx: Transaction, *, buyer: PartyId | None = None, limit: int = 100) -> Sequence[Quote]:
    """The newest quotes we made, the newest first."""
    return store.of_buyer(tx, buyer, limit)


def shelf_quote(tx: Transaction, *, quote_id: QuoteId, buyer: PartyId | None = None) -> ShelfQuote:
    """One quote and what became of it. Raises NotFound `quote-unknown`."""
    found = store.shelf_quote(tx, quote_id)
    if found is None or (buyer is not None and found.quote.buyer != buyer):
        raise _unknown(quote_id)
    return found


def shelf_quotes(
    tx: Transaction,
    *,
    buyer: PartyId | None = None,
    state: QuoteState | None = None,
    offset: int = 0,
    limit: int,
) -> Page[ShelfQuote]:
    """Quotes of one buyer or of all and what became of them, the newest first."""
    return store.shelf_quotes(tx, buyer, state, offset, limit)


def accept(tx: Transaction, *, quote_id: QuoteId, now: Instant) -> None:
    """Notes that a quote is being ordered. Raises Refused `quote-closed` after a no to it."""
    if store.add_move(tx, quote_id, QuoteState.ACCEPTED, "", now):
        return
    found = shelf_quote(tx, quote_id=quote_id)
    if found.state is not QuoteState.ACCEPTED:
        raise Refused(
            "quote-closed",
            f"Quote {quote_id} was {found.state} and cannot be ordered; ask for a new one.",
            field="quote",
        )


def move(
    tx: Transaction,
    *,
    quote_id: QuoteId,
    state: QuoteState,
    reason: str,
    now: Instant,
    buyer: PartyId | None = None,
) -> ShelfQuote:
    """Accepts, rejects or cancels a quote; there already changes nothing.

    Raises NotFound `quote-unknown`; Refused `state-move` for a move that no quote makes.
    """
    found = shelf_quote(tx, quote_id=quote_id, buyer=buyer)
    if found.state is state:
        return found
    QUOTE_STATES.check(found.state, state)
    if not store.add_move(tx, quote_id, state, reason, now):
        found = shelf_quote(tx, quote_id=quote_id, buyer=buyer)  # somebody was quicker
        if found.state is not state:
            QUOTE_STATES.check(found.state, state)
    return shelf_quote(tx, quote_id=quote_id, buyer=buyer)


Group = Sequence[Pick]


def _ask(
    picks: Sequence[Pick], *, us: Party, need: Need, sellers: Sellers
) -> Sequence[tuple[Group, Quote]]:
    """One need to each seller, stage and currency; their quotes in delivery order."""
    groups: dict[tuple[int, PartyId, str], list[Pick]] = {}
    for pick in picks:
        key = (pick.component.stage, pick.ask.seller, pick.ask.currency)
        groups.setdefault(key, []).append(pick)
    items = {item.id: item for item in need.items}
    offered: list[tuple[Group, Quote]] = []
    for (_, seller, currency), group in sorted(groups.items(), key=lambda one: one[0]):
        asked = tuple(pick.ask.item for pick in group)
        ours = {pick.ask.item.id: items[pick.item] for pick in group}
        with qualification.heard_from(seller, ours, us=us, need=need):
            quoted = sellers(seller).quote(Need(asked, currency, need.trace, (*need.trail, us.id)))
        offered.append((group, quoted))
    return offered


def _supply(
    tx: Transaction, group: Group, quote: Quote, *, currency: str, now: Instant
) -> SupplyQuote:
    asked = {pick.ask.item.id for pick in group}
    answered = {line.item for line in quote.lines}
    if asked != answered or quote.currency != group[0].ask.currency:
        raise Refused(
            "supplier-quote-incomplete",
            f"{quote.seller} quoted {len(answered)} of {len(asked)} lines in {quote.currency}.",
            field="items",
        )
    rate = catalogue.reference_rate(tx, base=quote.currency, quote=currency, day=now.date())
    return SupplyQuote(
        seller=quote.seller,
        stage=group[0].component.stage,
        agreement=group[0].ask.agreement,
        quote=quote,
        lines=tuple(
            SupplyLine(pick.item, pick.component.name, pick.ask.item.id, pick.component.metered)
            for pick in group
        ),
        rate_of_exchange=f"{rate.rate} {rate.source} {rate.day}",
    )


def _costs(supplies: Sequence[SupplyQuote]) -> Mapping[str, Sequence[rules.Cost]]:
    """What the suppliers charge for the parts of each item."""
    costs: dict[str, list[rules.Cost]] = {}
    for supply in supplies:
        lines = {line.item: line for line in supply.quote.lines}
        rate = Decimal(supply.rate_of_exchange.partition(" ")[0])
        for part in supply.lines:
            cost = rules.Cost(lines[part.line].terms, part.metered, rate)
            costs.setdefault(part.item, []).append(cost)
    return costs


def _line(wanted: Wanted, costs: Sequence[rules.Cost]) -> QuoteLine:
    item = wanted.item
    listed = catalogue.list_terms(wanted.price, item.characteristics, item.quantity)
    return QuoteLine(
        item=item.id,
        offer=item.offer,
        offer_name=wanted.offer.name,
        family=wanted.offer.family,
        site=item.site,
        characteristics=item.characteristics,
        quantity=item.quantity,
        terms=rules.line_terms(wanted, listed, costs),
        tax=wanted.tax,
        holding=item.holding,
    )


def _one_agreement(wanted: Sequence[Wanted]) -> AgreementRef | None:
    refs = {one.agreement for one in wanted}
    if len(refs) > 1:
        raise Refused(
            "agreements-mixed",
            "These items fall under different agreements; ask for a quote under each.",
            field="items",
        )
    return refs.pop()
