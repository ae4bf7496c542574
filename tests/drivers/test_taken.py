"""What devices have written of use is taken over once, whatever is killed, and on which clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from hansa.drivers.broadband import aaa
from hansa.drivers.broadband import records as accounting
from hansa.drivers.lab import taken
from hansa.drivers.lab.box import Answer, Box
from hansa.drivers.voice import records
from hansa.foundation.time import Period

EVER = Period(datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


def line(number: int) -> str:
    return f"2026-11-02 08:00:{number:02}|2026-11-02 08:01:00|3.000|{number}|a|+27|+44|b|A|x|\n"


@dataclass
class Shelf:
    """A box that is only its files. At most so many octets of a file are read at once."""

    files: dict[str, str] = field(default_factory=dict)
    clock: datetime = datetime(2026, 11, 2, 8, tzinfo=UTC)
    marks: int = 0
    before: Callable[[], None] = lambda: None

    def read(self, file: str, *, start: int = 0) -> str | None:
        self.before()
        text = self.files.get(file)
        return None if text is None else text[start : start + 100]

    def write(self, file: str, text: str) -> bool:
        self.files[file] = text
        return True

    def run(self, *argv: str) -> str:
        if argv[0] == "date":
            return f"{int(self.clock.timestamp())}\n"
        self.marks += 1
        return f"mark-{self.marks}\n"

    def try_run(self, *_argv: str) -> Answer:
        names = [one.rpartition("/")[2] for one in self.files if one.startswith(records.SOURCE)]
        return Answer(0, "\n".join(names), "")

    def path(self, file: str) -> str:
        return file


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    taken.mark(cast("Box", made))
    return made


def add(shelf: Shelf, *numbers: int, process: int = 1) -> None:
    file = f"{records.SOURCE}/cdrs_{process}.log"
    shelf.files[file] = shelf.files.get(file, "") + "".join(map(line, numbers))


def take(shelf: Shelf, folder: Path, ahead: timedelta = timedelta()) -> int:
    return records.take_over(cast("Box", shelf), folder, ahead=ahead)


def found(folder: Path) -> list[int]:
    """The seconds by which calls are told apart here, with each call as often as it lies there."""
    lines = [one for file in folder.glob("*.log") for one in file.read_text().splitlines()]
    assert len(records.calls(folder, "a", EVER)) == len(lines), "none is there twice"
    return sorted(int(one[17:19]) for one in lines)


def test_what_was_added_is_taken_over_once(shelf: Shelf, tmp_path: Path) -> None:
    assert take(shelf, tmp_path) == 0
    add(shelf, 1, 2, 3)
    add(shelf, 4, process=2)
    assert take(shelf, tmp_path) == sum(map(len, shelf.files.values())) - len(shelf.files["origin"])
    assert take(shelf, tmp_path) == 0
    before = {file: file.read_bytes() for file in tmp_path.glob("*.log")}
    add(shelf, 5)
    take(shelf, tmp_path)
    assert found(tmp_path) == [1, 2, 3, 4, 5]
    assert {file: file.read_bytes() for file in before} == before, "a file never changes"


def test_a_line_that_is_being_written_waits_until_it_is_whole(shelf: Shelf, tmp_path: Path) -> None:
    file = f"{records.SOURCE}/cdrs_1.log"
    shelf.files[file] = line(1) + line(2)[:40]
    take(shelf, tmp_path)
    assert found(tmp_path) == [1]
    shelf.files[file] += line(2)[40:]
    take(shelf, tmp_path)
    assert found(tmp_path) == [1, 2]


def test_a_lab_that_was_made_anew_adds_to_what_is_there(shelf: Shelf, tmp_path: Path) -> None:
    add(shelf, 1, 2)
    take(shelf, tmp_path)
    again = Shelf(marks=1)
    taken.mark(cast("Box", again))
    taken.mark(cast("Box", again))
    assert again.marks == 2, "once"
    add(again, 3)
    take(again, tmp_path)
    assert found(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("dies_at", range(12))
def test_whatever_is_killed_in_the_middle_no_record_is_lost_or_doubled(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Dies before a file is read, before what was read is on the disk, and before it counts."""
    add(shelf, *range(5))
    add(shelf, *range(5, 9), process=2)
    left = [dies_at]

    def step() -> None:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt

    def before(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            step()
            return real(*given)

        return call

    shelf.before = step
    monkeypatch.setattr(os, "fsync", before(os.fsync))
    monkeypatch.setattr(Path, "rename", before(Path.rename))
    with pytest.raises(KeyboardInterrupt):
        take(shelf, tmp_path)
    take(shelf, tmp_path)
    assert found(tmp_path) == list(range(9))
    assert take(shelf, tmp_path) == 0


def test_accounting_is_taken_over_with_its_head(shelf: Shelf, tmp_path: Path) -> None:
    def told(at_s: int, user: str, status: str, octets: int) -> str:
        return f"10.0.0.1,s1,{user},{status},{1793606400 + at_s},{at_s},{octets},1,7,0\n"

    shelf.files[aaa.RECORDS] = told(0, "hld_a", "Start", 0) + told(0, "hld_b", "Start", 0)
    accounting.take_over(cast("Box", shelf), tmp_path)
    shelf.files[aaa.RECORDS] += told(9, "hld_a", "Stop", 5)
    for _ in range(2):
        accounting.take_over(cast("Box", shelf), tmp_path)
    texts = [file.read_text() for file in sorted(tmp_path.glob("*.log"))]
    assert all(one.startswith(aaa.HEADER) for one in texts)
    assert "".join(one.removeprefix(aaa.HEADER) for one in texts) == shelf.files[aaa.RECORDS]
    assert [
        (one.status, one.octets_up, one.octets_down)
        for one in accounting.of_line(tmp_path, "hld_a")
    ] == [("Start", 1 << 32, 7), ("Stop", (1 << 32) + 5, 7)]


# --- clocks -------------------------------------------------------------------------------------


def test_records_come_on_the_clock_of_who_takes_them_over(shelf: Shelf, tmp_path: Path) -> None:
    box, day = cast("Box", shelf), timedelta(days=40, seconds=7)
    assert records.clock_of(box, shelf.clock + timedelta(seconds=4)) == timedelta()
    assert records.clock_of(box, shelf.clock + day) == day
    assert records.clock_of(box, shelf.clock - day) == -day
    add(shelf, 1, 2)
    take(shelf, tmp_path, day)
    add(shelf, 3)
    take(shelf, tmp_path)
    assert [one.answered_at for one in records.calls(tmp_path, "a", EVER)] == [
        datetime(2026, 11, 2, 8, 0, 3, tzinfo=UTC),
        datetime(2026, 12, 12, 8, 0, 8, tzinfo=UTC),
        datetime(2026, 12, 12, 8, 0, 9, tzinfo=UTC),
    ]


def test_what_is_no_record_is_left_as_it_is() -> None:
    day = timedelta(days=1)
    for text in ("half a line", "a|b|c\n", "2026-11-02|2026-11-02|3\n", "\n"):
        assert records.on_clock(day, text) == text
    assert records.on_clock(timedelta(), line(1)) == line(1)
