"""Decoders written for FALCON, as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.decoders import Decoder, decode, make_decoder, own
from tests.engine.decoders.own.test_plain import a_file
from tests.engine.decoders.population import BIN_RATE

METHODS = """
    def reset(self, dataset_tags=[""]):
        self.tags.append(dataset_tags)

    def predict(self, neural_observations):
        assert neural_observations.shape == (1, 3)
        return np.array([[len(self.tags), sum(self.dones)]])

    def on_done(self, dones):
        assert dones.shape == (1,)
        self.dones += [10 if dones[0] else 1]
"""
WITHOUT = f"""
import numpy as np


class Mine:
    def __init__(self):
        self.tags, self.dones = [], []
{METHODS}"""
WITH = f"""
import numpy as np
from falcon_challenge.interface import BCIDecoder


class Mine(BCIDecoder):
    def __init__(self, task_config, batch_size=4):
        super().__init__(task_config, batch_size)
        assert (task_config.n_channels, task_config.out_dim, task_config.bin_size_ms) == (3, 2, 25)
        self.tags, self.dones = [], []
        assert task_config.hash_dataset("reaches") == "reaches"
{METHODS}

def function(task_config):
    return Mine(task_config, batch_size=1)
"""


def check(decoder: Decoder) -> None:
    """Velocities are how often it was reset, and 1 for each bin done, 10 for a trial's last."""
    decoder.recording = "reaches"
    starts = np.array([1, 0, 0, 0, 1, 0], bool)
    said = decode(decoder, np.ones((6, 3), np.uint8), starts, trials=np.array([0, 0, 1, 1, -1, -1]))
    np.testing.assert_array_equal(said[:, 2], [1, 1, 1, 1, 2, 2])
    np.testing.assert_array_equal(said[:, 3], [0, 1, 11, 12, 22, 23])
    assert np.isnan(said[:, :2]).all()


def test_it_is_called_as_the_evaluator_calls_it(tmp_path: Path) -> None:
    check(make_decoder(own.named(f"{a_file(tmp_path, WITHOUT)}:Mine"), BIN_RATE))


def test_a_class_of_the_interface_gets_the_task_of_what_is_played(tmp_path: Path) -> None:
    pytest.importorskip("falcon_challenge")
    for name in ("Mine", "function"):
        check(make_decoder(own.named(f"{a_file(tmp_path, WITH)}:{name}"), BIN_RATE))
