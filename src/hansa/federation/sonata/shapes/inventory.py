"""Product Inventory v7: what a buyer holds, and whether it is as promised."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Condition
from hansa.federation.shelf import ShelfHolding
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes import product
from hansa.federation.sonata.shapes.common import ROOT, Id, Text, checked, write_terms
from hansa.federation.sonata.shapes.place import ROLE
from hansa.federation.sonata.shapes.product import Products
from hansa.federation.sonata.shapes.progress import ORDERS
from hansa.federation.tmf.shapes.common import href, write_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Check
from hansa.foundation.site import Site

BASE = f"{ROOT}/productInventory/v7"
PRODUCTS = f"{BASE}/product"
SITES = f"{ROOT}/geographicSiteManagement/v7/geographicSite"

State = Literal["active", "degraded", "ended"]

STATES: dict[str, State] = {
    "active": "active",
    "active.pendingChange": "active",
    "pendingTerminate": "active",
    "pendingActive": "degraded",
    "suspended": "degraded",
    "suspendedPendingTerminate": "degraded",
    "cancelled": "ended",
    "terminated": "ended",
}
"""What their states are to us."""


class CheckShape(TypedDict):
    """One promise held against one measurement."""

    check: Text
    wanted: Text
    measured: Text
    ok: bool


class Answered(TypedDict):
    """MEFProduct; hansaDegraded: active, and not as promised; hansaMeasured: by real equipment."""

    id: Id
    status: Text
    hansaDegraded: NotRequired[bool]
    hansaMeasured: NotRequired[bool]
    hansaCheck: NotRequired[list[CheckShape]]


def site_id(site: Site) -> str:
    """The id under which a site is listed: as the buyer named it."""
    return site.id


def status_of(holding: ShelfHolding) -> str:
    return holding.state


def write_found(holding: ShelfHolding) -> dict[str, Any]:
    """One of a list."""
    changed = holding.since if holding.until is None else holding.until
    shape: dict[str, Any] = {
        "id": holding.id,
        "href": href(PRODUCTS, holding.id),
        "status": status_of(holding),
        "startDate": write_instant(holding.since),
        "lastUpdateDate": write_instant(changed),
        "productOffering": {"id": holding.offer},
        "productOrderItem": [
            {
                "productOrderId": order,
                "productOrderItemId": holding.item,
                "productOrderHref": href(ORDERS, order),
            }
            for order in dict.fromkeys((holding.began_with, holding.order))
        ],
    }
    if holding.site is not None:
        identity = site_id(holding.site)
        shape["relatedSite"] = [{"id": identity, "role": ROLE, "href": href(SITES, identity)}]
    return shape


def write(holding: ShelfHolding, condition: Condition, products: Products) -> dict[str, Any]:
    shape = {
        **write_found(holding),
        "productConfiguration": product.write(holding.offer, holding.characteristics, products),
        "productPrice": [
            price for price in write_terms(holding.terms, holding.tax) if "price" in price
        ],
        "hansaQuantity": holding.quantity,
        "hansaDegraded": condition.state == "degraded",
        "hansaMeasured": condition.measured,
        "hansaCheck": [
            {
                "check": check.check,
                "wanted": check.wanted,
                "measured": check.measured,
                "ok": check.ok,
            }
            for check in condition.checks
        ],
    }
    if holding.until is not None:
        shape["terminationDate"] = write_instant(holding.until)
    return shape


def read(value: Json) -> Condition:
    """A partner of another make measures nothing for us: it only says how its product stands."""
    shape = checked(Answered, value)
    if shape["status"] not in STATES:
        raise unfit("status", f"{shape['status'][:40]!r} is no status of a product")
    state = STATES[shape["status"]]
    return Condition(
        holding=HoldingId(shape["id"]),
        state="degraded" if state == "active" and shape.get("hansaDegraded") else state,
        checks=tuple(Check(**check) for check in shape.get("hansaCheck") or []),
        measured=shape.get("hansaMeasured", False),
    )
