"""The ring keeps the newest bins whole, whoever races with whom."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import numpy.typing as npt
import pytest

from engine.bins.ring import Ring
from engine.bins.schema import Rows, row_dtype
from tests.builders import small_recording

PERIOD = 0.025
CAPACITY = 2400
"""Of the ring that threads race on: so much is copied without the interpreter's lock."""
SHARED_CAPACITY = 64
"""Of the ring that processes race on: its readers are lapped all the time."""
N_UNITS = 1000
PUBLISHED = 8_000


def rows(n: int, first: int = 0, n_units: int = 3) -> Rows:
    """Rows whose counts are ``sequence_number + unit``, due on the grid of 40 Hz."""
    made = np.zeros(n, row_dtype(n_units))
    made["sequence_number"] = np.arange(first, first + n)
    made["due"] = made["sequence_number"] * PERIOD
    made["counts"] = made["sequence_number"][:, None] + np.arange(n_units)
    made["kinematics"] = np.nan
    return made


def filled(ring: Ring, n: int, chunk: int = 7) -> Ring:
    """The ring after `n` rows, published in chunks."""
    for first in range(0, n, chunk):
        ring.publish(rows(min(chunk, n - first), first))
    return ring


@pytest.fixture
def ring() -> Ring:
    """Ten rows of 40 Hz."""
    return Ring(row_dtype(3), bin_rate=40.0, seconds=0.25)


def numbers(found: Rows) -> list[int]:
    return [int(n) for n in found["sequence_number"]]


# What a row is


def test_row_is_what_sending_adds_followed_by_the_bin_of_the_recording() -> None:
    recording = small_recording()
    dtype, bins = row_dtype(recording.n_units, recording.counts.dtype), recording.bins[[7, 3, 199, 0]]
    adds = bytes(dtype.itemsize - bins.itemsize)
    made = np.frombuffer(b"".join(adds + bin_.tobytes() for bin_ in bins), dtype)

    for name in recording.bins.dtype.names or ():
        np.testing.assert_array_equal(made[name], recording.bins[name][[7, 3, 199, 0]])
    assert not made["sequence_number"].any()


@pytest.mark.parametrize("count_dtype", [np.uint8, np.uint16])
def test_counts_keep_the_type_of_the_recording(count_dtype: type) -> None:
    assert row_dtype(4, count_dtype)["counts"].base == count_dtype


# Readers with a cursor


def test_reader_gets_each_row_once_and_in_order(ring: Ring) -> None:
    cursor, seen = 0, []
    for first in range(0, 60, 4):
        ring.publish(rows(4, first))
        found, lost = ring.since(cursor)
        cursor += lost + len(found)
        seen += numbers(found)

    assert seen == list(range(60))


def test_readers_do_not_disturb_each_other(ring: Ring) -> None:
    filled(ring, 8)

    assert numbers(ring.since(0)[0]) == numbers(ring.since(0)[0]) == list(range(8))


def test_reader_with_nothing_new_gets_nothing_and_has_lost_nothing(ring: Ring) -> None:
    for published in (0, 25):
        filled(ring, published)
        found, lost = ring.since(ring.head)
        assert (len(found), lost) == (0, 0)


def test_reader_a_lap_behind_skips_to_the_oldest_row_kept_and_counts_the_rest_as_lost(ring: Ring) -> None:
    filled(ring, 25)
    found, lost = ring.since(3)

    assert lost == 12
    assert numbers(found) == list(range(15, 25))


def test_limited_reader_gets_the_oldest_rows_first(ring: Ring) -> None:
    filled(ring, 25)
    found, lost = ring.since(0, limit=4)
    following, none_lost = ring.since(lost + len(found), limit=4)

    assert (numbers(found), lost) == ([15, 16, 17, 18], 15)
    assert (numbers(following), none_lost) == ([19, 20, 21, 22], 0)


def test_rows_are_copies_that_later_bins_do_not_change(ring: Ring) -> None:
    filled(ring, 10)
    found, _ = ring.since(0)
    ring.publish(rows(10, 10))

    assert numbers(found) == list(range(10))


@pytest.mark.parametrize("chunk", [1, 3, 10])
def test_chunks_of_any_size_wrap_around_the_end(ring: Ring, chunk: int) -> None:
    filled(ring, 37, chunk)

    assert ring.head == 37
    assert numbers(ring.snapshot()) == list(range(27, 37))


# Windows and snapshots


