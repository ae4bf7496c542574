"""Ways through the portal in real Chromium that no test of its HTML can show: what moves while one
looks at it, what two people do, what keys, telephones and the back button do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from hansa.foundation.ids import BuyerKey, OrderId
from hansa.foundation.party import Actor
from hansa.foundation.people.model import StaffRole
from hansa.lifecycle.catalogue.actions import offers
from tests.alliance import LINE, SHOP
from tests.entrypoints.portal.sales.desk import begin, priced
from tests.entrypoints.portal.visitor import Visitor, enter
from tests.journeys import month
from tests.portal.conftest import Visit
from tests.portal.world import World, sign_in

pytestmark = pytest.mark.browser

DRAWN_MS = 30_000
NEWS_MS = 15_000
"""How long a page that is live may take to show what is new, on a machine with much else to do."""
SITES = """name;country;place
Harbour;ZA;Durban
Mill;ZA;Johannesburg
Far shop;BR;Manaus
"""
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
HOSTILE = "<img src=x onerror=document.title=1>"


@contextmanager
def silence(place: World) -> Iterator[None]:
    """The supplier does not answer."""
    place.alliance.silent.add(month.OP1)
    try:
        yield
    finally:
        place.alliance.silent.clear()


def comes(page: Page, place: World, login: str, path: str) -> None:
    """Wants a page, and has to sign in before it is shown."""
    page.goto(f"{place.address}{path}")
    sign_in(page, login)
    expect(page).to_have_url(f"{place.address}{path}")


def under_way(place: World, site: str) -> OrderId:
    """An order of the customer's that waits for a supplier who is silent, as it stays until the
    silence ends.
    """
    front = place.node.storefront(Actor(SHOP, "customer"))
    quote = front.quote(place.alliance.need(site, currency=place.node.us.currency))
    with silence(place):
        order = front.order(quote_id=quote.id, key=BuyerKey(f"journey to {site}"))
        place.node.work_once()
    return order.id


# --- sales ----------------------------------------------------------------------------------------


def test_a_list_of_sites_becomes_one_order(page: Page, place: World) -> None:
    page.emulate_media(reduced_motion="reduce")  # or the map would fly for a second
    comes(page, place, "sales", "/quotes/new")
    page.get_by_label("Customer or partner").select_option("customer:shop")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("Offer").select_option(index=0)
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("Title").fill("Three shops")
    page.get_by_role("button", name="Go on to the sites").click()
    page.get_by_label("Or paste it").fill(SITES)
    page.get_by_role("button", name="Take this list").click()
    page.get_by_role("button", name="Ask for prices").click()
    order = page.get_by_role("button", name="Order 2 sites")
    expect(order).to_be_visible()
    chosen_on_both_sides(page)
    other = page.context.new_page()  # the same quote, looked at before it is ordered
    other.goto(page.url)
    agree_to(page, order)
    expect(page.get_by_role("status").filter(has_text="1 order is on its way")).to_be_visible()
    page.go_back()
    ordered = "Orders of this quote"
    expect(page.get_by_role("table", name=ordered)).to_be_visible()
    expect(order).to_have_count(0)
    agree_to(other, other.get_by_role("button", name="Order 2 sites"))
    expect(other.get_by_text("This is ordered already")).to_be_visible()
    expect(other.get_by_role("table", name=ordered).locator("tbody tr")).to_have_count(1)


def agree_to(page: Page, button: Locator) -> None:
    """Presses it, and answers its question with it."""
    words = button.inner_text()
    button.click()
    page.get_by_role("alertdialog").get_by_role("button", name=words).click()


def chosen_on_both_sides(page: Page) -> None:
    """A row leads to its place on the map, and a place on the map marks its row."""
    drawn = page.locator("x-map[data-ready]")
    expect(drawn).to_be_visible(timeout=DRAWN_MS)
    rows = page.locator("#sites tbody tr")
    page.get_by_role("button", name="Show Harbour on the map").click()
    expect(drawn.get_by_role("status")).to_have_text("Harbour · Feasible")
    expect(rows.filter(has_text="Harbour")).to_have_attribute("aria-current", "true")
    drawn.get_by_role("button", name="Show all places").click()
    mill = drawn.evaluate(
        "(map, name) => map.map.project([...map.byId.values()].find(one => one.name === name).at)",
        "Mill",
    )
    drawn.locator("canvas").click(position={"x": mill["x"], "y": mill["y"]})
    expect(rows.filter(has_text="Mill")).to_have_attribute("aria-current", "true")
    expect(rows.filter(has_text="Harbour")).not_to_have_attribute("aria-current", "true")
    expect(drawn.get_by_role("status")).to_have_text("Mill · Feasible")


def test_a_silent_partner_is_waited_for(page: Page, place: World, expected: list[str]) -> None:
    expected.append("the server responded with a status of 503")  # as the page says in words
    quote = begin(Visitor(place.node).sign_in("sales"), "Waiting")
    comes(page, place, "sales", f"{quote}/sites")
    page.get_by_label("Or paste it").fill(SITES)
    page.get_by_role("button", name="Take this list").click()
    with silence(place):
        page.get_by_role("button", name="Ask for prices").click()
        expect(page.get_by_text("A seller does not answer")).to_be_visible()
        expect(page.get_by_role("progressbar", name="Sites answered")).to_be_visible()
        before = page.locator("#pricing").element_handle()
        page.get_by_role("button", name="Go on").click()
        before.wait_for_element_state("hidden")  # the next one says the same
        expect(page.get_by_text("A seller does not answer")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Order 2 sites")).to_be_visible()


# --- operations -----------------------------------------------------------------------------------


def test_an_order_moves_while_one_looks_at_it(page: Page, place: World) -> None:
    order = under_way(place, "Pretoria")
    comes(page, place, "operations", f"/orders/{order}")
    expect(page.get_by_text("Live updates", exact=True)).to_be_visible()
    steps = page.get_by_role("list", name="Steps of the order")
    last = steps.locator("> li").last
    expect(last).to_contain_text("Pending")
    page.evaluate("window.opened = 'once'")
    place.alliance.pass_time(month.A_MOMENT)
    expect(last).to_contain_text("Completed", timeout=NEWS_MS)
    assert page.evaluate("window.opened") == "once", "the page was loaded anew"


def test_a_supplier_that_is_asked_and_silent_is_said(page: Page, place: World) -> None:
    order = under_way(place, "Kimberley")
    comes(page, place, "operations", f"/orders/{order}")
    with silence(place):
        page.get_by_role("link", name="Ask suppliers now").click()
        expect(page.get_by_text("OP1 does not answer")).to_be_visible()
    page.get_by_role("link", name="Ask suppliers now").click()
    expect(page.get_by_text("All suppliers have answered")).to_be_visible()


def test_what_was_live_says_that_the_session_ended(page: Page, place: World) -> None:
    order = under_way(place, "Gqeberha")
    comes(page, place, "operations", f"/orders/{order}")
    expect(page.get_by_text("Live updates", exact=True)).to_be_visible()
    place.alliance.clock.move(timedelta(minutes=31))
    again = page.get_by_role("link", name="Sign in")
    expect(again).to_be_visible(timeout=NEWS_MS)
    expect(page.get_by_role("list", name="Steps of the order")).to_be_visible()
    again.click()
    sign_in(page, "operations")
    expect(page).to_have_url(f"{place.address}/orders/{order}")


# --- finance --------------------------------------------------------------------------------------


def test_a_figure_is_followed_to_its_posting_by_keys(page: Page, place: World) -> None:
    page.goto(f"{place.address}/sign-in?next=/overview")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("finance")
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type("seven wet umbrellas")
    page.keyboard.press("Enter")
    press(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Invoices"))
    press(
        page, page.locator("#invoices tbody tr").filter(has_text="shop").first.get_by_role("link")
    )
    press(page, page.locator("#lines tbody tr").first.get_by_role("link"))
    expect(page.get_by_role("heading", name="Why it is so much")).to_be_visible()
    expect(page.get_by_text("The line says the same")).to_be_visible()
    press(page, page.get_by_role("link", name=re.compile("Entry .* of the journal")))
    expect(page.get_by_role("heading", name=re.compile("^Entry"), level=1)).to_be_visible()
    expect(page.get_by_role("table", name="Legs").locator("tbody tr")).not_to_have_count(0)


def tab_to(page: Page, wanted: Locator) -> None:
    """Goes on with the Tab key until it is there."""
    expect(wanted).to_be_visible()
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"no key leads to {wanted}")


def press(page: Page, wanted: Locator) -> None:
    """Follows a link by keys alone."""
    tab_to(page, wanted)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_what_one_proposes_another_approves(visit: Visit, place: World) -> None:
    maker, checker = visit(), visit()
    comes(maker, place, "finance", "/invoices?party=shop&to=customers")
    maker.locator("#invoices tbody a").first.click()
    maker.locator("#lines tbody a").first.click()
    maker.get_by_role("link", name="This line is too high").click()
    maker.get_by_label("Lower its net by").fill("1.00")
    maker.get_by_label("Why").fill("It was down for a day.")
    maker.get_by_role("button", name="Propose the credit note").click()
    expect(maker.get_by_text("somebody else has to approve it")).to_be_visible()
    comes(checker, place, "approver", "/approvals")
    checker.get_by_role("link", name="Give a credit note").first.click()
    expect(checker.get_by_text("It was down for a day.")).to_be_visible()
    checker.get_by_role("button", name="Approve and carry out").click()
    expect(checker.get_by_text("Approved and carried out.")).to_be_visible()
    maker.reload()
    expect(maker.get_by_text("Decided by")).to_be_visible()
    expect(maker.get_by_role("definition").filter(has_text="approver, ")).to_be_visible()


def test_a_chart_is_read_as_a_table_by_keys(page: Page, place: World) -> None:
    comes(page, place, "finance", "/overview")
    chart = page.locator("x-chart[data-ready]").first
    expect(chart).to_be_visible(timeout=DRAWN_MS)
    toggle = chart.get_by_role("button", name="Show as table")
    tab_to(page, toggle)
    page.keyboard.press("Enter")
    expect(chart.locator(".chart-canvas")).to_be_hidden()
    cells = chart.get_by_role("table").get_by_role("cell")
    expect(cells.first).to_be_visible()
    total = amount(page.locator("#revenue h3").first.inner_text().partition(": ")[2])
    assert total and sum(map(amount, cells.all_inner_texts())) == total


def amount(said: str) -> Decimal:
    """Of money as it is said in English, its number."""
    return Decimal(said.split(maxsplit=1)[0].replace(",", ""))


# --- the customer ---------------------------------------------------------------------------------


def test_a_customer_on_a_telephone_in_portuguese(visit: Visit, place: World) -> None:
    enter(place.node, "teresa", StaffRole.CUSTOMER, party=SHOP)
    page, fault = visit(**PHONE), "A ligação cai todas as noites."
    comes(page, place, "teresa", "/my")
    page.locator(".person-button").tap()
    page.get_by_role("button", name="Português (Portugal)").tap()
    expect(page.locator("html")).to_have_attribute("lang", "pt-PT")
    seen = [source(page, "Visão geral")]
    page.get_by_role("button", name="Menu").tap()
    page.get_by_role("navigation", name="Principal").get_by_role("link", name="Participações").tap()
    seen.append(source(page, "Participações"))
    page.get_by_role("link", name="Comunicar problema").tap()
    seen.append(source(page, "Comunicar problema"))
    page.get_by_label("O que está mal?").fill(fault)
    page.get_by_role("button", name="Comunicar").tap()
    expect(page.get_by_text("Recebemos a sua comunicação")).to_be_visible()
    seen.append(source(page, fault))
    page.get_by_role("navigation", name="Onde está").get_by_role("link").tap()
    expect(page.get_by_role("link", name=fault)).to_be_visible()
    seen.append(source(page, "Participações"))
    assert page.locator("html").evaluate("page => page.scrollWidth") <= 390
    assert not [text for text in seen if month.OP1 in text.lower()]


def source(page: Page, heading: str) -> str:
    """Of the page with this heading, when it is there."""
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    return page.content()


def test_what_is_typed_outlives_the_session(page: Page, place: World) -> None:
    enter(place.node, "late", StaffRole.CUSTOMER, party=SHOP)
    comes(page, place, "late", "/my/tickets/new")
    words = "Slow since the storm,\nand now nothing at all."
    page.get_by_label("What is wrong?").fill(words)
    place.alliance.clock.move(timedelta(minutes=31))
    page.get_by_role("button", name="Report it").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    sign_in(page, "late")
    expect(page.get_by_role("heading", name="What you typed")).to_be_visible()
    expect(page.get_by_text("and now nothing at all.")).to_be_visible()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_text("We have your report and look into it.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="and now nothing at all.")).to_be_visible()


# --- lists ----------------------------------------------------------------------------------------


def test_back_leads_to_the_list_as_it_was(page: Page, place: World) -> None:
    table, first = on_the_second_page(page, place, "leah")
    second = table.get_by_role("link").first.inner_text()
    table.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=second, exact=True)).to_be_visible()
    page.go_back()
    expect(table.get_by_role("link").first).to_have_text(second)
    page.go_back()
    expect(table.get_by_role("link").first).to_have_text(first)
    page.go_forward()
    expect(table.get_by_role("link").first).to_have_text(second)
    expect(page.get_by_role("heading", name="Quotes", level=1)).to_be_visible()
    page.get_by_label("Title").fill("leah 7")
    expect(table.get_by_role("link")).to_have_text(["leah 7"])
    table.get_by_role("link").click()
    expect(page.get_by_role("heading", name="leah 7")).to_be_visible()
    page.go_back()
    expect(table.get_by_role("link")).to_have_text(["leah 7"])
    expect(page.get_by_label("Title")).to_have_value("leah 7")


LATE = re.compile(r"/(portal|htmx)\.js")


def test_back_leads_to_the_list_however_late_the_scripts_are(page: Page, place: World) -> None:
    table, first = on_the_second_page(page, place, "lars")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    scripts = page.locator("script[defer], script[type=module]").count()
    page.route(LATE, hold, times=scripts)
    page.reload(wait_until="commit")
    expect(page.get_by_text("page 2 of")).to_be_visible()
    page.evaluate("history.back()")
    page.wait_for_url("**/quotes", wait_until="commit")
    assert len(held) == scripts
    for one in held:
        one.continue_()
    expect(table.get_by_role("link").first).to_have_text(first)


def on_the_second_page(page: Page, place: World, login: str) -> tuple[Locator, str]:
    """The list of quotes that somebody has leafed on in, and what stood first on its first page."""
    leafed(place, login)
    comes(page, place, login, "/quotes")
    table = page.locator("#quotes tbody")
    first = table.get_by_role("link").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    return table, first


def leafed(place: World, login: str) -> None:
    """Somebody of sales and operations with more quotes than go onto one page."""
    enter(place.node, login, StaffRole.OPERATIONS, StaffRole.SALES)
    theirs = Visitor(place.node).sign_in(login)
    for number in range(26):
        begin(theirs, f"{login} {number}")


# --- other browsers, other people -----------------------------------------------------------------


def test_without_script(visit: Visit, place: World) -> None:
    leafed(place, "noah")
    order = under_way(place, "Soweto")
    page = visit(java_script_enabled=False)
    comes(page, place, "noah", "/orders")
    page.get_by_label("Search").fill(order)
    page.keyboard.press("Enter")
    rows = page.locator("#orders tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    expect(page.get_by_role("list", name="Steps of the order")).to_be_visible()
    page.get_by_role("link", name="Quotes").click()
    first = page.locator("#quotes tbody a").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    expect(page.get_by_role("link", name=first, exact=True)).to_have_count(0)


def test_what_people_name_stays_text(page: Page, place: World) -> None:
    enter(place.node, "nova", StaffRole.SALES)
    sites = f"name;country;place\n{HOSTILE};ZA;Durban\n"
    quote = priced(Visitor(place.node).sign_in("nova"), HOSTILE, sites)
    comes(page, place, "nova", quote)
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    drawn = page.locator("x-map[data-ready]")
    expect(drawn).to_be_visible(timeout=DRAWN_MS)
    page.get_by_role("button", name=re.compile("^Show <img.* on the map")).click()
    expect(drawn.get_by_role("status")).to_contain_text("<img src=x")
    page.get_by_role("link", name="Quotes").first.click()
    page.get_by_label("Title").fill(HOSTILE)
    expect(page.locator("#quotes tbody a")).to_have_text([HOSTILE])
    assert page.locator("main img").count() == 0
    assert page.title() != "1"


def test_what_a_partner_names_stays_text_in_a_chart(page: Page, place: World) -> None:
    with offered_as(place, HOSTILE):
        under_way(place, "Upington")
        place.alliance.pass_time(month.A_MOMENT)
    comes(page, place, "operations", "/inventory")
    page.get_by_label("Search").fill("Upington")
    rows = page.locator("#holdings tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    chart = page.locator("x-chart[kind=graph][data-ready]")
    expect(chart).to_be_visible(timeout=DRAWN_MS)
    expect(chart.get_by_role("table")).to_contain_text(HOSTILE)
    box = chart.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] / 2)  # says its name
    page.wait_for_timeout(300)
    assert page.locator("main img").count() == 0
    assert page.title() != "1"


@contextmanager
def offered_as(place: World, name: str) -> Iterator[None]:
    """The supplier calls what it sells so."""
    supplier = place.alliance.nodes[month.OP1]
    with supplier.begin() as tx:
        before = offers.offer(tx, code=LINE)
        offers.put_offer(tx, offer=replace(before, name=name))
    yield
    with supplier.begin() as tx:
        offers.put_offer(tx, offer=before)
