"""Two operators: BT with a door, MTN who comes to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.federation.keys.ring import KeyRing
from hansa.federation.tmf.client import TmfPartner
from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from tests.federation.shop import BT, MTN, Door, Shop


@pytest.fixture
def bt_ring(tmp_path: Path) -> KeyRing:
    return KeyRing.load_or_create(tmp_path / "bt")


@pytest.fixture
def mtn_ring(tmp_path: Path) -> KeyRing:
    return KeyRing.load_or_create(tmp_path / "mtn")


@pytest.fixture
def door(bt_ring: KeyRing, mtn_ring: KeyRing, clock: SetClock, ids: Ids) -> Door:
    """BT's door; MTN has joined."""
    door = Door(BT, bt_ring, clock, ids)
    door.knows(MTN, mtn_ring)
    return door


@pytest.fixture
def shop(door: Door) -> Shop:
    """What MTN finds behind BT's door."""
    return door.shop(MTN)


@pytest.fixture
def bt(door: Door, mtn_ring: KeyRing) -> TmfPartner:
    """BT as MTN calls it."""
    return door.client(MTN, mtn_ring)
