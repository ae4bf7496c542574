"""Decisions about orders, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hansa.federation.contract import Need, OrderState, Quote
from hansa.federation.keys import vouching
from hansa.federation.mandate import Mandate
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, OrderId, PartyId, QuoteId
from hansa.foundation.money import Money, Rounding, add_up
from hansa.foundation.time import Instant
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
            tax = Fraction(line.tax.rate_bp, 10_000)
            parts += [amount, amount.times(tax, rounding=Rounding.HALF_UP)]
    return add_up(parts, quote.currency)


def cancellation_charge(quote: Quote, state: OrderState) -> Money:
    """What taking an order back costs: nothing before work on it has begun."""
    if state is OrderState.ACKNOWLEDGED:
        return Money.zero(quote.currency)
    charged = (line.cancellation for line in quote.lines if line.cancellation)
    return add_up(charged, quote.currency)


def check_mandate(
    mandate: Mandate,
    *,
    us: PartyId,
    key: BuyerKey,
    kept: KeptQuote,
    keys: Sequence[str],
    now: Instant,
) -> None:
    """Raises Refused `mandate-wrong` unless the buyer shows by it who asks for this quote.

    keys: the buyer's own that are good now.
    """
    vouching.check(
        mandate,
        us=us,
        buyer=kept.quote.buyer,
        key=key,
        quote=kept.quote,
        trace=kept.trace,
        trail=kept.trail,
        keys=keys,
        now=now,
    )
