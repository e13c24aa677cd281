"""Modules of PyTorch as they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from engine.decoders import decode, make_decoder, own
from engine.errors import BadModel, BadSetting
from tests.engine.decoders.own.test_plain import SQUARES, a_file
from tests.engine.decoders.population import BIN_RATE, population

torch = pytest.importorskip("torch")
DATA = population(n_trials=3, n_units=5)
NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=6, drop=0.5):
        super().__init__()
        self.layer = nn.GRU(5, hidden, batch_first=True)
        self.readout = nn.Sequential(nn.Dropout(drop), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.readout(self.layer(x)[0])
"""


def test_a_state_is_given_to_its_class_and_the_last_answer_counts(tmp_path: Path) -> None:
    path = a_file(tmp_path, NET)
    text = {"__name__": "net"}
    exec(NET, text)  # the class, to make a state of it
    net = text["Net"](hidden=4)
    torch.save(net.state_dict(), tmp_path / "state.pt")
    decoder = make_decoder(
        own.named(f"{path}:Net:{tmp_path / 'state.pt'}"), BIN_RATE, {"hidden": 4, "lags": 3}
    )
    assert (decoder.key, decoder.learned) == ("Net", ())
    said = decode(decoder, DATA.counts, DATA.starts)
    window = torch.from_numpy(DATA.counts[3:6].astype(np.float32))[None]
    with torch.no_grad():
        expected = net.eval()(window)[0, -1].numpy()
    np.testing.assert_allclose(said[5, 2:], expected, rtol=1e-5)
    assert np.isnan(said[:, :2]).all()


def test_a_file_of_torchscript_needs_no_class(tmp_path: Path) -> None:
    layer = torch.nn.Linear(5, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(layer).save(str(tmp_path / "layer.pt"))
    decoder = make_decoder(own.named(str(tmp_path / "layer.pt")), BIN_RATE, {"lags": 1})
    said = decode(decoder, DATA.counts, DATA.starts)
    with torch.no_grad():
        expected = layer(torch.from_numpy(DATA.counts.astype(np.float32))).numpy()
    np.testing.assert_allclose(said, expected, rtol=1e-5, atol=1e-6)


def test_wrong_files_say_what_they_are_not(tmp_path: Path) -> None:
    torch.save({"weights": torch.ones(2)}, tmp_path / "state.pt")
    decoder = make_decoder(own.named(str(tmp_path / "state.pt")), BIN_RATE)
    with pytest.raises(BadModel, match=r"state\.pt is no TorchScript .* FILE\.py:CLASS:state\.pt"):
        decoder.predict(DATA.counts[0])
    decoder = make_decoder(own.named(f"{a_file(tmp_path, NET)}:Net:{tmp_path / 'state.pt'}"), BIN_RATE)
    with pytest.raises(BadModel, match=r"state\.pt is no state_dict of Net"):
        decoder.predict(DATA.counts[0])
    with pytest.raises(BadSetting, match=r"Squares is no module of PyTorch, so state\.pt is not its state"):
        own.named(f"{a_file(tmp_path, SQUARES, 'squares.py')}:Squares:{tmp_path / 'state.pt'}")


class Opens:
    """Opens a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[type[Path], tuple[str]]:
        return (open, (str(self.path), "w"))


def test_no_code_in_a_state_is_run(tmp_path: Path) -> None:
    torch.save(Opens(tmp_path / "opened"), tmp_path / "state.pt")
    decoder = make_decoder(own.named(f"{a_file(tmp_path, NET)}:Net:{tmp_path / 'state.pt'}"), BIN_RATE)
    with pytest.raises(BadModel, match="is no state_dict"):
        decoder.predict(DATA.counts[0])
    assert not (tmp_path / "opened").exists()
