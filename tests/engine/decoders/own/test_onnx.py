"""Models of ONNX as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.decoders import decode, make_decoder, own
from engine.decoders.base import Decoder
from engine.errors import BadModel, BadSetting
from tests.engine.decoders.own.onnx_files import product
from tests.engine.decoders.population import BIN_RATE, population

pytest.importorskip("onnxruntime")
DATA = population(n_trials=3, n_units=5)
WEIGHTS = np.random.default_rng(0).normal(size=(15, 4)).astype(np.float32)
"""Of 3 lags of 5 units, the newest first."""


def lagged(counts: np.ndarray, starts: np.ndarray, lags: int) -> np.ndarray:
    """Counts of the last bins of a stretch, shape (n, lags, n_units), the newest first."""
    out = np.zeros((len(counts), lags, counts.shape[1]))
    for i in range(len(counts)):
        for lag in range(lags):
            if starts[i - lag + 1 : i + 1].any() or i < lag:
                break
            out[i, lag] = counts[i - lag]
    return out


def made(path: Path, content: bytes, **settings: int) -> Decoder:
    path.write_bytes(content)
    return make_decoder(own.named(str(path)), BIN_RATE, settings)


def test_a_flat_model_gets_the_newest_bin_first_and_its_size_says_how_many(tmp_path: Path) -> None:
    decoder = made(tmp_path / "net.onnx", product(WEIGHTS, ("n", 15), ("n", 4)))
    assert (decoder.key, decoder.learned) == ("net", ())
    said = decode(decoder, DATA.counts, DATA.starts)
    expected = lagged(DATA.counts, DATA.starts, 3).reshape(-1, 15) @ WEIGHTS
    np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-4)


def test_a_model_of_sequences_gets_them_in_time_and_its_last_answer_counts(tmp_path: Path) -> None:
    decoder = made(tmp_path / "net.onnx", product(WEIGHTS[:5, :2], (1, "t", 5), (1, "t", 2)), lags=4)
    said = decode(decoder, DATA.counts, DATA.starts)
    np.testing.assert_allclose(said[:, 2:], DATA.counts @ WEIGHTS[:5, :2], rtol=1e-4, atol=1e-4)
    assert np.isnan(said[:, :2]).all()


def test_a_model_of_other_units_is_refused(tmp_path: Path) -> None:
    decoder = made(tmp_path / "flat.onnx", product(WEIGHTS[:7], (1, 7), (1, 4)))
    with pytest.raises(BadModel, match="flat takes 7 numbers, no multiple of 5 units"):
        decoder.predict(DATA.counts[0])
    decoder = made(tmp_path / "net.onnx", product(WEIGHTS[:7], (1, "t", 7), (1, "t", 4)))
    with pytest.raises(BadModel, match="net takes 7 units, and there are 5"):
        decoder.predict(DATA.counts[0])


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"net\.onnx is no model of ONNX"):
        made(tmp_path / "net.onnx", b"nothing of the kind").predict(DATA.counts[0])
    decoder = made(tmp_path / "deep.onnx", product(WEIGHTS[:5], (1, 1, "t", 5), (1, 1, "t", 4)))
    with pytest.raises(BadModel, match=r"deep\.onnx does not take one input"):
        decoder.predict(DATA.counts[0])


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        BadSetting, match=r"onnxruntime, which is not installed\. Run pip install -e '\.\[onnx\]'"
    ):
        made(tmp_path / "net.onnx", b"")
