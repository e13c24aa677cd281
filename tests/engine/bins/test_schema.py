"""All that is made of a bin's declaration agrees with it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.bins import schema
from engine.bins.schema import BIN, SENT, STAMP, Field, bin_dtype, row_dtype, unpacker


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


def test_a_new_field_is_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BIN", (*BIN[:3], Field("voltage", "f", 2), *BIN[3:]))
    assert bin_dtype(4)["voltage"].shape == (2,)
    row = np.zeros(1, row_dtype(4))
    row["voltage"] = [1.0, 2.0]
    packed, names = unpacker()
    values = packed.unpack_from(row.tobytes())
    assert [value for name, value in zip(names, values, strict=True) if name == "voltage"] == [1.0, 2.0]
