"""A file is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hansa.foundation import disk


def test_a_file_takes_the_place_of_what_bears_its_name(tmp_path: Path) -> None:
    place = tmp_path / "some" / "folder" / "a"
    disk.put(place, b"old")
    disk.put(place, b"new")
    assert place.read_bytes() == b"new"
    assert [one.name for one in place.parent.iterdir()] == ["a"]


def test_what_ends_in_the_middle_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a"
    disk.put(place, b"old")

    def ends(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", ends)
    with pytest.raises(KeyboardInterrupt):
        disk.put(place, b"new")
    assert place.read_bytes() == b"old"
    assert all(one.name.startswith(disk.ASIDE) for one in tmp_path.iterdir() if one != place)
