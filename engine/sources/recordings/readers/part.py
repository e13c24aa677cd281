"""A file of which a part is hidden, so that pynwb reads the rest as if the part had never been written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import h5py

SPECIFICATIONS = "specifications"
"""The file's own copy of the schema; without it pynwb takes the one that it ships with."""


class _Shown:
    """What a group and a file have in common."""

    name: str
    hidden: frozenset[str]

    def __iter__(self) -> Iterator[str]:
        for name in super().__iter__():  # type: ignore[misc]
            if self._place(name) not in self.hidden:
                yield name

    def __getitem__(self, name: Any) -> Any:
        return shown(super().__getitem__(name), self.hidden)  # type: ignore[misc]

    def get(self, name: Any, default: Any = None, getclass: bool = False, getlink: bool = False) -> Any:
        found = super().get(name, default, getclass, getlink)  # type: ignore[misc]
        return found if getclass or getlink else shown(found, self.hidden)

    def _place(self, name: str) -> str:
        return f"{self.name}/{name}".lstrip("/")

    @property
    def attrs(self) -> Mapping[str, Any]:
        """As in the file, but that a table's list of columns has those that are there, and no others."""
        kept = dict(super().attrs)  # type: ignore[misc]
        if SPECIFICATIONS in self.hidden:
            kept.pop(".specloc", None)
        if "colnames" in kept:
            there = [name for name in self if name != "id" and not name.endswith("_index")]
            listed = [name for name in map(_text, kept["colnames"]) if name in there]
            kept["colnames"] = [*listed, *(name for name in there if name not in listed)]
        return kept


class Part(_Shown, h5py.File):
    """A file without the places that are hidden.

    Parameters
    ----------
    file : h5py.File
        Open; closed together with this.
    hidden : frozenset of str
        Places such as ``general/subject``.
    """

    def __init__(self, file: h5py.File, hidden: frozenset[str]) -> None:
        super().__init__(file.id)
        self.hidden = hidden


class _Group(_Shown, h5py.Group):
    def __init__(self, group: h5py.Group, hidden: frozenset[str]) -> None:
        super().__init__(group.id)
        self.hidden = hidden


class _Index(h5py.Dataset):
    """A ragged column's index whose reference to the column leads nowhere: its name tells the column."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        column = self.parent.get(self.name.rpartition("/")[2].removesuffix("_index"))
        return {**super().attrs, **({} if column is None else {"target": column.ref})}


def shown(found: Any, hidden: frozenset[str]) -> Any:
    """What stands for an object of the file."""
    if isinstance(found, h5py.Dataset):
        return _Index(found.id) if leads_nowhere(found) else found
    return _Group(found, hidden) if isinstance(found, h5py.Group) else found


def leads_nowhere(index: h5py.Dataset) -> bool:
    """Whether a dataset is the index of a column that was replaced after it."""
    if not (index.name or "").endswith("_index") or "target" not in index.attrs:
        return False
    with suppress(ValueError, KeyError, OSError, RuntimeError):
        return index.file[index.attrs["target"]].name is None
    return True


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
