"""Which engine computes, and that what it needs is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine import broadband
from engine.errors import BadSetting
from engine.sources.electrodes.array import PACKAGE, ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from sessions.sources import Sources


def test_without_numba_scipy_computes_and_says_how_many_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadband, "find_spec", lambda _: None)
    assert broadband.fastest() == "scipy"
    assert broadband.kernels(PACKAGE).__name__ == f"{PACKAGE}.plain"
    assert ElectrodeArray(Electrodes(n_channels=2)).read(30).voltages.shape == (30, 2)
    with pytest.raises(BadSetting, match=r"'numba' is not installed. Install phantomdeck\[electrodes\]"):
        broadband.kernels(PACKAGE, "numba")
    with pytest.raises(BadSetting, match=r"1 to 256 electrodes, not '257'.*\[electrodes\]"):
        Sources().spelled("electrodes:257")


def test_numba_is_not_loaded_before_voltages_are_made() -> None:
    """It takes a part of a second, and 100 MB, that other sessions do without."""
    program = "import sys, sessions.sources; sys.exit('numba' in sys.modules)"
    root = Path(broadband.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_what_numba_cannot_compile_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for package in broadband.PACKAGES:
        monkeypatch.delitem(sys.modules, f"{package}.compiled", raising=False)
    monkeypatch.setattr(broadband, "ROOT", tmp_path)
    with pytest.raises(BadSetting, match=r"numba could not compile: .*engine"):
        broadband.compile_ahead("numba")
    broadband.compile_ahead("scipy")
