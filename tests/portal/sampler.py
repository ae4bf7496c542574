"""Pages with every element and made-up data, served for the tests and for eyes; no portal at all.

`python -m tests.portal.sampler` serves them on port 8099.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import uvicorn
from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hansa.entrypoints.portal import colours, render
from hansa.entrypoints.portal.guard import policy
from hansa.entrypoints.portal.paging import Turn
from hansa.foundation.money import Money
from hansa.foundation.people.model import PortalSettings

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Brand:
    name: str = "BT South Africa"
    logo: str = ""
    colour: str = "#5514b4"


@dataclass(frozen=True)
class Person:
    name: str = "Thandi Nkosi"
    roles: frozenset[str] = frozenset({"operations", "sales"})


@dataclass(frozen=True)
class Asked:
    """What the templates of the frame are given."""

    brand: Brand = field(default_factory=Brand)
    language: str = "en"
    zone: str = "UTC"
    said: str = ""
    person: Person = field(default_factory=Person)


STAFF = (
    ("Overview", "layout-dashboard", ()),
    ("Sales", "", (("Catalogue", "book-2"), ("Quotes", "file-text"))),
    (
        "Operations",
        "",
        (("Orders", "clipboard-list"), ("Inventory", "stack-2"), ("Tickets", "lifebuoy")),
    ),
    ("Finance", "", (("Invoices", "receipt"), ("Netting", "arrows-exchange"))),
)
MINE = (("Services", "router", ()), ("Bills", "receipt", ()), ("Tickets", "lifebuoy", ()))


def menu(items: Sequence[tuple[str, str, Sequence[tuple[str, str]]]], now: str) -> list[object]:
    return [
        SimpleNamespace(
            label=label,
            href="/",
            icon=icon,
            current=label == now,
            parts=[
                SimpleNamespace(label=part, href="/", icon=sign, current=part == now)
                for part, sign in parts
            ],
        )
        for label, icon, parts in items
    ]


def rows() -> list[object]:
    states = ["completed", "in-progress", "held", "pending", "cancelled", "draft"]
    return [
        SimpleNamespace(
            id=f"ord_{number:04d}.bt",
            customer=["Lumen Retail (Pty) Ltd", "Kaap Agri & Sons", "<b>Ubuntu</b> Health"][
                number % 3
            ],
            state=states[number % len(states)],
            seller=["MTN", "BT", "Unitel"][number % 3],
            monthly=Money(18_400_00 + number * 1_234_56, "ZAR"),
        )
        for number in range(8)
    ]


def steps() -> list[object]:
    told = [
        ("Checked with all sellers", "completed", "BT South Africa", 12, ""),
        ("Line to Johannesburg", "completed", "MTN", 220, ""),
        ("Line to Maputo", "held", "Unitel", 1505, "No free port at the landing."),
        ("Firewall", "in-progress", "BT South Africa", 1506, ""),
        ("Handed over", "pending", "", None, ""),
    ]
    return [
        SimpleNamespace(
            label=label,
            state=state,
            by=by,
            at=None if after is None else NOW + timedelta(minutes=after),
            note=note,
            href="/" if note else "",
        )
        for label, state, by, after, note in told
    ]


def drawn() -> Mapping[str, object]:
    """What charts and maps are drawn from; numbers made up by arithmetic."""
    days = [f"{day} Nov" for day in range(1, 31)]
    towns = ["Cape Town", "Durban", "Maputo", "Lusaka", "Harare", "Luanda"]
    nodes = ["BT", "MTN", "Unitel", "Vivo"]
    return {
        "availability": [
            (day, 99.99 - (at * 7 % 11) / 100, None if at == 12 else 99.97 - (at * 5 % 7) / 50)
            for at, day in enumerate(days)
        ],
        "revenue": [
            (month, 40 + at * 3, 22 + at * 5 % 9, 12 + at * 7 % 8)
            for at, month in enumerate(["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"])
        ],
        "weeks": [f"W{week}" for week in range(40, 48)],
        "towns": [
            (town, [(at * 13 + week * 7) % 10 for week in range(8)])
            for at, town in enumerate(towns)
        ],
        "flows": [
            (one, other, Money(((at * 31 + to * 17) % 90 + 10) * 100_000, "ZAR"))
            for at, one in enumerate(nodes)
            for to, other in enumerate(nodes)
            if at != to
        ],
        "stands": [
            ("Managed site 1", "Line Cape Town", "good"),
            ("Managed site 1", "Firewall", ""),
            ("Line Cape Town", "Port MTN 4/2", "good"),
            ("Managed site 2", "Line Maputo", "bad"),
            ("Line Maputo", "Port Unitel 1", "bad"),
            ("Line Maputo", "Port MTN 4/2", ""),
            ("Firewall", "Point of presence JNB", ""),
        ],
        "places": places(24),
    }


def places(count: int) -> list[Mapping[str, object]]:
    """Three points of presence in southern Africa, and sites around them in every state."""
    pops = [("Johannesburg", -26.2, 28.05), ("Cape Town", -33.92, 18.42), ("Maputo", -25.97, 32.57)]
    states = ["feasible", "near", "off-net"]
    found: list[Mapping[str, object]] = [
        {"place": f"pop{at}", "name": name, "lat": lat, "lon": lon, "kind": "pop", "radius": 250}
        for at, (name, lat, lon) in enumerate(pops)
    ]
    for at in range(count):
        _, lat, lon = pops[at % 3]
        found.append(
            {
                "place": f"site{at}",
                "name": f"Site {at + 1}",
                "lat": round(lat + (at * 37 % 61 - 30) / 12, 3),
                "lon": round(lon + (at * 53 % 67 - 40) / 14, 3),
                "kind": "site",
                "state": states[at % 7 % 3],
                "to": f"pop{at % 3}",
            }
        )
    return found


SAMPLES = Path(__file__).parent / "samples"


def environment() -> Environment:
    """The portal's own, which finds the samples besides."""
    own = render.environment()
    assert own.loader is not None
    return own.overlay(loader=ChoiceLoader([FileSystemLoader(SAMPLES), own.loader]))


