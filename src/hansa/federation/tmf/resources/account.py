"""TMF666: accounts and what bills look like, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf666

CHANGES = ("AttributeValueChange", "StateChange")

API = Api(
    number=666,
    title="Account Management",
    base="/tmf-api/accountManagement/v4",
    attributes=(common.TABLE, tmf666.TABLE),
    resources=(
        Resource(
            path="partyAccount",
            type="PartyAccount",
            source=kept(),
            mandatory=("name", "relatedParty"),
            events=CHANGES,
        ),
        Resource(
            path="billingAccount",
            type="BillingAccount",
            source=kept(),
            mandatory=("name", "relatedParty"),
            events=CHANGES,
        ),
        Resource(
            path="settlementAccount",
            type="SettlementAccount",
            source=kept(),
            mandatory=("name", "relatedParty"),
            events=CHANGES,
        ),
        Resource(
            path="financialAccount",
            type="FinancialAccount",
            source=kept(),
            mandatory=("name",),
        ),
        Resource(
            path="billingCycleSpecification",
            type="BillingCycleSpecification",
            source=kept(),
            mandatory=("name",),
            events=(),
        ),
        Resource(
            path="billFormat",
            type="BillFormat",
            source=kept(),
            mandatory=("name",),
            events=(),
        ),
        Resource(
            path="billPresentationMedia",
            type="BillPresentationMedia",
            source=kept(),
            mandatory=("name",),
            events=(),
        ),
    ),
)
