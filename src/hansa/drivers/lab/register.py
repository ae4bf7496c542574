"""Which service was made as what: the lab's own list of what stands in it.

It says where to look, never how a service is: that is read from the devices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hansa.drivers.lab.box import Lab

BOX = "office"


def put(lab: Lab, family: str, service: str, made: Mapping[str, Any]) -> None:
    """Writes down, before it is made, as what a service is made."""
    lab.box(BOX).write(_file(family, service), json.dumps(made, sort_keys=True))


def get(lab: Lab, family: str, service: str) -> Mapping[str, Any] | None:
    """As what the service was made; None when it was not, or has been taken away."""
    text = lab.box(BOX).read(_file(family, service))
    return None if text is None else json.loads(text)


def drop(lab: Lab, family: str, service: str) -> None:
    """Forgets a service; nothing to forget is no error."""
    lab.box(BOX).remove(_file(family, service))


def all(lab: Lab, family: str) -> Mapping[str, Mapping[str, Any]]:
    """Every service of a family, by its id as it was quoted in its file's name."""
    box = lab.box(BOX)
    listed = box.try_run("ls", box.path(family)).out.split()
    found = {name: box.read(f"{family}/{name}") for name in sorted(listed)}
    return {name: json.loads(text) for name, text in found.items() if text is not None}


def _file(family: str, service: str) -> str:
    return f"{family}/{quote(service, safe='')}.json"
