"""Where the electrodes of an array are."""

from __future__ import annotations

import numpy as np
import pytest

from engine.geometry import PITCH, places


def test_96_channels_are_a_utah_array_without_its_corners() -> None:
    where = np.rint(places(96) / PITCH).astype(int)
    assert where[0].tolist() == [1, 9]
    assert where[8].tolist() == [0, 8]
    assert where[-1].tolist() == [8, 0]
    taken = set(map(tuple, where.tolist()))
    every = {(x, y) for x in range(10) for y in range(10)}
    assert every - taken == {(0, 0), (0, 9), (9, 0), (9, 9)}


@pytest.mark.parametrize(("n_channels", "side"), [(1, 1), (4, 2), (5, 3), (100, 10), (1024, 32)])
def test_others_fill_the_smallest_square_row_by_row(n_channels: int, side: int) -> None:
    where = np.rint(places(n_channels) / PITCH).astype(int)
    assert len({tuple(each) for each in where.tolist()}) == n_channels
    assert where[:, 0].max() == where[:, 1].max() == side - 1
    assert where[:side].tolist() == [[x, side - 1] for x in range(side)]
