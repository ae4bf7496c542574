"""The stage of decks."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from tests.lifecycle.catalogue.stage import Stage


@pytest.fixture
def stage(begin: Begin, clock: SetClock, tmp_path: Path) -> Stage:
    return Stage(begin, clock, tmp_path)
