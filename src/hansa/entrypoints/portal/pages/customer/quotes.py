"""Prices that a customer was given: for a change that it asks for here, or by sales people; and the
yes to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, change, nothing_here, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.customer import saying
from hansa.entrypoints.portal.pages.customer.mine import (
    LONG,
    held,
    mine,
    noted,
    seat,
)
from hansa.federation.contract import CharacteristicSpec, Need, NeedItem, QuoteLine
from hansa.federation.shelf import QuoteState, ShelfHolding
from hansa.foundation.characteristics import NETWORK
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, QuoteId
from hansa.foundation.money import add_up
from hansa.lifecycle.quote.actions import quotes


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a quote, and what it changes; before: None for something new."""

    quoted: QuoteLine
    before: ShelfHolding | None

    @property
    def traits(self) -> Sequence[tuple[str, str, str]]:
        """What is chosen of it: its words, what it is now, what it becomes."""
        now = dict(saying.traits(self.before.characteristics)) if self.before else {}
        then = saying.traits(self.quoted.characteristics)
        return [(name, now.get(name, ""), value) for name, value in then]


@page("/my/services/{id}/change", roles=CUSTOMERS)
def change_ask(ask: Ask) -> Response:
    """What can be had instead of what is had now."""
    one = held(ask)
    return ask.render(
        "customer/service_change.html", held=one, specs=_specs(ask, one), saying=saying
    )


@change("/my/services/{id}/change", roles=CUSTOMERS, again=change_ask)
def change_price(ask: Ask) -> Response:
    """Asks for the price of a change; nothing is ordered by that."""
    one = held(ask)
    wanted = {spec.name: _number(ask, spec) for spec in _specs(ask, one)}
    if wanted == {name: one.characteristics.get(name) for name in wanted}:
        raise Refused("change-of-nothing", _("You have this already. Choose something else."))
    item = NeedItem(
        id=one.item,
        offer=one.offer,
        site=one.site,
        characteristics={**one.characteristics, **wanted},
        quantity=one.quantity,
        holding=one.id,
    )
    need = Need((item,), one.terms.monthly.currency, ask.node.ids.trace())
    made = seat(ask).shelf.make_quote(need).quote
    noted(ask, "change-priced", subject=made.id)
    return ask.back(f"/my/quotes/{made.id}")


def _specs(ask: Ask, one: ShelfHolding) -> Sequence[CharacteristicSpec]:
    """What a customer may choose anew of a service; which private network it belongs to is for
    our people. Raises NotFound where nothing is.
    """
    offers = [on.offer for on in seat(ask).shelf.offers() if on.offer.code == one.offer]
    specs = [spec for offer in offers for spec in offer.characteristics if spec.name != NETWORK]
    if not specs or one.state != "active":
        raise nothing_here()
    return specs


def _number(ask: Ask, spec: CharacteristicSpec) -> int:
    typed = ask.typed(spec.name).strip()
    if not typed.isdecimal() or not spec.minimum <= int(typed) <= spec.maximum:
        words = _(
            "Type a whole number from %(least)s to %(most)s.", least=spec.minimum, most=spec.maximum
        )
        raise Refused("characteristic-out-of-range", words, field=spec.name)
    return int(typed)


@page("/my/quotes", roles=CUSTOMERS)
def quote_list(ask: Ask) -> Response:
    """Prices that wait for a yes, those whose time is over among them."""
    turn = paging.turn(ask, LONG)
    with mine(ask) as tx:
        found = quotes.shelf_quotes(
            tx,
            buyer=ask.actor.party,
            state=QuoteState.APPROVED,
            offset=turn.offset,
            limit=turn.size,
        )
    return ask.render(
        "customer/quotes.html",
        part="customer/_quotes.html",
        found=found,
        turn=turn,
    )


@page("/my/quotes/{id}", roles=CUSTOMERS)
def quote(ask: Ask) -> Response:
    """A price line by line, beside what there is now, and until when it holds."""
    with mine(ask) as tx:
        found = quotes.shelf_quote(tx, quote_id=QuoteId(ask.path["id"]), buyer=ask.actor.party)
    lines = [Line(one, _before(ask, one)) for one in found.quote.lines]
    currency = found.quote.currency
    return ask.render(
        "customer/quote.html",
        found=found,
        lines=lines,
        open=found.state is QuoteState.APPROVED and ask.now < found.quote.valid_until,
        one_off=add_up((one.quoted.terms.one_off for one in lines), currency),
        monthly=add_up((one.quoted.terms.monthly for one in lines), currency),
        cancellation=add_up(
            (one.quoted.cancellation for one in lines if one.quoted.cancellation), currency
        ),
        saying=saying,
    )


def _before(ask: Ask, line: QuoteLine) -> ShelfHolding | None:
    if line.holding is None:
        return None
    try:
        return held(ask, line.holding)
    except NotFound:  # what this customer had before may be in somebody else's hands
        return None


@change("/my/quotes/{id}/order", roles=CUSTOMERS, again=quote)
def quote_order(ask: Ask) -> Response:
    """Yes to a price. However often and from wherever it is said, it is one order."""
    id = QuoteId(ask.path["id"])
    made = seat(ask).shelf.place_order(id, key=BuyerKey(f"portal/{id}"))
    noted(ask, "order-placed", subject=made.order.id, details={"quote": id})
    return ask.back(f"/my/orders/{made.order.id}", said=_("Thank you for your order."))


pages = [change_ask, change_price, quote_list, quote, quote_order]
