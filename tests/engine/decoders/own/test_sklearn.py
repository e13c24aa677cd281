"""Estimators of scikit-learn as they are, with lags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.decoders import decode, make_decoder, own
from engine.decoders.store import Trained, load, save
from engine.errors import BadModel, DecoderFault
from tests.engine.decoders.own.test_plain import a_file
from tests.engine.decoders.population import BIN_RATE, population, r2

pytest.importorskip("sklearn")
DATA = population(n_trials=20, n_units=12)
TRAINED = Trained("reaches", "ab" * 32, 12, BIN_RATE, (0,))
SOME = """
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeRegressor


def scaled():
    return make_pipeline(StandardScaler(), Ridge(10.0))


ridge = Ridge(alpha=100.0)
tree = DecisionTreeRegressor(max_depth=8, random_state=0)
machine = LinearSVR(random_state=0)
"""


def test_a_ridge_of_the_library_is_our_wiener_filter() -> None:
    ours = make_decoder("wiener", BIN_RATE, {"lags": 3, "ridge": 5.0})
    key = own.named("sklearn.linear_model:Ridge")
    theirs = make_decoder(key, BIN_RATE, {"lags": 3, "alpha": 5.0})
    said = []
    for decoder in (ours, theirs):
        decoder.fit(DATA.counts, DATA.targets, DATA.starts)
        said.append(decode(decoder, DATA.counts, DATA.starts))
    np.testing.assert_allclose(*said, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings"), [("scaled", {"ridge__alpha": 3.0}), ("ridge", {"alpha": 7.0})]
)
def test_a_linear_model_is_kept_as_arrays(name: str, settings: dict[str, float], tmp_path: Path) -> None:
    key = own.named(f"{a_file(tmp_path, SOME)}:{name}")
    decoder = make_decoder(key, BIN_RATE, {**settings, "lags": 4})
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    save(tmp_path / "model.npz", decoder, TRAINED)
    loaded, _ = load(tmp_path / "model.npz")
    said = [decode(each, DATA.counts, DATA.starts) for each in (decoder, loaded)]
    np.testing.assert_array_equal(*said)
    assert r2(DATA.targets[:, 2:], said[0][:, 2:]) > 0.5


def test_what_is_more_than_arrays_decodes_and_is_not_kept(tmp_path: Path) -> None:
    decoder = make_decoder(own.named(f"{a_file(tmp_path, SOME)}:tree"), BIN_RATE, {"lags": 2})
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    assert r2(DATA.targets[:, 2:], decode(decoder, DATA.counts, DATA.starts)[:, 2:]) > 0.5
    with pytest.raises(BadModel, match="What tree has learned is more than arrays"):
        save(tmp_path / "model.npz", decoder, TRAINED)


def test_an_estimator_of_one_column_is_fitted_to_each(tmp_path: Path) -> None:
    decoder = make_decoder(own.named(f"{a_file(tmp_path, SOME)}:machine"), BIN_RATE, {"lags": 2, "C": 0.1})
    targets = DATA.targets.copy()
    targets[:, :2] = np.nan
    decoder.fit(DATA.counts, targets, DATA.starts)
    said = decode(decoder, DATA.counts, DATA.starts)
    assert np.isnan(said[:, :2]).all()
    assert r2(targets[:, 2:], said[:, 2:]) > 0.3


def test_a_wrong_hyperparameter_is_the_estimators_to_refuse(tmp_path: Path) -> None:
    decoder = make_decoder(own.named(f"{a_file(tmp_path, SOME)}:ridge"), BIN_RATE, {"alpha": -1.0})
    with pytest.raises(DecoderFault, match="ridge has failed in fit: InvalidParameterError"):
        decoder.fit(DATA.counts, DATA.targets, DATA.starts)
