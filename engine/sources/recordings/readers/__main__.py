"""Looks at a file: ``python -m engine.sources.recordings.readers FILE`` says what is wrong (status 2)."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from engine.errors import RecordingError
from engine.sources.recordings.readers.inspection import REFUSED, inspect

MOST_CPU_SECONDS = 3
"""Several times what a good file takes, the start of the process included."""


def main(path: Path) -> int:
    """Look at a file; returns the exit status."""
    with suppress(ImportError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    try:
        inspect(path)
    except RecordingError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
