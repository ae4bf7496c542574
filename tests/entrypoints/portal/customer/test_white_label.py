"""Nobody behind the operator is named anywhere in what its customers see, and nobody sees what
is another's: every page, form, file, header and error of the customer area is opened and read.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader

from hansa.entrypoints.portal.app import AREAS
from hansa.entrypoints.portal.ask import CUSTOMERS, STAFF, Page
from hansa.entrypoints.portal.pages.customer import area
from hansa.lifecycle.assurance.actions import tickets
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from tests.entrypoints.portal.customer.world import SUPPLIERS, World
from tests.entrypoints.portal.visitor import Shown, Visitor

EVERY: Sequence[Page] = [page for pages in AREAS for page in pages]
NOBODYS = "hld_0198d2b4c1e97a6f8c3b5d7e9f1a2b3c"
LEAVES = ("/sign-out", "/language", "/account")
"""What a crawler does not send: it would change who or how it is."""


def theirs(world: World) -> frozenset[str]:
    """Names, addresses and ids by which suppliers could be known."""
    found: set[str] = set(SUPPLIERS)
    us = world.node.us.id
    with world.node.begin() as tx:
        found |= {one.ref.id for one in inventory.bought(tx, us=us)}
        kept = tickets.kept(tx, ticket_id=world.ticket)
        found |= {relay.theirs for relay in kept.relays if relay.theirs}
        for order in (world.first, world.under_way):
            for leg in delivery.trace(tx, us=us, order_id=order).legs:
                found |= {id for id in (leg.task, leg.quote, leg.order) if id}
    assert len(found) > 8
    return frozenset(found)


def told(shown: Shown) -> str:
    """All that came to the browser: status, headers, and the body as it can be read."""
    answer = shown.answer
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    body = answer.content
    text = body.decode("utf-8", "replace")
    if body.startswith(b"%PDF"):
        text += _written(body)
    return html.unescape(f"{answer.url}\n{answer.status_code}\n{head}\n{text}").lower()


def _written(pdf: bytes) -> str:
    """What stands in a PDF and about it."""
    read = PdfReader(BytesIO(pdf))
    found = "\n".join([*(page.extract_text() for page in read.pages), str(read.metadata)])
    assert "ACME" in found, "who has sold it stands on a bill"
    return found


def named(shown: Shown, names: frozenset[str]) -> list[str]:
    text = told(shown)
    return sorted(f"{name} in {shown.answer.url}" for name in names if name.lower() in text)


def links(shown: Shown) -> Iterator[str]:
    """Every address of ours that a page leads to."""
    if not shown.answer.headers.get("content-type", "").startswith("text/html"):
        return
    for link in shown.tree.xpath("//@href | //@src | //@hx-get | //form[@method='get']/@action"):
        parts = urlsplit(str(link))
        if not parts.netloc and not parts.path.startswith("/static/"):
            yield str(link).partition("#")[0]


def crawled(shop: Visitor) -> dict[str, Shown]:
    """Every page that can be reached from the first one, and what its forms answer."""
    found: dict[str, Shown] = {}
    waiting = ["/"]
    while waiting:
        address = waiting.pop()
        if not address or address in found:
            continue
        shown = found[address] = shop.open(address)
        assert shown.status < 500, address
        waiting += links(shown)
    return found


def sent(shop: Visitor, pages: dict[str, Shown]) -> Iterator[Shown]:
    """Every form of these pages, as it is and with nothing in it."""
    done = set()
    for shown in pages.values():
        if not shown.answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for form in shown.tree.xpath("//form[@method='post']"):
            action = form.get("action")
            if action in done or action.startswith(LEAVES):
                continue
            done.add(action)
            fields = dict(form.form_values())
            yield shop.send(action, {})
            yield shop.send(action, fields | dict.fromkeys(("text", "description"), "Well?"))
    assert len(done) >= 5, done


def ids(path: str, world: World, *, rivals: bool) -> list[str]:
    """Ids with which a page can be opened, by its path: the shop's, or its rival's."""
    bill = world.visitor("rival" if rivals else "shop").open("/my/bills")
    bills = [str(href).rsplit("/", 1)[1] for href in bill.tree.xpath("//table//a/@href")]
    assert bills
    by_path: dict[str, Sequence[str]] = {
        "/my/bills": bills,
        "/my/orders": [world.rivals_order] if rivals else [world.first, world.under_way],
        "/my/quotes": [world.rivals_quote if rivals else world.quote],
        "/my/services": world.rivals if rivals else world.holdings,
        "/my/tickets": [world.rivals_ticket] if rivals else [world.ticket],
    }
    return list(by_path["/".join(path.split("/")[:3])])


def filled(page: Page, world: World, *, rivals: bool = False) -> list[str]:
    """The addresses of a page, with ids in it."""
    if "{" not in page.path:
        return [page.path]
    return [page.path.replace("{id}", id) for id in ids(page.path, world, rivals=rivals)]


# --- nobody is named ------------------------------------------------------------------------------


def test_the_scan_finds_what_it_looks_for(world: World) -> None:
    """Our own people see from whom things are had, on pages made in the same way."""
    names = theirs(world)
    staff = world.visitor("sal")
    assert named(staff.open(f"/orders/{world.first}"), names)
    plain = Shown(staff.open("/brand.css").answer)
    assert named(plain, names) == []


def test_no_supplier_is_named_on_any_page_or_in_any_file(world: World, shop: Visitor) -> None:
    names = theirs(world)
    pages = crawled(shop)
    reached = {urlsplit(address).path for address in pages}
    for page in area.pages:
        if page.method == "GET":
            assert reached & set(filled(page, world)), f"no link leads to {page.path}"
    assert any(address.endswith("/pdf") for address in pages)
    assert any(address.endswith("/csv") for address in pages)
    for shown in pages.values():
        assert named(shown, names) == []
    for shown in sent(shop, pages):
        assert shown.status < 500
        assert named(shown, names) == []


def test_no_supplier_is_named_when_something_goes_wrong(world: World, shop: Visitor) -> None:
    names = theirs(world)
    world.alliance.silent.update(SUPPLIERS)
    odd = (NOBODYS, "../../etc", "%00", "x" * 300)
    for page in area.pages:
        addresses = filled(page, world) + [page.path.replace("{id}", id) for id in odd]
        for address in dict.fromkeys(addresses):
            shown = shop.open(address) if page.method == "GET" else shop.send(address, {})
            assert shown.status < 500 or shown.status == 503, address
            assert named(shown, names) == []
            if page.method == "GET":
                assert named(shop.open(address, part=True), names) == []
    for address in ("/my/nothing", "/orders", "/people", "/brand/logo", "/my/bills/x/pdf"):
        assert named(shop.open(address), names) == []
    shown = Shown(shop.client.post("/my/tickets/new", data={}))
    assert shown.status == 403 and named(shown, names) == []
    assert named(Visitor(world.node).open("/my"), names) == []


@pytest.mark.parametrize("language", ["pt-PT", "pt-BR", "es", "fr"])
def test_no_language_names_a_supplier(world: World, shop: Visitor, language: str) -> None:
    names = theirs(world)
    shop.send("/language", {"language": language})
    for address in ("/my", f"/my/tickets/{world.ticket}", f"/my/orders/{world.first}"):
        shown = shop.open(address)
        assert shown.tree.get("lang") == language
        assert named(shown, names) == []


def test_the_brand_is_worn_on_every_page(world: World, shop: Visitor) -> None:
    for address in ("/my", "/my/bills", "/my/nothing", "/orders", "/account"):
        shown = shop.open(address)
        assert shown.all("//span[@class='brand-name']") == ["Blue Whale"], address
        assert shown.tree.xpath("//title")[0].text.endswith("· Blue Whale")
        assert shown.tree.xpath("//img[@class='brand-logo']/@src") == ["/brand/logo"]
    assert "#0b5394" in shop.open("/brand.css").answer.text


# --- nobody sees what is another's ----------------------------------------------------------------


def test_a_customer_reaches_nothing_of_another(world: World, shop: Visitor) -> None:
    before = world.visitor("rival").open(f"/my/tickets/{world.rivals_ticket}").text
    tried = 0
    for page in area.pages:
        if "{" not in page.path:
            continue
        for address in filled(page, world, rivals=True):
            shown = _asked(shop, page, address)
            assert shown.status == 404, address
            assert "Ermelo" not in shown.text and "It is slow." not in shown.text
            tried += 1
    assert tried >= 12
    assert world.visitor("rival").open(f"/my/tickets/{world.rivals_ticket}").text == before
    for about in (f"service={world.rivals[0]}", f"service={NOBODYS}", "bill=bil_1"):
        assert shop.open(f"/my/tickets/new?{about}").status == 404


def test_a_report_about_what_is_anothers_is_not_taken(world: World, shop: Visitor) -> None:
    form = {"key": "k", "service": world.rivals[0], "description": "Mine!", "severity": "major"}
    assert shop.send("/my/tickets/new", form).status == 404
    assert len(world.visitor("rival").open("/my/tickets?state=all").rows()) == 1


def test_customers_reach_no_page_of_the_staff_and_the_staff_none_of_theirs(
    world: World, shop: Visitor
) -> None:
    staff = world.visitor("sal")
    both = 0
    for page in EVERY:
        address = page.path.replace("{id}", world.first)
        if page.roles is None or "{" in address:
            both += page.roles is not None
            continue
        if not page.roles & CUSTOMERS:
            assert _asked(shop, page, address).status == 403, address
        if not page.roles & STAFF:
            assert _asked(staff, page, address).status == 403, address
    assert {page.path for page in area.pages if page.roles != CUSTOMERS} == set()


def _asked(visitor: Visitor, page: Page, address: str) -> Shown:
    if page.method == "GET":
        return visitor.open(address, follow=False)
    return visitor.send(address, {"key": "k", "text": "x", "cost": "0", "currency": "GBP"})
