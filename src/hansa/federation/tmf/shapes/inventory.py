"""TMF637 Product Inventory v4.0: the Condition of a holding as a Product."""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Condition
from hansa.federation.shelf import ShelfHolding
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    Text,
    checked,
    href,
    related,
    write_characteristics,
    write_instant,
    write_place,
    write_terms,
)
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Check

BASE = "/tmf-api/productInventory/v4"
PRODUCTS = f"{BASE}/product"


class CheckShape(TypedDict):
    """One promise held against one measurement."""

    check: Text
    wanted: Text
    measured: Text
    ok: bool


class ProductShape(Extended):
    """Product; hansaDegraded: active, and not as promised; hansaMeasured: by real equipment."""

    id: Id
    href: NotRequired[Text]
    status: Literal["active", "terminated"]
    hansaDegraded: bool
    hansaMeasured: bool
    hansaCheck: list[CheckShape]


def write(condition: Condition) -> ProductShape:
    return {
        "id": condition.holding,
        "href": href(PRODUCTS, condition.holding),
        "status": "terminated" if condition.state == "ended" else "active",
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
        "@type": "HansaProduct",
        "@baseType": "Product",
        "@schemaLocation": SCHEMA,
    }


def write_held(held: ShelfHolding) -> dict[str, Any]:
    """What is held, as its papers say; how it is, is for `write` to say beside it."""
    prices: list[Any] = write_terms(held.terms, Decimal(held.tax.rate_bp).scaleb(-2))
    for price in prices:
        price.setdefault("price", {})
    shape: dict[str, Any] = {
        "id": held.id,
        "href": href(PRODUCTS, held.id),
        "name": held.offer_name,
        "status": held.state,
        "isBundle": False,
        "isCustomerVisible": True,
        "startDate": write_instant(held.since),
        "billingAccount": {"id": held.buyer, "name": held.buyer},
        "productCharacteristic": write_characteristics(held.characteristics),
        "productOffering": {"id": held.offer, "name": held.offer_name},
        "productPrice": prices,
        "productOrderItem": [
            {
                "productOrderId": held.began_with,
                "orderItemId": held.item,
                "orderItemAction": "add",
            }
        ],
        "relatedParty": related(seller=held.seller, buyer=held.buyer),
        "hansaQuantity": held.quantity,
        "@type": "HansaProduct",
        "@baseType": "Product",
        "@schemaLocation": SCHEMA,
    }
    if held.site is not None:
        shape["place"] = [write_place(held.site)]
    if held.until is not None:
        shape["terminationDate"] = write_instant(held.until)
    if held.order != held.began_with:
        changed = {
            "productOrderId": held.order,
            "orderItemId": held.item,
            "orderItemAction": "modify",
        }
        shape["productOrderItem"].append(changed)
    if held.agreement is not None:
        shape["agreement"] = [{"id": held.agreement.id}]
    return shape


def read(value: Json) -> Condition:
    shape = checked(ProductShape, value)
    living: Literal["active", "degraded"] = "degraded" if shape["hansaDegraded"] else "active"
    return Condition(
        holding=HoldingId(shape["id"]),
        state="ended" if shape["status"] == "terminated" else living,
        checks=tuple(Check(**check) for check in shape["hansaCheck"]),
        measured=shape["hansaMeasured"],
    )
