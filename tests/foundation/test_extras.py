"""A node without the extra `bulk` runs all the same, and says what is missing when it is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hansa.foundation.errors import HansaError
from hansa.foundation.extras import need

BARE = """
import sys

BULK = ("duckdb", "numba", "numpy", "pyarrow", "sqlglot", "python_calamine")

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BULK:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import hansa.entrypoints.api
import hansa.entrypoints.cli.main
import hansa.entrypoints.worker
import hansa.lifecycle.usage.actions.intake
import hansa.lifecycle.usage.actions.quarantine
import hansa.lifecycle.usage.actions.stream
import hansa.lifecycle.usage.actions.trunks
"""


def test_everything_but_bulk_is_there_without_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_missing_is_named() -> None:
    need("json", "numpy")
    with pytest.raises(HansaError, match="bulk-missing") as error:
        need("json", "no_such_library", "nor_this")
    assert error.value.words.startswith("This needs no_such_library and nor_this; run `make bulk`")
