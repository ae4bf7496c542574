"""OpenConfig's own models, of 2016 and 2017: the newest that a package brings."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

LOCKED = Path(__file__).parent / "gear" / "models.txt"
MENDED = "2"
"""To be raised when they are mended otherwise."""


def official() -> Path:
    """A folder with the models, as a package by its locked list; skips without it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa-tests"
    name = hashlib.sha256(LOCKED.read_bytes() + MENDED.encode()).hexdigest()[:12]
    target = cache / f"models-{name}"
    if not target.exists():
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(_fetched(folder), Path(folder) / "mended")
            for file in (Path(folder) / "mended").glob("openconfig-*.yang"):
                file.write_text(_mended(file.read_text()))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(Path(folder) / "mended", target, dirs_exist_ok=True)
    return target


def _fetched(folder: str) -> Path:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q"),
            *("--no-deps", "--no-binary=:all:", "--no-build-isolation"),
            *("--require-hashes", "-r", str(LOCKED), "-d", folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"OpenConfig's models could not be had: {done.stderr.strip()[-300:]}")
    (archive,) = Path(folder).iterdir()
    with tarfile.open(archive) as held:
        held.extractall(f"{folder}/all", filter="data")
    (found,) = Path(folder).glob("all/*/ydk/models/openconfig/_yang")
    return found


def _mended(text: str) -> str:
    """Patterns without the ends that POSIX's have and YANG's have by themselves; a protocol's
    condition with the prefix of its name, and seen from where RFC 7950 has it looked at.
    """
    text = re.sub(r"""(['"])\^""", r"\1", text)
    text = re.sub(r"""\$(['"])""", r"\1", text)
    return re.sub(
        r"when \"\.\./config/identifier = '", "when \"config/identifier = 'oc-pol-types:", text
    )
