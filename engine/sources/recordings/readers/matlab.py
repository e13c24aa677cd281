"""What variables of a MATLAB file become, whatever the version that wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DEEPEST = 20
"""Of structs and cells within one another."""


@dataclass(frozen=True, eq=False)
class Cells:
    """A cell array: its shape, and its values column by column."""

    shape: tuple[int, ...]
    values: list[Value]


@dataclass(frozen=True, eq=False)
class Structs:
    """A struct array: how many there are, and each field's values, column by column."""

    n: int
    fields: Mapping[str, list[Value]]


@dataclass(frozen=True)
class Unknown:
    """A variable that cannot be used, and why."""

    reason: str


Value = npt.NDArray[Any] | str | Cells | Structs | Unknown
"""Numbers have MATLAB's shape, of at least two dimensions."""


def without_structs(values: Mapping[str, Value], depth: int = 0) -> Iterator[tuple[str, Value]]:
    """All variables; those that lie in a single struct as if they lay beside it."""
    for name, value in values.items():
        if isinstance(value, Structs) and value.n == 1 and depth < DEEPEST and "trial" not in name.lower():
            yield from without_structs({key: one[0] for key, one in value.fields.items()}, depth + 1)
        else:
            yield name, value


def as_table(value: Value) -> npt.NDArray[Any] | None:
    """A struct of columns with a row a trial as one structured array; None for what is something else."""
    if not isinstance(value, Structs) or value.n != 1:
        return None
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, (one,) in value.fields.items():
        array = np.atleast_1d(np.array(one.values)) if isinstance(one, Cells) else one
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufU":
            return None
        columns[name] = array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array
    n_rows = {len(column) for column in columns.values()}
    if len(n_rows) != 1:
        return None
    table = np.zeros(n_rows.pop(), [(name, c.dtype, c.shape[1:]) for name, c in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def as_array(value: Value) -> npt.NDArray[Any] | None:
    """Numbers, text and cells of text as an array, vectors as (n,); None for what is something else."""
    if isinstance(value, str):
        return np.array(value)
    if isinstance(value, Cells) and value.values and all(isinstance(each, str) for each in value.values):
        return np.array(value.values)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return vector(value)
    return None


def vector(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Shape (n,) for (n, 1) and (1, n), and () for a single number."""
    if value.size == 1:
        return value.reshape(())
    return value.ravel() if value.ndim == 2 and 1 in value.shape else value
