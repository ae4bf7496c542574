"""Where everybody begins, and what every page wears: the brand."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from hansa.entrypoints.portal import colours
from hansa.entrypoints.portal.ask import ANYONE, CUSTOMERS, STAFF, Ask, nothing_here, page

LOGOS = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
LOGO_MAX = 1 << 20
HOUR = {"Cache-Control": "public, max-age=3600"}


@page("/", roles=STAFF | CUSTOMERS)
def home(ask: Ask) -> Response:
    """To the first page for who asks."""
    return RedirectResponse("/my" if ask.has(CUSTOMERS) else "/overview", status_code=303)


@page("/brand.css", roles=ANYONE)
def brand(ask: Ask) -> Response:
    """The brand's colour, and what can be read on it and in it."""
    text = colours.stylesheet(ask.brand.colour.lower())
    return Response(text, media_type="text/css", headers=HOUR)


@page("/brand/logo", roles=ANYONE)
def logo(ask: Ask) -> Response:
    """The brand's logo, from the node's folder."""
    name = ask.node.settings.portal.brand.logo
    path = (ask.node.folder / name).resolve()
    kind = LOGOS.get(path.suffix.lower())
    inside = path.is_relative_to(ask.node.folder.resolve())
    if not name or kind is None or not inside or not path.is_file():
        raise nothing_here()
    with path.open("rb") as file:
        return Response(file.read(LOGO_MAX), media_type=kind, headers=HOUR)


pages = [home, brand, logo]
