"""Files of a box held against what they should be: their text and that only their owner reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Answer, Box

MODE = "600"


def changed(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """The files that are absent, hold another text or may be read by others."""
    there = _there(box, *wanted)
    return [
        Change(f"file {path}", there.get(path, "absent"), mark)
        for path, text in wanted.items()
        if there.get(path) != (mark := _mark(MODE, hashlib.sha256(text.encode()).hexdigest()))
    ]


def write(box: Box, wanted: Mapping[str, str]) -> None:
    """Has every file hold its text, for its owner alone."""
    for path, text in wanted.items():
        box.write(path, text)


def read(box: Box, path: str) -> str | None:
    """A file of ASCII, however long it is; None when there is none."""
    text = part = box.read(path)
    while text and part:
        part = box.read(path, start=len(text))
        text += part or ""
    return text


def try_out(box: Box, folder: str, wanted: Mapping[str, str], *argv: str) -> Answer:
    """What a command says of the files of a folder before they take the place of the old ones;
    where an argument or a file names the folder, it is another one for that while.
    """
    draft = f"{folder}/check"
    old, new = box.path(folder), box.path(draft)
    write(
        box,
        {path.replace(folder, draft, 1): text.replace(old, new) for path, text in wanted.items()},
    )
    said = box.try_run(*(one.replace(old, new) for one in argv))
    box.remove(draft)
    return said


def forget(box: Box, folder: str, ending: str, wanted: Mapping[str, str]) -> None:
    """Takes files of this ending away that are not wanted any more."""
    for name in box.run("ls", box.path(folder)).split():
        if name.endswith(ending) and f"{folder}/{name}" not in wanted:
            box.remove(f"{folder}/{name}")


def _there(box: Box, *paths: str) -> dict[str, str]:
    by_path = {box.path(one): one for one in paths}
    sums = _pairs(box.try_run("sha256sum", "--", *by_path).out)
    modes = _pairs(box.try_run("stat", "-c", "%a  %n", "--", *by_path).out)
    return {by_path[path]: _mark(modes.get(path, ""), found) for path, found in sums.items()}


def _pairs(text: str) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in text.splitlines() if "  " in line)
    return {path: value for value, path in lines}


def _mark(mode: str, found: str) -> str:
    return f"{found[:16]} {mode}"
