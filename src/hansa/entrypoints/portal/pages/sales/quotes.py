"""Quotes that are being prepared: made, found, looked at, changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.responses import Response

from hansa.entrypoints.portal import language, paging
from hansa.entrypoints.portal.ask import OPERATIONS, SALES, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.sales.buyers import LOOKERS, MARGIN, Buyer, buyers, named
from hansa.entrypoints.portal.pages.sales.look import NEAR_KM, STATES, Look, look
from hansa.entrypoints.portal.words import said
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import DraftId, OfferCode
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import CatalogueOffer
from hansa.lifecycle.quote.actions import drafts
from hansa.lifecycle.quote.model import Draft, DraftHead

PAGE = 25
SITES = 50
"""How many sites are on one page."""


@page("/quotes", roles=LOOKERS)
def quote_list(ask: Ask) -> Response:
    words = ask.sought()
    whose = ask.query.get("for", "")
    turn = paging.turn(ask, PAGE)
    with ask.node.begin() as tx:
        known = buyers(tx)
        chosen = named(known, whose) if whose else None
        found = drafts.drafts(
            tx,
            buyer=chosen.party.id if chosen else None,
            text=words,
            offset=turn.offset,
            limit=turn.size,
        )
    return ask.render(
        "sales/quotes.html",
        part="sales/_quotes.html",
        found=found,
        names={one.party.id: one.party.name for one in known},
        buyers=[("", _("All")), *((one.value, one.party.name) for one in known)],
        whose=whose,
        words=words,
        turn=turn,
    )


# --- what it asks for -----------------------------------------------------------------------------


@page("/quotes/new", roles=SALES)
def quote_new(ask: Ask) -> Response:
    """First for whom; then what, of what they may have."""
    whose = ask.form.get("for", "") or ask.query.get("for", "")
    with ask.node.begin() as tx:
        known = buyers(tx)
        chosen = named(known, whose) if whose else None
        found = _choice(ask, tx, chosen) if chosen else []
    code = ask.form.get("offer", "") or ask.query.get("offer", "")
    return ask.render(
        "sales/quote_new.html",
        buyers=known,
        buyer_options=[(one.value, f"{one.party.name} ({said(one.kind)})") for one in known],
        offer_options=[(one.code, one.name) for one, _currency in found],
        chosen=chosen,
        entries=found,
        offer=next((one for one, _currency in found if one.code == code), None),
    )


def _choice(ask: Ask, tx: Transaction, chosen: Buyer) -> Sequence[tuple[CatalogueOffer, str]]:
    """What this buyer may have, with the currency that it pays in."""
    book = offers.book(tx, us=ask.node.us.id, actor=chosen.actor, now=ask.now)
    return [(one.offer, one.price.currency) for one in book]


@change("/quotes/new", roles=SALES, again=quote_new)
def quote_begin(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        chosen = named(buyers(tx), ask.typed("for"))
        wanted = OfferCode(ask.typed("offer"))
        found = {one.code: (one, currency) for one, currency in _choice(ask, tx, chosen)}
        if wanted not in found:
            raise Refused(
                "offer-unknown",
                _("This is not on offer to them now. Choose another one."),
                field="offer",
            )
        one, currency = found[wanted]
        head = DraftHead(
            title=ask.typed("title").strip(),
            buyer=chosen.party.id,
            by_partner=chosen.kind == "partner",
            offer=one.code,
            currency=currency,
            characteristics=_characteristics(ask, one),
        )
        made = drafts.begin_draft(tx, head=head, by=ask.me.login, ids=ask.node.ids, now=ask.now)
        ask.log(tx, "quote-begun", subject=made.id)
    return ask.back(f"/quotes/{made.id}/sites" if one.per == "site" else f"/quotes/{made.id}")


def _characteristics(ask: Ask, one: CatalogueOffer) -> Mapping[str, int]:
    """What was chosen for all sites. Raises Refused, naming the field."""
    chosen: dict[str, int] = {}
    for spec in one.characteristics:
        typed = ask.typed(f"c_{spec.name}").strip()
        if not typed:
            continue
        if not (typed.isascii() and typed.isdecimal() and len(typed) < 16) or not (
            spec.minimum <= int(typed) <= spec.maximum
        ):
            raise Refused(
                "characteristic-out-of-range",
                _(
                    "Write a whole number from %(least)s to %(most)s.",
                    least=spec.minimum,
                    most=spec.maximum,
                ),
                field=f"c_{spec.name}",
            )
        chosen[spec.name] = int(typed)
    return chosen


@page("/quotes/{id}/edit", roles=SALES)
def quote_edit(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        draft = drafts.draft(tx, draft_id=DraftId(ask.path["id"]))
        one = offers.offer(tx, code=draft.head.offer)
    return ask.render(
        "sales/quote_edit.html", draft=draft, offer=one, differing=_differing(ask, draft, one)
    )


def _differing(ask: Ask, draft: Draft, one: CatalogueOffer) -> Sequence[tuple[str, str, str, str]]:
    """Where what was typed is not what somebody else has saved meanwhile: name of the field, of
    the characteristic if it is one, what was typed, what is there.
    """
    if ask.refusal is None or ask.refusal.code != "draft-changed":
        return []
    pairs = [("title", "", ask.typed("title").strip(), draft.head.title)]
    for spec in one.characteristics:
        there = str(draft.head.characteristics.get(spec.name, ""))
        pairs.append(("", spec.name, ask.typed(f"c_{spec.name}").strip(), there))
    return [pair for pair in pairs if pair[2] != pair[3]]


@change("/quotes/{id}/edit", roles=SALES, again=quote_edit)
def quote_change(ask: Ask) -> Response:
    id = DraftId(ask.path["id"])
    with ask.change("quote-changed", subject=id) as tx:
        draft = drafts.draft(tx, draft_id=id)
        one = offers.offer(tx, code=draft.head.offer)
        head = replace(
            draft.head,
            title=ask.typed("title").strip(),
            characteristics=_characteristics(ask, one),
        )
        drafts.change_draft(
            tx, draft_id=id, version=version(ask), by=ask.me.login, now=ask.now, head=head
        )
    return ask.back(f"/quotes/{id}", said=_("Saved."))


def version(ask: Ask) -> int:
    """The version that was looked at; one that no draft has, if the form does not say."""
    typed = ask.typed("version")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


# --- looking at it --------------------------------------------------------------------------------


@page("/quotes/{id}", roles=LOOKERS)
def quote(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        found = look(ask, tx)
    return shown(ask, found)


def shown(ask: Ask, found: Look, *, silent: TryLater | None = None) -> Response:
    """The page of a quote. silent: who has not answered in time, while it was priced."""
    state = ask.query.get("state", "")
    rows = [row for row in found.rows if state in ("", row.state)]
    turn = paging.turn(ask, SITES)
    turn = replace(turn, number=min(turn.number, turn.pages(len(rows))))
    return ask.render(
        "sales/quote.html",
        part="sales/_pricing.html",
        status=503 if silent else 200,
        one=found,
        silent=silent,
        state=state,
        tab_links=[
            {
                "label": said(name),
                "href": f"/quotes/{found.draft.id}?state={name}",
                "current": state == name,
                "count": found.counts[name],
            }
            for name in STATES
            if name in found.counts
        ],
        chosen_pairs=[
            (said(name), language.number(int(value)))
            for name, value in sorted(found.draft.head.characteristics.items())
        ],
        rows=rows[turn.offset : turn.offset + turn.size],
        turn=turn,
        total=len(rows),
        near_km=NEAR_KM,
        margin=ask.has(MARGIN),
        sells=ask.has(SALES),
        follows=ask.has(OPERATIONS | SALES),
    )


pages = [quote_list, quote_new, quote_begin, quote_edit, quote_change, quote]
