"""The node's HTTP door: partners in the TM Forum dialect, and health and metrics for operators."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from hansa.federation.tmf import server as tmf
from hansa.foundation.plan import actions as plans
from hansa.node import Node


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

    @made.middleware("http")
    async def count(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        began = time.perf_counter()
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "unknown")
        requests.labels(request.method, route, response.status_code).inc()
        seconds.labels(request.method, route).observe(time.perf_counter() - began)
        return response

    @made.get("/metrics", tags=["operation"])
    def metrics() -> Response:
        """Prometheus text format: requests, their times, and tasks by state."""
        with node.begin() as tx:
            for state, number in plans.counts(tx).items():
                tasks.labels(state).set(number)
            plans_held.set(len(plans.fallout(tx)))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
