"""Recordings that cannot be replayed, each with the words that its refusal must have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.nwb_builders import add_behavior, nwb_file, ramp, samples, save, small_nwb

NOT_HDF5 = (
    ("empty", b"", "is empty"),
    ("noise", bytes(range(256)) * 8, "not an HDF5 file"),
    ("page", b"\n<!DOCTYPE html><html>Sign in</html>", "web page"),
    ("xml", b"<?xml version='1.0'?><Error>AccessDenied</Error>", "XML"),
    ("json", b'{"message": "Not Found"}', "not an HDF5 file"),
    ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ("annex", b"/annex/objects/SHA256E-s1--0.nwb\n", "datalad get"),
    ("zip", b"PK\x03\x04" + bytes(100), "ZIP"),
    ("gzip", b"\x1f\x8b" + bytes(100), "gzip"),
    ("matlab", b"MATLAB 5.0 MAT-file" + bytes(600), "MATLAB"),
    ("signature", b"\x89HDF\r\n\x1a\n", "damaged"),
)


def bad_files(folder: Path) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Write them one after the other.

    Yields
    ------
    name : str
        Of the fault.
    path : Path
        Of the file; some are not there.
    expected : tuple of str
        Words of the one line that refuses it, beside the file's name.
    """
    for name, content, word in NOT_HDF5:
        path = folder / f"{name}.nwb"
        path.write_bytes(content)
        yield name, path, (word,)

    good = small_nwb(folder / "good.nwb")
    content = good.read_bytes()
    good.unlink()
    cut = folder / "cut.nwb"
    cut.write_bytes(content[: len(content) // 2])
    yield "truncated", cut, ("truncated",)
    yield "missing", folder / "missing.nwb", ("does not exist",)
    link = folder / "dangling.nwb"
    link.symlink_to(folder / "nowhere.nwb")
    yield "dangling link", link, ("link to a file that is not here",)
    nothing = folder / "nothing"
    nothing.mkdir()
    yield "folder without recordings", nothing, ("no recordings", ".nwb")
    other = folder / "notes.txt"
    other.write_text("notes")
    yield "other ending", other, ("not a recording", ".nwb")

    for name, edit, words in EDITS:
        path = folder / f"{name.replace(' ', '_')}.nwb"
        path.write_bytes(content)
        with h5py.File(path, "a") as file:
            edit(file)
        yield name, path, words

    yield "no units", save(nwb_file(()), folder / "no_units.nwb"), ("no units",)
    empty_trains = save(nwb_file(((), ())), folder / "no_spikes.nwb")
    yield "no spikes", empty_trains, ("2 spike trains are empty",)
    alone = nwb_file()
    back = np.arange(201) / 100
    back[100] = 0.0
    add_behavior(alone, samples("wrist", ramp(), timestamps=back))
    yield "only series decreases", save(alone, folder / "alone.nwb"), ("wrist", "decrease at sample 100")


def _set(name: str, row: Any, value: float) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        file[name][row] = value

    return edit


def _replace(name: str, link: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[name]
        if link is not None:
            file[name] = link

    return edit


def _nwb_1(file: h5py.File) -> None:
    del file.attrs["nwb_version"]
    file["nwb_version"] = "NWB-1.0.6"


def _no_version(file: h5py.File) -> None:
    del file.attrs["nwb_version"]


CURSOR = "processing/behavior/cursor_pos"
ELSEWHERE = h5py.ExternalLink("raw_data.nwb", "/x")

EDITS: tuple[tuple[str, Callable[[h5py.File], None], tuple[str, ...]], ...] = (
    ("nwb 1", _nwb_1, ("NWB 1.0.6", "Convert")),
    ("hdf5 but not nwb", _no_version, ("not NWB",)),
    ("timestamps decrease", _set(f"{CURSOR}/timestamps", 7, 0.0), ("cursor_pos", "decrease", "hand_pos")),
    (
        "timestamps nan",
        _set(f"{CURSOR}/timestamps", 7, np.nan),
        ("cursor_pos", "NaN", "sample 7", "--series"),
    ),
    ("spike times nan", _set("units/spike_times", 2, np.nan), ("1 of its spike times", "NaN")),
    ("milliseconds", _set("units/spike_times", 2, 1.7e9), ("seconds",)),
    ("index damaged", _set("units/spike_times_index", 0, 200), ("index of its spike_times",)),
    ("no spike_times", _replace("units/spike_times", None), ("not valid NWB",)),
    ("no identifier", _replace("identifier", None), ("not valid NWB", "identifier")),
    ("external units", _replace("units", ELSEWHERE), ("units is a link to raw_data.nwb", "beside")),
    ("external series", _replace(CURSOR, ELSEWHERE), (CURSOR, "raw_data.nwb", "beside")),
    ("broken soft link", _replace(CURSOR, h5py.SoftLink("/nowhere")), (CURSOR, "/nowhere")),
)
