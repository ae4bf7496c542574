"""Prices for all sites of a quote, part by part, and then the order of what can be had."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from hansa.entrypoints.portal.ask import SALES, Ask, change
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import ngettext
from hansa.entrypoints.portal.pages.sales.look import Look, look
from hansa.entrypoints.portal.pages.sales.quotes import quote, shown, version
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey, DraftId
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.quote.actions import drafts


@change("/quotes/{id}/price", roles=SALES, again=quote)
def price(ask: Ask) -> Response:
    """One step on: what has been answered is kept, and the next press or visit goes on from there.

    A seller that does not answer is said on the page; nothing that came before is lost.
    """
    id = DraftId(ask.path["id"])
    with ask.node.begin() as tx:
        found = look(ask, tx)
        drafts.check_version(found.draft, version(ask))
        if not found.total:
            raise Refused("draft-empty", _("There is no site in this quote yet: add some first."))
        if ask.typed("anew") and not found.orders:
            drafts.change_draft(
                tx,
                draft_id=id,
                version=found.draft.version,
                by=ask.me.login,
                now=ask.now,
                anew=True,
            )
            found = look(ask, tx)
        if not found.begun:
            ask.log(tx, "quote-priced", subject=id, details={"version": found.draft.asked})
    silent = _step(ask, found)
    with ask.node.begin() as tx:
        found = look(ask, tx)
    if silent is not None or (ask.is_part and found.done < found.parts):
        if ask.is_part:
            return _part(ask, found, silent)
        return shown(replace(ask, here=f"/quotes/{id}"), found, silent=silent)
    if ask.is_part:
        return Response(headers={"HX-Redirect": f"/quotes/{id}"})
    return ask.back(f"/quotes/{id}")


def _part(ask: Ask, found: Look, silent: TryLater | None) -> Response:
    return ask.render(
        "sales/_pricing.html",
        one=found,
        silent=silent,
        sells=True,
        status=503 if silent else 200,
    )


def _step(ask: Ask, found: Look) -> TryLater | None:
    """Has at least one more part priced, and those answered that are asked beside it."""
    front = ask.node.storefront(found.buyer.actor)
    answers = front.quote_in_bulk(found.need, key=found.key)
    try:
        for count, _answer in enumerate(answers, start=1):
            if count > found.answered:
                break
    except TryLater as silent:
        return silent
    return None


@change("/quotes/{id}/order", roles=SALES, again=quote)
def order(ask: Ask) -> Response:
    """Orders all that can be had: one order for each quote behind it, all of them or none.

    The keys come from the draft, so that what is sent twice, by whomever, is ordered once.
    """
    id = DraftId(ask.path["id"])
    with ask.change("quote-ordered", subject=id) as tx:
        drafts.hold_draft(tx, draft_id=id)
        found = look(ask, tx)
        if found.orders:
            return ask.back(f"/quotes/{id}", said=_("This is ordered already; see below."))
        drafts.check_version(found.draft, version(ask))
        if found.draft.head.by_partner:
            raise Refused(
                "mandate-missing",
                _("A partner orders by its own node, which shows who asked for it."),
            )
        if not found.kept:
            raise Refused("draft-unpriced", _("Nothing in this quote has a price to be ordered."))
        made = [
            orders.place(
                tx,
                us=ask.node.us.id,
                actor=found.buyer.actor,
                quote_id=one.quote.id,
                key=BuyerKey(f"{id}.{one.quote.id}"),
                ids=ask.node.ids,
                now=ask.now,
            )
            for one in found.kept
        ]
    said = ngettext("Ordered: %(num)s order is on its way.", "Ordered: %(num)s orders are on "
                    "their way.", len(made))  # fmt: skip
    return ask.back(f"/quotes/{id}", said=said)


pages = [price, order]
