"""The peer of chain_order.py: an order handed down a chain with nothing but HTTP and a commit.

One process a hop: it inserts a row, commits, forwards the order to the next hop over HTTP,
then marks the row done and commits. No quote, agreement, credit, plan, key, or push: the
least that separate operators with a database each could do.
"""

from __future__ import annotations

import argparse
import json

import httpx2
import psycopg
import uvicorn
from psycopg_pool import ConnectionPool
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def app(url: str, following: str) -> Starlette:
    pool: ConnectionPool[psycopg.Connection[tuple[object, ...]]] = ConnectionPool(
        url, min_size=1, max_size=8, open=True
    )
    with pool.connection() as connection:
        connection.execute(
            "create table if not exists bare (id text primary key, body jsonb, state text)"
        )
    onward = httpx2.Client(base_url=following, timeout=30) if following else None

    def hand_down(body: bytes) -> None:
        order = json.loads(body)
        with pool.connection() as connection:
            connection.execute(
                "insert into bare values (%s, %s, 'acknowledged')", (order["id"], body.decode())
            )
        if onward is not None:
            onward.post("/order", content=body).raise_for_status()
        with pool.connection() as connection:
            connection.execute("update bare set state = 'completed' where id = %s", (order["id"],))

    async def order(request: Request) -> Response:
        await run_in_threadpool(hand_down, await request.body())
        return Response(status_code=201)

    return Starlette(routes=[Route("/order", order, methods=["POST"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--next", default="")
    given = parser.parse_args()
    uvicorn.run(app(given.url, given.next), host="127.0.0.1", port=given.port, log_level="error")


if __name__ == "__main__":
    main()
