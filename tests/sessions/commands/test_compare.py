"""``serve.py compare``: what it refuses before it runs, and the same table by any number of workers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessions.commands.compare import main
from tests.nwb_builders import small_nwb

SERVE = Path(__file__).parents[3] / "serve.py"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--decoders", "wien"], "there is no decoder 'wien'; choose passthrough"),
        (["--decoders", "nowhere.py:Mine"], "There is no file nowhere.py."),
        (["--users", "tired"], "there is no user 'tired'; choose skilled, naive, noisy"),
        (["--levels", "big"], "there is no level 'big'; choose none, light"),
        (["--seeds", "0"], "'0' is no whole number from 1 to 100,000"),
        (["--trials", "many"], "'many' is no whole number"),
        (["--out", "table.txt"], "'table.txt' ends in none of .csv, .json, .md"),
        (["--out", "/nowhere/table.csv"], "/nowhere/table.csv cannot be written: No such file"),
        (["--task", "radius"], "'radius' is not NAME=VALUE"),
        (["--scheduler", "tcp://rig:8786", "--workers", "2"], "leave --workers out"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line_before_anything_runs(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--closed-loop", *arguments])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert why in said
    assert said.count("\n") == 1


def test_a_setting_out_of_bounds_is_named_as_it_was_typed(tmp_path: Path) -> None:
    command = [sys.executable, str(SERVE), "compare", "--closed-loop", "--task", "radius=-5"]
    command += ["--data", str(small_nwb(tmp_path / "small.nwb"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("serve.py compare: --task radius=-5: ")
    assert done.stderr.count("\n") == 1


STILL = """
class Still:
    def fit(self, counts, targets):
        self.velocity = 0.0, 0.0

    def predict(self, counts):
        return self.velocity
"""


def compared(tmp_path: Path, workers: int) -> tuple[str, dict[str, Any]]:
    """What the command prints, and what it writes."""
    mine = tmp_path / "mine.py"
    mine.write_text(STILL)
    data, out = tmp_path / "small.nwb", tmp_path / f"{workers}.json"
    if not data.exists():
        small_nwb(data)
    command = [sys.executable, str(SERVE), "compare", "--closed-loop", "--workers", str(workers)]
    command += ["--data", str(data), "--records", str(tmp_path / "records"), "--out", str(out)]
    command += ["--steering", "gain=1.0,smoothing=0.0", "--task", "hold=0.1"]
    command += [
        "--decoders",
        f"perfect,noise,{mine}:Still",
        "--users",
        "skilled",
        "--seeds",
        "2",
        "--trials",
        "2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, json.loads(out.read_bytes())


def test_the_command_compares_on_processes_of_this_machine(tmp_path: Path) -> None:
    printed, written = compared(tmp_path, 2)
    ceiling, floor, mine = written["table"]
    assert (ceiling["decoder"], ceiling["success"]["mean"]) == ("perfect", 1.0)
    assert (floor["decoder"], floor["success"]["mean"]) == ("noise", 0.0)
    assert (mine["decoder"], mine["n_trials"], mine["success"]["mean"]) == ("Still", 4, 0.0)
    assert len(written["runs"]) == 6
    assert printed.splitlines()[2].startswith("| perfect | skilled | none")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--users", "skilled"], "--users is of --closed-loop; leave it out"),
        (["--steering", "gain=1"], "--steering is of --closed-loop; leave it out"),
        (["--decoders", "wiener,perfect"], "perfect answer to users alone, with --closed-loop"),
        (["--closed-loop"], "not allowed with argument --open-loop"),
        (["--figure", "table.gif"], "'table.gif' ends in none of .svg, .png, .pdf"),
    ],
)
def test_what_is_of_users_alone_is_refused_in_open_loop(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--open-loop", *arguments])
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_open_loop_is_resumed_and_drawn(tmp_path: Path) -> None:
    runs, figure = tmp_path / "runs.jsonl", tmp_path / "figure.svg"
    command = [sys.executable, str(SERVE), "compare", "--open-loop", "--workers", "1"]
    command += ["--runs", str(runs), "--figure", str(figure), "--out", str(tmp_path / "table.json")]
    command += ["--decoders", "population_vector", "--levels", "none,extreme", "--seeds"]
    subprocess.run([*command, "1"], capture_output=True, timeout=120, check=True)
    (tmp_path / "table.json").unlink()
    lines = runs.read_text().splitlines()
    assert len(lines) == 3
    runs.write_text(re.sub(r'"r2_velocity": [-\d.e]+', '"r2_velocity": 77.0', "\n".join(lines)) + "\n")
    done = subprocess.run([*command, "2"], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads((tmp_path / "table.json").read_bytes())
    assert (table["way"], table["seeds"], len(table["runs"])) == ("open loop", 2, 4)
    kept = {(each["level"], each["seed"]): each["r2_velocity"] for each in table["runs"]}
    assert kept["none", 0] == kept["extreme", 0] == 77.0  # what was there was not made again
    assert kept["none", 1] < 1
    assert len(runs.read_text().splitlines()) == 5
    assert figure.read_text().startswith("<?xml")


@pytest.mark.slow
def test_the_table_is_the_same_whatever_the_number_of_workers(tmp_path: Path) -> None:
    assert compared(tmp_path, 1) == compared(tmp_path, 4)


def test_without_dask_one_line_says_how_to_install_it() -> None:
    code = "import sys; sys.modules['distributed'] = None; import serve; sys.exit(serve.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "compare", "--closed-loop"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=SERVE.parent, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "serve.py compare: compare needs Dask. Run pip install -e '.[compare]'.\n"
