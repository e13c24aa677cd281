"""All that is made of a bin's declaration agrees with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.bins.schema import BIN, SENT, STAMP, row_dtype, unpacker

ROOT = Path(__file__).parents[3]


def filled() -> np.ndarray:
    """A row with another value in every place."""
    row = np.zeros(1, row_dtype(3))
    for i, field in enumerate((*SENT, *BIN), start=1):
        row[field.name] = np.arange(field.n) + 10 * i if field.kind != "?" else True
    row["counts"] = [7, 8, 9]
    return row


def test_stamp_writes_what_the_row_reads() -> None:
    row = np.zeros(1, row_dtype(3))
    STAMP.pack_into(row.view(np.uint8).data, 0, 42, 1.5, 2.5, 0.25, 0.125, 5, True)
    assert [row[field.name][0] for field in SENT] == [42, 1.5, 2.5, 0.25, 0.125, 5, True]


@pytest.mark.parametrize("without", [(), ("lateness", "delay"), ("coverage", "kinematics", "observed")])
def test_unpacker_reads_what_the_row_holds(without: tuple[str, ...]) -> None:
    row = filled()
    packed, names = unpacker(*without)
    expected = [
        value
        for field in (*SENT, *BIN)
        if field.name not in without
        for value in np.atleast_1d(row[field.name][0]).tolist()
    ]
    assert list(packed.unpack_from(row.tobytes())) == expected
    assert set(names) == {field.name for field in (*SENT, *BIN)} - set(without)


def test_counts_stand_last_and_do_not_move_what_is_before_them() -> None:
    few, many = row_dtype(1), row_dtype(500, np.uint16)
    for field in (*SENT, *BIN):
        assert few.fields[field.name][1] == many.fields[field.name][1]
    assert few.names[-1] == many.names[-1] == "counts"


def test_a_new_field_is_one_edit(tmp_path: Path) -> None:
    """What is declared before anything else is loaded is in packets, records, tables and Redis."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.engine.bins.new_field", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "json {'volts': 1.5, 'channel': 3}",
        "msgpack {'volts': 1.5, 'channel': 3}",
        "nwb [1.5, 3.0]",
        "csv 1.5,3.0",
        "redis voltage",
    ]
