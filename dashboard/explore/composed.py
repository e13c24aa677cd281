"""The composed figures: from the process that makes them, or from the file in which it left them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine import scheduling

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "dashboard.explore.figures")
KEPT = ROOT / "data" / "figures"
MADE_OF = ("dashboard/explore/*.py", "engine/analysis/*.py", "plotters/*.py")
"""Files that the figures depend on, beside the libraries that compose them."""

_turn = threading.Lock()  # lets two first visitors share one process


def composed() -> Any:
    """A Bokeh document's JSON, see `dashboard.explore.figures`. Takes seconds where it is not kept.

    Raises
    ------
    subprocess.CalledProcessError
        If the process fails; it says why on the server's standard error.
    """
    with _turn:
        return _read_or_make()


@cache
def _read_or_make() -> Any:
    kept = KEPT / f"{_fingerprint()}.json"
    with suppress(OSError, ValueError):
        return json.loads(kept.read_bytes())
    made = _make()
    with suppress(OSError):  # a folder that cannot be written to: next time they are made again
        _keep(made, kept)
    return json.loads(made)


def _make() -> bytes:
    with scheduling.ordinary():
        process = subprocess.Popen(COMMAND, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    made, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, COMMAND)
    return made


def _keep(made: bytes, path: Path) -> None:
    """Leave it for the next start, whole or not at all, in place of what other versions left."""
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.glob("*.json"):
        old.unlink(missing_ok=True)
    with TemporaryDirectory(prefix=".writing-", dir=path.parent) as scratch:
        whole = Path(scratch) / path.name
        whole.write_bytes(made)
        whole.replace(path)


def _fingerprint() -> str:
    """Of everything that the figures depend on."""
    found = hashlib.sha256(f"bokeh {version('bokeh')} holoviews {version('holoviews')}".encode())
    for pattern in MADE_OF:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]
