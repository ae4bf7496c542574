"""Quoting in bulk: a need of thousands of sites, answered site by site.

Beside `Seller.quote`, which prices all of a need or none of it: here every item gets an
answer of its own, in the order asked. What can be had is held by ordinary quotes, a few
hundred items each, which are ordered like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hansa.federation.contract import Need, QuoteLine
from hansa.foundation.ids import BuyerKey, QuoteId
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Quoted:
    """An item that can be had: its line, the quote that holds it, and until when."""

    item: str
    quote: QuoteId
    valid_until: Instant
    line: QuoteLine


@dataclass(frozen=True, slots=True)
class Unquoted:
    """An item that cannot be had, or not priced: why, as a refusal would say it."""

    item: str
    reason: str
    words: str
    field: str = ""


Priced = Quoted | Unquoted


class BulkSeller(Protocol):
    """A Seller that answers a long need piece by piece."""

    def quote_in_bulk(self, need: Need, *, key: BuyerKey) -> Iterator[Priced]:
        """One answer an item, in the order asked, as they come to be known.

        What has been answered under the key is kept: the same need with the same key gives the
        same answers again and goes on where it was broken off (Refused `key-reused` for
        another need). Raises TryLater between two answers when a supplier falls silent; what
        came before it stands. The trace of a need may differ from call to call.
        """
        ...
