"""TMF651: what agreements are to be like, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf651

API = Api(
    number=651,
    title="Agreement Management",
    base="/tmf-api/agreementManagement/v4",
    attributes=(common.TABLE, tmf651.TABLE),
    resources=(
        Resource(
            path="agreementSpecification",
            type="AgreementSpecification",
            source=kept(),
            mandatory=("name", "attachment"),
            stamps={"lifecycleStatus": "In study", "lastUpdate": NOW},
            touched=("lastUpdate",),
        ),
    ),
)