def test_window_is_channels_first_with_the_time_at_which_each_bin_was_due(ring: Ring) -> None:
    counts, timestamps = filled(ring, 25).window(0.1)

    assert counts.shape == (3, 4)
    assert counts.dtype == np.uint8
    assert counts.flags.c_contiguous
    np.testing.assert_array_equal(counts, [[21, 22, 23, 24], [22, 23, 24, 25], [23, 24, 25, 26]])
    np.testing.assert_allclose(timestamps, np.arange(21, 25) * PERIOD)


def test_window_is_shorter_at_the_start_and_never_longer_than_the_ring(ring: Ring) -> None:
    assert ring.window(0.1)[0].shape == (3, 0)
    assert filled(ring, 2).window(0.1)[0].shape == (3, 2)
    assert filled(ring, 25).window(60.0)[0].shape == (3, 10)


def test_snapshot_is_time_first_with_the_oldest_row_first(ring: Ring) -> None:
    filled(ring, 25)

    assert ring.snapshot()["counts"].shape == (10, 3)
    assert numbers(ring.snapshot()) == list(range(15, 25))
    assert numbers(ring.snapshot(0.05)) == [23, 24]
    assert numbers(ring.snapshot(0.0)) == []


def test_ring_keeps_a_minute_unless_told_otherwise() -> None:
    assert Ring(row_dtype(3), 40.0).capacity == 2400
    assert Ring(row_dtype(3), 100.0).capacity == 6000


# Display


def wave(n: int) -> Ring:
    """Rows with kinematics: x rises, y falls, vx alternates, vy is missing but for row 5."""
    made = rows(n)
    at = np.arange(n)
    made["kinematics"] = np.stack([at, -at, (-1.0) ** at * at, np.where(at == 5, 7.0, np.nan)], axis=1)
    ring = Ring(made.dtype, bin_rate=40.0, seconds=n * PERIOD)
    ring.publish(made)
    return ring


def test_display_sums_counts_and_keeps_the_bounds_of_signals_in_each_pixel() -> None:
    shown = wave(40).display(1.0, n_pixels=10)

    counts = np.arange(40)[:, None] + np.arange(3)
    np.testing.assert_array_equal(shown.counts, counts.reshape(10, 4, 3).sum(axis=1))
    np.testing.assert_allclose(shown.due, np.arange(0, 40, 4) * PERIOD)
    np.testing.assert_array_equal(shown.low[:, 0], np.arange(0, 40, 4))
    np.testing.assert_array_equal(shown.high[:, 0], np.arange(3, 40, 4))
    np.testing.assert_array_equal(shown.low[:, 1], -np.arange(3.0, 40, 4))
    np.testing.assert_array_equal(shown.low[:, 2], -np.arange(3.0, 40, 4))
    np.testing.assert_array_equal(shown.high[:, 2], np.arange(2.0, 40, 4))


def test_display_is_missing_only_where_every_bin_of_the_pixel_is() -> None:
    shown = wave(40).display(1.0, n_pixels=10)

    assert shown.low[1, 3] == shown.high[1, 3] == 7.0
    assert np.isnan(np.delete(shown.low[:, 3], 1)).all()


@pytest.mark.parametrize("n_pixels", [1, 3, 7, 39])
def test_display_leaves_no_bin_out_when_pixels_do_not_divide_them(n_pixels: int) -> None:
    shown = wave(40).display(1.0, n_pixels)

    assert shown.counts.shape == (n_pixels, 3)
    assert shown.counts.sum(axis=0).tolist() == [780, 820, 860]
    assert (shown.low[:, 0].min(), shown.high[:, 0].max()) == (0, 39)


@pytest.mark.parametrize("n_pixels", [40, 1000])
def test_display_is_raw_when_there_are_no_more_bins_than_pixels(n_pixels: int) -> None:
    ring = wave(40)
    shown = ring.display(1.0, n_pixels)

    np.testing.assert_array_equal(shown.counts, ring.snapshot()["counts"])
    np.testing.assert_array_equal(shown.low, ring.snapshot()["kinematics"])
    np.testing.assert_array_equal(shown.high, ring.snapshot()["kinematics"])
    np.testing.assert_array_equal(shown.due, ring.snapshot()["due"])


def test_display_sums_more_than_a_count_can_hold() -> None:
    made = rows(40)
    made["counts"] = 255
    ring = Ring(made.dtype, bin_rate=40.0, seconds=1.0)
    ring.publish(made)

    assert ring.display(1.0, n_pixels=1).counts.tolist() == [[10_200] * 3]


def test_display_of_an_empty_ring_is_empty(ring: Ring) -> None:
    assert ring.display(1.0, n_pixels=10).counts.shape == (0, 3)


# Races


