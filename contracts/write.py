"""Writes the APIs that a node serves as OpenAPI documents, beside this file: `make docs`.

A house test fails when they no longer say what is served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI

from hansa.federation.tmf import server as tmf
from hansa.foundation.ids import TraceId
from hansa.foundation.party import Actor
from hansa.node import Seat

HERE = Path(__file__).parent


def documents() -> Mapping[str, str]:
    """Each document's text by its file's name."""
    app = FastAPI(
        title="Hansa between operators",
        summary="The TM Forum v4 paths that a node serves to its partners",
        version="4",
        separate_input_output_schemas=False,
    )
    tmf.mount(app, caller=_nobody, seat=_nowhere, new_trace=_untraced)
    return {"tmf-v4.json": json.dumps(app.openapi(), indent=2, sort_keys=True) + "\n"}


def _nobody(token: str) -> Actor:
    raise NotImplementedError(token)


def _nowhere(actor: Actor) -> Seat:
    raise NotImplementedError(actor)


def _untraced() -> TraceId:
    raise NotImplementedError


if __name__ == "__main__":
    for name, text in documents().items():
        (HERE / name).write_text(text)
