"""A list a page at a time: which page is asked for, and where the others are."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.entrypoints.portal.ask import Ask


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of a list is asked for; the macro `pager` leads on from it. number: from 1.

    size: how many rows a page has. base: an address to which the number of a page is added.
    """

    number: int
    size: int
    base: str

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    def pages(self, total: int) -> int:
        """How many pages so many rows fill, at least one."""
        return max(1, -(-total // self.size))


def turn(ask: Ask, size: int) -> Turn:
    rest = ask.with_query(page=None)
    base = f"{ask.here}{rest}{'' if rest == '?' else '&'}page="
    return Turn(ask.number("page", 1), size, base)
