"""Domain names in lists: whether each is one (RFC 1035, RFC 5891), and which a list needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hansa.foundation.errors import Refused

NAME_MAX = 200
"""Octets; a response policy zone puts its own name behind, and 255 are all there are."""

_NAME = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)


def check_names(names: Sequence[str], where: str) -> None:
    """Raises Refused `names-invalid` for the first that is none, with its position from 0."""
    seen: set[str] = set()
    for position, name in enumerate(names):
        if not _NAME.fullmatch(name) or len(name) > NAME_MAX:
            raise _wrong(name, position, where, "is no domain name in small letters, with a dot")
        if name in seen:
            raise _wrong(name, position, where, "is there twice")
        seen.add(name)


def topmost(names: Iterable[str]) -> list[str]:
    """The names without those below another of them, which that one stands for.

    In order from their ends, as squid compares them: it reads them so ten times as fast.
    """
    every = set(names)
    return sorted(
        (name for name in every if not any(one in every for one in _above(name))),
        key=lambda name: name[::-1],
    )


def _above(name: str) -> Iterable[str]:
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _wrong(name: str, position: int, where: str, words: str) -> Refused:
    return Refused(
        "names-invalid",
        f"{where}: {name[:80]!r}, at position {position}, {words}. Names with other letters are "
        "written as `xn--…`.",
        field=f"{where}.{position}",
    )
