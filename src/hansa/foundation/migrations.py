"""Brings a database to the shape that the code expects: numbered SQL files, room by room.

A file is applied once, in one transaction, and never changes afterwards: its SHA-256 is
kept in the table `migration` and compared at every run. Files are applied by the owner of the
tables: by whom the URL names, or, where that is a superuser, by the role `hansa_owner`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from hansa.foundation.errors import Refused
from hansa.foundation.roles import CLERK, GUEST, NODE, OWNER

FILE_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")

ENDS_TRANSACTION = re.compile(rb"(^|;)\s*(commit|rollback|end)\s*;", re.IGNORECASE)

QUOTED = re.compile(rb"\$(\w*)\$.*?\$\1\$", re.DOTALL)
"""The body of a function, in which such words mean something else."""

LOCK = 0x68616E7361
"""The advisory lock that lets one process migrate a database at a time (`hansa` in ASCII)."""

TABLE = """
create table if not exists migration (
    room       text        not null,
    number     integer     not null check (number > 0),
    name       text        not null,
    sha256     char(64)    not null,
    applied_at timestamptz not null default now(),
    primary key (room, number)
)
"""

Progress = Callable[[str], None]
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _File:
    room: str
    number: int
    name: str
    text: str
    sha256: str


def migrate(
    url: str,
    folders: Sequence[tuple[str, Path]],
    *,
    progress: Callable[[str], None] | None = None,
) -> Sequence[str]:
    """Applies every file that is not applied yet and returns their names, `room/file`.

    folders: a room's name and its folder of `NNNN_name.sql` files, in the order in which
    rooms stand on each other; a folder that is absent or empty is fine. progress: told the
    name of each file before it is applied. Everything is checked before anything is applied.

    Raises Refused: `migration-misnamed`, `migration-gap` (numbers are 1, 2, 3 … in each
    room), `migration-commits`, `migration-changed`, `migration-missing` (applied once, no
    longer there), `migration-failed`, `database-roles` when the roles of the node are missing
    and the URL's user may not make them.
    """
    files = [file for room, folder in folders for file in _files(room, folder)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        _become_owner(connection)
        connection.execute(TABLE)
        applied = _applied(connection)
        _compare(files, applied)
        due = [file for file in files if (file.room, file.number) not in applied]
        for file in due:
            if progress is not None:
                progress(f"{file.room}/{file.name}")
            _apply(connection, file)
    return [f"{file.room}/{file.name}" for file in due]


# --- by whom ----------------------------------------------------------------------------------

TAKE_OVER = """
do $$
declare
    thing text;
begin
    execute format('alter database %I owner to hansa_owner', current_database());
    for thing in
        select format('alter %s %s owner to hansa_owner',
                      case c.relkind when 'v' then 'view' else 'table' end, c.oid::regclass)
          from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
           and c.relowner = current_user::regrole
        union all
        select format('alter routine %s owner to hansa_owner', p.oid::regprocedure)
          from pg_proc p
         where p.pronamespace = 'public'::regnamespace and p.proowner = current_user::regrole
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute thing;
    end loop;
end $$
"""
"""Gives a superuser's database, and what earlier versions made in it, to the owner."""

PATIENCE = 20
"""How often a role is tried for that another database's migration is just making."""


def _become_owner(connection: Connection) -> None:
    """From here on the connection works as the owner of the tables, and as nobody above it.

    A statement from which row-level security would hide rows fails; it does not do less.
    """
    row = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    superuser = row is not None and bool(row[0])
    for role in (NODE, GUEST, CLERK, *((OWNER,) if superuser else ())):
        _make_sure(connection, "select from pg_roles where rolname = %s", (role,), _make(role))
    owner = OWNER if superuser else _name(connection)
    for role, member in ((GUEST, NODE), (NODE, owner), (GUEST, owner), (CLERK, owner)):
        may = "select where pg_has_role(%s, %s, 'set')"
        _make_sure(connection, may, (member, role), _grant(role, member))
    if superuser:
        connection.execute(TAKE_OVER)
        connection.execute(SQL("set role {}").format(Identifier(OWNER)))
    connection.execute("set row_security = off")


def _name(connection: Connection) -> str:
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


def _make(role: str) -> Composed:
    return SQL("create role {} nologin").format(Identifier(role))


def _grant(role: str, member: str) -> Composed:
    return SQL("grant {} to {} with inherit false, set true").format(
        Identifier(role), Identifier(member)
    )


def _make_sure(
    connection: Connection, there: LiteralString, named: Sequence[str], make: Composed
) -> None:
    """Roles belong to the whole server: another migration may be making the same ones now."""
    for _ in range(PATIENCE):
        if connection.execute(there, named).fetchone() is not None:
            return
        with contextlib.suppress(
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,
            psycopg.errors.InternalError_,  # "tuple concurrently updated"
            psycopg.errors.InsufficientPrivilege,
        ):
            connection.execute(make)
    raise Refused(
        "database-roles",
        f"The database's user may not do this, and it has not been done: {make.as_string()}. "
        "Have an administrator of the server run it, or give the user the right to make roles.",
        field="database.url",
    )


# --- the files --------------------------------------------------------------------------------


def _files(room: str, folder: Path) -> Sequence[_File]:
    """The room's files in order; refuses names it cannot read and numbers that jump."""
    found = []
    for position, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = FILE_NAME.match(path.name)
        if match is None:
            raise Refused(
                "migration-misnamed",
                f"{path} must be called NNNN_name.sql: four digits, then lower-case words.",
            )
        if int(match[1]) != position:
            raise Refused(
                "migration-gap",
                f"{path} comes where number {position:04} of room {room} is due; "
                "numbers run without gap or repetition.",
            )
        content = path.read_bytes()
        if ENDS_TRANSACTION.search(QUOTED.sub(b"", content)):
            raise Refused(
                "migration-commits",
                f"{path} ends a transaction; each file is one transaction, ended for it.",
            )
        digest = hashlib.sha256(content).hexdigest()
        found.append(_File(room, position, path.name, content.decode(), digest))
    return found


def _applied(connection: Connection) -> Mapping[tuple[str, int], tuple[str, str]]:
    rows = connection.execute("select room, number, name, sha256 from migration").fetchall()
    return {
        (str(room), int(str(number))): (str(name), str(sha)) for room, number, name, sha in rows
    }


def _compare(files: Sequence[_File], applied: Mapping[tuple[str, int], tuple[str, str]]) -> None:
    """Holds what the database remembers against what the code brings."""
    here = {(file.room, file.number): file for file in files}
    for (room, number), (name, sha256) in sorted(applied.items()):
        file = here.get((room, number))
        if file is None:
            raise Refused(
                "migration-missing",
                f"The database has {room}/{name}, which this version of the program does not "
                "know. Run the version that made the database, or a newer one.",
            )
        if file.sha256 != sha256:
            raise Refused(
                "migration-changed",
                f"{room}/{file.name} was changed after it had been applied (as {name}). "
                "Restore it, and put the change into a new file with the next number.",
            )


def _apply(connection: Connection, file: _File) -> None:
    try:
        with connection.transaction():
            connection.execute(file.text.encode())
            connection.execute(
                "insert into migration (room, number, name, sha256) values (%s, %s, %s, %s)",
                (file.room, file.number, file.name, file.sha256),
            )
    except psycopg.Error as error:
        raise Refused(
            "migration-failed", f"{file.room}/{file.name} was refused by PostgreSQL: {error}"
        ) from error
