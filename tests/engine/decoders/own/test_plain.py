"""A class of one's own becomes a decoder like ours."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engine.decoders import DECODERS, decode, make_decoder, own
from engine.decoders.store import Trained, load, save
from engine.errors import BadModel, BadSetting, DecoderFault
from tests.engine.decoders.population import BIN_RATE, population, r2

DATA = population(n_trials=20, n_units=12)
TRAINED = Trained("reaches", "ab" * 32, 12, BIN_RATE, (0,))
SQUARES = '''
import numpy as np


class Squares:
    """Least squares on the counts of one bin."""

    def __init__(self, ridge=1.0, label="mine"):
        self.ridge = ridge

    def fit(self, counts, targets):
        x = np.column_stack((counts, np.ones(len(counts))))
        self.weights = np.linalg.solve(x.T @ x + self.ridge * np.eye(x.shape[1]), x.T @ targets)

    def predict(self, counts):
        return np.append(counts, 1.0) @ self.weights
'''
KEEPING = (
    SQUARES
    + """
    def state(self):
        return {"weights": self.weights}

    def load(self, state):
        self.weights = state["weights"]
"""
)


def a_file(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_class_in_a_file_is_fitted_and_decodes(tmp_path: Path) -> None:
    key = own.named(f"{a_file(tmp_path, SQUARES)}:Squares")
    decoder = make_decoder(key, BIN_RATE, {"ridge": 2.5})
    assert (key, decoder.settings, bool(decoder.learned)) == ("Squares", {"ridge": 2.5}, True)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    said = decode(decoder, DATA.counts, DATA.starts)
    x = np.column_stack((DATA.counts, np.ones(len(DATA.counts))))
    weights = np.linalg.solve(x.T @ x + 2.5 * np.eye(13), x.T @ DATA.targets)
    np.testing.assert_allclose(said, x @ weights)
    assert r2(DATA.targets[:, 2:], said[:, 2:]) > 0.3


def test_bins_without_kinematics_are_left_out_and_begin_a_stretch_after_them(tmp_path: Path) -> None:
    text = """
class Noting:
    def fit(self, counts, targets, starts):
        self.counts, self.targets, self.starts = counts, targets, starts

    def predict(self, counts):
        return 0.0, 0.0

    def state(self):
        return vars(self)

    def load(self, state):
        pass
"""
    decoder = make_decoder(own.named(f"{a_file(tmp_path, text)}:Noting"), BIN_RATE)
    targets = DATA.targets.copy()
    targets[40:43] = np.nan
    decoder.fit(DATA.counts, targets, DATA.starts)
    kept = np.delete(np.arange(len(targets)), [40, 41, 42])
    state = decoder.arrays()
    np.testing.assert_array_equal(state["state:counts"], DATA.counts[kept])
    np.testing.assert_array_equal(state["state:targets"], targets[kept])
    expected = np.flatnonzero(DATA.starts | (np.arange(len(targets)) == 43)[: len(targets)])
    np.testing.assert_array_equal(kept[state["state:starts"]], expected)


def test_it_is_told_of_starts_and_of_the_ends_of_trials(tmp_path: Path) -> None:
    text = """
class Counting:
    def __init__(self):
        self.told = []

    def reset(self):
        self.told.append("reset")

    def on_done(self):
        self.told.append("done")

    def predict(self, counts):
        self.told.append(int(counts[0]))
        return [len(self.told), float("nan"), self.told.count("reset"), self.told.count("done")]
"""
    decoder = make_decoder(own.named(f"{a_file(tmp_path, text)}:Counting"), BIN_RATE)
    counts = np.arange(6, dtype=np.uint8)[:, None]
    starts = np.array([1, 0, 0, 0, 1, 0], bool)
    said = decode(decoder, counts, starts, trials=np.array([0, 0, 1, -1, 2, 2]))
    np.testing.assert_array_equal(said[:, 2:], [[1, 0], [1, 0], [1, 1], [1, 2], [2, 2], [2, 2]])
    assert np.isnan(said[:, 1]).all()


def test_two_numbers_are_a_velocity_and_three_are_refused(tmp_path: Path) -> None:
    text = """
class Some:
    def __init__(self, n=2):
        self.n = n

    def predict(self, counts):
        return range(self.n)
