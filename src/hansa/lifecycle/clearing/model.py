"""Where papers and payments to a party go."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.foundation.ids import PartyId


@dataclass(frozen=True, slots=True)
class Particulars:
    """What papers say of a party beside its name, country and tax number; all may be empty.

    registration: the number under which it is registered as a company. endpoint: where
    electronic invoices reach it, `SCHEME:ID` with a scheme of the list EAS, as
    `0088:7300010000001`.
    """

    party: PartyId
    street: str = ""
    city: str = ""
    postcode: str = ""
    registration: str = ""
    endpoint: str = ""
