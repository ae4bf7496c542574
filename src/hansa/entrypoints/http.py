"""The node's HTTP door: partners in the TM Forum dialect, and health and metrics for operators."""

from __future__ import annotations

import logging
import time

import structlog
from fastapi import FastAPI, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hansa.federation.tmf import server as tmf
from hansa.federation.tmf import trace
from hansa.foundation.plan import actions as plans
from hansa.node import Node

log = logging.getLogger(__name__)

UNLOGGED = frozenset({"/health", "/metrics"})
"""Routes that are asked so often that a line each would bury the others."""


def app(node: Node) -> FastAPI:
    """The node as an ASGI application. The node must be open."""
    made = FastAPI(
        title=f"Hansa node {node.us.id}",
        summary="TM Forum Open APIs of one operator of an alliance",
        version="4",
        separate_input_output_schemas=False,
    )
    _measure(made, node)
    tmf.mount(made, caller=node.caller, seat=node.seat, new_trace=node.ids.trace)
    _health(made, node)
    return made


def _health(made: FastAPI, node: Node) -> None:
    @made.get("/health", tags=["operation"])
    def health() -> Response:
        """Alive, and the database answers; 503 by the error table when it does not."""
        with node.begin() as tx:
            stuck = len(plans.fallout(tx))
        clock = "shifted" if node.settings.clock.shift_file else "system"
        body = f'{{"status":"ok","party":"{node.us.id}","fallout":{stuck},"clock":"{clock}"}}'
        return Response(body, media_type="application/json")


def _measure(made: FastAPI, node: Node) -> None:
    registry = CollectorRegistry()
    requests = Counter(
        "hansa_http_requests",
        "Answered requests",
        ["method", "route", "status"],
        registry=registry,
    )
    seconds = Histogram(
        "hansa_http_request_seconds", "Time to answer", ["method", "route"], registry=registry
    )
    tasks = Gauge("hansa_tasks", "Tasks of plans by state", ["state"], registry=registry)
    plans_held = Gauge("hansa_plans_held", "Plans that wait for a person", registry=registry)

    made.add_middleware(Counting, requests=requests, seconds=seconds)

    @made.get("/metrics", tags=["operation"])
    def metrics() -> Response:
        """Prometheus text format: requests, their times, and tasks by state."""
        tasks.clear()
        with node.begin() as tx:
            for state, number in plans.counts(tx).items():
                tasks.labels(state).set(number)
            plans_held.set(len(plans.fallout(tx)))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Counting:
    """Counts, times and logs each answer; binds its trace id to what is logged meanwhile."""

    def __init__(self, app: ASGIApp, *, requests: Counter, seconds: Histogram) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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
                route = getattr(scope.get("route"), "path", "unknown")
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
    header = Headers(scope=scope).get(trace.HEADER)
    found = trace.read(header)
    return {"trace": found} if found else {}
