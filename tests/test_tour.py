"""The README's tour, command by command, as a reader copies them: it leaves the deck as it found it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.benchmarks import free_port
from tests.benchmarks.dashboard import wait_until

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0
LEARNED_WITHIN = 240.0
"""Seconds; a calibration stands back behind all else, which on a busy machine lasts."""
TOUR = (ROOT / "README.md").read_text().partition("## A tour")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"^ *\$ (.*)$", TOUR, re.MULTILINE)
STAYS = re.compile(r"(serve\.py decode|resources/clients/|--data)")
"""What goes on until the reader ends it, in a terminal of its own."""
SCORED = 1200
"""Bins, 30 s of them, after which the text says how good the decoder is."""


def hearing_interrupts() -> None:
    """As in a terminal: what a shell starts in the background, tests for instance, ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Reader:
    """Copies commands into a terminal, waits where the text says so, and looks at what comes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.name = ""
        self.settings: dict[str, Any] = {}
        self._running: list[subprocess.Popen[str]] = []
        options = ["--dashboard-port", free_port(), "--no-lsl", "--records", folder / "records"]
        self._server = self.start(f"{ROOT / 'serve.py'} {' '.join(map(str, options))}", "Streams")

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(
            Request(f"http://127.0.0.1:{self.port}{path}", data, method=method), timeout=20
        ) as answer:
            return json.load(answer)

    def start(self, arguments: str, said: str = "") -> subprocess.Popen[str]:
        """Start a program in a terminal of its own, and wait until it says something."""
        process = subprocess.Popen(
            f"exec {sys.executable} {arguments}",
            shell=True,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PHANTOM_PORT": str(self.port), "PYTHONUNBUFFERED": "1"},
            preexec_fn=hearing_interrupts,
        )
        self._running.append(process)
        assert process.stdout is not None
        while said and not (line := process.stdout.readline()).startswith(said):
            assert line, f"{arguments} ended without having said {said}"
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self._running.remove(process)

    def close(self) -> None:
        for process in self._running[::-1]:
            process.kill()
            process.communicate()

    def follow(self, command: str) -> None:
        """Do what a line of the tour says."""
        here = command.replace("localhost:8000", f"localhost:{self.port}")
        here = here.replace("demo-20261121-154237-750", self.name)
        here = here.rpartition(".venv/bin/python ")[2] if "python" in here else here
        here = re.sub(r"(?<!\S)(serve\.py|resources/\S+)", rf"{ROOT}/\1", here)
        self.wait_before(command)
        if STAYS.search(command):
            here = here.replace("data/records", str(self.folder / "records"))
            here = re.sub(
                r"8001 --dashboard-port 5007", f"{free_port()} --dashboard-port {free_port()}", here
            )
            process = self.start(here, "Replaying" if "--data" in command else "")
            if "--data" in command:
                self.end(process)
        else:
            self.run(here)
        if "/record" in command and "DELETE" in command:
            self.name = self.ask("/api/sessions/demo/record")["name"]

    def run(self, command: str) -> None:
        if not command.startswith("curl"):
            command = f"{sys.executable} {command}"
        environment = os.environ | {"PHANTOM_PORT": str(self.port)}
        ended = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}"

    def wait_before(self, command: str) -> None:
        """The waits that the text asks for; the decoder's half minute passes four times as fast."""
        if "calibrations/1/" in command:
            self.wait(lambda: self.ask("/api/calibrations/1")["state"] == "done")
        if "DELETE" in command and "/record" in command:
            self.wait(lambda: self.ask("/api/sessions/demo/record")["bins"] > 80)
        if "records/" in command:
            self.wait(lambda: self.ask("/api/sessions/demo/record")["state"] == "finished")
        if "/pause" in command:  # the client has made the session
            self.wait(lambda: "demo" in self.ask("/api/sessions")["sessions"])
            self.settings = self.set_up()
        if command.endswith("/scores"):
            self.ask("/api/sessions/demo/speed", "PUT", {"speed": 4})
            self.wait(lambda: self.scores().get("wiener", {"n_bins": 0})["n_bins"] >= SCORED)
            self.ask("/api/sessions/demo/speed", "PUT", {"speed": 1})
        if command.startswith("curl -f -X DELETE") and command.endswith("demo"):
            assert self.set_up() == self.settings
            for process in [each for each in self._running if each is not self._server]:
                self.end(process)

    def wait(self, met: Callable[[], bool]) -> None:
        wait_until(met, LEARNED_WITHIN)
        assert met()

    def scores(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("/api/sessions/demo/scores")["decoders"]
        return found

    def set_up(self) -> dict[str, Any]:
        """All that the tour changes."""
        session = "/api/sessions/demo"
        safety = self.ask(f"{session}/safety")
        models = self.ask(f"{session}/perturbation")
        return {
            **{name: self.ask(f"{session}/{name}") for name in ("selection", "speed")},
            "perturbation": [name for name, model in models.items() if model.get("enabled")],
            "max_speed": safety["max_speed"],
            "stopped": safety["stopped"],
        }


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.close()


def test_curl_fails_where_the_server_refuses() -> None:
    for page in ("README.md", "resources/guide.md"):
        assert re.findall(r"curl (?!-f)[^\n`]*", (ROOT / page).read_text()) == [], page


def test_reader_who_copies_every_command_gets_what_the_tour_promises(reader: Reader) -> None:
    promised = re.search(r"is near (\S+) for position \(`r2_position`\) and (\S+) for\s+velocity", TOUR)
    assert promised
    for command in COMMANDS:
        reader.follow(command)
        if command.endswith("/scores"):
            scores = reader.scores()["wiener"]
            found = scores["r2_position"], scores["r2_velocity"]
            assert found == pytest.approx(tuple(map(float, promised.groups())), abs=0.04)

    assert reader.ask("/api/sessions")["sessions"] == {}
    made = {path.name for path in reader.folder.iterdir()}
    assert made >= {"demo.png", "lags15.npz", "wiener.npz", "table.csv", f"{reader.name}.npz", "records"}
