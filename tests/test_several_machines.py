"""Two servers and a decoder on one Redis, each in a network namespace of its own, as in a lab."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import REDIS
from tests.conftest import missing

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0
GONE_WITHIN = 15.0
ASK = """import sys, urllib.request as web
asked = web.Request(sys.argv[1], method=sys.argv[2])
print(web.urlopen(asked, timeout=10).read().decode())"""


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"This system allows no network namespaces: {' '.join(command)}: {done.stderr.strip()}")


@dataclass
class Machine:
    """A network namespace, and what runs there."""

    name: str
    host: str
    running: ExitStack

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        whole = ["ip", "netns", "exec", self.name, *command]
        process = subprocess.Popen(whole, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
        self.running.callback(process.stdout.close)
        self.running.callback(process.wait)
        self.running.callback(process.kill)
        return process

    def deck(self, redis: str) -> subprocess.Popen[str]:
        """A server on this machine, which is starting."""
        return self.start(
            sys.executable, str(ROOT / "serve.py"), "--no-lsl", "--insecure",
            "--host", self.host, "--log-level", "WARNING", PHANTOM_REDIS=redis,
        )  # fmt: skip

    def ask(self, method: str, path: str) -> Any:
        """What this machine's server answers to it."""
        command = ["ip", "netns", "exec", self.name, sys.executable, "-IS", "-c", ASK]
        command += [f"http://{self.host}:8000{path}", method]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@dataclass
class Lab:
    redis: str
    hub: Machine
    one: Machine
    two: Machine


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A hub with Redis, and two machines that reach it and each other."""
    if REDIS is None:
        missing(
            "There is no redis-server. Install it (on Debian: apt install redis-server) to run this test."
        )
    tag = secrets.token_hex(3)
    with ExitStack() as running:
        machines = []
        for i, part in enumerate(("hub", "one", "two")):
            name = f"deck{tag}{part}"
            run("ip", "netns", "add", name)
            running.callback(subprocess.run, ["ip", "netns", "del", name], check=False)
            machines.append(Machine(name, f"10.77.0.{i + 1}", running))
        hub, *decks = machines
        inside = ("ip", "-n", hub.name)
        run(*inside, "link", "add", "lab", "type", "bridge")
        run(*inside, "addr", "add", f"{hub.host}/24", "dev", "lab")
        run(*inside, "link", "set", "lab", "up")
        for i, deck in enumerate(decks):
            run(
                *inside, "link", "add", f"to{i}", "type", "veth", "peer", "name", "eth0", "netns", deck.name
            )
            run(*inside, "link", "set", f"to{i}", "master", "lab")
            run(*inside, "link", "set", f"to{i}", "up")
            run("ip", "-n", deck.name, "addr", "add", f"{deck.host}/24", "dev", "eth0")
            run("ip", "-n", deck.name, "link", "set", "eth0", "up")
        for machine in machines:
            run("ip", "-n", machine.name, "link", "set", "lo", "up")
        hub.start(REDIS, "--bind", hub.host, "--save", "", "--protected-mode", "no")
        yield Lab(f"redis://{hub.host}:6379/0", *machines)


def wait_for(what: Callable[[], bool], within: float = PATIENCE) -> float:
    """How long it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() < began + within
        time.sleep(0.1)  # it is another machine's: nothing here can be waited for
    return time.monotonic() - began


def elsewhere(machine: Machine) -> dict[str, str]:
    """Sessions of other servers that a server lists, and their addresses."""
    return {each["code"]: each["stream_url"] for each in machine.ask("GET", "/api/sessions")["elsewhere"]}


def decks(lab: Lab) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """A server on either machine with a session that plays."""
    servers = lab.one.deck(lab.redis), lab.two.deck(lab.redis)
    for server in servers:
        assert any(line.startswith("Streams") for line in server.stdout)
    for machine, code in ((lab.one, "first"), (lab.two, "second")):
        machine.ask("POST", f"/api/sessions/create?custom_code={code}")
        machine.ask("POST", f"/api/control/{code}/resume")
    return servers


def test_decoder_beside_either_server_answers_the_sessions_of_both(lab: Lab) -> None:
    decks(lab)
    wait_for(lambda: elsewhere(lab.one) == {"second": "ws://10.77.0.3:8000/stream/second"})
    wait_for(lambda: elsewhere(lab.two) == {"first": "ws://10.77.0.2:8000/stream/first"})

    def answered(machine: Machine, code: str, name: str) -> bool:
        return name in machine.ask("GET", f"/api/sessions/{code}/scores")["decoders"]

    script = ROOT / "resources" / "clients" / "redis_decoder.py"
    for machine in (lab.one, lab.two):
        decoder = machine.start(
            sys.executable, "-c",
            re.sub('"redis_decoder"', f'"beside-{machine.host}"', script.read_text()),
            PHANTOM_REDIS=lab.redis,
        )  # fmt: skip
        wait_for(lambda: answered(lab.one, "first", f"beside-{machine.host}"))  # noqa: B023
        wait_for(lambda: answered(lab.two, "second", f"beside-{machine.host}"))  # noqa: B023
        decoder.kill()


def test_page_shows_the_decoder_and_the_proxy_that_are_tested() -> None:
    page = (ROOT / "resources" / "guide" / "several-machines.md").read_text()
    readme = (ROOT / "README.md").read_text()
    proxy = readme[readme.index("location ~ ^/(deck|streams)") :].partition("```")[0]

    assert (ROOT / "resources" / "clients" / "redis_decoder.py").read_text() in page
    assert proxy in page


@pytest.mark.slow
def test_sessions_of_a_server_that_was_killed_vanish(lab: Lab) -> None:
    _, second = decks(lab)
    wait_for(lambda: "second" in elsewhere(lab.one))
    second.send_signal(signal.SIGKILL)

    assert wait_for(lambda: elsewhere(lab.one) == {}) < GONE_WITHIN
