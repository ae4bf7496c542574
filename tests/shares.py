"""Which worker runs which files, and in which order, when two share the suite.

Every file is run by one worker, since its tests share what takes long to build. Those with a
test marked `slow` come first: a long one that is begun last leaves all workers but one idle.
What drives Chromium is run by one worker, file after file: two browsers at once, each with
threads of its own, slow each other down until pages are late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSERS = "tests/portal/"


class Shares(LoadFileScheduling):  # type: ignore[misc]
    """Files in the order in which they were collected; those with a browser as if they were one."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BROWSERS):
            return BROWSERS
        return str(super()._split_scope(nodeid))


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests of slow files first, those with a browser before all; else as they came."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    return sorted(
        items,
        key=lambda item: (item.get_closest_marker("browser") is None, item.path not in slow),
    )
