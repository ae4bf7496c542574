"""The locked requirement files are in step with pyproject.toml; else: `make lock`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.tree import ROOT

PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(.*)$", re.MULTILINE)


def pins(file: Path) -> Mapping[str, str]:
    return {canonicalize_name(name): version for name, version, _ in PIN.findall(file.read_text())}


def wanted(pyproject: Path, extras: Sequence[str]) -> Sequence[Requirement]:
    project = tomllib.loads(pyproject.read_text())["project"]
    texts = list(project["dependencies"])
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def out_of_step(pyproject: Path, locked: Path, extras: Sequence[str]) -> Iterator[str]:
    """What is asked for and is not locked, or is locked at a version that does not do."""
    found = pins(locked)
    for requirement in wanted(pyproject, extras):
        version = found.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{locked.name} lacks {requirement}"
        elif Version(version) not in requirement.specifier:
            yield f"{locked.name} has {requirement.name} {version}, wanted {requirement.specifier}"
    direct = set(
        re.findall(
            r"^([a-z0-9._-]+)==(?:.*\n)(?:    --hash.*\n)*"
            r"(?:    # via(?:\n    #  )? hansa \(pyproject\.toml\))",
            locked.read_text(),
            re.MULTILINE,
        )
    )
    asked = {canonicalize_name(requirement.name) for requirement in wanted(pyproject, extras)}
    yield from (f"{locked.name} still has {name}" for name in sorted(direct - asked))


def test_locked_files_are_in_step() -> None:
    pyproject = ROOT / "pyproject.toml"
    assert list(out_of_step(pyproject, ROOT / "requirements.txt", ["build"])) == []
    for extras in (["bulk"], ["bulk", "spark"], ["papers"], ["gear"]):
        locked = ROOT / f"requirements-{extras[-1]}.txt"
        assert list(out_of_step(pyproject, locked, ["build", *extras])) == []
    assert list(out_of_step(pyproject, ROOT / "requirements-dev.txt", EXTRAS)) == []


def test_all_lock_the_same_versions_each_with_a_hash() -> None:
    names = ("", "-bulk", "-spark", "-papers", "-gear", "-dev")
    run, bulk, spark, papers, gear, dev = (ROOT / f"requirements{name}.txt" for name in names)
    assert pins(bulk).items() <= pins(spark).items()
    assert pins(run).items() <= pins(bulk).items() <= pins(dev).items()
    assert pins(run).items() <= pins(papers).items() <= pins(dev).items()
    assert pins(run).items() <= pins(gear).items() <= pins(dev).items()
    for file in (run, bulk, spark, papers, gear, dev):
        blocks = re.split(r"\n(?=[a-z0-9])", file.read_text())
        assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


EXTRAS = ["build", "bulk", "papers", "gear", "dev"]


def test_each_dependency_has_its_reason() -> None:
    page = next((ROOT / "docs" / "decisions").glob("*dependencies.md")).read_text()
    names = {
        requirement.name for requirement in wanted(ROOT / "pyproject.toml", [*EXTRAS, "spark"])
    }
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_offences_are_caught(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["one>=2", "two>=1"]\n[project.optional-dependencies]\n'
    )
    locked = tmp_path / "requirements.txt"
    locked.write_text(
        "one==1.0 \\\n    --hash=sha256:00\n    # via hansa (pyproject.toml)\n"
        "three==1.0 \\\n    --hash=sha256:00\n"
        "    # via\n    #   hansa (pyproject.toml)\n    #   one\n"
    )
    assert list(out_of_step(tmp_path / "pyproject.toml", locked, [])) == [
        "requirements.txt has one 1.0, wanted >=2",
        "requirements.txt lacks two>=1",
        "requirements.txt still has three",
    ]
