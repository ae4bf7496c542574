"""Requests made up from what we serve of Sonata: no fault, and no answer that is not documented."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.alliance import Alliance
from tests.federation.sonata.conftest import plain

pytestmark = pytest.mark.slow

CONTRACTS = Path(__file__).parents[3] / "contracts"
DOCUMENTS = sorted(file.stem for file in CONTRACTS.glob("sonata-*.json"))
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}
"""How many requests are made up for an operation, as it should be asked and otherwise."""

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_made_up_is_answered_as_documented(name: str, world: Alliance) -> None:
    app = plain(world, "op2").http.app
    document = json.loads((CONTRACTS / f"{name}.json").read_text())
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        for mode, examples in EXAMPLES.items():
            with suppress(Unsatisfiable):  # nothing can be wrong with some
                _hold(operation.as_strategy(generation_mode=mode), app, examples)


def _hold(made: st.SearchStrategy[Any], app: Any, examples: int) -> None:
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made)
    def held(case: Any) -> None:
        answer = case.call_and_validate(app=app, headers={"x-caller": "op2/partner"}, checks=CHECKS)
        assert answer.status_code != 500, answer.text

    held()
