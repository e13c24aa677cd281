"""``serve.py decode`` with code of one's own, on a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.decoders import DECODERS, make_decoder
from engine.decoders.store import Trained, save
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.decoders.own.conftest import known  # noqa: F401 - what is made known here is forgotten
from tests.engine.decoders.own.test_sklearn import SOME
from tests.engine.listening import wait_until
from tests.sessions.commands.test_decode import PATIENCE, SERVE, handlers, peering, refused, run, serving  # noqa: F401

MEANS = '''
import numpy as np


class Means:
    """Answers the means of what it has learned from, and how many bins it has seen since a start."""

    def fit(self, counts, targets):
        self.mean = targets.mean(axis=0)

    def reset(self):
        self.seen = 0

    def predict(self, counts):
        self.seen += 1
        if counts.sum() > self.most:
            raise ValueError("too many spikes")
        return [np.nan, np.nan, self.seen, self.mean[2] + counts.sum()]

    most = {most}
'''


def own(folder: Path, most: int = 10_000) -> Path:
    path = folder / "mine.py"
    path.write_text(MEANS.replace("{most}", str(most)))
    return path


def command(url: str, *arguments: Any) -> list[str]:
    return [sys.executable, str(SERVE), "decode", "--session", "deck", "--url", url, *map(str, arguments)]


def test_a_class_in_a_file_learns_from_the_training_trials_and_answers(tmp_path: Path) -> None:
    recording = small_recording()
    own(tmp_path)
    with peering(recording, 1000) as (peer, url):
        ended = subprocess.run(
            command(url, "--decoder", "mine.py:Means", "--train", "0-2"),
            cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Means has learned from 3 trials of small in " in ended.stdout
    assert peer.asked == ["/stream/binary/deck?layout=compact&truth=0&decoder=Means"]
    learned = np.isin(recording.bins["trial"], [0, 1, 2]) & np.isfinite(recording.kinematics).all(axis=1)
    assert peer.predictions[-1] == {
        "type": "prediction",
        "sequence_number": 199,
        "vx": 200.0,
        "vy": recording.kinematics[learned, 2].astype(np.float64).mean() + recording.counts[199].sum(),
        "decoder": "Means",
    }


def test_it_answers_a_session_until_that_is_deleted(tmp_path: Path) -> None:
    store = Store({"small": small_recording()})
    started = command("", "--decoder", f"{own(tmp_path)}:Means", "--name", "mine")
    with serving(store) as url:
        started[started.index("--url") + 1] = url
        with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(3)]
            assert said[-1] == "Decoding session deck with Means.\n"
            predictions = store.get("deck").predictions
            try:
                wait_until(lambda: "mine" in predictions.names)
            finally:
                store.delete("deck", force=True)
            printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert int(re.search(r"Answered (\d+) of ", printed)[1]) > 0


def test_what_raises_leaves_its_traceback_and_a_last_line(tmp_path: Path) -> None:
    with peering(small_recording(), 1000) as (_, url):
        ended = subprocess.run(
            command(url, "--decoder", f"{own(tmp_path, most=-1)}:Means"),
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("Traceback (most recent call last):\n")
    assert 'mine.py", line 17, in predict\n    raise ValueError("too many spikes")' in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        "serve.py decode: Means has failed in predict: ValueError: too many spikes (mine.py, line 17). "
        "Mend it, and start it again."
    )


def test_what_cannot_be_kept_says_so_before_it_answers(tmp_path: Path) -> None:
    with peering(small_recording(), 1000) as (peer, url):
        ended = subprocess.run(
            command(url, "--decoder", f"{own(tmp_path)}:Means", "--save", tmp_path / "model.npz"),
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n"), peer.asked) == (2, 1, [])
    assert "What Means has learned lives in its process alone. Give it state()" in ended.stderr


def test_a_model_of_code_of_ones_own_is_used_again_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    (tmp_path / "some.py").write_text(SOME)
    code, model = f"{tmp_path / 'some.py'}:scaled", str(tmp_path / "model.npz")
    with peering(small_recording(), 1000, 1000) as (peer, url):
        assert run(url, "--decoder", code, "--set", "lags=3", "--save", model) == 0
        first = list(peer.predictions)
        peer.predictions.clear()
        del DECODERS["scaled"]
        assert run(url, "--model", model) == 2
        assert "is a model of scaled, which is not known here. Name its code too" in refused(capsys)
        assert run(url, "--decoder", code, "--model", model) == 0
    assert peer.predictions == first


def test_a_model_and_code_that_is_not_its_own_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.npz"
    recording = small_recording()
    save(
        model,
        make_decoder("passthrough", 40.0),
        Trained("small", recording.sha256, recording.n_units, 40.0, ()),
    )
    with peering(recording, 1000) as (_, url):
        assert run(url, "--decoder", f"{own(tmp_path)}:Means", "--model", str(model)) == 2
    assert "is a model of passthrough. Leave --decoder out." in refused(capsys)
