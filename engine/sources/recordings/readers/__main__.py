"""Looks at a file: ``python -m engine.sources.recordings.readers FILE`` says what is wrong (status 2)."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from engine.errors import RecordingError
from engine.sources.recordings.readers.inspection import REFUSED, inspect

MOST_CPU_SECONDS = 3
"""Several times what a good file takes, the start of the process included."""
BYTES_A_SECOND = 5_000_000
"""Several times slower than a MATLAB file, which is read whole, takes beyond that."""


def main(path: Path) -> int:
    """Look at a file; returns the exit status."""
    with suppress(ImportError):  # not on Windows
        import resource

        most = MOST_CPU_SECONDS
        if path.suffix.lower() == ".mat" and path.is_file():
            most += path.stat().st_size // BYTES_A_SECOND
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    try:
        inspect(path)
    except RecordingError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
