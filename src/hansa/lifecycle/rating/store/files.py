"""Files of rated events: written aside, then renamed, so that a file is whole or is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place to write to; what is there at the end takes `path`'s name.

    After an error nothing is left. The same again replaces the file by its equal. Nobody waits
    for the disk: what was rated can be rated again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}-new")
    try:
        yield aside
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
