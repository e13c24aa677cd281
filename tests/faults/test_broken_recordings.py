"""No file, however damaged, ends in anything but one line and exit status 2, or in a recording."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import ROOT, free_port
from tests.engine.sources.recordings.readers.bad_files import bad_files
from tests.nwb_builders import small_nwb

REFUSED_WITHIN = 5.0
MAX_LINE = 400


def opened(how: str, files: Iterable[Path]) -> list[dict[str, Any]]:
    """What became of files, in the order given."""
    command = [sys.executable, "-m", "tests.faults.opening", how, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=3600)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_broken_recording_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    corpus = {path.name: words for _, path, words in bad_files(tmp_path)}
    told = opened("start", (tmp_path / name for name in corpus))

    assert len(told) == len(corpus) >= 25
    for each in told:
        assert each["status"] == 2, each
        assert each["seconds"] < REFUSED_WITHIN, each
        assert each["said"].count("\n") == 1, each
        assert len(each["said"]) < MAX_LINE, each
        assert each["file"] in each["said"], each
        assert str(tmp_path) not in each["said"], each
        for words in corpus[each["file"]]:
            assert words in each["said"], each


@pytest.mark.parametrize("name", ["zip", "spike_times_text"])
def test_the_same_as_a_user_starts_it(tmp_path: Path, name: str) -> None:
    path = next(path for _, path, _ in bad_files(tmp_path) if path.stem == name)
    ports = ("--port", str(free_port()), "--dashboard-port", str(free_port()))
    command = [sys.executable, str(ROOT / "serve.py"), "--data", str(path), *ports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * REFUSED_WITHIN)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"serve.py: {path.name}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("n", [16, pytest.param(2000, marks=pytest.mark.slow)])
def test_fuzzed_bytes_of_a_good_file_are_refused_in_one_line_or_can_be_played(
    tmp_path: Path, n: int
) -> None:
    content = small_nwb(tmp_path / "good.nwb").read_bytes()
    files = []
    for i, damaged in enumerate(fuzzed(content, n)):
        files.append(tmp_path / f"fuzzed-{i}.nwb")
        files[-1].write_bytes(damaged)
    told = opened("use", files)

    assert len(told) == n
    for each in told:
        assert "Traceback" not in each["said"], each
        assert each["status"] in (0, 2), each
        if each["status"] == 2:
            assert each["said"].startswith("serve.py: "), each
            assert each["said"].count("\n") == 1, each
    assert {each["status"] for each in told} == {0, 2}


def fuzzed(content: bytes, n: int) -> Iterator[bytes]:
    """The same `n` damages every time: bytes changed, a block wiped, or pieces swapped."""
    chance = random.Random(5)
    for i in range(n):
        damaged = bytearray(content)
        match i % 4:
            case 0:
                for _ in range(chance.choice((1, 4, 16, 64))):
                    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            case 1:
                for _ in range(chance.choice((1, 4, 16, 64))):
                    damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                at, size = chance.randrange(len(damaged)), chance.choice((8, 64, 512, 4096))
                damaged[at : at + size] = chance.randbytes(len(damaged[at : at + size]))
            case 3:
                size = chance.choice((8, 64, 512))
                here, there = (chance.randrange(len(damaged) - size) for _ in range(2))
                damaged[here : here + size] = content[there : there + size]
        yield bytes(damaged)
