"""Blocks of voltages: published when their last sample is due, and kept for a while for any reader."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.bins.voltages import Flow, VoltageRing
from engine.broadband import BLOCK, SAMPLING_RATE

PLAYING = Flow(due=10.0, pace=1.0, unix_offset=1000.0, paced=True, flows=True)
PAUSED = PLAYING._replace(flows=False)
PERIOD = 0.025
BIN = 750
SECONDS = 2


@pytest.fixture
def ring() -> VoltageRing:
    """Two seconds of two channels, made in pieces of a bin; sample i is i on one and -i on the other."""
    made = VoltageRing(2, 0.25, 40.0)
    for first in range(0, SECONDS * SAMPLING_RATE, BIN):
        made.add(samples(first, BIN))
    return made


def samples(first: int, n: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    ramp = np.arange(first, first + n).astype(np.int16)
    return np.column_stack([ramp, -ramp])


def silent() -> None:
    """A reader that looks by itself."""


def test_a_block_is_due_with_its_last_sample_and_not_before(ring: VoltageRing) -> None:
    row = ring.join(silent)
    assert ring.publish(10.0, PLAYING, 0) == pytest.approx(10.01)
    assert ring.since(row) == ([], 0)
    assert ring.publish(10.0101, PLAYING, 0) == pytest.approx(10.02)
    (block,), lost = ring.since(row)
    assert (block.first, lost) == (0, 0)
    assert block.due == pytest.approx(10.0)
    assert block.unix == pytest.approx(1010.0)
    np.testing.assert_array_equal(block.samples, samples(0, BLOCK))


def test_what_belongs_to_two_bins_comes_whole_and_at_its_time(ring: VoltageRing) -> None:
    row = ring.join(silent)
    assert ring.publish(10.0201, PLAYING, 0) == math.inf  # until the bin is there
    assert ring.publish(10.0251, PLAYING._replace(due=10.025), 1) == pytest.approx(10.03)
    ring.publish(10.0301, PLAYING._replace(due=10.025), 1)
    blocks, _ = ring.since(row)
    assert [block.first for block in blocks] == [0, 300, 600]
    np.testing.assert_allclose([block.due for block in blocks], [10.0, 10.01, 10.02])
    np.testing.assert_array_equal(blocks[2].samples, samples(600, BLOCK))


def test_no_block_is_due_while_paused_and_the_rest_of_its_bin_comes_after_it(ring: VoltageRing) -> None:
    row = ring.join(silent)
    ring.publish(10.011, PLAYING, 0)
    assert ring.publish(60.0, PAUSED, 0) == math.inf
    assert ring.head == row + 1
    ring.publish(60.0, PLAYING._replace(due=60.0 - PERIOD), 0)
    blocks, _ = ring.since(row)
    assert [block.first for block in blocks] == [0, 300]
    np.testing.assert_allclose([block.due for block in blocks], [10.0, 59.985])


def test_a_step_publishes_what_ends_in_its_bin(ring: VoltageRing) -> None:
    row = ring.join(silent)
    ring.publish(20.0, PAUSED._replace(due=20.0), 4)  # at once
    blocks, _ = ring.since(row)
    assert [block.first for block in blocks] == list(range(0, 3000, BLOCK))


def test_at_twice_the_speed_samples_are_half_as_far_apart(ring: VoltageRing) -> None:
    row = ring.join(silent)
    ring.publish(10.0101, PLAYING._replace(pace=0.5), 0)
    blocks, _ = ring.since(row)
    np.testing.assert_allclose([block.due for block in blocks], [10.0, 10.005])


def test_time_never_goes_back_where_the_pace_gets_slower(ring: VoltageRing) -> None:
    row = ring.join(silent)
    ring.publish(10.0101, PLAYING, 0)
    ring.publish(11.0, PLAYING._replace(due=9.975, pace=2.0), 0)
    blocks, _ = ring.since(row)
    assert [block.due for block in blocks] == pytest.approx([10.0, 10.01])


def test_without_readers_nothing_is_published_and_who_comes_begins_with_the_next_block(
    ring: VoltageRing,
) -> None:
    assert ring.publish(10.2, PLAYING, 7) == math.inf  # 5,250 samples are over
    assert ring.head == 0
    row = ring.join(silent)
    ring.publish(10.225, PLAYING._replace(due=10.2), 8)
    (first, *_), lost = ring.since(row)
    assert (first.first, lost) == (5400, 0)
    np.testing.assert_array_equal(first.samples, samples(5400, BLOCK))


def test_what_is_made_too_late_waits(ring: VoltageRing) -> None:
    row = ring.join(silent)
    over = SECONDS * SAMPLING_RATE // BIN
    assert ring.publish(99.0, PLAYING, over) == math.inf
    ring.add(samples(SECONDS * SAMPLING_RATE, BIN))
    ring.publish(99.0, PLAYING, over)
    blocks, lost = ring.since(row)
    assert blocks[-1].first + BLOCK == SECONDS * SAMPLING_RATE + 600
    assert lost == 202 - ring.capacity


def test_a_reader_a_lap_behind_gets_the_newest_and_knows_how_many_it_lost(ring: VoltageRing) -> None:
    slow, quick = ring.join(silent), 0
    for number in range(1, 81):
        ring.publish(10.0 + number * PERIOD, PLAYING._replace(due=10.0 + number * PERIOD), number)
        blocks, lost = ring.since(quick)
        assert lost == 0
        quick += len(blocks)
    assert quick == ring.head == 200
    blocks, lost = ring.since(slow)
    assert (len(blocks), lost) == (ring.capacity, 200 - ring.capacity)
    assert blocks[0].first == lost * BLOCK
    some, lost = ring.since(160, limit=3)
    assert ([block.row for block in some], lost) == ([160, 161, 162], 0)


def test_readers_are_told_once_and_no_more_when_they_have_left(ring: VoltageRing) -> None:
    told: list[str] = []

    def one() -> None:
        told.append("one")

    def other() -> None:
        told.append("other")

    row = ring.join(one)
    ring.join(other)
    ring.tell()
    ring.publish(10.021, PLAYING, 0)
    ring.tell()
    ring.tell()
    assert told == ["one", "other"]
    ring.leave(one)
    ring.leave(one)
    ring.publish(10.025, PLAYING, 1)
    ring.publish(10.031, PLAYING, 1)
    ring.tell()
    assert told == ["one", "other", "other"]
    ring.leave(other)
    assert ring.since(row) == ([], ring.head - row)  # nothing is kept for nobody
