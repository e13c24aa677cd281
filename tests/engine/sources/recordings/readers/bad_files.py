"""Recordings that cannot be replayed, each with the words that its refusal must have."""

from __future__ import annotations

import os
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

    pipe = folder / "pipe.nwb"
    os.mkfifo(pipe)
    yield "pipe", pipe, ("not a file",)

    for name, edit, words in EDITS:
        path = folder / f"{name.replace(' ', '_')}.nwb"
        path.write_bytes(content)
        with h5py.File(path, "a") as file:
            edit(file)
        yield name, path, words

    chunk = folder / "chunk.nwb"
    chunk.write_bytes(content)
    with h5py.File(chunk, "a") as file:
        times = _column(file, "units/spike_times", np.linspace(0, 2, 4), chunks=(4,), compression="gzip")
        where = times.id.get_chunk_info(0)
    with chunk.open("r+b") as raw:
        raw.seek(where.byte_offset + 2)
        raw.write(bytes(where.size - 2))
    yield "compressed chunk damaged", chunk, ("damaged",)

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


def _column(file: h5py.File, name: str, values: Any, **how: Any) -> h5py.Dataset:
    """Put other values into a column of a table."""
    reference = dict(file[name].attrs)
    del file[name]
    made = file.create_dataset(name, data=values, **how)
    made.attrs.update(reference)
    if f"{name}_index" in file:
        file[f"{name}_index"].attrs["target"] = made.ref
    return made


def _values(name: str, values: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        _column(file, name, values)

    return edit


def _replace_value(name: str, value: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return edit


def _attribute(place: str, name: str, value: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        file[place].attrs[name] = value

    return edit


def _one_bin(file: h5py.File) -> None:
    _column(file, "units/spike_times", np.full(70_000, 0.5))
    _column(file, "units/spike_times_index", np.array([69_998, 69_999, 70_000], np.uint32))


def _far_away(file: h5py.File) -> None:
    del file["processing"], file["intervals"]
    file["units/spike_times"][:] = file["units/obs_intervals"][:] = 1e15


def _endless(file: h5py.File) -> None:
    del file[f"{CURSOR}/timestamps"]
    file[CURSOR].create_dataset("timestamps", shape=(10**12,), dtype="f8", chunks=(1024,))


def _in_itself(file: h5py.File) -> None:
    file["processing/behavior/again"] = file["processing"]


def _unknown_filter(file: h5py.File) -> None:
    del file["units/spike_times"]
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_chunk((4,))
    how.set_filter(32_999, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((4,))
    made = h5py.h5d.create(file["units"].id, b"spike_times", h5py.h5t.IEEE_F64LE, space, how)
    made.write_direct_chunk((0,), bytes(32))
    reference = {"neurodata_type": "VectorData", "namespace": "hdmf-common", "description": "x"}
    file["units/spike_times"].attrs.update(reference | {"object_id": "x"})
    file["units/spike_times_index"].attrs["target"] = file["units/spike_times"].ref


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
    ("spike times nan", _set("units/spike_times", np.s_[:], np.nan), ("all its spike times are NaN",)),
    ("milliseconds", _set("units/spike_times", 2, 1.7e9), ("seconds",)),
    ("index damaged", _set("units/spike_times_index", 0, 200), ("index of its spike_times",)),
    ("no spike_times", _replace("units/spike_times", None), ("not valid NWB",)),
    ("no identifier", _replace("identifier", None), ("not valid NWB", "identifier")),
    ("external units", _replace("units", ELSEWHERE), ("units is a link to raw_data.nwb", "beside")),
    ("spike times text", _values("units/spike_times", np.array([b"a"] * 4)), ("not numbers in a row",)),
    ("spike times table", _values("units/spike_times", np.zeros((4, 2))), ("shape (4, 2)",)),
    ("index text", _values("units/spike_times_index", np.array([b"a"] * 3)), ("spike_times_index",)),
    ("ids short", _values("units/id", np.array([0])), ("not valid NWB", "ids")),
    ("odd intervals", _values("units/obs_intervals", np.arange(5.0)), ("obs_intervals are no pairs",)),
    ("all spikes in one bin", _one_bin, ("69998 spikes", "65535", "--rate")),
    ("six days", _set("units/spike_times", 3, 6 * 86400.0), ("20736001 bins", "1 of 4", "repair")),
    ("far away", _far_away, ("1e+15 s", "seconds")),
    ("more than fits", _endless, (f"{CURSOR}/timestamps", "8e+03 GB", "more than fits")),
    ("group in itself", _in_itself, ("again is a link to a group that holds it",)),
    ("unknown filter", _unknown_filter, ("spike_times is compressed by the HDF5 filter 32999",)),
    (
        "timestamps text",
        _values(f"{CURSOR}/timestamps", np.array([b"a"] * 201)),
        ("cursor_pos", "timestamps are not numbers", "hand_pos"),
    ),
    (
        "trials without start",
        _replace("intervals/trials/start_time", None),
        ("not valid NWB", "intervals/trials"),
    ),
    ("unknown type", _attribute("units", "neurodata_type", "Nonsense"), ("not valid NWB: units",)),
    ("bad version", _attribute("/", "nwb_version", np.bytes_(b"\xff2")), ("not valid NWB",)),
    ("no such day", _replace_value("session_start_time", "yesterday"), ("not valid NWB", "start time")),
)
