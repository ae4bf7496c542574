"""TMF632: people and organizations, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf632

API = Api(
    number=632,
    title="Party",
    base="/tmf-api/party/v4",
    attributes=(common.TABLE, tmf632.TABLE),
    resources=(
        Resource(
            path="individual",
            type="Individual",
            source=kept(),
            mandatory=("givenName", "familyName"),
        ),
        Resource(
            path="organization",
            type="Organization",
            source=kept(),
            mandatory=("tradingName",),
        ),
    ),
)
