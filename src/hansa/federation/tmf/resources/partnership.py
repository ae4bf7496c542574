"""TMF668: partnerships and what they are to be like, as records of whoever made them."""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf668

EVENTS = ("Create", "Change", "Delete")

API = Api(
    number=668,
    title="Partnership Management",
    base="/tmf-api/partnershipManagement/v4",
    attributes=(common.TABLE, tmf668.TABLE),
    resources=(
        Resource(
            path="partnershipSpecification",
            type="PartnershipSpecification",
            source=kept(),
            mandatory=("name",),
            events=EVENTS,
        ),
        Resource(
            path="partnership",
            type="Partnership",
            source=kept(),
            mandatory=("name", "specification"),
            events=EVENTS,
        ),
    ),
)
