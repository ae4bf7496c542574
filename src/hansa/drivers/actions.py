"""What the rest of the node may set and ask of its own network, before anything is ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hansa.drivers import store
from hansa.drivers.contract import Intent
from hansa.drivers.model import Ask, Available, Coverage, Fit, KeptQuote, Product, Service, Stretch
from hansa.drivers.rules import covers, intent, reaches
from hansa.foundation.characteristics import chosen
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import HoldingId, OfferCode, PartyId, QuoteId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

# --- what is on offer, and where ----------------------------------------------------------------


def set_products(tx: Transaction, *, products: Sequence[Product]) -> None:
    """Puts products on offer; one of the same code is replaced, others stay."""
    for product in products:
        store.put_product(tx, product)


def products(tx: Transaction) -> Sequence[Product]:
    """Everything our own network can make, by code."""
    return store.products(tx)


def cover(tx: Transaction, *, entries: Sequence[Coverage]) -> None:
    """Adds places to where our own network reaches; one that is there already stays."""
    for entry in entries:
        store.put_coverage(tx, entry)


def uncover(tx: Transaction, *, entries: Sequence[Coverage]) -> None:
    """Takes places away. What is in service there stays in service."""
    for entry in entries:
        store.drop_coverage(tx, entry)


def coverage(tx: Transaction) -> Sequence[Coverage]:
    """Where our own network reaches."""
    return store.coverage(tx)


def reach(tx: Transaction, *, product: Product) -> tuple[str, ...]:
    """The countries in which the product can be had somewhere."""
    return reaches(store.coverage(tx), product)


# --- what is asked of it ------------------------------------------------------------------------


def fits(
    tx: Transaction, *, buyer: PartyId, asks: Sequence[Ask]
) -> Sequence[Fit | Refused | NotFound]:
    """What each ask comes to, before the driver is asked whether it can, or why it cannot be.

    Refused `quantity-invalid`, `offer-unknown`, `holding-not-changeable`, `site-missing`,
    `site-outside-coverage`, or what is wrong with a characteristic; NotFound
    `holding-unknown`. Each names the field within `items.ITEM`.
    """
    made = {product.code: product for product in store.products(tx)}
    reached = store.coverage(tx)
    found: list[Fit | Refused | NotFound] = []
    for ask in asks:
        try:
            found.append(_fit(tx, buyer, ask, made, reached))
        except (Refused, NotFound) as why_not:
            found.append(why_not)
    return found


def _fit(
    tx: Transaction,
    buyer: PartyId,
    ask: Ask,
    made: Mapping[OfferCode, Product],
    reached: Sequence[Coverage],
) -> Fit:
    where = f"items.{ask.item}"
    product = _product(made, ask, where)
    held = _held_as(tx, buyer, ask, where)
    site = ask.site or (held.site if held else None)
    if product.per == "site" and site is None:
        raise Refused(
            "site-missing", f"{ask.offer!r} is for a site; name one.", field=f"{where}.site"
        )
    if held is None and site is not None and not covers(reached, product, site):
        raise Refused(
            "site-outside-coverage",
            f"{site.place} ({site.country}) is outside the reach of {product.name}.",
            field=f"{where}.site",
        )
    has = held.characteristics if held else {}
    values = chosen(
        product.choices,
        ask.characteristics,
        offer=product.code,
        field=f"{where}.characteristics",
        has=has,
    )
    wanted = intent(
        product,
        service=ask.holding or f"asked/{ask.item}",
        site=site,
        characteristics=values,
        quantity=ask.quantity,
    )
    return Fit(product, site, values, wanted)


def _product(made: Mapping[OfferCode, Product], ask: Ask, where: str) -> Product:
    if ask.quantity < 1:
        raise Refused(
            "quantity-invalid",
            f"The quantity of {ask.item!r} is {ask.quantity}; ask for at least 1.",
            field=f"{where}.quantity",
        )
    product = made.get(ask.offer)
    if product is None:
        raise Refused(
            "offer-unknown", f"There is no offer {ask.offer!r} here.", field=f"{where}.offer"
        )
    return product


def _held_as(tx: Transaction, buyer: PartyId, ask: Ask, where: str) -> Intent | None:
    """How the service that is to change is now; None for a new one."""
    if ask.holding is None:
        return None
    held = service(tx, buyer=buyer, holding=ask.holding).intent
    if held is None:
        raise no_holding(ask.holding)
    if held.offer != ask.offer:
        raise Refused(
            "holding-not-changeable",
            f"{ask.holding} is {held.offer!r} and cannot become {ask.offer!r}; order that anew "
            "and cease the old one.",
            field=f"{where}.holding",
        )
    return held


def keep_quote(tx: Transaction, *, quote: KeptQuote) -> None:
    """Keeps a quote as it was given."""
    store.put_quote(tx, quote)


def no_quote(quote_id: QuoteId) -> NotFound:
    """No such quote, or none of this buyer."""
    return NotFound("quote-unknown", f"There is no quote {quote_id}.", field="quote")


# --- what is in service -------------------------------------------------------------------------


def service(tx: Transaction, *, buyer: PartyId, holding: HoldingId) -> Service:
    """The buyer's service, once in service. Raises NotFound `holding-unknown`."""
    found = store.service(tx, holding=holding, buyer=buyer)
    if found is None or found.started is None:
        raise no_holding(holding)
    return found


def series(
    tx: Transaction,
    *,
    holdings: Sequence[HoldingId],
    start: Instant,
    end: Instant,
    step: timedelta,
) -> Sequence[Stretch]:
    """How services of our own network were from `start` up to `end`, in stretches of `step`.

    Nothing of a stretch in which nothing was measured.

    Only real networks are measured: nothing here is imagined.
    """
    return store.series(tx, holdings=holdings, start=start, end=end, step=step)


def available(tx: Transaction, *, start: Instant, end: Instant, target_bp: int) -> Available:
    """How available our own network was from `start` up to `end`, as measured: nothing in it is
    imagined, and services of partners are not in it. target_bp: see Targets.
    """
    return store.available(tx, start, end, target_bp)


def no_holding(holding: HoldingId) -> NotFound:
    """No such service, or none that the buyer may see: the two look the same."""
    return NotFound("holding-unknown", f"There is no {holding} in service.", field="holding")
