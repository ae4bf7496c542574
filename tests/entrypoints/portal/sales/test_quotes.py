"""From a list of sites to prices for each, to files for the buyer, and to an order."""

from __future__ import annotations

import io
from decimal import Decimal

import pypdf
import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Product
from hansa.entrypoints.demo import prepare
from hansa.entrypoints.demo.model import DraftWanted
from hansa.foundation.ids import OfferCode
from hansa.foundation.people.actions import audit
from hansa.foundation.site import Site
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, ListPrice, Source
from hansa.node import Node
from tests.alliance import LINE, LONG_AGO, RETAIL, SHOP, Alliance
from tests.entrypoints.portal.sales.desk import LIST, begin, give, price, priced
from tests.entrypoints.portal.visitor import Visitor, enter


def test_choose_a_customer_then_an_offer(sal: Visitor) -> None:
    first = sal.open("/quotes/new")
    assert first.heading == "New quote"
    assert "Shop (Customer)" in first.text and "SOUTH (Partner)" in first.text
    second = sal.open("/quotes/new?for=customer:shop&offer=line")
    assert "Go on to the sites" in second.text
    assert "Nothing can be sold to them now" in sal.open("/quotes/new?for=partner:south").text


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("title", " ", "Give the quote a title"),
        ("c_speed_mbps", "fast", "Write a whole number from 1 to 10000"),
        ("c_speed_mbps", "20000", "Write a whole number from 1 to 10000"),
        ("offer", "cheese", "not on offer to them now"),
    ],
)
def test_what_cannot_be_is_not_begun(sal: Visitor, field: str, typed: str, words: str) -> None:
    form = {"for": "customer:shop", "offer": "line", "title": "T", "c_speed_mbps": "7"}
    shown = sal.send("/quotes/new", {**form, field: typed})
    assert shown.status == 422
    assert words in shown.text


def test_each_site_is_answered_for_itself(sal: Visitor) -> None:
    quote = begin(sal, "All shops")
    assert "No sites yet" in sal.open(quote).text
    done = give(sal, quote)
    assert "5 sites are in the quote." in done.text
    assert {row[2] for row in done.rows()} == {"not asked yet"}
    shown = price(sal, quote)
    rows = [(row[1], row[2], *row[4:]) for row in shown.rows()]
    assert rows[0] == ("London GB", "Feasible", "10.00\xa0GBP".replace("\xa0", " "), "70.00 GBP")
    assert rows[1][0] == "Luton GB"
    assert rows[1][1].startswith("Near46 km from London, where our network is")
    assert rows[2] == ("Durban ZA", "Feasible", "65.00 GBP", "182.50 GBP")
    assert rows[3][0] == "Johannesburg ZA"  # by its usual name
    assert rows[4][1].startswith("Off-net")
    assert shown.rows()[0][0].endswith("Speed 200")
    assert "140.00 GBP" in shown.text and "435.00 GBP" in shown.text
    only = sal.open(f"{quote}?state=off-net")
    assert [row[1] for row in only.rows()] == ["Accra GH"]


def test_what_is_earned_is_shown_to_some(sal: Visitor, fin: Visitor) -> None:
    quote = priced(sal, "Margins")
    ours = fin.open(quote)
    assert "185.00 GBP after suppliers" in ours.text
    assert ours.rows()[2][-2:] == ["50.00 GBP", "125.00 GBP"]
    theirs = sal.open(quote)
    assert "suppliers" not in theirs.text and "125.00 GBP" not in theirs.text
    assert fin.send(f"{quote}/price", {"version": "2"}).status == 403
    assert fin.send(f"{quote}/order", {"version": "2"}).status == 403


