"""What the guides tell is so: pictures, paths, names, links, addresses and commands."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from hansa.entrypoints.cli.main import app
from hansa.entrypoints.demo import model
from hansa.entrypoints.operator_files import Operator
from hansa.entrypoints.yaml_files import load
from hansa.foundation.site import Site
from hansa.lifecycle.catalogue.model import ReferenceRate
from tests.house.tree import ROOT, SOURCE, parsed, plant, python_files

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
TOUR = ROOT / "docs" / "tour.md"
README = ROOT / "README.md"
GUIDES = (
    README,
    ARCHITECTURE,
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    TOUR,
    ROOT / "scenarios" / "README.md",
)

CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w-][\w.-]*(/[\w.-]+)*/?")
SUFFIXES = (".py", ".md", ".sql", ".toml", ".yaml", ".json", ".ledger", ".txt")
MADE = ("node.toml", "run.json")
"""Files that are made when a node is, and are no part of the tree."""


# --- pictures -----------------------------------------------------------------------------------


def picture(page: Path, name: str) -> list[str]:
    """The lines of the block that is marked as this picture."""
    found = re.search(rf"^```text {name}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no picture of the {name}"
    return found[1].splitlines()


def columns(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip(), maxsplit=1)


def drawn(line: str) -> frozenset[str]:
    """The names on one layer, `a | b`."""
    return frozenset(part.strip() for part in columns(line)[0].split("|"))


@cache
def contracts() -> Mapping[str, list[frozenset[str]]]:
    """The layers of each import contract that has some, from the top down."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {
        rule["name"].partition(":")[0]: [
            frozenset(re.findall(r"\w+", layer)) for layer in rule["layers"]
        ]
        for rule in rules["contracts"]
        if "layers" in rule
    }


def test_the_layers_are_as_drawn() -> None:
    assert [drawn(line) for line in picture(ARCHITECTURE, "layers")] == contracts()["The house"]


def test_the_path_is_as_drawn() -> None:
    rows = [columns(line) for line in picture(ARCHITECTURE, "path")]
    assert [{room} for room, _ in rows] == contracts()["The path"][::-1]
    for room, words in rows:
        plaque = ast.get_docstring(parsed(SOURCE / "lifecycle" / room / "__init__.py")) or ""
        assert words == plaque.splitlines()[0], room


def test_a_room_is_as_drawn() -> None:
    (line,) = picture(ARCHITECTURE, "room")
    assert [drawn(part) for part in line.split("→")] == contracts()["Inside a room"]


def test_every_address_is_told() -> None:
    served = {}
    for file in (ROOT / "contracts").glob("tmf*.json"):
        served.update(json.loads(file.read_text())["paths"])
    words = ARCHITECTURE.read_text()
    told = re.findall(r"`(GET|POST|PATCH|DELETE) (/tmf-api/\S+)`", words)
    assert [one for one in told if one[0].lower() not in served.get(one[1], {})] == []
    bases = {path.split("/v4/")[0] + "/v4" for path in served}
    assert sorted(base for base in bases if base not in words) == []


# --- paths and names ----------------------------------------------------------------------------


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def place(path: str, page: Path) -> Path | None:
    """What a path leads to: from the page, from the top of the tree, or from `src/hansa`."""
    for base in (page.parent, ROOT, SOURCE, SOURCE / "lifecycle"):
        if (base / path).exists():
            return base / path
    return None


def is_path(span: str) -> bool:
    slash = "/" in span and not span.startswith(("/", "http"))
    return PATH.fullmatch(span) is not None and (slash or span.endswith(SUFFIXES))


def lost(page: Path) -> Iterator[str]:
    """Paths that lead nowhere, and names after a colon that the file does not hold."""
    for span in CODE.findall(prose(page)):
        path, _, name = span.partition(":")
        if not is_path(path) or path in MADE:
            continue
        found = place(path, page)
        alone = "/" not in path and any(SOURCE.rglob(path))
        if found is None and not alone:
            yield path
        elif name and (found is None or name not in names(found)):
            yield span


@cache
def names(file: Path) -> frozenset[str]:
    """What a module defines, methods as `Class.method`; what a schema creates."""
    if file.suffix == ".sql":
        made = re.findall(r"create (?:table|function|view|trigger) (\w+)", file.read_text())
        return frozenset(made)
    return frozenset(defined(parsed(file).body, ""))


