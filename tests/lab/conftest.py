"""A lab for each module of tests that needs one; whatever kills them, it is gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.drivers.lab.box import Lab
from hansa.drivers.lab.machine import machine

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here drives real daemons, except those that say that they only render."""
    for item in items:
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("rendered"):
            item.add_marker(pytest.mark.lab)


def needs(*parts: str) -> pytest.MarkDecorator:
    """For a module: skipped, with the reason, where this machine cannot do these parts."""
    why_not = machine().why_not(*parts)
    return pytest.mark.skipif(why_not is not None, reason=why_not or "")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    process = made.up(until_eof=True)
    assert process is not None
    assert process.stdin is not None
    yield made
    process.stdin.close()
    process.wait(10)
