"""Our side of the dialect: TM Forum v4 paths, every one of them served by declaration.

A resource is a file in `resources`; the engine makes operations of what it declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hansa.federation.exchange import BODY_MAX, Dialect, Operation
from hansa.federation.tmf import errors
from hansa.federation.tmf.engine import documents as openapi
from hansa.federation.tmf.engine import operations, telling
from hansa.federation.tmf.engine.model import Api, World
from hansa.federation.tmf.resources import (
    account,
    address,
    agreement,
    bill,
    bulk,
    catalogue,
    customer,
    order,
    partnership,
    party,
    product,
    qualification,
    quote,
    role,
    service,
    site,
    ticket,
    usage,
)

PREFIX = "/tmf-api/"

PAPERS_MAX = 8 << 20
"""Agreements and statements may be longer than other bodies, in octets."""

APIS = (
    catalogue.API,
    ticket.API,
    order.API,
    customer.API,
    party.API,
    usage.API,
    product.API,
    service.API,
    quote.API,
    agreement.API,
    account.API,
    partnership.API,
    role.API,
    address.API,
    site.API,
    bill.API,
    qualification.API,
)
"""All that is served."""


def dialect(
    world: World,
    *,
    body_max: int = BODY_MAX,
    papers_max: int = PAPERS_MAX,
) -> Dialect:
    """What a node serves of the TM Forum Open APIs, whose errors are TMF630 Errors.

    body_max, papers_max: the longest bodies in octets; papers are agreements and bills.
    """
    served: list[Operation] = list(operations.operations(world, APIS))
    for api in APIS:
        served += telling.operations(world, api)
    served.append(bulk.operation(world))
    served += [openapi.served(api, served) for api in APIS]
    bounds = {BODY_MAX: body_max, PAPERS_MAX: papers_max}
    bounded = [replace(one, body_max=bounds.get(one.body_max, one.body_max)) for one in served]
    return Dialect(PREFIX, bounded, errors.write, errors.UNFORESEEN)


def apis() -> Sequence[Api]:
    """All that is served, by number."""
    return sorted(APIS, key=lambda api: api.number)


def documents(world: World) -> Mapping[str, Any]:
    """The OpenAPI document of each API, by its name."""
    served = dialect(world).operations
    return {api.name: openapi.document(api, served) for api in apis()}
