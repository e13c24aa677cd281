"""The examples of the guide learn and decode."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engine.decoders import decode, make_decoder, own
from engine.decoders.store import Trained, load, save
from tests.engine.decoders.own.test_plain import a_file
from tests.engine.decoders.population import BIN_RATE, population, r2

GUIDE = Path(__file__).parents[4] / "resources" / "guide" / "own-decoders.md"
EXAMPLES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL))
DATA = population(n_trials=20, n_units=12)


@pytest.mark.parametrize(
    ("file", "name", "settings"),
    [("linear", "Linear", {"ridge": 10.0}), ("scaled", "scaled", {"lags": 15, "ridge__alpha": 100.0})],
)
def test_an_example_learns_decodes_and_is_kept(
    file: str, name: str, settings: dict[str, float], tmp_path: Path
) -> None:
    if file == "scaled":
        pytest.importorskip("sklearn")
    decoder = make_decoder(
        own.named(f"{a_file(tmp_path, EXAMPLES[file], f'{file}.py')}:{name}"), BIN_RATE, settings
    )
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    said = decode(decoder, DATA.counts, DATA.starts)
    assert r2(DATA.targets[:, 2:], said[:, 2:]) > 0.5
    save(tmp_path / "model.npz", decoder, Trained("reaches", "ab" * 32, 12, BIN_RATE, (0,)))
    loaded, _ = load(tmp_path / "model.npz")
    np.testing.assert_array_equal(decode(loaded, DATA.counts, DATA.starts), said)
