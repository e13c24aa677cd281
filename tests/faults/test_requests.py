"""Whatever is asked of any REST call, right or wrong, the answer is as `/openapi.json` says."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.sessions.serving import Client, serving

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
THERE = {"code": "deck", "trial_id": 2, "target_id": 1}
"""What paths may name; what is generated is hardly ever there."""


@pytest.mark.filterwarnings("ignore")  # of the tools
@pytest.mark.parametrize("n", [150, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_answer_is_as_documented_and_none_is_a_5xx(n: int, caplog: pytest.LogCaptureFixture) -> None:
    with serving() as client:
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{client.port}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        ways = [(each, GenerationMode.POSITIVE) for each in operations]
        ways += [(each, GenerationMode.NEGATIVE) for each in operations if each.query or each.body]
        answered = sum(ask(client, operation, mode, -(-n // len(ways))) for operation, mode in ways)

    assert answered > 0.8 * n
    assert [record for record in caplog.records if record.exc_info] == []


def ask(client: Client, operation: Any, mode: GenerationMode, n: int) -> int:
    """Make `n` requests that are right, or wrong, and check the answers; return how many there were."""
    statuses = []

    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def check(case: Any, there: bool) -> None:
        client.store.create("deck")
        if there:
            case.path_parameters.update({name: THERE[name] for name in THERE.keys() & case.path_parameters})
        answer = case.call(timeout=20)
        busy = answer.status_code == 503 and "retry-after" in answer.headers  # it is no fault
        case.validate_response(answer, checks=CHECKS[1:] if busy else CHECKS)
        statuses.append(answer.status_code)

    check()
    return len(statuses)