def defined(body: Sequence[ast.stmt], owner: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield owner + node.name
        if isinstance(node, ast.ClassDef):
            yield from defined(node.body, f"{owner}{node.name}.")
        for target in assigned(node):
            yield owner + target


def assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


@cache
def spoken() -> frozenset[str]:
    """Every word of the source: names, tables, states, reason codes."""
    files = [*python_files(SOURCE), *SOURCE.rglob("*.sql")]
    return frozenset(
        word for file in files for word in re.findall(r"[\w.-]+", file.read_text())
    ) | frozenset(word for file in files for word in re.findall(r"\w+", file.read_text()))


def unspoken(page: Path) -> Iterator[str]:
    """Single words in code's type that the source does not know."""
    for span in CODE.findall(prose(page)):
        if not re.fullmatch(r"[A-Za-z_][\w.-]*", span) or is_path(span):
            continue
        if span not in spoken() and not set(span.split(".")) <= spoken():
            yield span


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_and_names_exist(page: Path) -> None:
    assert list(lost(page)) == []


@pytest.mark.parametrize("page", [ARCHITECTURE, TOUR], ids=lambda page: page.name)
def test_words_in_codes_type_are_the_codes(page: Path) -> None:
    assert sorted(set(unspoken(page))) == []


def test_the_tour_names_a_file_at_every_step() -> None:
    steps = re.split(r"^## ", TOUR.read_text(), flags=re.MULTILINE)[1:]
    bare = [step.splitlines()[0] for step in steps if ".py:" not in step]
    assert bare == []


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


# --- scenarios ----------------------------------------------------------------------------------


def test_every_field_of_a_scenario_is_explained() -> None:
    kinds = (
        model.Scenario,
        model.WantedItem,
        model.DraftWanted,
        Site,
        ReferenceRate,
        *get_args(model.Act),
    )
    told = set(CODE.findall((ROOT / "scenarios" / "README.md").read_text()))
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert sorted(fields - told - {"act"}) == []
    acts = {get_args(get_type_hints(kind)["act"])[0] for kind in get_args(model.Act)}
    assert {f"act: {act}" for act in acts} <= told


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios").glob("*/scenario.yaml")), ids=str)
def test_what_sales_have_begun_is_for_a_customer_at_sites_that_are_there(file: Path) -> None:
    scenario = load(file, model.Scenario)
    for draft in scenario.drafts:
        operator = load(file.parent / "operators" / f"{draft.operator}.yaml", Operator)
        assert draft.customer in {one.party.id for one in operator.customers}
        assert draft.offer in {one.code for one in operator.offers}
        assert draft.sites.keys() <= {one.id for one in scenario.sites}


# --- commands -----------------------------------------------------------------------------------


def typed(page: Path) -> Iterator[list[str]]:
    """The commands of `hansa` in a page's blocks; `bt …` and `mtn …` stand for two nodes."""
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            words = shlex.split(re.sub(r"\$\w+", "ID", line), comments=True)
            if words and words[0] in (".venv/bin/hansa", "bt", "mtn"):
                yield words[1:]


def check(command: Any, words: list[str]) -> None:
    """Parses a command line as it would be, and runs nothing."""
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words)


def test_commands_of_the_readme_can_be_typed() -> None:
    hansa = typer.main.get_command(app)
    found = list(typed(README))
    assert len(found) > 10
    for words in found:
        check(hansa, words)


# --- offences -----------------------------------------------------------------------------------


def test_offences_are_caught(tmp_path: Path) -> None:
    page = plant(
        tmp_path,
        "page.md",
        "`lifecycle/order/actions/orders.py:place`, `lifecycle/order/actions/orders.py:gone`, "
        "`order/rules.py`, `order/nowhere.py`, `worker.py`, `quote_quote`, "
        "`quote_gone`, `Node.seller`\n"
        "```text layers\nbelow | beside     words\nabove\n```\n",
    )
    assert list(lost(page)) == ["lifecycle/order/actions/orders.py:gone", "order/nowhere.py"]
    assert list(unspoken(page)) == ["quote_gone"]
    assert [drawn(line) for line in picture(page, "layers")] == [{"below", "beside"}, {"above"}]
    with pytest.raises(Exception, match="--no-such"):
        check(typer.main.get_command(app), ["node", "status", "--no-such"])
