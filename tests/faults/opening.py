"""Opens files as the server does, each in a fork of its own, so that what kills one is seen.

Usage: python -m tests.faults.opening start|use FILE [FILE ...]; prints one JSON line a file: the exit
status, negative for a signal, the seconds it took, and what was said on standard error. To start is the
whole command; to use is to load, and to encode and describe whatever was found.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import engine.sources.recordings.readers.nwb  # noqa: F401  paid once for all files
import serve
from engine.errors import DeckError
from engine.sources.recordings.recording import Recording
from sessions.metadata import metadata
from sessions.rest.library import trial_answer
from sessions.rest.models.recordings import Metadata
from sessions.settings import settings
from sessions.streams.packets import Encoder
from tests.benchmarks import free_port
from tests.builders import play

PATIENCE = 20
"""Seconds after which a file is given up."""
LAYOUTS = (("json", "enveloped"), ("msgpack", "full"), ("msgpack", "compact"))
ENCODED = 400


def start(path: Path) -> int:
    """Start the server on a file that it must refuse."""
    ports = ("--port", str(free_port()), "--dashboard-port", str(free_port()))
    return serve.main(["--data", str(path), "--no-lsl", *ports])


def use(path: Path) -> int:
    """Load a file, and do with it what a session would."""
    try:
        recordings = serve.load(settings(["--data", str(path)]))
    except DeckError as error:
        print(f"serve.py: {error}", file=sys.stderr)
        return 2
    for recording in recordings.values():
        describe(recording)
    return 0


def describe(recording: Recording) -> None:
    Metadata(**metadata(recording)).model_dump_json()
    for trial in recording.trials:
        trial_answer(trial).model_dump_json()
    n_bins = min(recording.n_bins, ENCODED)
    rows = play(recording, range(n_bins))
    for wire_format, layout in LAYOUTS:
        for packet in Encoder(recording, wire_format, layout).encode(rows.tobytes()):
            data = packet.message(0)
            if wire_format == "json":
                json.loads(data[data.index(b"{") :], parse_constant=refuse)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def in_a_fork(work: Callable[[Path], int], path: Path) -> dict[str, object]:
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            os.dup2(said.fileno(), sys.stderr.fileno())
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            try:
                status = work(path)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                status = 1
            sys.stderr.flush()
            os._exit(status)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return {
            "file": path.name,
            "status": os.waitstatus_to_exitcode(status),
            "seconds": time.perf_counter() - began,
            "said": said.read().decode("utf-8", "replace"),
        }


if __name__ == "__main__":
    how = {"start": start, "use": use}[sys.argv[1]]
    for name in sys.argv[2:]:
        print(json.dumps(in_a_fork(how, Path(name))), flush=True)
