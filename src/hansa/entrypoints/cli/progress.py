"""How far a long run is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hansa.entrypoints.cli import render

Tell = Callable[[str, int, int], None]
"""Is told what is done now, how much of it, and of how much."""


@contextmanager
def bar(*, counted: bool = True) -> Iterator[Tell]:
    """A bar on standard error while it is a terminal; gone at the end. counted: with numbers."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    what = TextColumn("{task.description}", markup=False)
    numbers = [TextColumn("{task.completed:,.0f} of {task.total:,.0f}")] if counted else []
    columns = (what, BarColumn(), *numbers, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=0)
        yield lambda what, done, of: shown.update(
            task, description=render.clean(what), completed=done, total=of
        )


def _silent(_what: str, _done: int, _of: int) -> None:
    """Tells nobody."""
