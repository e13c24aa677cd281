"""Whatever comes over an Explore page's socket is answered; the page goes on."""

from __future__ import annotations

import pytest

from dashboard.explore.page import ExplorePage
from dashboard.explore.study import Study
from tests.builders import small_recording

NONSENSE = (
    "",
    "{",
    "[]",
    "null",
    "[" * 50_000,
    '{"row": "x"}',
    '{"row": NaN}',
    '{"path": ["a", 1, 2]}',
    '{"path": [1, 2]}',
    '{"box": 5}',
    '{"box": [1e999, 0, 0, 0]}',
    '{"tip": {}}',
    '{"group": [1]}',
    '{"settings": []}',
    '{"settings": {"unit": {}}}',
    '{"settings": {"unit": [1]}}',
    '{"settings": {"before": "soon"}}',
    '{"settings": {"trials": 7}}',
    '{"settings": {"trials": "nine"}}',
    '{"settings": {"name": "x"}}',
    '{"settings": {"param": 1}}',
    '{"wishes": 1}',
    5,
    None,
    ["{}"],
    {"row": 1},
)


@pytest.mark.parametrize("asked", NONSENSE, ids=lambda asked: str(asked)[:30])
def test_nonsense_is_answered_and_forgotten(asked: object) -> None:
    page = ExplorePage(Study(small_recording(6, 400, n_trials=4)))
    before = page.answer("{}")

    told = page.answer(asked)

    assert told["error"]
    assert told["settings"] == before["settings"]
    assert page.answer("{}") == before
