"""TMF629: customers, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf629

API = Api(
    number=629,
    title="Customer Management",
    base="/tmf-api/customerManagement/v4",
    attributes=(common.TABLE, tmf629.TABLE),
    resources=(
        Resource(
            path="customer",
            type="Customer",
            source=kept(),
            mandatory=("name", "engagedParty"),
        ),
    ),
)
