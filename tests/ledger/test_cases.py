"""Ledgers written as text, each played against empty books."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.foundation.ids import Ids
from hansa.foundation.transaction import Begin
from tests.ledger.book import Player

CASES = sorted((Path(__file__).parent / "cases").glob("*.ledger"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_books_do_what_the_case_says(case: Path, begin: Begin, ids: Ids) -> None:
    Player(begin, ids).play(case.read_text())


def test_a_case_that_is_wrong_is_noticed(begin: Begin, ids: Ids) -> None:
    with pytest.raises(AssertionError, match="line 1: refused account-unknown, not done"):
        Player(begin, ids).play("balance cash/GBP 1.00")
