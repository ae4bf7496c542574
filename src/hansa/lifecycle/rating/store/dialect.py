"""The SQL texts of rating, said for an engine. One text is the definition; this only translates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import sqlglot
from sqlglot import exp

Engine = Literal["duckdb", "spark"]


@cache
def text(name: str, engine: Engine, **tables: str) -> str:
    """The text `name`.sql for an engine. tables: what stands for each table's name in it.

    `idiv(a, b)` is whole division: `//` in DuckDB, `div` in Spark. All numbers that come to it
    are not negative, so that both round down.
    """
    source = (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")
    tree = sqlglot.parse_one(source, read="duckdb").transform(_divide, copy=False)
    return _named(tree, tables).sql(dialect=engine, pretty=True)


def _divide(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Anonymous) and node.name.lower() == "idiv":
        a, b = (exp.paren(part) for part in node.expressions)
        return exp.paren(exp.IntDiv(this=a, expression=b))
    return node


def _named(tree: exp.Expression, tables: Mapping[str, str]) -> exp.Expression:
    for table in tree.find_all(exp.Table):
        if table.name in tables:
            table.set("this", exp.to_identifier(tables[table.name]))
    return tree
