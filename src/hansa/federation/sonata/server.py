"""Our side of the dialect: Sonata's paths over one actor's Seller, Shelf and Listener.

A handler is three moves: parse, one call, render. Gaps, in the three words of the house. Not
yet by us: changes of an order after it was placed and of its delivery date, and incidents
(501); the end of a part of what an order brought. Never: a quote for the end of a service.
"""

from __future__ import annotations

from hansa.federation.exchange import Dialect
from hansa.federation.sonata import errors
from hansa.federation.sonata.desk import Desk, served
from hansa.federation.sonata.hub import Hubs
from hansa.federation.sonata.orders import Orders
from hansa.federation.sonata.shapes.common import ROOT
from hansa.federation.sonata.support import Support
from hansa.federation.sonata.tickets import Tickets
from hansa.federation.sonata.trade import Trade

PREFIX = f"{ROOT}/"


def dialect(desk: Desk) -> Dialect:
    """What a node serves of MEF LSO Sonata, release Grace."""
    parts = (Trade, Orders, Tickets, Hubs, Support)
    operations = [served(one) for part in parts for one in part(desk).serves()]
    return Dialect(PREFIX, operations, errors.write, errors.UNFORESEEN)
