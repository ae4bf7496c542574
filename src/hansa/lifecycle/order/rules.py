"""Decisions about orders, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.contract import AgreementRef, Charged, Need, OrderState, Quote
from hansa.federation.keys import vouching
from hansa.federation.mandate import Mandate
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, OrderId, PartyId, QuoteId
from hansa.foundation.money import Money, Rounding, add_up
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant
from hansa.lifecycle.order.model import Charge
from hansa.lifecycle.quote.model import KeptQuote


def request(*, quote: QuoteId | None = None, ends: OrderId | None = None) -> str:
    """The hash of what a key asked for."""
    return documents.fingerprint({"quote": quote, "ends": ends})


def request_outright(need: Need) -> str:
    """The hash of what a key asked for when it asked for no price first."""
    return documents.fingerprint({"need": documents.write(need)["items"], "in": need.currency})


def check_open(quote: Quote, now: Instant) -> None:
    """Raises Refused `quote-expired` when the quote's time is over."""
    if now >= quote.valid_until:
        raise Refused(
            "quote-expired",
            f"Quote {quote.id} ended at {quote.valid_until:%Y-%m-%d %H:%M} UTC; ask for a new one.",
            field="quote",
        )


def first_month(quote: Quote) -> Money:
    """What the order commits the buyer to until its first bill: one-off and a month, with tax."""
    parts = []
    for line in quote.lines:
        for amount in (line.terms.one_off, line.terms.monthly):
            parts += [amount, amount.part(line.tax.rate_bp, rounding=Rounding.HALF_UP)]
    return add_up(parts, quote.currency)


def cancellation_charge(quote: Quote, state: OrderState) -> Money:
    """What taking an order back costs: nothing before work on it has begun."""
    if state is OrderState.ACKNOWLEDGED:
        return Money.zero(quote.currency)
    charged = (line.cancellation for line in quote.lines if line.cancellation)
    return add_up(charged, quote.currency)


def charges(
    quote: Quote, *, order: OrderId, agreement: AgreementRef | None, at: Instant
) -> tuple[Charge, ...]:
    """What an order for this quote costs line by line, cancelled at that moment. Both sides have
    the quote, so both come to the same.
    """
    return tuple(
        Charge(
            seller=quote.seller,
            order=order,
            item=line.item,
            buyer=quote.buyer,
            offer=line.offer,
            offer_name=line.offer_name,
            family=line.family,
            site=line.site.name if line.site else "",
            holding=line.holding,
            quantity=line.quantity,
            net=line.cancellation,
            tax=line.tax,
            agreement=agreement,
            due_at=at,
        )
        for line in quote.lines
        if line.cancellation
    )


def charged(lines: Sequence[Charge]) -> Charged | None:
    """The whole of them; they are of one order."""
    if not lines:
        return None
    currency = lines[0].net.currency
    return Charged(add_up((one.net for one in lines), currency), lines[0].due_at)


def with_tax(lines: Sequence[Charge]) -> Money:
    """What they come to, as they will be billed."""
    parts = [
        amount
        for one in lines
        for amount in (one.net, one.net.part(one.tax.rate_bp, rounding=Rounding.HALF_UP))
    ]
    return add_up(parts, lines[0].net.currency)


def check_shown(actor: Actor, mandate: Mandate | None) -> None:
    """Raises Refused `mandate-missing` when a node asks and does not show for whom: each has what
    it takes, and without it nobody further down could show who asked. Other systems have not.
    """
    if mandate is None and actor.by_node:
        raise Refused(
            "mandate-missing",
            "A node shows by a mandate who asks for an order or for its end. Order, or cease, "
            "with one that ends with your own signature over this.",
            field="mandate",
        )


def check_mandate(
    mandate: Mandate,
    *,
    us: PartyId,
    key: BuyerKey,
    kept: KeptQuote,
    keys: Sequence[str],
    now: Instant,
    ends: OrderId | None = None,
) -> None:
    """Raises Refused `mandate-wrong` unless the buyer shows by it who asks for this quote, or for
    the end of the order that was placed for it.

    keys: the buyer's own that are good now.
    """
    ask = vouching.asking(kept.quote)
    vouching.check(
        mandate,
        us=us,
        buyer=kept.quote.buyer,
        key=key,
        ask=vouching.ceasing(ask, ends) if ends else ask,
        trace=kept.trace,
        trail=kept.trail,
        keys=keys,
        now=now,
    )
