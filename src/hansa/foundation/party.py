"""Who asks, and for whom: an argument, never a global."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId

Role = Literal["partner", "customer", "operator"]

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")


def party_id(text: str) -> PartyId:
    """A party's short name: 2 to 40 lower-case letters, digits and hyphens, a letter first."""
    if not _SLUG.fullmatch(text):
        raise Refused(
            "party-name",
            f"{text!r} is no party name: use 2 to 40 lower-case letters, digits and hyphens.",
            field="party",
        )
    return PartyId(text)


@dataclass(frozen=True, slots=True)
class Actor:
    """The party for which a request is made, and what that party is to this node.

    `partner`: another node, known by its key. `customer`: an end customer of this node.
    `operator`: this node's own staff. by_node: it is the partner's own node that asks, by its
    signature, and not another system of the partner's.
    """

    party: PartyId
    role: Role
    by_node: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Party:
    """An operator or a customer as papers name it.

    country: ISO 3166-1 alpha-2. currency: ISO 4217. tax_id: VAT or other number, may be empty.
    """

    id: PartyId
    name: str
    country: str
    currency: str
    tax_id: str = ""
