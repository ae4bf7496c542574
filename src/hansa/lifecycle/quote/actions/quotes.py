"""Quotes: made, looked up, moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hansa.federation.bulk import Priced, Unquoted
from hansa.federation.contract import AgreementRef, Need, Quote, QuoteLine
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.shelf import Extras, Page, QuoteState, ShelfQuote
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, Ids, PartyId, QuoteId, TraceId, check_key
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.qualification import actions as qualification
from hansa.lifecycle.qualification.actions import Sellers
from hansa.lifecycle.qualification.model import Pick, Wanted
from hansa.lifecycle.quote import rules, store
from hansa.lifecycle.quote.model import (
    QUOTE_STATES,
    KeptPart,
    KeptQuote,
    LineCost,
    SupplyLine,
    SupplyQuote,
)

Group = Sequence[Pick]


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
        made = _price(tx, wanted, offered, us=us, actor=actor, need=need, ids=ids, now=now)
        store.add(tx, made, extras or {})
        _tell(tx, made.quote, "create", need.trace, ids, now)
    return made.quote


def begin_bulk(tx: Transaction, *, buyer: PartyId, key: BuyerKey, need: Need) -> int:
    """Enters a need that is to be answered part by part; returns how many parts it has.

    Raises Refused `need-empty`, `need-too-long`, `item-duplicate`; `key-reused` when another
    need has been entered under the key; `key-invalid`.
    """
    check_key(key)
    rules.check_bulk(need)
    asked = rules.asked(need)
    if store.enter_bulk(tx, buyer, key, asked) != asked:
        raise Refused(
            "key-reused",
            f"{key} stands for another need; give each need a key of its own.",
            field="key",
        )
    return len(rules.parts(need))


def quote_part(
    begin: Begin,
    *,
    us: Party,
    actor: Actor,
    buyer: Party,
    need: Need,
    key: BuyerKey,
    position: int,
    sellers: Sellers,
    ids: Ids,
    now: Instant,
) -> Sequence[Priced]:
    """The answers to one part of a bulk need: those given before under the key, or made now.

    Raises TryLater when a supplier is silent; nothing is kept then.
    """
    part = rules.parts(need)[position]
    with begin() as tx:
        kept = store.part(tx, actor.party, key, position)
        if kept is not None:
            return _kept_answers(tx, part, kept)
    wanted, picks, refusals = qualification.source_what_can_be(
        begin, us=us, actor=actor, buyer=buyer, need=part, sellers=sellers, now=now
    )
    refused = dict(refusals)
    made: list[KeptQuote] = []
    for group in rules.by_agreement(wanted):
        made += _price_what_can_be(
            begin, group, picks, refused, us=us, actor=actor, need=part, sellers=sellers,
            ids=ids, now=now,
        )  # fmt: skip
    unquoted = [Unquoted(item, no.code, no.words, no.field or "") for item, no in refused.items()]
    answers = KeptPart(tuple(one.quote.id for one in made), tuple(unquoted))
    with begin() as tx:
        if store.add_part(tx, actor.party, key, position, answers):
            for one in made:
                store.add(tx, one, {})
            return rules.answers(part, [one.quote for one in made], unquoted)
        kept = store.part(tx, actor.party, key, position)  # somebody was quicker
        assert kept is not None
        return _kept_answers(tx, part, kept)


def _kept_answers(tx: Transaction, part: Need, kept: KeptPart) -> Sequence[Priced]:
    held = [store.get(tx, quote_id) for quote_id in kept.quotes]
    return rules.answers(part, [one.quote for one in held if one], kept.refusals)


def _price_what_can_be(
    begin: Begin,
    wanted: Sequence[Wanted],
    picks: Sequence[Pick],
    refused: dict[str, Refused],
    *,
    us: Party,
    actor: Actor,
    need: Need,
    sellers: Sellers,
    ids: Ids,
    now: Instant,
) -> Sequence[KeptQuote]:
    """A quote for those that can still be had; whatever is refused by now goes to `refused`."""
    while wanted:
        chosen = {one.item.id for one in wanted}
        try:
            offered = _ask(
                [pick for pick in picks if pick.item in chosen], us=us, need=need, sellers=sellers
            )
            with begin() as tx:
                made = _price(tx, wanted, offered, us=us, actor=actor, need=need, ids=ids, now=now)
        except Refused as refusal:
            named = rules.named(refusal, chosen) or chosen
            refused |= dict.fromkeys(named, refusal)
            wanted = [one for one in wanted if one.item.id not in named]
        else:
            return [made]
    return []


def _price(
    tx: Transaction,
    wanted: Sequence[Wanted],
    offered: Sequence[tuple[Group, Quote]],
    *,
    us: Party,
    actor: Actor,
    need: Need,
    ids: Ids,
    now: Instant,
) -> KeptQuote:
    """Our quote on the suppliers' quotes, not kept yet."""
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
    return KeptQuote(made, need.trace, need.trail, supplies)


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
    ids: Ids,
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
    else:
        _tell(tx, found.quote, "state", found.trace, ids, now)
    return shelf_quote(tx, quote_id=quote_id, buyer=buyer)


def _tell(
    tx: Transaction, quote: Quote, change: Change, trace: TraceId, ids: Ids, now: Instant
) -> None:
    hub.publish(
        tx,
        ids=ids,
        topic="quote",
        thing=quote.id,
        change=change,
        party=quote.buyer,
        trace=trace,
        now=now,
    )


def costs(kept: KeptQuote) -> Mapping[str, LineCost]:
    """What suppliers charge us for each line, for our own people alone."""
    found = _costs(kept.supplies)
    currency = kept.quote.currency
    return {
        line.item: LineCost(*rules.cost(found.get(line.item, ()), currency))
        for line in kept.quote.lines
    }


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
        cancellation=catalogue.cancellation(wanted.price, item.quantity),
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