"""
    key = own.named(f"{a_file(tmp_path, text)}:Some")
    np.testing.assert_array_equal(
        make_decoder(key, BIN_RATE).predict(np.ones(3)), [np.nan, np.nan, 0.0, 1.0]
    )
    with pytest.raises(
        DecoderFault, match=r"Some answers 3 numbers for a bin\. Let it answer x, y, vx, vy"
    ):
        make_decoder(key, BIN_RATE, {"n": 3}).predict(np.ones(3))


def test_what_raises_is_named_with_its_line_and_is_the_cause(tmp_path: Path) -> None:
    text = "class Bad:\n    def predict(self, counts):\n        return counts[99]\n"
    decoder = make_decoder(own.named(f"{a_file(tmp_path, text)}:Bad"), BIN_RATE)
    said = r"Bad has failed in predict: IndexError: .* \(mine\.py, line 3\)\. Mend it"
    with pytest.raises(DecoderFault, match=said) as refused:
        decoder.predict(np.ones(3))
    assert isinstance(refused.value.__cause__, IndexError)


def test_a_state_of_arrays_is_kept(tmp_path: Path) -> None:
    decoder = make_decoder(own.named(f"{a_file(tmp_path, KEEPING)}:Squares"), BIN_RATE)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    save(tmp_path / "model.npz", decoder, TRAINED)
    loaded, _ = load(tmp_path / "model.npz")
    answers = [decode(each, DATA.counts, DATA.starts) for each in (decoder, loaded)]
    np.testing.assert_array_equal(*answers)
    del DECODERS["Squares"]
    with pytest.raises(
        BadModel, match=r"is a model of Squares, which is not known here\. Name its code too"
    ):
        load(tmp_path / "model.npz")


def test_what_keeps_no_arrays_is_not_saved(tmp_path: Path) -> None:
    decoder = make_decoder(own.named(f"{a_file(tmp_path, SQUARES)}:Squares"), BIN_RATE)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    with pytest.raises(BadModel, match=r"lives in its process alone\. Give it state\(\)"):
        save(tmp_path / "model.npz", decoder, TRAINED)
    assert not (tmp_path / "model.npz").exists()


def test_objects_in_a_state_are_not_pickled(tmp_path: Path) -> None:
    text = KEEPING.replace('{"weights": self.weights}', '{"weights": [self, None]}')
    decoder = make_decoder(own.named(f"{a_file(tmp_path, text)}:Squares"), BIN_RATE)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts)
    with pytest.raises(BadModel, match="'weights' of Squares's state"):
        save(tmp_path / "model.npz", decoder, TRAINED)


def test_the_bin_rate_is_told_and_taken_names_are_no_hyperparameters(tmp_path: Path) -> None:
    text = """
class Rated:
    def __init__(self, bin_rate=1.0, fit=3, gain=2):
        self.said = bin_rate, fit * gain

    def predict(self, counts):
        return self.said
"""
    decoder = make_decoder(own.named(f"{a_file(tmp_path, text)}:Rated"), BIN_RATE, {"gain": 5})
    assert decoder.settings == {"gain": 5}
    np.testing.assert_array_equal(decoder.predict(np.ones(3))[2:], [BIN_RATE, 15])


def test_naming_code_again_is_no_conflict(tmp_path: Path) -> None:
    path = a_file(tmp_path, SQUARES)
    assert own.named(f"{path}:Squares") == own.named(f"{path}:Squares")
    other = a_file(tmp_path, SQUARES, "other.py")
    with pytest.raises(BadSetting, match="There is a decoder 'Squares' already"):
        own.named(f"{other}:Squares")


def test_functions_and_objects_make_decoders_too(tmp_path: Path) -> None:
    text = SQUARES + "\n\ndef strong():\n    return Squares(ridge=1e9)\n\n\nobject_ = Squares(ridge=1.0)\n"
    path = a_file(tmp_path, text)
    said = []
    for name in ("strong", "object_", "Squares"):
        decoder = make_decoder(own.named(f"{path}:{name}"), BIN_RATE)
        assert decoder.key == name
        decoder.fit(DATA.counts, DATA.targets, DATA.starts)
        said.append(decode(decoder, DATA.counts, DATA.starts))
    np.testing.assert_array_equal(said[1], said[2])
    assert np.abs(said[0]).max() < np.abs(said[1]).max() / 100


def test_a_module_and_the_environment_name_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_file(tmp_path, SQUARES, "of_a_module.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert own.named("of_a_module:Squares") == "Squares"
    del DECODERS["Squares"]
    own.again()
    assert "Squares" in DECODERS


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "Nothing", "has no Nothing"),
        ("Nothing = 3", "Nothing", "Nothing has no predict(counts)"),
        ("import missing_altogether", "A", "mine.py cannot be loaded: ModuleNotFoundError"),
        ("def make():\n    raise OSError('gone')", "make", "make cannot be made: OSError: gone"),
        ("class Wiener:\n    key = 'wiener'\n    predict = print", "Wiener", "a decoder 'wiener' already"),
    ],
)
def test_what_is_no_decoder_is_refused(tmp_path: Path, text: str, name: str, said: str) -> None:
    with pytest.raises((BadSetting, DecoderFault), match=re.escape(said)):
        own.named(f"{a_file(tmp_path, text)}:{name}")


def test_names_that_mean_nothing_are_refused() -> None:
    with pytest.raises(BadSetting, match=r"There is no file nowhere\.py"):
        own.named("nowhere.py:A")
    with pytest.raises(BadSetting, match=r"Unknown decoder 'oracle'\. There are passthrough, "):
        own.named("oracle")
