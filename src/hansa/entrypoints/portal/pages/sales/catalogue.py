"""What is on offer, in whose price book, at what price; and prices that somebody proposes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from starlette.responses import Response

from hansa.entrypoints.portal.ask import Ask, change, page
from hansa.entrypoints.portal.duties import propose
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.sales import publishing
from hansa.entrypoints.portal.pages.sales.buyers import LOOKERS, MARGIN, buyers, named
from hansa.entrypoints.portal.words import said
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import BookEntry, CatalogueOffer, ListPrice

FAMILIES = ("connectivity", "security", "voice", "broadband")
AMOUNT_DIGITS = 15


@page("/catalogue", roles=LOOKERS)
def catalogue(ask: Ask) -> Response:
    """Every offer in the price book of one customer or partner, or of one price list."""
    words = ask.sought()
    family = ask.query.get("family", "")
    with ask.node.begin() as tx:
        whose = buyers(tx)
        lists = offers.price_lists(tx)
        books = [
            *((one.value, one.party.name) for one in whose),
            *((f"list:{name}", _("Price list %(name)s", name=name)) for name in lists),
        ]
        chosen = ask.query.get("for", "") or (f"list:{lists[0]}" if lists else "")
        found: Sequence[BookEntry] = []
        if chosen.startswith("list:"):
            name = chosen.removeprefix("list:")
            found = offers.book_of_list(tx, price_list=name, now=ask.now)
        elif chosen:
            actor = named(whose, chosen).actor
            found = offers.book(tx, us=ask.node.us.id, actor=actor, now=ask.now)
    shown = [
        one
        for one in found
        if family in ("", one.offer.family)
        and words.casefold() in f"{one.offer.code} {one.offer.name}".casefold()
    ]
    return ask.render(
        "sales/catalogue.html",
        part="sales/_catalogue.html",
        entries=shown,
        any=bool(found),
        books=books,
        chosen=chosen,
        words=words,
        family=family,
        families=[("", _("All")), *((one, said(one)) for one in FAMILIES)],
        margin=ask.has(MARGIN),
        share=_share,
    )


@page("/catalogue/{code}", roles=LOOKERS)
def offer(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        one, prices = _offer(tx, ask)
    return ask.render(
        "sales/offer.html",
        one=one,
        prices=prices,
        now=ask.now,
        margin=ask.has(MARGIN),
        share=_share,
        lists=sorted({price.price_list for price in prices}),
    )


def _share(bp: int) -> Decimal:
    """Hundredths of a percent as a share of one."""
    return Decimal(bp) / 10_000


def _offer(tx: Transaction, ask: Ask) -> tuple[CatalogueOffer, Sequence[ListPrice]]:
    code = OfferCode(ask.path["code"])
    return offers.offer(tx, code=code), offers.prices_since(tx, offer=code, at=ask.now)


@change("/catalogue/{code}/price", roles=LOOKERS, again=offer)
def propose_price(ask: Ask) -> Response:
    """Puts a new list price before somebody who may approve it; nothing is published here."""
    with ask.node.begin() as tx:
        one, prices = _offer(tx, ask)
        wanted = _price(ask, one, prices)
        before = offers.check_price(tx, price=wanted)
        subject = f"{wanted.price_list}/{one.code}"
        why = ask.why(_("Say why; the approver reads it."))
        made = propose(
            ask,
            tx,
            kind=publishing.KIND,
            subject=subject,
            content=publishing.of_price(
                wanted, next((old for old in before if old.currency == wanted.currency), None)
            ),
            why=why,
        )
        ask.log(tx, "price-proposed", subject=subject, why=why, details={"proposal": made.id})
    return ask.back(
        f"/catalogue/{one.code}",
        said=_("Proposed. It counts once somebody else has approved it."),
    )


def _price(ask: Ask, one: CatalogueOffer, prices: Sequence[ListPrice]) -> ListPrice:
    """What was typed. What the form does not ask for stays as it is in the list: tariff, and the
    margin for who may not see it.
    """
    name, currency = ask.typed("price_list").strip(), ask.typed("currency").strip().upper()
    if not name:
        raise Refused("price-invalid", _("Say which price list."), field="price_list")
    same = [old for old in prices if (old.price_list, old.currency) == (name, currency)]
    old = same[-1] if same else None
    margin = old.margin_bp if old else None
    if ask.has(MARGIN):
        typed = ask.typed("margin").strip()
        margin = int(_amount(ask, "margin") * 100) if typed else None
    return ListPrice(
        price_list=name,
        offer=one.code,
        currency=currency,
        one_off=_amount(ask, "one_off"),
        monthly=_amount(ask, "monthly"),
        valid_from=_day(ask),
        monthly_per={
            spec.name: _amount(ask, f"per_{spec.name}")
            for spec in one.characteristics
            if ask.typed(f"per_{spec.name}").strip()
        },
        margin_bp=margin,
        tariff=old.tariff if old else None,
        cancellation=_amount(ask, "cancellation"),
    )


def _amount(ask: Ask, name: str) -> Decimal:
    """A number in the way of any language: the last of full stop and comma is its mark."""
    typed = ask.typed(name).strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    if "," in typed and typed.rfind(",") > typed.rfind("."):
        typed = typed.replace(".", "").replace(",", ".")
    else:
        typed = typed.replace(",", "")
    try:
        amount = Decimal(typed or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or len(amount.as_tuple().digits) > AMOUNT_DIGITS:
        raise Refused("price-invalid", _("Write a number, such as 12.50."), field=name)
    return amount


def _day(ask: Ask) -> Instant:
    try:
        begins = datetime.fromisoformat(ask.typed("valid_from")).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("price-invalid", _("Say from which day on."), field="valid_from") from None
    if begins < ask.now:
        raise Refused(
            "price-invalid",
            _("A price begins in time to come, at 00:00 UTC: choose tomorrow, or later."),
            field="valid_from",
        )
    return begins


pages = [catalogue, offer, propose_price]
