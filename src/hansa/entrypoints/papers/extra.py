"""What only some nodes need is installed apart, as the extra `papers`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hansa.foundation.errors import Refused


def extra(module: str) -> Any:
    """A module of that extra. Raises Refused `extra-missing`."""
    try:
        return import_module(module)
    except ImportError:
        raise Refused(
            "extra-missing",
            "This needs more than a node does: run `make papers`, or install hansa[papers].",
            field="as",
        ) from None