class Guarded:
    """Says the policy with every answer, as the portal does."""

    def __init__(self, app: ASGIApp, tiles_from: str) -> None:
        self.app = app
        self.policy = policy(tiles_from).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", self.policy))
            await send(message)

        await self.app(scope, receive, told)


def sampler(colour: str = "#5514b4", tiles: str = "") -> Starlette:
    """The sample pages under an operator's colour, and with its tiles under the map."""
    pages = environment()
    brand = Brand(colour=colour)

    def shown(name: str, items: list[object], **more: object) -> Response:
        context = {"rows": rows(), "steps": steps(), "now": NOW, "tiles": tiles, **drawn()}
        context["turn"] = Turn(2, 30, "/?page=")
        asked = Asked(brand, said=str(more.get("said", "")))
        return HTMLResponse(pages.get_template(name).render(ask=asked, menu=items, **context))

    def elements(request: Request) -> Response:
        if request.headers.get("hx-request-type") == "partial":
            return shown("_rows.html", [])
        return shown(
            "elements.html", menu(STAFF, "Orders"), said=request.query_params.get("said", "")
        )

    def sent(_request: Request) -> Response:
        return Response(status_code=303, headers={"Location": "/?said=It+is+done."})

    async def events(_request: Request) -> Response:
        async def told() -> AsyncIterator[str]:
            while True:  # a busy browser may not be ready for the first
                yield "data: <p id='live-now'>Just now</p>\n\n"
                await asyncio.sleep(0.5)

        return StreamingResponse(told(), media_type="text/event-stream")

    def many(_request: Request) -> Response:
        return JSONResponse(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": one,
                        "geometry": {"type": "Point", "coordinates": [one["lon"], one["lat"]]},
                    }
                    for one in places(1000)
                ],
            }
        )

    def brand_css(_request: Request) -> Response:
        return Response(colours.stylesheet(colour), media_type="text/css")

    return Starlette(
        routes=[
            Route("/", elements),
            Route("/my", lambda _: shown("mine.html", menu(MINE, "Services"))),
            Route("/sign-in", lambda _: shown("signin.html", [])),
            Route("/drawn", lambda _: shown("drawn.html", menu(STAFF, "Overview"))),
            Route("/many", lambda _: shown("many.html", menu(STAFF, "Quotes"))),
            Route("/places", many),
            Route("/sent", sent, methods=["POST"]),
            Route("/events", events),
            Route("/brand.css", brand_css),
            render.front().route(),
        ],
        middleware=[Middleware(Guarded, PortalSettings(map_tiles=tiles).tiles_from)],
    )


if __name__ == "__main__":
    uvicorn.run(sampler(), port=8099, log_level="warning")
