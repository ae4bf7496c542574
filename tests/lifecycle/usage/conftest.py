"""The stage of usage and of what is built on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from tests.lifecycle.usage.counter import Counter
from tests.lifecycle.usage.stage import Stage


@pytest.fixture
def stage(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Stage:
    return Stage(begin, clock, ids, tmp_path / "usage")


@pytest.fixture
def counter(begin: Begin, tmp_path: Path) -> Counter:
    return Counter(begin, tmp_path / "node", tmp_path / "desk")
