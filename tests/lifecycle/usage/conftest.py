"""The stage of usage and of what is built on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from tests.lifecycle.usage.stage import Stage


@pytest.fixture
def stage(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Stage:
    return Stage(begin, clock, ids, tmp_path / "usage")
