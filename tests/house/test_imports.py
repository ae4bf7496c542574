"""Who may import whom: the contracts in pyproject.toml hold, and they bite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SOURCE, plant

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(root: Path) -> tuple[bool, str]:
    """Whether the contracts hold in the tree at root, and what import-linter says."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-logo", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{ROOT}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_the_house_stands_as_it_is_drawn() -> None:
    kept, said = lint(ROOT)
    assert kept, said


@pytest.fixture(scope="module")
def said_of_offences(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy of the house in which every kind of offence was planted."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(SOURCE, root / "src" / "hansa", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for file, offence in OFFENCES:
        plant(root / "src" / "hansa", file, f"\n{offence}\n")
    kept, said = lint(root)
    assert not kept, said
    return " ".join(said.split())


OFFENCES = (
    ("lifecycle/agreement/actions.py", "import hansa.lifecycle.billing.model"),
    ("lifecycle/agreement/model.py", "import hansa.drivers.contract"),
    ("lifecycle/agreement/rules.py", "import hansa.foundation.database\nimport psycopg"),
    ("lifecycle/billing/actions.py", "import hansa.lifecycle.agreement.store"),
    ("lifecycle/billing/rules.py", "import hansa.lifecycle.billing.store"),
    ("lifecycle/billing/helpers.py", ""),
    ("lifecycle/loyalty/__init__.py", ""),
    ("ledger/model.py", "import hansa.federation.contract"),
    ("foundation/party.py", "import hansa.ledger.model"),
    ("utils.py", ""),
)


@pytest.mark.parametrize(
    "caught",
    [
        "hansa.lifecycle.agreement is not allowed to import hansa.lifecycle.billing:",
        "hansa.lifecycle is not allowed to import hansa.drivers:",
        "hansa.lifecycle.agreement.rules -> hansa.foundation.database",
        "hansa.lifecycle.agreement.rules -> psycopg",
        "hansa.lifecycle.billing.actions imports hansa.lifecycle.agreement.store, which is private",
        "hansa.lifecycle.billing.rules is not allowed to import hansa.lifecycle.billing.store:",
        "hansa.lifecycle.billing.helpers",
        "hansa.lifecycle.loyalty",
        "hansa.ledger is not allowed to import hansa.federation:",
        "hansa.foundation is not allowed to import hansa.ledger:",
        "hansa.utils",
    ],
)
def test_an_offence_is_caught(said_of_offences: str, caught: str) -> None:
    assert caught in said_of_offences, said_of_offences
