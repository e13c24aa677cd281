"""What can be said of a bad file from its first bytes and its HDF5 skeleton, before pynwb is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from engine.errors import RecordingError

FIRST_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "is a web page that was saved as a recording. Download the file itself."),
    (b"<html", "is a web page that was saved as a recording. Download the file itself."),
    (b"<?xml", "is an XML document, perhaps a failed download. Download it again."),
    (b"version https://git-lfs", "is a git-lfs pointer, not the file itself. Run 'git lfs pull'."),
    (b"/annex/objects", "is a git-annex pointer, not the file itself. Run 'datalad get' on it."),
    (b"pk\x03\x04", "is a ZIP archive. Unpack it first."),
    (b"\x1f\x8b", "is compressed with gzip. Unpack it first."),
    (b"matlab 5.0 mat-file", "is a MATLAB file. Convert it to NWB first."),
)
"""What other things begin with, in small letters."""

RAW_DATA = ("acquisition/", "stimulus/")
"""Where a link may lead nowhere: raw data often stay in a file of their own, and are not replayed."""


def refuse_unreadable(path: Path) -> None:
    """Raise `RecordingError` for what is not a whole NWB 2 file.

    Raises
    ------
    RecordingError
    """
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as fault:
        raise RecordingError(f"{path.name} cannot be opened: {fault.strerror}.") from fault
    if not start:
        raise RecordingError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    for beginning, fault_found in FIRST_BYTES:
        if start.lower().lstrip(b"\xef\xbb\xbf \r\n\t").startswith(beginning):
            raise RecordingError(f"{path.name} {fault_found}")
    if not h5py.is_hdf5(path):
        raise RecordingError(f"{path.name} is not an HDF5 file, so not NWB. Check what it is.")
    try:
        with h5py.File(path, "r") as file:
            _refuse_other_versions(path, file)
            _refuse_broken_links(path, file)
    except BlockingIOError as fault:
        raise RecordingError(f"{path.name} is being written by another program. Close it first.") from fault
    except (OSError, RuntimeError, KeyError) as fault:
        known = "truncated" if "truncated" in str(fault) else "damaged"
        raise RecordingError(f"{path.name} is {known}. Copy or download it again.") from fault


def _refuse_other_versions(path: Path, file: h5py.File) -> None:
    version = file.attrs.get("nwb_version")
    if version is None and "nwb_version" in file:
        version = file["nwb_version"][()]
    if version is None:
        raise RecordingError(f"{path.name} is an HDF5 file, but not NWB: it has no nwb_version.")
    spelled = version.decode() if isinstance(version, bytes) else str(version)
    spelled = spelled.removeprefix("NWB-")
    if spelled.startswith(("0.", "1.")):
        raise RecordingError(
            f"{path.name} is NWB {spelled}, and only NWB 2 can be read. Convert it to NWB 2."
        )


def _refuse_broken_links(path: Path, file: h5py.File) -> None:
    for place, link in _broken_links(file):
        if place.startswith(RAW_DATA):
            continue
        if isinstance(link, h5py.ExternalLink) and not (path.parent / link.filename).exists():
            where = f"{Path(link.filename).name}, which is not here. Put that file beside it"
        else:
            where = f"{link.path}, which does not exist. Write the file again"
        raise RecordingError(f"{path.name}: {place} is a link to {where}.")


def _broken_links(group: h5py.Group) -> Iterator[tuple[str, h5py.ExternalLink | h5py.SoftLink]]:
    """Every link below a group that leads nowhere, with its place."""
    for name in group:
        link = group.get(name, getlink=True)
        target = group.get(name)
        if target is None:
            yield f"{group.name}/{name}".lstrip("/"), link
        elif isinstance(target, h5py.Group) and isinstance(link, h5py.HardLink):
            yield from _broken_links(target)
