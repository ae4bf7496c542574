"""The sites of a quote: pasted or uploaded, shown on a map, taken out again as a list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import SALES, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import ngettext
from hansa.entrypoints.portal.pages.sales import site_list
from hansa.entrypoints.portal.pages.sales.buyers import LOOKERS
from hansa.entrypoints.portal.pages.sales.look import NEAR_KM, look
from hansa.entrypoints.portal.pages.sales.quotes import SITES, version
from hansa.entrypoints.portal.pages.sales.site_list import SiteList
from hansa.foundation.errors import Refused
from hansa.foundation.ids import DraftId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import CatalogueOffer
from hansa.lifecycle.quote.actions import drafts
from hansa.lifecycle.quote.model import WISHES_MAX, Draft, Wish

SAID_MAX = 600
"""Characters that are said once on the next page: they travel in a cookie."""
DIFFERENCES = 10
"""How many sites are shown that two lists do not have in common."""


@page("/quotes/{id}/sites", roles=SALES)
def sites(ask: Ask) -> Response:
    """Where a list is given; and, when it was not taken, why, with the list still there."""
    with ask.node.begin() as tx:
        draft, one = _draft(ask, tx)
        there = drafts.wishes(tx, draft_id=draft.id)
    given: SiteList | None = None
    pasted = ask.typed("pasted")
    mine: Sequence[Wish] = ()
    if ask.refusal is not None and ask.refusal.code in ("sites-invalid", "draft-changed"):
        given = _given(ask, one)
    if given is not None and ask.refusal is not None and ask.refusal.code == "draft-changed":
        mine = given.wishes
        pasted = site_list.as_csv(mine, one.characteristics).decode("utf-8-sig")
    return ask.render(
        "sales/sites.html",
        draft=draft,
        offer=one,
        given=given,
        pasted=pasted,
        most=WISHES_MAX,
        mine=_apart(mine, there),
        theirs=_apart(there, mine) if mine else (),
        count=len(mine),
    )


def _apart(one: Sequence[Wish], other: Sequence[Wish]) -> Sequence[Wish]:
    """The first sites of one list that the other has not, or has otherwise."""
    known = set(map(str, other))
    return [wish for wish in one if str(wish) not in known][:DIFFERENCES]


def _draft(ask: Ask, tx: Transaction) -> tuple[Draft, CatalogueOffer]:
    draft = drafts.draft(tx, draft_id=DraftId(ask.path["id"]))
    return draft, offers.offer(tx, code=draft.head.offer)


def _given(ask: Ask, one: CatalogueOffer) -> SiteList:
    """What was uploaded, or else pasted."""
    if "file" in ask.files:
        file = ask.files["file"]
        return site_list.read(file.name, file.octets, specs=one.characteristics)
    pasted = ask.typed("pasted").encode()
    return site_list.read("pasted.csv", pasted, specs=one.characteristics)


@change("/quotes/{id}/sites", roles=SALES, again=sites)
def sites_taken(ask: Ask) -> Response:
    """The list takes the place of the one before; with anything wrong in it nothing is taken."""
    id = DraftId(ask.path["id"])
    with ask.node.begin() as tx:
        _old, one = _draft(ask, tx)
    if "file" not in ask.files and not ask.typed("pasted").strip():
        raise Refused(
            "sites-missing", _("Choose a file, or paste the list into the field."), field="file"
        )
    given = _given(ask, one)
    if given.faults:
        raise site_list.refused(given)
    with ask.change("quote-sites-changed", subject=id, details={"sites": len(given.wishes)}) as tx:
        drafts.change_draft(
            tx,
            draft_id=id,
            version=version(ask),
            by=ask.me.login,
            now=ask.now,
            wishes=given.wishes,
        )
    count = len(given.wishes)
    taken = ngettext("%(num)s site is in the quote.", "%(num)s sites are in the quote.", count)
    return ask.back(f"/quotes/{id}", said=" ".join([taken, *given.notes])[:SAID_MAX])


@page("/quotes/{id}/sites.csv", roles=LOOKERS)
def sites_list(ask: Ask) -> Response:
    """The list, to be changed in a spreadsheet and given again."""
    with ask.node.begin() as tx:
        draft, one = _draft(ask, tx)
        there = drafts.wishes(tx, draft_id=draft.id)
    return files.download(
        site_list.as_csv(there, one.characteristics), "text/csv; charset=utf-8", "sites.csv"
    )


@page("/quotes/{id}/map.json", roles=LOOKERS)
def site_map(ask: Ask) -> Response:
    """Sites and towns of our own network as GeoJSON (RFC 7946), without the sites that the page
    shows as rows, which are on the map by themselves.
    """
    state = ask.query.get("state", "")
    turn = paging.turn(ask, SITES)
    with ask.node.begin() as tx:
        found = look(ask, tx)
    rows = [row for row in found.rows if state in ("", row.state)]
    features = [
        _feature(f"pop-{at}", pop.at, name=pop.name, kind="pop", radius=NEAR_KM)
        for at, pop in enumerate(found.pops)
    ]
    for row in [*rows[: turn.offset], *rows[turn.offset + turn.size :]]:
        site = row.item.site
        if site is not None and site.latitude is not None and site.longitude is not None:
            at = (site.latitude, site.longitude)
            features.append(_feature(site.id, at, name=site.name, state=row.state))
    return Response(
        json.dumps({"type": "FeatureCollection", "features": features}),
        media_type="application/geo+json",
    )


def _feature(place: str, at: tuple[object, object], **said: str | int) -> Mapping[str, object]:
    latitude, longitude = (float(str(degrees)) for degrees in at)
    return {
        "type": "Feature",
        "properties": {"place": place, **said},
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
    }


pages = [sites, sites_taken, sites_list, site_map]
