"""The node's HTTP door: partners in the TM Forum dialect, and health and metrics for operators."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from hansa.federation import notices, trace
from hansa.federation.clients import endpoint
from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Exchanges, Operation
from hansa.federation.limits import Limits, Measure
from hansa.federation.sonata import server as sonata
from hansa.federation.tmf import errors as tmf_errors
from hansa.federation.tmf import server as tmf
from hansa.federation.wire import render
from hansa.foundation.plan import actions as plans
from hansa.node import Node

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

UNLOGGED = frozenset({"/health", "/metrics"})
"""Routes that are asked so often that a line each would bury the others."""


def app(node: Node) -> ASGIApp:
    """The node as an ASGI application. The node must be open."""
    counters = CollectorRegistry()
    operation = Dialect("/", _operation(node, counters), tmf_errors.write, tmf_errors.UNFORESEEN)
    spoken = dialects(node)
    tokens = endpoint.dialect(
        grants=node.clients.grant, address=node.settings.address, scopes=scopes(spoken)
    )
    limits = node.settings.limits
    measure = Measure(limits.requests_per_s, limits.burst, limits.at_once)
    served = Exchanges([*spoken, tokens, operation], node.gate, limits=Limits(measure))
    return Counting(served, counters)


def dialects(node: Node) -> Sequence[Dialect]:
    """What a node serves to others, standard by standard."""
    return [tmf.dialect(node.world), sonata.dialect(node.sonata)]


def scopes(served: Sequence[Dialect]) -> frozenset[str]:
    """All that a client may be given: to read or to write, API by API."""
    return frozenset(operation.scope for dialect in served for operation in dialect.operations) - {
        ""
    }


def _operation(node: Node, counters: CollectorRegistry) -> Sequence[Operation]:
    """What the operator's own monitoring asks."""
    tasks = Gauge("hansa_tasks", "Tasks of plans by state", ["state"], registry=counters)
    plans_held = Gauge("hansa_plans_held", "Plans that wait for a person", registry=counters)
    told = Gauge(
        "hansa_notices",
        "Notices to partners by how they stand: waiting, of these overdue for a day, given up",
        ["state"],
        registry=counters,
    )

    def health(_ask: Ask, _caller: Caller) -> Answer:
        """Alive, and the database answers; 503 by the error table when it does not."""
        with node.begin() as tx:
            stuck = len(plans.fallout(tx, besides=(notices.KIND,)))
        clock = "shifted" if node.settings.clock.shift_file else "system"
        said = {"status": "ok", "party": node.us.id, "fallout": stuck, "clock": clock}
        return Answer(200, render(said))

    def metrics(_ask: Ask, _caller: Caller) -> Answer:
        """Prometheus text format: requests, their times, tasks by state, and notices."""
        tasks.clear()
        with node.begin() as tx:
            for state, number in plans.counts(tx).items():
                tasks.labels(state).set(number)
            plans_held.set(len(plans.fallout(tx, besides=(notices.KIND,))))
            backlog = notices.backlog(tx, now=node.clock.now())
        for state, number in (
            ("waiting", backlog.going),
            ("overdue", backlog.overdue),
            ("given-up", backlog.held),
        ):
            told.labels(state).set(number)
        return Answer(200, generate_latest(counters), media_type=CONTENT_TYPE_LATEST)

    return [
        Operation("GET", path, handle, "operation", handle.__doc__ or "", gated=False)
        for path, handle in (("/health", health), ("/metrics", metrics))
    ]


class Counting:
    """Counts, times and logs each answer; binds its trace id to what is logged meanwhile."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "hansa_http_requests",
            "Answered requests",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "hansa_http_request_seconds", "Time to answer", ["method", "route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing is done when the server starts or stops
        began = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(**_trace(scope)):
            try:
                await self._app(scope, receive, sending)
            finally:
                took = time.perf_counter() - began
                route = getattr(scope.get("route"), "template", "unknown")
                self._requests.labels(scope["method"], route, status).inc()
                self._seconds.labels(scope["method"], route).observe(took)
                if route not in UNLOGGED:
                    log.info(
                        "answered",
                        extra={
                            "method": scope["method"],
                            "route": route,
                            "status": status,
                            "ms": round(took * 1000, 1),
                        },
                    )


def _trace(scope: Scope) -> dict[str, str]:
    wanted = trace.HEADER.encode()
    header = next((value for name, value in scope["headers"] if name == wanted), b"")
    found = trace.read(header.decode("latin-1"))
    return {"trace": found} if found else {}
