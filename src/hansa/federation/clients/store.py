"""The table of clients and every line of SQL about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hansa.federation.clients.model import Client
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.ids import ClientId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_SELECT = """
select id, name, party, role, scopes, secret_hash, made_at, made_by, revoked_at, revoked_by
from client
"""


def insert(tx: Transaction, client: Client, secret_hash: str) -> None:
    run(
        tx,
        """insert into client (id, name, party, role, scopes, secret_hash, made_at,
               made_by, revoked_by)
           values (%s, %s, %s, %s, %s, %s, %s, %s, '')""",
        (
            client.id,
            client.name,
            client.actor.party,
            client.actor.role,
            sorted(client.scopes),
            secret_hash,
            client.made_at,
            client.made_by,
        ),
    )


def find(tx: Transaction, client_id: str) -> tuple[Client, str] | None:
    """A client and the hash of its secret."""
    row = one_row(tx, _SELECT + "where id = %s", (client_id,))
    return (_client(row), row["secret_hash"]) if row else None


def all_clients(tx: Transaction) -> Sequence[Client]:
    return [_client(row) for row in all_rows(tx, _SELECT + "order by made_at, id")]


def revoke(tx: Transaction, client_id: ClientId, by: str, now: Instant) -> None:
    """Marks a client as revoked; one that is already keeps its mark."""
    run(
        tx,
        """update client set revoked_at = %s, revoked_by = %s
           where id = %s and revoked_at is null""",
        (now, by, client_id),
    )


def _client(row: Mapping[str, Any]) -> Client:
    return Client(
        id=ClientId(row["id"]),
        name=row["name"],
        actor=Actor(PartyId(row["party"]), row["role"]),
        scopes=frozenset(row["scopes"]),
        made_at=row["made_at"],
        made_by=row["made_by"],
        revoked_at=row["revoked_at"],
        revoked_by=row["revoked_by"],
    )
