from __future__ import annotations

import numpy as np
import pytest

from dashboard.window import Window


@pytest.mark.parametrize("portion", [1, 3, 10])
def test_a_window_keeps_the_newest_values_in_order(portion: int) -> None:
    window = Window(10, np.int64)
    assert len(window.values) == 0
    for end in range(portion, 100, portion):
        window.append(np.arange(end - portion, end))
        assert window.values.tolist() == list(range(max(end - 10, 0), end))


def test_nothing_may_be_added() -> None:
    window = Window(4, np.float32)
    window.append(np.arange(3))
    window.append(np.empty(0))
    assert window.values.tolist() == [0, 1, 2]
