"""Writes the APIs that a node serves as OpenAPI documents, beside this file: `make docs`.

A house test fails when they no longer say what is served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansa.federation.sonata import server as sonata
from hansa.federation.sonata.desk import Desk
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.tmf import server as tmf
from hansa.federation.tmf.engine.model import World
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.time import SystemClock

HERE = Path(__file__).parent


def documents() -> Mapping[str, str]:
    """Each document's text by its file's name."""
    world = _world()
    desk = Desk(PartyId("us"), world, SonataSettings(), _nothing, HERE)
    return {
        f"{name.lower()}.json": json.dumps(made, indent=1, sort_keys=True) + "\n"
        for name, made in {**tmf.documents(world), **sonata.documents(desk)}.items()
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
    for file in HERE.glob("*.json"):
        file.unlink()
    for name, text in documents().items():
        (HERE / name).write_text(text)
