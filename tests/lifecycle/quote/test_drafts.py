"""Quotes that are being prepared, by more than one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import DraftId, Ids, OfferCode, PartyId, TraceId
from hansa.foundation.site import Site
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, Source
from hansa.lifecycle.quote.actions import drafts as quotes
from hansa.lifecycle.quote.model import WISHES_MAX, Draft, DraftHead, Wish

LINE = OfferCode("line")
HEAD = DraftHead("Shops in the north", PartyId("shop"), False, LINE, "GBP", {"speed_mbps": 100})


def sites(count: int) -> Sequence[Wish]:
    return [Wish(Site(f"s{n}", f"Shop {n}", "GB", "Leeds")) for n in range(count)]


@pytest.fixture
def draft(begin: Begin, ids: Ids, clock: SetClock) -> Draft:
    line = Component("line", (Source(PartyId("acme"), LINE),))
    with begin() as tx:
        offers.put_offer(
            tx,
            offer=CatalogueOffer(LINE, "Line", "connectivity", "site", ("GB",), (), (line,)),
        )
        return quotes.begin_draft(tx, head=HEAD, by="sal", ids=ids, now=clock.now())


def change(begin: Begin, clock: SetClock, draft: Draft, by: str = "sal", **what: object) -> Draft:
    with begin() as tx:
        return quotes.change_draft(
            tx,
            draft_id=draft.id,
            version=draft.version,
            by=by,
            now=clock.now(),
            **what,  # type: ignore[arg-type]
        )


def test_of_two_who_change_the_same_version_the_second_is_told(
    begin: Begin, clock: SetClock, draft: Draft
) -> None:
    clock.move(timedelta(minutes=5))
    hers = change(begin, clock, draft, "ada", head=replace(HEAD, title="All shops"))
    with pytest.raises(Refused, match="ada has changed this quote at 2026-11-02 08:05") as refused:
        change(begin, clock, draft, "sal", head=replace(HEAD, title="No shops"))
    assert refused.value.code == "draft-changed"
    with begin() as tx:
        assert quotes.draft(tx, draft_id=draft.id) == hers
    assert hers.version == 2


def test_only_what_is_asked_for_is_asked_for_again(
    begin: Begin, clock: SetClock, draft: Draft
) -> None:
    listed = change(begin, clock, draft, wishes=sites(3))
    assert (listed.sites, listed.asked) == (3, 2)
    renamed = change(begin, clock, listed, head=replace(HEAD, title="Better"))
    assert (renamed.version, renamed.asked) == (3, 2)
    same = change(begin, clock, renamed, wishes=sites(3))
    assert (same.version, same.asked) == (4, 2)
    faster = change(
        begin, clock, same, head=replace(renamed.head, characteristics={"speed_mbps": 200})
    )
    assert faster.asked == 5
    assert change(begin, clock, faster, anew=True).asked == 6


def test_each_site_may_say_what_it_wants_instead(
    begin: Begin, clock: SetClock, draft: Draft
) -> None:
    first, second = sites(2)
    wanted = [first, replace(second, characteristics={"speed_mbps": 50}, quantity=2)]
    listed = change(begin, clock, draft, wishes=wanted)
    with begin() as tx:
        kept = quotes.wishes(tx, draft_id=draft.id)
    need, key, parts = quotes.asked_by(listed, kept, trace=TraceId("0" * 32))
    assert [item.characteristics["speed_mbps"] for item in need.items] == [100, 50]
    assert [item.quantity for item in need.items] == [1, 2]
    assert (key, parts, need.trail) == (f"{draft.id}.2", 1, ())


def test_a_list_is_bounded_and_names_each_site_once(
    begin: Begin, clock: SetClock, draft: Draft
) -> None:
    with pytest.raises(Refused, match=f"The list has {WISHES_MAX + 1} sites"):
        change(begin, clock, draft, wishes=sites(WISHES_MAX + 1))
    with pytest.raises(Refused, match="2 sites are called 's0'"):
        change(begin, clock, draft, wishes=[*sites(2), *sites(1)])
    with pytest.raises(Refused, match="title"):
        change(begin, clock, draft, head=replace(HEAD, title=" "))
    with begin() as tx:
        assert quotes.draft(tx, draft_id=draft.id).version == 1
        with pytest.raises(NotFound):
            quotes.draft(tx, draft_id=DraftId("drf_0"))


def test_drafts_are_found_by_buyer_and_title(
    begin: Begin, ids: Ids, clock: SetClock, draft: Draft
) -> None:
    clock.move(timedelta(hours=1))
    other = replace(HEAD, title="50% off_net", buyer=PartyId("cafe"))
    with begin() as tx:
        made = quotes.begin_draft(tx, head=other, by="ada", ids=ids, now=clock.now())
        assert [one.id for one in quotes.drafts(tx, limit=9).things] == [made.id, draft.id]
        assert quotes.drafts(tx, text="% OFF_", limit=9).things == [made]
        assert quotes.drafts(tx, buyer=PartyId("shop"), limit=9).things == [draft]
        page = quotes.drafts(tx, offset=1, limit=1)
        assert (page.things, page.total) == ([draft], 2)
