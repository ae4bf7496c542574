"""TMF637 Product Inventory v4.0: the Condition of a holding as a Product."""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Condition
from hansa.federation.tmf.shapes.common import SCHEMA, Extended, Id, Text, checked, href
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


def read(value: Json) -> Condition:
    shape = checked(ProductShape, value)
    living: Literal["active", "degraded"] = "degraded" if shape["hansaDegraded"] else "active"
    return Condition(
        holding=HoldingId(shape["id"]),
        state="ended" if shape["status"] == "terminated" else living,
        checks=tuple(Check(**check) for check in shape["hansaCheck"]),
        measured=shape["hansaMeasured"],
    )
