"""Libraries that a node may live without: those of the extra `bulk`.

Modules that need them at their head are imported inside functions, after `need`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar, cast

from hansa.foundation.errors import HansaError

Function = TypeVar("Function", bound=Callable[..., Any])


def need(*names: str) -> None:
    """Raises HansaError `bulk-missing` unless all of these libraries are installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise HansaError(
            "bulk-missing",
            f"This needs {' and '.join(missing)}; run `make bulk`, then try again.",
        )


def compiled(function: Function) -> Function:
    """The function as machine code, made by Numba at its first call for each kind of argument.

    What was made is kept beside the source or in the user's cache, if either can be written.
    Arguments are NumPy arrays and plain numbers; indexes are not checked.
    """
    from numba import njit

    try:
        made = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = njit(nogil=True)(function)
    return cast("Function", made)