def marked(numbers: npt.NDArray[np.int64], dtype: np.dtype[np.void]) -> Rows:
    """Rows that tell by any part of them which row they are: every byte after the number says it."""
    raw = np.empty((len(numbers), dtype.itemsize), np.uint8)
    raw[:] = (numbers % 251)[:, None]
    raw[:, :8] = numbers.view(np.uint8).reshape(-1, 8)
    return raw.view(dtype)[:, 0]


def torn(found: Rows) -> int:
    """How many rows hold bytes of another row."""
    raw = found.view(np.uint8).reshape(len(found), found.dtype.itemsize)
    return int((raw[:, 8:] != (found["sequence_number"] % 251)[:, None]).any(axis=1).sum())


def sizes_to_publish(ring: Ring) -> list[int]:
    """Single rows and batches up to the whole ring, the same every time."""
    sizes = [1, 1, 1, 2, 5, 16, ring.capacity // 4, ring.capacity]
    return [int(n) for n in np.random.default_rng(0).choice(sizes, PUBLISHED)]


def write_marked(ring: Ring) -> None:
    at = 0
    batches = marked(np.arange(ring.capacity), ring.dtype)
    for size in sizes_to_publish(ring):
        batch = batches[:size]
        batch["sequence_number"] = np.arange(at, at + size)
        batch.view(np.uint8).reshape(size, -1)[:, 8:] = (batch["sequence_number"] % 251)[:, None]
        ring.publish(batch)
        at += size


def read_marked(ring: Ring) -> int:
    """Read until the last row, check every row, and return how many were lost on the way."""
    cursor = all_lost = 0
    last = sum(sizes_to_publish(ring))
    while cursor < last:
        found, lost = ring.since(cursor)
        assert not torn(found)
        assert numbers(found) == list(range(cursor + lost, cursor + lost + len(found)))
        cursor += lost + len(found)
        all_lost += lost
        for newest in (ring.snapshot(), ring.snapshot(20.0)):
            assert not torn(newest)
            assert (np.diff(newest["sequence_number"]) == 1).all()
        assert len(newest) <= 20
    return all_lost


def write_into(name: str) -> None:
    """The writing process."""
    memory = SharedMemory(name)
    ring = Ring(row_dtype(N_UNITS), 1.0, SHARED_CAPACITY, memory.buf)
    write_marked(ring)
    del ring  # before the memory it lies in
    memory.close()


@pytest.fixture
def memory() -> Iterator[SharedMemory]:
    """Zeroed shared memory that fits a ring of `SHARED_CAPACITY` rows."""
    made = SharedMemory(create=True, size=Ring.size(row_dtype(N_UNITS), SHARED_CAPACITY))
    yield made
    made.close()
    made.unlink()


def test_reader_accepts_no_torn_row_from_a_racing_process(memory: SharedMemory) -> None:
    ring = Ring(row_dtype(N_UNITS), 1.0, SHARED_CAPACITY, memory.buf)
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=write_into, args=(memory.name,), daemon=True)
    writer.start()
    lost = read_marked(ring)
    writer.join()
    del ring

    assert writer.exitcode == 0
    assert lost > 0


def test_reader_accepts_no_torn_row_from_a_racing_thread() -> None:
    ring = Ring(row_dtype(100), 1.0, CAPACITY)
    writer = threading.Thread(target=write_marked, args=(ring,), daemon=True)
    writer.start()
    lost = read_marked(ring)
    writer.join()

    assert lost > 0


# Memory of one's own


def test_ring_in_shared_memory_is_read_by_whoever_attaches_to_it(memory: SharedMemory) -> None:
    ring = Ring(row_dtype(N_UNITS), 1.0, SHARED_CAPACITY, memory.buf)
    ring.publish(marked(np.arange(64), ring.dtype))
    ring.publish(marked(np.arange(64, 70), ring.dtype))
    attached = SharedMemory(memory.name)
    other = Ring(row_dtype(N_UNITS), 1.0, SHARED_CAPACITY, attached.buf)
    found, lost = other.since(0)
    del ring, other
    attached.close()

    assert lost == 6
    assert numbers(found) == list(range(6, 70))
    assert not torn(found)


def test_ring_needs_no_more_memory_than_it_says() -> None:
    buffer = bytearray(Ring.size(row_dtype(3), 10))
    assert numbers(filled(Ring(row_dtype(3), 40.0, 0.25, buffer), 25).snapshot()) == list(range(15, 25))

    with pytest.raises(ValueError, match="buffer is too small"):
        Ring(row_dtype(3), 40.0, 0.25, buffer[:-1])
