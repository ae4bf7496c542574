"""The callbacks of one node: where its notices may go."""

from __future__ import annotations

from hansa.federation.callbacks import actions
from hansa.federation.callbacks.model import Place
from hansa.foundation.party import Actor
from hansa.foundation.transaction import Begin


class CallbackDesk:
    """plain: http is taken beside https. private: addresses inside are allowed too."""

    def __init__(self, begin: Begin, *, plain: bool, private: bool) -> None:
        self._begin = begin
        self._plain = plain
        self._private = private

    def check(self, actor: Actor, callback: str) -> None:
        """Raises Refused `callback-refused` for where this actor may not have notices sent."""
        actions.check(
            self._begin, actor=actor, callback=callback, plain=self._plain, private=self._private
        )

    def find(self, actor: Actor, callback: str) -> Place:
        """The one address to which a notice for this callback goes now; see `actions.find`."""
        return actions.find(
            self._begin, actor=actor, callback=callback, plain=self._plain, private=self._private
        )
