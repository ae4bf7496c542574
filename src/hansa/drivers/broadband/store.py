"""What the RADIUS server of an access network keeps in PostgreSQL: every line of SQL about it.

Asked through `psql` in the server's own box: its socket can be reached from there alone.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from hansa.drivers.lab.box import Box
from hansa.foundation.binaries import find_binaries

FOLDER = "sql"
"""Where the server's socket and its cluster lie, in its box."""

DATABASE = "radius"
USER = "nobody"
SCHEMA = Path(__file__).with_name("radius.sql")


@dataclass(frozen=True, slots=True)
class Account:
    """A line as RADIUS knows it. password: its hash. Speeds in bit/s."""

    user: str
    password: str
    down_bps: int
    up_bps: int
    quota_octets: int | None
    throttled_bps: int
    interim_s: int


def prepare(box: Box) -> bool:
    """Has the database be there; whether it was not."""
    known = _ask(
        box, "select 1 from pg_database where datname = :'name'", "postgres", name=DATABASE
    )
    if not known:
        _ask(box, f"create database {DATABASE}", "postgres")
    bare = not _ask(box, "select 1 from pg_tables where tablename = 'accounting'")
    if bare:
        _ask(box, f"begin; {SCHEMA.read_text()} commit;")
    return bare


def put(box: Box, account: Account) -> bool:
    """Has a line be known so; whether it was not."""
    told = _ask(
        box,
        """
        insert into line as known
        values (:'user', :'password', :down, :up, nullif(:'quota', '')::bigint, :throttled,
            :interim)
        on conflict (username) do update set
            (password, down_bps, up_bps, quota_octets, throttled_bps, interim_s) =
            (excluded.password, excluded.down_bps, excluded.up_bps, excluded.quota_octets,
            excluded.throttled_bps, excluded.interim_s)
        where known is distinct from excluded
        returning username
        """,
        user=account.user,
        password=account.password,
        down=str(account.down_bps),
        up=str(account.up_bps),
        quota="" if account.quota_octets is None else str(account.quota_octets),
        throttled=str(account.throttled_bps),
        interim=str(account.interim_s),
    )
    return bool(told)


def get(box: Box, user: str) -> Account | None:
    """A line as it is known; None when it is not."""
    told = _ask(
        box,
        """
        select username, password, down_bps, up_bps, quota_octets, throttled_bps, interim_s
        from line where username = :'user'
        """,
        user=user,
    )
    if not told:
        return None
    name, password, down, up, quota, throttled, interim = told[0]
    return Account(
        *(name, password, int(down), int(up)),
        *(int(quota) if quota else None, int(throttled), int(interim)),
    )


def entitled(box: Box, user: str) -> tuple[int, int] | None:
    """The speeds, down and up in bit/s, that a line should have by its last record."""
    told = _ask(
        box,
        """
        select speed.* from
            (select coalesce(max(at), now()) as moment from accounting where username = :'user'),
            entitled(:'user', moment) as speed
        """,
        user=user,
    )
    return (int(told[0][0]), int(told[0][1])) if told else None


def drop(box: Box, user: str) -> bool:
    """Forgets a line, and none of its records; whether it was known."""
    return bool(_ask(box, "delete from line where username = :'user' returning 1", user=user))


def socket_of(box: Box) -> str:
    """The folder of the server's socket."""
    return box.path(FOLDER)


def answers(box: Box) -> bool:
    """Whether the server answers."""
    return box.try_run(*_psql(box, "postgres"), "-c", "select 1").ok


def _ask(box: Box, statement: str, database: str = DATABASE, **values: str) -> list[list[str]]:
    """The rows of a statement. Values go in as psql's variables, quoted by it: `:'name'`."""
    given = [part for name, value in values.items() for part in ("-v", f"{name}={value}")]
    said = box.run(*_psql(box, database), *given, "--csv", "-f", "-", input=statement)
    return list(csv.reader(io.StringIO(said)))


def _psql(box: Box, database: str) -> list[str]:
    program = str(find_binaries() / "psql")
    return [
        *(program, "-XqAt", "-v", "ON_ERROR_STOP=1"),
        *("-h", socket_of(box), "-U", USER, "-d", database),
    ]