def test_sites_and_our_towns_are_on_the_map(sal: Visitor) -> None:
    quote = priced(sal, "On the map")
    page = sal.open(quote)
    placed = page.tree.xpath("//tr[@data-place]")
    assert [one.get("data-state") for one in placed][:2] == ["feasible", "near"]
    assert placed[2].get("data-lat") == "-29.8579"
    (source,) = page.tree.xpath("//x-map/@src")
    features = sal.open(source).answer.json()["features"]
    assert [one["properties"]["name"] for one in features] == ["Leeds", "London"]
    assert features[0]["properties"]["radius"] == 50
    assert "within 50 km of a town" in page.text
    others = sal.open(f"{quote}/map.json?page=2").answer.json()["features"]
    assert len(others) == 7
    assert others[4]["properties"] == {"place": "4", "name": "Harbour", "state": "feasible"}


def test_files_for_the_buyer_name_no_supplier_and_no_cost(sal: Visitor, fin: Visitor) -> None:
    quote = priced(sal, "Prices for Åse / shops", LIST.replace("Harbour", "=1+cmd|'x'!A1"))
    answer = fin.open(f"{quote}/quote.csv").answer
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Prices-for-se-shops.csv"'
    )
    text = answer.content.decode("utf-8-sig")
    assert "4,'=1+cmd|'x'!A1,ZA,Durban,Feasible,1,GBP,65.00,182.50," in text
    assert "125" not in text and "south" not in text.casefold()

    pdf = fin.open(f"{quote}/quote.pdf").answer
    assert pdf.headers["content-type"] == "application/pdf"
    read = "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf.content)).pages)
    assert "Quote: Prices for Åse / shops" in read and "=1+cmd" in read
    assert "182.50" in read and "What cannot be had" in read
    assert "125" not in read and "south" not in read.casefold().replace("south africa", "")


