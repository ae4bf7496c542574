"""How errors leave the node: one table for all doors.

The TM Forum door (`hansa.federation.tmf`) gives some reasons a nearer HTTP status; the status
here is what a family gets otherwise. Exit codes are listed in docs/commands.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hansa.foundation.errors import HansaError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a family of errors is to someone outside. status: HTTP. exit_code: of a command."""

    status: int
    exit_code: int


ANSWERS: Mapping[str, Answer] = {
    "refused": Answer(status=422, exit_code=3),
    "not-found": Answer(status=404, exit_code=4),
    "try-later": Answer(status=503, exit_code=5),
}

UNFORESEEN = Answer(status=500, exit_code=1)
BAD_USAGE = Answer(status=400, exit_code=2)


def answer(error: Exception) -> Answer:
    """How this error is answered; what is of no family, or none of ours, was unforeseen."""
    return ANSWERS.get(error.family, UNFORESEEN) if isinstance(error, HansaError) else UNFORESEEN


def line(error: HansaError) -> str:
    """`refused (credit-limit): Plain words. [field]`, on one line."""
    words = " ".join(error.words.split())
    field = f" [{error.field}]" if error.field else ""
    return f"{error.family} ({error.code}): {words}{field}"
