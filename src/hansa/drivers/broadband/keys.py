"""Secrets of the access networks: each in a file of its own, known elsewhere by its name alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret(folder: Path, name: str) -> str:
    """What the secret of that name is; it is made when it is first asked for.

    The file is whole when it has its name, and its owner's alone from its first octet on.
    """
    file = folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        draft = folder / f"{name}.{os.getpid()}"
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(24))
            out.flush()
            os.fsync(handle)
        try:
            os.link(draft, file)
        except FileExistsError:  # another was quicker
            pass
        finally:
            draft.unlink()
    return file.read_text()


def forget(folder: Path, name: str) -> None:
    """Destroys a secret; none is no error."""
    (folder / name).unlink(missing_ok=True)
