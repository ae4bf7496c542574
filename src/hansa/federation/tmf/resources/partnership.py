"""TMF668: partnerships and what they are to be like, as records of whoever made them.

A partner tells here that its card has changed.
"""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import Api, Heard, Resource, Visit
from hansa.federation.tmf.resources.tables import common, tmf668
from hansa.federation.tmf.shapes import partnership as shapes
from hansa.foundation.documents import Json

EVENTS = ("Create", "Change", "Delete")


def _renewed(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_renewed(body))


API = Api(
    number=668,
    title="Partnership Management",
    base=shapes.BASE,
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
    heard=(Heard("partnershipChangeEvent", _renewed),),
)
