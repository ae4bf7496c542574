"""TMF674: sites, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf674

API = Api(
    number=674,
    title="Geographic Site Management",
    base="/tmf-api/geographicSiteManagement/v4",
    attributes=(common.TABLE, tmf674.TABLE),
    resources=(
        Resource(
            path="geographicSite",
            type="GeographicSite",
            source=kept(),
            events=("Create", "AttributeValueChange", "StatusChange", "Delete"),
        ),
    ),
)
