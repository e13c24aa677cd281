"""Trained decoders on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.decoders import DECODERS, decode, make_decoder
from engine.decoders.store import Trained, load, save
from engine.errors import BadModel
from tests.engine.decoders.population import BIN_RATE, population

DATA = population(n_trials=10, n_units=8)
TRAINED = Trained("reaches", "ab" * 32, 8, BIN_RATE, tuple(range(10)))


@pytest.mark.parametrize("key", sorted(set(DECODERS) - {"lstm", "gru"}))
def test_a_loaded_decoder_decodes_as_the_saved_one(key, tmp_path: Path):
    decoder = make_decoder(key, BIN_RATE)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts, DATA.goals)
    save(tmp_path / "model", decoder, TRAINED)
    loaded, trained = load(tmp_path / "model")
    assert trained == Trained(**{**vars(TRAINED), "trials": list(TRAINED.trials)})
    assert (loaded.key, loaded.settings, loaded.bin_rate) == (key, decoder.settings, BIN_RATE)
    answers = [decode(each, DATA.counts, DATA.starts, DATA.targets) for each in (decoder, loaded)]
    np.testing.assert_array_equal(*answers)


def test_a_model_fits_its_own_recording_alone():
    TRAINED.check("reaches", TRAINED.sha256, 8, BIN_RATE)
    with pytest.raises(BadModel, match=r"trained on reaches \(abababab\), and this is others \(cdcdcdcd\)"):
        TRAINED.check("others", "cd" * 32, 8, BIN_RATE)
    with pytest.raises(BadModel, match="trained on 8 units, and others has 9"):
        TRAINED.check("others", "cd" * 32, 9, BIN_RATE)
    with pytest.raises(BadModel, match="trained on 40 bins per second, and reaches has 50"):
        TRAINED.check("reaches", TRAINED.sha256, 8, 50.0)


def wiener_with(path: Path, **changed: object) -> Path:
    """A model file with some of its arrays replaced."""
    decoder = make_decoder("wiener", BIN_RATE)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    save(path, decoder, TRAINED)
    with np.load(path) as file:
        arrays = dict(file)
    with path.open("wb") as file:
        np.savez(file, **(arrays | changed))
    return path


def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "model.npz"
    with pytest.raises(BadModel, match=r"Cannot read .*: No such file"):
        load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(BadModel, match="is not a trained model"):
        load(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(BadModel, match="is not a trained model"):
        load(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": None}, {"recording": ["a"]}, {"n_units": 1e10}, {"n_units": 0}, {"bin_rate": "40"},
        {"bin_rate": 0}, {"bin_rate": float("nan")}, {"trials": "abc"}, {"trials": [1.5]},
    ],
)  # fmt: skip
def test_what_a_model_says_of_its_training_must_be_possible(changed: dict[str, object], tmp_path: Path):
    facts = {"decoder": "wiener", "settings": {}, **vars(TRAINED), **changed}
    path = wiener_with(tmp_path / "model.npz", facts=np.array(json.dumps(facts)))
    with pytest.raises(BadModel, match="is not a trained model"):
        load(path)


def test_a_pickled_object_is_never_loaded(tmp_path: Path):
    path = wiener_with(tmp_path / "model.npz", weights=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BadModel, match="is not a trained model"):
        load(path)


def test_arrays_that_do_not_fit_together_are_refused(tmp_path: Path):
    path = wiener_with(tmp_path / "model.npz", weights=np.zeros((3, 4)))
    with pytest.raises(BadModel, match="is not a trained model"):
        load(path)


def test_an_unknown_decoder_is_refused(tmp_path: Path):
    facts = {"decoder": "oracle", "settings": {}, **vars(TRAINED)}
    path = wiener_with(tmp_path / "model.npz", facts=np.array(json.dumps(facts)))
    with pytest.raises(BadModel, match="is a model of oracle, which is not known here"):
        load(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(BadModel, match=r"Cannot write .*: No such file or directory"):
        save(tmp_path / "nowhere" / "model.npz", make_decoder("passthrough", BIN_RATE), TRAINED)
