"""Tables of a file that may be its trials, and what the field calls their columns."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OF_TRIALS = frozenset(
    {"trial", "trials", "reach", "reaches", "attempt", "attempts", "movement", "movements"}
)
STARTS, STOPS = (
    ("start_time", "start", "trial_start"),
    ("stop_time", "end_time", "stop", "end", "trial_end", "trial_stop"),
)
NAMES = {
    "target_on_time": ("target_on_time", "target_on", "target_onset_time", "tgt_on_time"),
    "go_cue_time": ("go_cue_time", "go_cue", "go_time", "go_cue_on_time", "go_cue_onset_time"),
    "move_onset_time": ("move_onset_time", "movement_onset_time", "move_onset", "movement_onset"),
    "success": ("success", "result", "outcome", "successful", "is_successful", "correct", "rewarded"),
    "target_id": ("active_target", "target_id", "tgt_id", "target_index", "target"),
    "target_pos": ("target_pos", "tgt_loc", "tgt_pos", "target_loc", "target_position", "target_location"),
    "target_x": ("target_x", "tgt_x"),
    "target_y": ("target_y", "tgt_y"),
    "barrier_pos": ("barrier_pos", "barrier_position", "barriers"),
    "target_dir": ("target_dir", "tgt_dir", "target_direction", "target_angle"),
}
"""What the field calls each fact, whatever the case and the underscores; the first that is there counts."""


@dataclass(frozen=True, eq=False)
class Table(ABC):
    """A table and where it is, such as 'intervals/trials'."""

    path: str

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @property
    @abstractmethod
    def colnames(self) -> Sequence[str]: ...

    @property
    @abstractmethod
    def ids(self) -> list[int]:
        """Of the rows."""

    @abstractmethod
    def column(self, name: str) -> list[Any]:
        """One value a row: a Python scalar, or an array.

        Raises
        ------
        Unreadable
        """

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def columns(self) -> frozenset[str]:
        """Names of its columns, without case and underscores."""
        return frozenset(map(plain_name, self.colnames))

    @property
    def is_of_intervals(self) -> bool:
        return all(self.columns & set(map(plain_name, names)) for names in (STARTS, STOPS))

    @property
    def n_facts(self) -> int:
        """How much of what is asked of trials its columns say."""
        return sum(any(plain_name(name) in self.columns for name in names) for names in NAMES.values())

    @property
    def speaks_of_trials(self) -> bool:
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.name)}
        return bool(words & OF_TRIALS) or self.n_facts > 0

    @property
    def rank(self) -> tuple[Any, ...]:
        """Tables are tried in this order."""
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.name)}
        named = self.path != "intervals/trials", not words & {"trial", "trials"}, not words & OF_TRIALS
        return (*named, -self.n_facts, -len(self), self.path)


@dataclass(frozen=True, eq=False)
class ColumnTable(Table):
    """A table that was read from a file without tables of its own.

    Attributes
    ----------
    cells : mapping of str to list
        All of one length.
    """

    cells: Mapping[str, list[Any]]
    row_ids: Sequence[int] = ()

    def __len__(self) -> int:
        return len(next(iter(self.cells.values()), ()))

    @property
    def colnames(self) -> Sequence[str]:
        return tuple(self.cells)

    @property
    def ids(self) -> list[int]:
        return list(self.row_ids or range(len(self)))

    def column(self, name: str) -> list[Any]:
        return self.cells[name]


def plain_name(name: str) -> str:
    """A column's name without its case and underscores: ``tgtDir`` and ``tgt_dir`` are one."""
    return re.sub(r"[\W_]", "", name).lower()
