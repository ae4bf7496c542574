"""Writes the APIs that a node serves as OpenAPI documents, beside this file: `make docs`.

A house test fails when they no longer say what is served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansa.federation.exchange import Dialect, Operation
from hansa.federation.tmf import server as tmf
from hansa.federation.tmf.engine.model import World
from hansa.foundation.ids import Ids
from hansa.foundation.time import SystemClock

HERE = Path(__file__).parent


def documents() -> Mapping[str, str]:
    """Each document's text by its file's name."""
    served = _document(
        tmf.dialect(_world()),
        title="Hansa between operators",
        summary="The TM Forum v4 paths that a node serves to its partners",
    )
    return {"tmf-v4.json": json.dumps(served, indent=2, sort_keys=True) + "\n"}


def _document(dialect: Dialect, *, title: str, summary: str) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in dialect.operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "summary": summary, "version": "4"},
        "paths": paths,
    }


def _operation(operation: Operation) -> Mapping[str, Any]:
    names = re.findall(r"{(\w+)}", operation.template)
    return {
        "operationId": f"{operation.method} {operation.template}",
        "summary": operation.summary,
        "tags": [operation.api],
        "parameters": [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {"201" if operation.method == "POST" else "200": {"description": "Done"}},
        **operation.document,
    }


def _world() -> World:
    """A world in which nothing can be asked: documents are made of declarations alone."""
    ids = Ids(SystemClock())
    return World(
        seat=_nothing,
        begin_for=_nothing,
        ids=ids,
        clock=SystemClock(),
        address="",
        new_trace=ids.trace,
        callback_allowed=_nothing,
    )


def _nothing(*_: object) -> Any:
    raise NotImplementedError


if __name__ == "__main__":
    for name, text in documents().items():
        (HERE / name).write_text(text)