def test_an_offer_for_the_order_as_a_whole_needs_no_sites(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    code = OfferCode("shield")
    with north.begin() as tx:
        network.set_products(tx, products=[Product(code, "Shield", "security", "order")])
        offers.put_offer(
            tx,
            offer=CatalogueOffer(
                code,
                "Shield",
                "security",
                "order",
                ("GB",),
                (),
                (Component("gateway", (Source(north.us.id, code),)),),
            ),
        )
        offers.put_price(
            tx,
            price=ListPrice(RETAIL, code, "GBP", Decimal(5), Decimal(7), LONG_AGO),
        )  # fmt: skip
    form = {"for": "customer:shop", "offer": "shield", "title": "Whole"}
    begun = sal.send("/quotes/new", form)
    assert begun.heading == "Whole"
    quote = str(begun.answer.url.path)
    shown = price(sal, quote)
    assert shown.rows() == [["Shield1", "", "Feasible", "1", "5.00 GBP", "7.00 GBP"]]
    assert not shown.all("//x-map")
    assert "Ordered: 1 order" in sal.send(f"{quote}/order", shown.form(f"{quote}/order")).text


def test_a_place_that_nobody_knows_is_said(sal: Visitor) -> None:
    quote = begin(sal, "Unknown")
    done = give(sal, quote, "name,country,place\nA,GB,Leeds\nB,GB,Nirgendwo\n")
    assert "no town of that name is known there: Nirgendwo (GB)" in done.text
    assert "1 site is not on the map" in sal.open(quote).text


def test_without_prices_there_are_no_files(sal: Visitor) -> None:
    quote = begin(sal, "Nothing yet")
    refused = sal.open(f"{quote}/quote.pdf")
    assert refused.status == 422 and "Nothing in this quote has a price yet." in refused.text
    assert "add some first" in sal.send(f"{quote}/price", {"version": "1"}).text


def test_markup_in_a_name_stays_text(sal: Visitor) -> None:
    quote = begin(sal, "<b>bold</b>")
    give(sal, quote, "name,country,place\n<script>alert(1)</script>,GB,London\n")
    page = sal.open(quote)
    assert page.heading == "<b>bold</b>"
    assert "<script>alert" not in page.answer.text
    assert page.rows()[0][0].startswith("<script>alert(1)</script>")


def test_drafts_are_found_again(sal: Visitor, fin: Visitor) -> None:
    begin(sal, "The needle in it")
    (row,) = fin.open("/quotes?q=needle").rows()
    assert row[:5] == ["The needle in it", "Shop", "line", "0", "Draft"]
    assert "No quote fits" in fin.open("/quotes?q=haystack").text
    assert "New quote" not in fin.open("/quotes").text
    assert fin.open("/quotes/new").status == 403
    assert sal.open("/quotes/drf_0").status == 404


def test_changes_are_in_the_audit_log(north: Node, sal: Visitor) -> None:
    quote = priced(sal, "Audited")
    id = quote.rpartition("/")[2]
    with north.begin() as tx:
        done = [one.action for one in audit.trail(tx, subject=id)]
    assert done == ["quote-priced", "quote-sites-changed", "quote-begun"]


def test_of_two_people_the_second_sees_both(north: Node, sal: Visitor) -> None:
    ann = Visitor(north).sign_in(enter(north, "ann", "sales"))
    quote = begin(sal, "Ours")
    mine = sal.open(f"{quote}/edit").form(f"{quote}/edit")
    ann.send(f"{quote}/edit", {**mine, "title": "Hers", "c_speed_mbps": "300"})
    shown = sal.send(f"{quote}/edit", {**mine, "title": "His"})
    assert shown.status == 422
    assert "ann has changed this quote" in shown.text
    assert shown.rows() == [["Title", "His", "Hers"], ["Speed", "100", "300"]]
    again = shown.form(f"{quote}/edit")
    assert (again["title"], again["version"]) == ("His", "2")
    assert sal.send(f"{quote}/edit", again).heading == "His"


def test_of_two_lists_of_sites_neither_is_lost(north: Node, sal: Visitor) -> None:
    bea = Visitor(north).sign_in(enter(north, "bea", "sales"))
    quote = begin(sal, "Two lists")
    mine = sal.open(f"{quote}/sites").form(f"{quote}/sites")
    give(bea, quote, "name,country,place\nHers,GB,Leeds\n")
    file = ("my.csv", b"name,country,place\nMine,GB,London\n", "text/csv")
    shown = sal.send(f"{quote}/sites", mine, files={"file": file})
    assert shown.status == 422
    assert "bea has changed this quote" in shown.text
    assert "Mine · London (GB)" in shown.text and "Hers · Leeds (GB)" in shown.text
    again = shown.form(f"{quote}/sites")
    assert "Mine,GB,London" in again["pasted"]
    assert sal.send(f"{quote}/sites", again).rows()[0][1] == "London GB"


def test_what_a_demonstration_begins_is_worth_looking_at(north: Node, fin: Visitor) -> None:
    """As sales would have done it: one site can be had, one is near, one is neither."""
    wanted = DraftWanted(
        operator=north.us.id,
        customer=SHOP,
        title="Shown to visitors",
        offer=LINE,
        sites={"depot": {"speed_mbps": 200}, "mill": {}, "far": {}},
        characteristics={"speed_mbps": 100},
    )
    sites = {
        "depot": Site("depot", "Depot", "GB", "London", Decimal("51.51"), Decimal("-0.13")),
        "mill": Site("mill", "Mill", "GB", "Luton", Decimal("51.88"), Decimal("-0.42")),
        "far": Site("far", "Far shop", "GH", "Accra", Decimal("5.56"), Decimal("-0.20")),
    }
    assert prepare.draft(north, wanted, sites, by="console:demo") == (1, 3)
    (href,) = fin.open("/quotes?q=shown").tree.xpath("//main//table//a/@href")
    shown = fin.open(href)
    assert shown.heading == "Shown to visitors"
    assert shown.all("//*[@id='sites']//td//*[contains(@class, 'state ')]") == [
        "Feasible", "Near", "Off-net",
    ]  # fmt: skip
    assert "console:demo" in shown.text
    assert "Prices" in shown.text and "GBP" in shown.text
