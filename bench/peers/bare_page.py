"""The peer of bench/portal.py: one page without people, words, database or guard.

Starlette and Jinja2 as the portal has them, one uvicorn process, and a table of as many rows from
a list in memory. Prints the port that it serves on.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PAGE = Environment(autoescape=True).from_string(
    "<!doctype html><html lang=en><title>Orders</title><main><h1>Orders</h1><table><tbody>"
    "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
    "</tbody></table></main></html>"
)


def main() -> None:
    rows = [[f"cell {place} of row {number}" for place in range(6)] for number in range(25)]

    def page(_request: Request) -> Response:
        return HTMLResponse(PAGE.render(rows=rows))

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        app = Starlette(routes=[Route("/", page)])
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
