"""The RADIUS server of an access network: FreeRADIUS, which reads and counts in PostgreSQL.

It says who may come in and how fast, keeps every record of use in a table and in a file for
mediation, and answers each report of use: a line that is faster or slower than it should be is
set right by CoA, one that is not ours is cut by Disconnect (RFC 5176).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from hansa.drivers.broadband import store
from hansa.drivers.broadband.access import AAA, BNG
from hansa.drivers.contract import Change
from hansa.drivers.lab import taken
from hansa.drivers.lab.box import Box
from hansa.foundation.binaries import find_binaries
from hansa.foundation.errors import TryLater

RECORDS = "records.csv"
"""The file of records that grows, in the server's box; its columns are those of HEADER."""

HEADER = (
    "NAS-IP-Address,Acct-Session-Id,User-Name,Acct-Status-Type,Timestamp,Acct-Session-Time,"
    "Acct-Input-Octets,Acct-Input-Gigawords,Acct-Output-Octets,Acct-Output-Gigawords\n"
)

CONFIGURATION = "radius/radiusd.conf"
DRAFT = "radius-new/radiusd.conf"
DATABASE, RADIUS = "postgres", "radius"
"""Daemons, by name."""

_AS_NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
"""PostgreSQL does not run as root: it runs as somebody without rights, whoever we are."""

_TEMPLATE = Path(__file__).with_name("radiusd.conf")


def render(*, folder: str, sql: str, records: str, secret: str) -> str:
    """The server's configuration, to lie in `folder`. sql: the folder of the database's socket.
    records: the file for mediation. secret: what it shares with the gateway.
    """
    text = _TEMPLATE.read_text()
    for name, value in {
        "folder": folder,
        "sql": sql,
        "database": store.DATABASE,
        "user": store.USER,
        "records": records,
        "secret": secret,
        "aaa": AAA,
        "bng": BNG,
    }.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def apply(box: Box, *, secret: str) -> list[Change]:
    """Has the server run as it should; what had to change. Raises TryLater `device-failed`."""
    changes = []
    taken.mark(box)
    if _database(box):
        changes.append(Change(DATABASE, None, "running"))
    if store.prepare(box):
        changes.append(Change("tables", None, "made"))
    text = _text(box, CONFIGURATION, secret)
    changed = box.read(CONFIGURATION) != text
    if changed:
        _check(box, secret)
        box.stop(RADIUS)  # first: who is killed here begins again
        _put(box, CONFIGURATION, text)
        changes.append(Change("configuration of radius", None, "written"))
    if box.start(
        *(RADIUS, "freeradius", "-f", "-n", "radiusd", "-d", box.path("radius"), "-l", "stdout"),
        private=True,
    ):
        changes.append(Change(RADIUS, None, "running"))
    box.wait(lambda: _listens(box), what=RADIUS)
    return changes


def amiss(box: Box, *, secret: str) -> list[str]:
    """What is not as `apply` leaves it."""
    right = box.read(CONFIGURATION) == _text(box, CONFIGURATION, secret)
    return [
        *(name for name in (DATABASE, RADIUS) if not box.runs(name)),
        *([] if right else ["configuration of radius"]),
    ]


def hashed(password: str, salt: str) -> str:
    """A password as the server keeps it: salted SHA-256, in hexadecimal. The same each time."""
    mark = hashlib.sha256(salt.encode()).digest()[:8]
    return (hashlib.sha256(password.encode() + mark).digest() + mark).hex()


def _database(box: Box) -> bool:
    programs, folder = find_binaries(), store.socket_of(box)
    if not box.try_run("test", "-e", f"{folder}/cluster/PG_VERSION").ok:
        box.run("rm", "-rf", folder)
        box.run("mkdir", "-m", "700", folder)
        box.run(
            *(*_AS_NOBODY, str(programs / "initdb"), "-D", f"{folder}/new", "--auth=peer"),
            *(f"--username={store.USER}", "--no-sync", "--no-locale", "--encoding=UTF8"),
            timeout_s=120,
        )
        box.run("mv", f"{folder}/new", f"{folder}/cluster")
    argv = [
        *(*_AS_NOBODY, str(programs / "postgres"), "-D", f"{folder}/cluster"),
        *("-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"),
        *("-c", "unix_socket_permissions=0700", "-c", "timezone=UTC", "-c", "io_method=sync"),
    ]

    def ready() -> bool:
        """One that was killed leaves children behind, which the next has to wait for."""
        box.start(DATABASE, *argv)
        return store.answers(box)

    new = box.start(DATABASE, *argv)
    box.wait(ready, what=DATABASE)
    return new


def _check(box: Box, secret: str) -> None:
    """Has FreeRADIUS read what it is about to be given. Raises TryLater `device-failed`."""
    _put(box, DRAFT, _text(box, DRAFT, secret))
    try:
        box.run("freeradius", "-C", "-n", "radiusd", "-d", box.path("radius-new"), "-l", "stdout")
    finally:
        box.remove("radius-new")


def _text(box: Box, file: str, secret: str) -> str:
    return render(
        folder=box.path(file.rpartition("/")[0]),
        sql=store.socket_of(box),
        records=box.path(RECORDS),
        secret=secret,
    )


def _put(box: Box, file: str, text: str) -> None:
    box.write(file, text)
    box.write(f"{file.rpartition('/')[0]}/dictionary", _DICTIONARY)


_DICTIONARY = "$INCLUDE /usr/share/freeradius/dictionary\n"


def _listens(box: Box) -> bool:
    if not box.runs(RADIUS):
        raise TryLater(
            "device-failed", f"freeradius ended: {(box.read('radius.log') or '')[-2000:]}"
        )
    return f"{AAA}:1813" in box.run("ss", "-Hlun")
