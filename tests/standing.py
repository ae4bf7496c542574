"""A world that was built once and is put back to where it stood, for many tests about it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.alliance import Alliance
from tests.databases import Keeper

HEARD = frozenset({"federation_nonce", "federation_evidence"})
"""Tables of what was heard, whatever came of it."""

PACKED = re.compile(rb"x(7801[0-9a-f]+)")
"""A part of packed lines as `copy` writes it."""


class Standing:
    """An alliance as it stands when this is made.

    What nodes keep in memory stays: their ids go on, and partners are known already.
    """

    def __init__(self, alliance: Alliance) -> None:
        self.alliance = alliance
        self._opening = alliance.clock.at
        self._kept = [
            (node, Keeper(node.database.url), _files(node.folder))
            for node in alliance.nodes.values()
        ]

    def again(self) -> Alliance:
        """The alliance with its databases, files and clock as they were."""
        self.alliance.clock.at = self._opening
        self.alliance.silent.clear()
        self.alliance.told.clear()
        for node, keeper, files in self._kept:
            keeper.restore()
            there = _files(node.folder)
            for path in there.keys() - files.keys():
                path.unlink()
            for path, content in files.items():
                if there.get(path) != content:
                    path.write_bytes(content)
        return self.alliance

    def written(self) -> dict[str, bytes]:
        """All that every node holds: the rows of each table, what is packed in them written out
        after them, and each file.
        """
        found: dict[str, bytes] = {}
        for node, keeper, _ in self._kept:
            for table, rows in keeper.rows().items():
                if table in HEARD:
                    continue
                found[f"{node.us.id}: {table}"] = rows + _unpacked(rows)
            for path, content in _files(node.folder).items():
                found[f"{node.us.id}: {path.relative_to(node.folder)}"] = content
        return found

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """Fails, naming the tables and files, when a node holds anything else after the block.

        Who was asked keeps what was asked, and that it was, even of what it refuses.
        """
        before = self.written()
        yield
        after = self.written()
        names = sorted(before.keys() | after.keys())
        assert [name for name in names if before.get(name) != after.get(name)] == []

    def close(self) -> None:
        for _, keeper, _ in self._kept:
            keeper.close()


@contextmanager
def standing(alliance: Alliance) -> Iterator[Standing]:
    """The alliance as it stands now; closed, with its nodes, when the block ends."""
    made = Standing(alliance)
    try:
        yield made
    finally:
        made.close()
        alliance.close()


def _unpacked(rows: bytes) -> bytes:
    """The lines of bills and statements, which rows hold compressed."""
    parts = (bytes.fromhex(found.decode()) for found in PACKED.findall(rows))
    return b"\n".join(zlib.decompress(part) for part in parts)


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
