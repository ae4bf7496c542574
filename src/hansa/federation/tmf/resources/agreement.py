"""TMF651: agreements as they stand between us and one party; a draft posted here is a draft.

What agreements are to be like (specifications) are records of whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable

from hansa.federation.listener import Notice
from hansa.federation.tmf.engine.change import body
from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import (
    NOW,
    Api,
    Found,
    Heard,
    Resource,
    Source,
    Visit,
)
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources.tables import common, tmf651
from hansa.federation.tmf.shapes import agreement as shapes
from hansa.foundation.documents import Json
from hansa.foundation.ids import AgreementId

PAPERS_MAX = 8 << 20
"""Agreements may be longer than other bodies, in octets."""


def _find(visit: Visit, window: Window) -> Found:
    page = visit.seat.shelf.agreements(offset=window.offset, limit=window.limit)
    return Found([shapes.write_kept(one) for one in page.things], page.total)


def _get(visit: Visit, identity: str) -> Json:
    return shapes.write_kept(visit.seat.shelf.agreement(AgreementId(identity)))


def _draft(visit: Visit, _document: Json) -> Json:
    """The draft of an agreement, under the id that all its parties know it by."""
    notice = shapes.read(body(visit.ask))
    visit.seat.listener.hear(notice)
    return shapes.write(notice)


def _heard(read: Callable[[Json], Notice]) -> Callable[[Visit, Json], None]:
    def hear(visit: Visit, notice: Json) -> None:
        visit.seat.listener.hear(read(notice))

    return hear


API = Api(
    number=651,
    title="Agreement Management",
    base="/tmf-api/agreementManagement/v4",
    attributes=(common.TABLE, tmf651.TABLE),
    resources=(
        Resource(
            path="agreement",
            type="Agreement",
            source=Source(find=windowed(_find), get=_get, create=_draft),
            mandatory=("name", "agreementType", "agreementItem", "engagedParty"),
            events=("Create", "AttributeValueChange", "StateChange"),
            body_max=PAPERS_MAX,
        ),
        Resource(
            path="agreementSpecification",
            type="AgreementSpecification",
            source=kept(),
            mandatory=("name", "attachment"),
            stamps={"lifecycleStatus": "In study", "lastUpdate": NOW},
            touched=("lastUpdate",),
        ),
    ),
    heard=(
        Heard("agreementAttributeValueChangeEvent", _heard(shapes.read_signed), PAPERS_MAX),
        Heard("agreementStateChangeEvent", _heard(shapes.read_moved), PAPERS_MAX),
    ),
)
