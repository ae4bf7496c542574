"""TMF669: the roles that parties play, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf669

API = Api(
    number=669,
    title="Party Role Management",
    base="/tmf-api/partyRoleManagement/v4",
    attributes=(common.TABLE, tmf669.TABLE),
    resources=(
        Resource(
            path="partyRole",
            type="PartyRole",
            source=kept(),
            mandatory=("name",),
        ),
    ),
)
