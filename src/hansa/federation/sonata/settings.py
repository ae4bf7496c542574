"""What an operator settles beforehand with those to whom it speaks Sonata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hansa.federation.contract import Offer
from hansa.federation.model import Dialect
from hansa.federation.sonata.shapes.common import ContactSettings


@dataclass(frozen=True, slots=True)
class SonataSettings:
    """contact: whom partners may call.

    products: which official schema an offer's configuration is said in, by offer and by the
    name of its layout; all others are said in ours. offers: what a partner has on offer that
    serves no catalogue, by partner. schemas: a folder with MEF's own `productApi` and
    `productSchema`, against which whatever comes in is checked; empty: not at all.
    """

    preferred: bool = False
    contact: ContactSettings = field(default_factory=ContactSettings)
    products: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, tuple[Offer, ...]] = field(default_factory=dict)
    schemas: str = ""

    @property
    def spoken_to_us(self) -> Dialect:
        """As our card has it."""
        return "sonata" if self.preferred else "tmf"
