"""What a database of the first version knew of its partners is known of them still."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg

from hansa.federation import directory
from hansa.federation.keys.ring import KeyRing, key_id
from hansa.foundation import documents
from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.migrations import migrate
from hansa.node import HERE, SCHEMAS
from tests.federation.shop import BT, START

PAPER = documents.fingerprint({"net": 1})
ENTER = """
insert into federation_partner values
    ('bt', 'BT', 'GB', 'GBP', '', 'https://bt.test', %s, 'tmf', %s, %s)
"""


def test_the_one_key_of_a_partner_is_the_first_of_its_keys(
    server: EmbeddedServer, bt_ring: KeyRing, tmp_path: Path
) -> None:
    first = HERE / "federation" / "schema" / "0001_federation.sql"
    (tmp_path / first.name).write_bytes(first.read_bytes())
    server.create_database("upgraded")
    url = server.url("upgraded")
    try:
        migrate(url, [("federation", tmp_path)])
        with psycopg.connect(url) as connection:
            connection.execute(ENTER, (bt_ring.public, START, START))
        migrate(url, SCHEMAS)
        database = Database(url)
        database.open()
        try:
            with database.begin() as tx:
                (partner,) = directory.partners(tx)
                signature = bt_ring.sign(PAPER, party=BT, at=datetime(2026, 1, 1, tzinfo=UTC))
                directory.verify_paper(tx, party=BT, fingerprint=PAPER, signature=signature)
        finally:
            database.close()
    finally:
        server.drop_database("upgraded")
    assert [one.public_key for one in partner.keys] == [bt_ring.public]
    assert [one.kid for one in partner.keys] == [key_id(bt_ring.public)]
    assert (partner.trust, partner.certificates) == ("hansa", ())
