"""What is on offer to whom, and prices that take two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.foundation.ids import PartyId
from hansa.foundation.people.actions import proposals
from hansa.lifecycle.catalogue.actions import decks, imports, offers
from hansa.lifecycle.catalogue.model import Deck
from hansa.node import Node
from tests.alliance import LINE, RETAIL, Alliance
from tests.entrypoints.portal.visitor import Visitor, enter

PRICE = {
    "price_list": RETAIL,
    "currency": "GBP",
    "valid_from": "2026-12-01",
    "one_off": "15",
    "monthly": "1.025,50",
    "per_speed_mbps": "0,30",
    "cancellation": "",
    "why": "the new year",
}


def test_a_customer_s_price_book(sal: Visitor) -> None:
    shown = sal.open("/catalogue?for=customer:shop")
    assert shown.heading == "Catalogue"
    ((offer, family, countries, chosen, currency, one_off, monthly, _usage),) = shown.rows()
    assert offer.startswith("Line by north")
    assert (family, countries, chosen) == ("Connectivity", "GB ZA", "Speed")
    assert (currency, one_off, monthly) == ("GBP", "10", "20")


def test_who_may_see_the_margin_sees_it(sal: Visitor, fin: Visitor) -> None:
    assert "10%" in fin.open("/catalogue?for=customer:shop").rows()[0][-1]
    assert "10%" not in sal.open("/catalogue?for=customer:shop").text
    assert "Margin" not in sal.open(f"/catalogue/{LINE}").text
    assert "Margin" in fin.open(f"/catalogue/{LINE}").text


def test_a_partner_without_an_agreement_has_an_empty_book(sal: Visitor) -> None:
    assert "Nothing in this price book" in sal.open("/catalogue?for=partner:south").text


def test_a_search_that_finds_nothing_says_so(sal: Visitor) -> None:
    assert "No offer fits" in sal.open("/catalogue?q=cheese", part=True).text
    assert sal.open("/catalogue?for=customer:nobody").status == 404


def test_operations_have_no_price_book(north: Node) -> None:
    oli = Visitor(north).sign_in(enter(north, "oli", "operations"))
    assert oli.open("/catalogue").status == 403


def test_an_offer_with_what_it_is_made_of_and_its_prices(sal: Visitor) -> None:
    shown = sal.open(f"/catalogue/{LINE}")
    assert shown.heading == "Line by north"
    assert "our own network" in shown.text and "south" in shown.text
    assert shown.rows(2)[0][:2] == ["retail", "GBP"]
    assert sal.open("/catalogue/cheese").status == 422


def test_a_price_counts_once_a_second_person_has_approved_it(
    alliance: Alliance, north: Node, fin: Visitor, app: Visitor
) -> None:
    done = fin.send(f"/catalogue/{LINE}/price", {**PRICE, "margin": "12.5"})
    assert "Proposed." in done.text, done.text
    later = alliance.clock.now() + timedelta(days=60)
    with north.begin() as tx:
        (before,) = offers.book_of_list(tx, price_list=RETAIL, now=later)
    assert str(before.price.monthly) == "20"

    ((_what, subject, maker, *_rest),) = app.open("/approvals").rows()
    assert (subject, maker) == ("retail/line", "fin")
    ((link),) = app.open("/approvals").all("//tbody//a/@href")
    page = app.open(link)
    assert "1,025.5 GBP a month" in page.text and "20 GBP a month" in page.text
    form = page.form(f"{link}/approve")
    assert "carried out" in app.send(f"{link}/approve", form).text
    with north.begin() as tx:
        (after,) = offers.book_of_list(tx, price_list=RETAIL, now=later)
    assert str(after.price.monthly) == "1025.50"
    assert (after.price.margin_bp, str(after.price.monthly_per["speed_mbps"])) == (1250, "0.30")
    assert "to come" in fin.open(f"/catalogue/{LINE}").text


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("why", " ", "Say why"),
        ("valid_from", "2026-11-02", "begins in time to come"),
        ("valid_from", "soon", "from which day"),
        ("monthly", "twenty", "Write a number"),
        ("one_off", "-1", "an amount is negative"),
        ("currency", "XYZ", "XYZ"),
    ],
)
def test_a_price_that_cannot_be_is_not_proposed(
    sal: Visitor, field: str, typed: str, words: str
) -> None:
    shown = sal.send(f"/catalogue/{LINE}/price", {**PRICE, field: typed})
    assert shown.status == 422
    assert words in shown.text
    kept = {**PRICE, field: typed}
    assert shown.form(f"/catalogue/{LINE}/price")["monthly"] == kept["monthly"]


def test_who_does_not_see_the_margin_leaves_it_as_it_is(north: Node, sal: Visitor) -> None:
    wanted = {**PRICE, "currency": "GBP", "valid_from": "2027-06-01", "margin": "1"}
    assert "Proposed." in sal.send(f"/catalogue/{LINE}/price", wanted).text
    with north.begin() as tx:
        (made,) = proposals.proposals(tx, maker="sal", kind="price-publishing")
    assert made.content["price"]["margin_bp"] == made.content["before"]["margin_bp"] > 100


@pytest.fixture(scope="module")
def deck(alliance: Alliance, north: Node) -> str:
    """A deck of north's with one version that nobody has published."""
    pytest.importorskip("pyarrow")
    now = alliance.clock.now()
    file = north.folder / "az.csv"
    file.write_text(
        "code,destination,peak,offpeak,increment,valid from\n"
        "27,South Africa,0.0250,0.0200,60/1,2026-12-01\n"
    )
    with north.begin() as tx:
        decks.put_deck(tx, deck=Deck("north-az", north.us.id, (PartyId("south"),), "GBP"), now=now)
        draft = imports.read(
            tx,
            name="north-az",
            file=file,
            kind="full",
            folder=north.folder,
            by="test",
            now=now,
        )
        imports.keep(tx, draft=draft, folder=north.folder, accept=True)
    return "north-az"


def test_a_version_of_a_deck_is_published_by_two(
    north: Node, deck: str, sal: Visitor, app: Visitor
) -> None:
    assert sal.open("/decks").rows()[0][0] == deck
    shown = sal.open(f"/decks/{deck}?version=1")
    assert "not published" in shown.text and "New codes" in shown.text
    assert "0.025" in shown.text
    form = shown.form(f"/decks/{deck}/publish")
    assert sal.send(f"/decks/{deck}/publish", {**form, "why": ""}).status == 422
    done = sal.send(f"/decks/{deck}/publish", {**form, "why": "as agreed"})
    assert "waits for approval" in done.text
    again = sal.send(f"/decks/{deck}/publish", {**form, "why": "as agreed"})
    assert again.status == 422 and "open proposal" in again.text

    (link,) = [
        one
        for one in app.open("/approvals").all("//tr[contains(., 'north-az/1')]//a/@href")
        if one.startswith("/approvals/")
    ]
    app.send(f"{link}/approve", app.open(link).form(f"{link}/approve"))
    with north.begin() as tx:
        published = decks.version(tx, name=deck, number=1)
    assert published.published_by == "app"
    assert "published already" in sal.send(f"/decks/{deck}/publish", {**form, "why": "x"}).text
