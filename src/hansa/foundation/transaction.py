"""The token that everyone passes and only stores can use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager


class Transaction:
    """One unit of work that is committed or rolled back at the edge.

    It has nothing on it to call. A room hands it to its own store; only a store can turn it
    into SQL (`hansa.foundation.database`). Rooms cannot commit.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: object) -> None:
        self._connection = connection


Begin = Callable[[], AbstractContextManager[Transaction]]
"""Opens a transaction that commits when the block ends and rolls back when it raises.

Handed to the few actions that must ask a seller in the middle, so that no network call is
ever made inside a transaction.
"""
