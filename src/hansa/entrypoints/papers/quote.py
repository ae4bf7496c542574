"""A quote as a PDF for its buyer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hansa.entrypoints.papers.typeset import typeset

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class QuotePaper:
    """All that is printed, as texts in the reader's language.

    language: ISO 639-1. seller, buyer: a heading, then lines. facts, sums: name and value. lines:
    site, place, quantity, one-off, monthly, tax. left_out: site, place, why it cannot be had.
    """

    language: str
    title: str
    seller: Texts
    buyer: Texts
    facts: Sequence[tuple[str, str]]
    sums_head: tuple[str, str]
    sums: Sequence[tuple[str, str]]
    lines_title: str
    lines_head: Texts
    lines: Sequence[Texts]
    left_out_title: str
    left_out_head: Texts
    left_out: Sequence[Texts]
    legends: Texts
    terms: str


def write(paper: QuotePaper) -> bytes:
    """The document. Raises Refused `extra-missing` where the library for it is not installed."""
    return typeset("quote.typ", asdict(paper))
