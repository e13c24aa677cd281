"""Work on one record, in a process of its own: ``[--nice=N] finish|csv|npz FILE [TABLE]``.

``finish`` makes the NWB file of a journal and prints its name; the others write to standard output.
The passphrase of an encrypted record is taken from the environment. A fault is one line on standard
error, and exit status 1.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import DeckError
from engine.files.sealed import passphrase_here
from engine.sinks.record.export import write_csv, write_npz
from engine.sinks.record.reading import read_record


def main(arguments: Sequence[str]) -> int:
    """Do it; returns the exit status."""
    nice, arguments = _split(arguments)
    if nice and hasattr(os, "nice"):
        os.nice(nice)
    if len(arguments) < 2:
        sys.stderr.write("Name a file: finish JOURNAL, csv RECORD TABLE, or npz RECORD.\n")
        return 2
    task, name, *rest = arguments
    path = Path(name)
    try:
        match task:
            case "finish":
                from engine.sinks.record.finish import finish  # takes seconds to load

                sys.stdout.write(f"{finish(path, passphrase_here()).name}\n")
            case "csv":
                text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="", write_through=False)
                write_csv(read_record(path), rest[0] if rest else "bins", text)
                text.flush()
            case "npz":
                write_npz(read_record(path), sys.stdout.buffer)
    except DeckError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{path.name}: {error.strerror or error}.\n")
    else:
        return 0
    return 1


def _split(arguments: Sequence[str]) -> tuple[int, Sequence[str]]:
    """``--nice=N`` in front, and what follows."""
    first, *others = arguments or [""]
    return (int(first[7:]), others) if first.startswith("--nice=") else (0, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
