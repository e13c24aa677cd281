"""Programs that each run in a fork of one process, which has loaded what takes a second to load.

Usage: python -m tests.forking MODULE [MODULE ...]; takes a JSON line for each program, its arguments after
it, and answers in one: the exit status, negative for a signal, and what was said on both outputs.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60
"""Seconds after which a program is given up."""


class Forks:
    """Runs programs as ``python -c`` does, but for what is loaded already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ended(self, program: str, *arguments: object) -> tuple[int, str, str]:
        """The exit status of a program, and what it said on standard output and standard error."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        print(json.dumps([program, *map(str, arguments)]), file=asked, flush=True)
        status, printed, complaints = json.loads(answers.readline())
        return status, printed, complaints

    def __call__(self, program: str, *arguments: object) -> str:
        """What a program prints, which must end well."""
        status, printed, complaints = self.ended(program, *arguments)
        assert status == 0, complaints
        return printed.strip()


@contextmanager
def forks(*modules: str) -> Iterator[Forks]:
    """The process, which has loaded modules, until the block ends."""
    command, pipe = [sys.executable, "-m", "tests.forking", *modules], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Forks(process)


def in_a_fork(program: str, *arguments: str) -> tuple[int, str, str]:
    """Run a program, which finds its arguments where it looks for them."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            for stream, file in ((sys.stdout, printed), (sys.stderr, complaints)):
                os.dup2(file.fileno(), stream.fileno())
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ["-c", *arguments]
            status = 1
            try:
                exec(program, {"__name__": "__main__"})
                status = 0
            except SystemExit as end:
                status = int(end.code or 0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        for file in (printed, complaints):
            file.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read().decode(), complaints.read().decode()


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        print(json.dumps(in_a_fork(*json.loads(line))), flush=True)
