"""Our side of the dialect: Sonata's paths over one actor's Seller, Shelf and Listener.

A handler is three moves: parse, one call, render. Gaps, in the three words of the house. Not
yet by us: changes of an order after it was placed and of its delivery date, and incidents
(501); the end of a part of what an order brought. Never: a quote for the end of a service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hansa.federation.exchange import Dialect
from hansa.federation.sonata import errors, openapi
from hansa.federation.sonata.desk import Desk, Serves, served
from hansa.federation.sonata.hub import Hubs
from hansa.federation.sonata.orders import Orders
from hansa.federation.sonata.shapes.common import ROOT
from hansa.federation.sonata.support import Support
from hansa.federation.sonata.tickets import Tickets
from hansa.federation.sonata.trade import Trade

PREFIX = f"{ROOT}/"


def dialect(desk: Desk) -> Dialect:
    """What a node serves of MEF LSO Sonata, release Grace."""
    operations = [served(one) for one in _serves(desk)]
    return Dialect(PREFIX, operations, errors.write, errors.UNFORESEEN)


def documents(desk: Desk) -> Mapping[str, Any]:
    """The OpenAPI document of each API, by its name."""
    return openapi.documents([(one, served(one)) for one in _serves(desk)])


def _serves(desk: Desk) -> Sequence[Serves]:
    parts = (Trade, Orders, Tickets, Hubs, Support)
    return [one for part in parts for one in part(desk).serves()]
