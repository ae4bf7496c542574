"""An operator's people at the command line, in this process, on a real node's database."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
import typer

from hansa.entrypoints import node_folder
from hansa.entrypoints.cli.main import app
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.foundation.time import SystemClock
from hansa.node import ClockSettings, DatabaseSettings, HttpSettings, Node, Settings, open_node

SOON = datetime(2026, 11, 2, 8, tzinfo=UTC)
"""When these stories begin."""


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    out: str
    err: str
    exit_code: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """Commands on one node. The node's clock shows what the shared clock file says."""

    def __init__(self, folder: Path, clock: Path, *, party: Party, port: int, url: str) -> None:
        self.folder = folder
        self.party = party
        self.url = url
        settings = Settings(
            party=party,
            http=HttpSettings(port=port),
            database=DatabaseSettings(url=url),
            clock=ClockSettings(shift_file=str(clock)),
        )
        node_folder.create(folder, settings, now=SOON)

    def __call__(self, *words: str, exit_code: int = 0) -> Said:
        """Runs `hansa` with these words on this node, and expects this exit code."""
        said = hansa(*words, node=self.folder)
        assert said.exit_code == exit_code, f"{words}: {said}"
        return said

    def json(self, *words: str) -> Any:
        """What the command prints with --json: one document, and nothing beside it."""
        said = self(*words, "--json")
        assert said.err == ""
        return said.json

    def refused(self, *words: str, exit_code: int = 3) -> str:
        """The one line on stderr of a command that writes nothing and prints nothing."""
        before = rows(self.url)
        said = self(*words, exit_code=exit_code)
        assert said.out == ""
        assert rows(self.url) == before
        (line,) = said.err.splitlines()
        return line

    @contextmanager
    def node(self) -> Iterator[Node]:
        """The node itself, for what no command does."""
        node = open_node(self.folder)
        try:
            yield node
        finally:
            node.close()

    def work(self) -> None:
        """What the node's worker would do by now."""
        with self.node() as node:
            node.work_once()


@cache
def command() -> Any:
    """The whole of `hansa`, put together once for all tests."""
    return typer.main.get_command(app)


def hansa(*words: str, node: Path | None = None) -> Said:
    """Runs `hansa` in this process."""
    env = {"HANSA_BY": "ada", **({"HANSA_NODE": str(node)} if node else {})}
    out, err = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.dict(os.environ, env),
        pytest.raises(SystemExit) as ended,
    ):
        command().main(args=list(words), prog_name="hansa")
    return Said(out.getvalue(), err.getvalue(), int(ended.value.code or 0))


def set_clock(file: Path, at: datetime) -> None:
    """Every node with this clock file shows this moment from now on."""
    new = file.with_suffix(".new")
    new.write_text(str(round((at - SystemClock().now()).total_seconds())))
    new.replace(file)


def rows(url: str) -> dict[str, int]:
    """How many rows each table of a database has."""
    tables = "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = %s"
    with psycopg.connect(url) as connection:
        public = connection.execute("select 'public'::regnamespace::oid").fetchone()
        assert public is not None
        names = [str(name) for (name,) in connection.execute(tables, public)]
        counts = " union all ".join(f"select '{name}', count(*) from {name}" for name in names)
        return dict(connection.execute(counts).fetchall())


def party(name: str, country: str = "GB", currency: str = "GBP") -> Party:
    return Party(PartyId(name), name.upper(), country, currency)
