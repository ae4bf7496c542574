"""TMF635: what usage is told of like, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf635

API = Api(
    number=635,
    title="Usage Management",
    base="/tmf-api/usageManagement/v4",
    attributes=(common.TABLE, tmf635.TABLE),
    resources=(
        Resource(
            path="usageSpecification",
            type="UsageSpecification",
            source=kept(),
            mandatory=("name",),
            stamps={"lifecycleStatus": "In study", "lastUpdate": NOW},
            touched=("lastUpdate",),
            events=("Create", "AttributeValueChange", "Delete"),
        ),
    ),
)
