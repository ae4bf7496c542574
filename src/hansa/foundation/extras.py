"""Libraries that a node may live without: those of the extras `bulk` and `spark`.

Modules that need them at their head are imported inside functions, after `need`.
"""

from __future__ import annotations

import os
import shutil
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


def need_spark() -> None:
    """Raises HansaError `spark-missing` unless Apache Spark and a Java for it are installed."""
    need("duckdb", "numpy", "pyarrow", "sqlglot")
    if find_spec("pyspark") is None:
        raise HansaError(
            "spark-missing", "This needs Apache Spark; run `make spark`, then try again."
        )
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise HansaError(
            "spark-missing",
            "Apache Spark needs Java 17; install it, on Debian: "
            "apt-get install openjdk-17-jre-headless.",
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
