"""The composed figures, from the process that makes them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from engine import scheduling

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "dashboard.explore.figures")


_turn = threading.Lock()  # lets two first visitors share one process


def composed() -> Any:
    """A Bokeh document's JSON, see `dashboard.explore.figures`. Takes seconds the first time.

    Raises
    ------
    subprocess.CalledProcessError
        If the process fails; it says why on the server's standard error.
    """
    with _turn:
        return _compose()


@cache
def _compose() -> Any:
    with scheduling.ordinary():
        process = subprocess.Popen(COMMAND, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    made, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, COMMAND)
    return json.loads(made)
