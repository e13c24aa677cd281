"""What can be said of a bad file from its first bytes and its HDF5 skeleton, before pynwb is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from engine.errors import RecordingError
from engine.files.hdf5 import opened
from engine.sources.recordings.readers.hdf5 import refusal

FIRST_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "is a web page that was saved as a recording. Download the file itself."),
    (b"<html", "is a web page that was saved as a recording. Download the file itself."),
    (b"<?xml", "is an XML document, perhaps a failed download. Download it again."),
    (b"version https://git-lfs", "is a git-lfs pointer, not the file itself. Run 'git lfs pull'."),
    (b"/annex/objects", "is a git-annex pointer, not the file itself. Run 'datalad get' on it."),
    (b"pk\x03\x04", "is a ZIP archive. Unpack it first; arrays of NumPy end in .npz."),
    (b"\x1f\x8b", "is compressed with gzip. Unpack it first."),
    (b"matlab 5.0 mat-file", "is a MATLAB file. Give it the ending .mat."),
)
"""What other things begin with, in small letters."""

HIGHEST_RATIO = 2000
"""Of what a dataset claims to hold to the bytes of its file: gzip reaches 1,032, damage has no limit."""


def refuse_unreadable(path: Path) -> None:
    """Raise `RecordingError` for what is not a whole NWB 2 file.

    Raises
    ------
    RecordingError
    """
    refuse_others(path)
    if not h5py.is_hdf5(path):
        raise RecordingError(f"{path.name} is not an HDF5 file, so not NWB. Check what it is.")
    with refusing(path), opened(path) as file:
        _refuse_other_versions(path, file)
        refuse_contents(path, file)


def refuse_others(path: Path, own: bytes | None = None) -> bytes:
    """Raise `RecordingError` for what is no file, or begins like something else than a recording.

    Parameters
    ----------
    path : Path
    own : bytes, optional
        That of `FIRST_BYTES` with which the format does begin.

    Returns
    -------
    bytes
        The first ones of the file.

    Raises
    ------
    RecordingError
    """
    if not path.is_file():
        raise RecordingError(f"{path.name} is not a file, but a pipe or a device. Save it as a file first.")
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as fault:
        raise RecordingError(f"{path.name} cannot be opened: {fault.strerror}.") from fault
    if not start:
        raise RecordingError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    for beginning, fault_found in FIRST_BYTES:
        if beginning != own and start.lower().lstrip(b"\xef\xbb\xbf \r\n\t").startswith(beginning):
            raise RecordingError(f"{path.name} {fault_found}")
    return start


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn what h5py raises of a damaged file into a `RecordingError`."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as fault:
        raise refusal(path, fault) from fault


def _refuse_other_versions(path: Path, file: h5py.File) -> None:
    version = file.attrs.get("nwb_version")
    if version is None and "nwb_version" in file:
        version = file["nwb_version"][()]
    if version is None:
        raise RecordingError(f"{path.name} is an HDF5 file, but not NWB: it has no nwb_version.")
    spelled = version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version)
    spelled = spelled.removeprefix("NWB-")
    if spelled.startswith(("0.", "1.")):
        raise RecordingError(
            f"{path.name} is NWB {spelled}, and only NWB 2 can be read. Convert it to NWB 2."
        )


def refuse_contents(path: Path, file: h5py.File) -> None:
    """What would be read from outside of the recording's folder, and what claims more than fits."""
    most = HIGHEST_RATIO * path.stat().st_size
    for place, link, target in members(path, file):
        if target is None:
            _why_broken(path, place, link)
        elif isinstance(target, h5py.Dataset):
            _refuse_outsiders(path, place, target)
            if isinstance(link, h5py.HardLink) and target.nbytes > most and not target.is_virtual:
                raise RecordingError(
                    f"{path.name}: {place} claims to hold {target.nbytes / 1e9:.3g} GB, more than fits "
                    "into this file. Write the file again."
                )


def broken_links(path: Path, file: h5py.File) -> dict[str, str]:
    """Places that are links to nothing, and what each is.

    Raises
    ------
    RecordingError
        If a link leads to something that is outside of the recording's folder.
    """
    return {
        place: _why_broken(path, place, link)
        for place, link, target in members(path, file)
        if target is None
    }


def _why_broken(
    path: Path, place: str, link: h5py.HardLink | h5py.SoftLink | h5py.ExternalLink | None
) -> str:
    if not isinstance(link, h5py.SoftLink | h5py.ExternalLink):
        return "it is damaged. Copy or download the file again"
    if not isinstance(link, h5py.ExternalLink):
        return f"it is a link to {link.path}, which does not exist. Write the file again"
    name = Path(link.filename).name
    if _is_beside(path, link.filename):
        return f"it is a link to {link.path}, which is not in {name}. Write the file again"
    reason = f"it is a link to {name}, which is not here. Put that file beside it"
    if (path.parent / link.filename).exists():
        raise RecordingError(f"{path.name}: {place} {reason.removeprefix('it ')}.")
    return reason


def _refuse_outsiders(path: Path, place: str, data: h5py.Dataset) -> None:
    """A dataset may have its values in other files, which need not be recordings at all."""
    if data.external:
        raise RecordingError(
            f"{path.name}: {place} has its values in another file. Write it again, with them in it."
        )
    for source in data.virtual_sources() if data.is_virtual else ():
        if source.file_name != "." and not _is_beside(path, source.file_name):
            name = Path(source.file_name).name
            raise RecordingError(
                f"{path.name}: {place} is a view of {name}, which is not here. Put that file beside it."
            )


def _is_beside(path: Path, name: str) -> bool:
    """Whether a file that a recording names is there, in the recording's folder or below."""
    folder = path.parent.resolve()
    found = (folder / name).resolve()
    return found.is_relative_to(folder) and found.is_file()


def members(
    path: Path, group: h5py.Group, above: tuple[tuple[str, int], ...] = ()
) -> Iterator[
    tuple[str, h5py.HardLink | h5py.SoftLink | h5py.ExternalLink, h5py.Group | h5py.Dataset | None]
]:
    """Everything below a group: its place, the link to it, and itself; None where the link is broken, or
    leads out of the recording's folder and is not followed.

    Raises
    ------
    RecordingError
        If a group holds one of the groups that it is in.
    """
    above = (*above, _identity(group))
    for name in group:
        place = f"{group.name}/{name}".lstrip("/")
        link = group.get(name, getlink=True)
        leaves = isinstance(link, h5py.ExternalLink) and not _is_beside(path, link.filename)
        target = None if leaves else group.get(name)
        yield place, link, target
        if isinstance(target, h5py.Group):
            if _identity(target) in above:
                raise RecordingError(
                    f"{path.name}: {place} is a link to a group that holds it. Write the file again."
                )
            if not isinstance(link, h5py.SoftLink):
                yield from members(path, target, above)


def _identity(group: h5py.Group) -> tuple[str, int]:
    return group.file.filename, h5py.h5o.get_info(group.id).addr
