"""The whole path as a user starts it: the command line, a real recording, decoders, LSL and the page."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import h5py
import msgpack
import numpy as np
import pylsl
import pytest
from playwright.sync_api import Browser
from websocket import WebSocket, create_connection

import serve
from sessions.announcing import announce, network_address
from sessions.settings import Settings
from tests.benchmarks import free_port
from tests.brokers import RedisServer
from tests.certificates import self_signed
from tests.forking import Forks, forks
from tests.given import given

ROOT = Path(__file__).parent.parent
STARTED_WITHIN = 30.0
SERVE = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
"""As the command line does it."""


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int
    dashboard_port: int
    said: str

    def stream(self, path: str) -> WebSocket:
        return create_connection(f"ws://127.0.0.1:{self.port}/stream/{path}", timeout=10)

    def post(self, path: str, body: object = None) -> dict:
        request = Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body or {}).encode(), method="POST"
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)


def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "serve.py"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ | environment)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Replays the real recording; ends as SIGTERM should end it."""
    port, dashboard_port = free_port(), free_port()
    process = run(
        "--data", str(given("reach98.nwb")), "--port", str(port),
        PHANTOM_DASHBOARD_PORT=str(dashboard_port), PHANTOM_LOG_LEVEL="ERROR",
    )  # fmt: skip
    watchdog = threading.Timer(STARTED_WITHIN, process.kill)
    watchdog.start()
    said = ""
    while not said.splitlines()[-1:] or not said.splitlines()[-1].startswith("Streams"):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    watchdog.cancel()
    yield Server(process, port, dashboard_port, said)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert complaints == ""


@pytest.fixture(scope="module")
def loaded() -> Iterator[Forks]:
    """Has what the command line loads."""
    with forks("serve") as made:
        yield made


def test_the_start_says_what_is_replayed_what_was_chosen_and_where(server: Server) -> None:
    assert "reach98: 98 units, 444.0 s, 800 trials, 40 Hz" in server.said
    assert "cursor_pos" in server.said
    assert "Passed over hand_pos" in server.said
    assert f"http://localhost:{server.dashboard_port}/" in server.said
    assert f"ws://localhost:{server.port}/stream/CODE" in server.said


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("spikes_in_ms", {}, "--spike-times-in ms reads them so. They are replayed as the seconds"),
        ("trials_all_zero", {}, "20 trials have no length, as they stop when they start"),
        ("trials_named_otherwise", {}, "Trials     reach_table (the likeliest of 1)"),
        ("trials_named_otherwise", {"trials": "reach_table"}, "Trials     reach_table (named by --trials)"),
    ],
)
def test_the_start_says_what_is_doubtful_and_which_trials_were_taken(
    data: str, options: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = Settings(data=given(f"cases/{data}.nwb"), rate=1, **options)
    (recording,) = serve.load(chosen).values()
    announce(chosen, recording, None)

    assert said in capsys.readouterr().out


def test_the_option_mends_spike_times(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = Settings(data=given("cases/spikes_in_samples.nwb"), spike_times_in="samples:30000")
    (recording,) = serve.load(chosen).values()
    announce(chosen, recording, None)

    said = capsys.readouterr().out
    assert "60.0 s" in said
    assert "Warning" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "192.0.2.7"])
def test_a_server_that_listens_at_one_address_names_no_other(host: str) -> None:
    assert network_address(host) is None


def test_a_server_that_listens_everywhere_names_an_address_for_other_machines() -> None:
    address = network_address("0.0.0.0")
    if address is None:
        pytest.skip("This machine is on no network.")
    with socket.create_server((address, 0)):  # it is one of ours
        assert not address.startswith(("127.", "0."))


def test_a_websocket_decoder_gets_the_files_own_counts_at_40_hz(server: Server) -> None:
    decoder = server.stream("binary/counts")
    assert msgpack.unpackb(decoder.recv())["num_channels"] == 98
    packets = [msgpack.unpackb(decoder.recv()) for _ in range(80)]
    decoder.close()
    with h5py.File(given("reach98.nwb")) as file:
        ticks = np.round(file["units/spike_times"][:] * 1e6).astype(np.int64)
        trains = np.split(ticks, file["units/spike_times_index"][:-1])
    edges = np.arange(82) * 25_000
    expected = np.array([np.histogram(train, edges)[0] for train in trains]).T[:80]
    assert [packet["packet_id"] for packet in packets] == list(range(80))
    np.testing.assert_array_equal([packet["spikes"]["spike_counts"] for packet in packets], expected)
    np.testing.assert_allclose(np.diff([packet["timestamp"] for packet in packets]), 0.025, atol=1e-6)


def test_an_lsl_inlet_alone_starts_a_session_and_gets_40_hz(server: Server) -> None:
    server.post("/api/sessions", {"custom_code": "inlet", "lsl": True})
    (found,) = pylsl.resolve_byprop("name", "PhantomLink-Neural-inlet", timeout=10)
    inlet = pylsl.StreamInlet(found)
    samples = [inlet.pull_sample(timeout=10) for _ in range(80)]
    inlet.close_stream()
    assert all(len(counts) == 98 for counts, _ in samples)
    np.testing.assert_allclose(np.diff([stamp for _, stamp in samples]), 0.025, atol=1e-6)


def test_the_raster_moves_in_a_browser_while_two_decoders_listen(server: Server, browser: Browser) -> None:
    decoders = [server.stream(path) for path in ("live", "binary/live?layout=compact")]
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.dashboard_port}/live?session=live")
    page.wait_for_function("() => window.deckStats?.painted >= 10", timeout=20_000)
    first = page.locator("[data-plot=raster]").screenshot()
    page.wait_for_function(
        "n => window.deckStats.painted >= n + 20", arg=page.evaluate("window.deckStats.painted")
    )
    assert page.locator("[data-plot=raster]").screenshot() != first
    page.close()
    for decoder in decoders:
        decoder.recv()
    as_json = [json.loads(decoders[0].recv())["data"] for _ in range(60)]
    compact = [msgpack.unpackb(decoders[1].recv()) for _ in range(60)]
    for decoder in decoders:
        decoder.close()
    counts = {packet["sequence_number"]: packet["spikes"]["spike_counts"] for packet in as_json}
    others = {packet["s"]: list(packet["c"]) for packet in compact}
    common = counts.keys() & others.keys()
    assert len(common) > 40
    assert all(counts[number] == others[number] for number in common)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", "nowhere.nwb"), "nowhere.nwb does not exist"),
        (("--data", str(ROOT / "README.md")), "README.md is not a recording"),
        (("--rate", "0"), "--rate 0"),
        (("--bogus",), "--bogus"),
        (
            ("--source", "tape"),
            "Unknown source 'tape'. There are recording, user, user:skilled, user:naive, user:noisy, "
            "user:person, user:PRESET:electrodes, electrodes, electrodes:CHANNELS, lsl:NAME.",
        ),
        (("--source", "lsl:"), "An LSL source needs the name of its neural stream. Write lsl:NAME."),
        (("--source", "lsl:rig,hand"), "Unknown part 'hand' of an LSL source."),
    ],
)
def test_a_wrong_start_is_one_line_and_exit_status_2(
    loaded: Forks, arguments: tuple[str, ...], said: str
) -> None:
    ports = ("--port", free_port(), "--dashboard-port", free_port())
    status, printed, complaints = loaded.ended(SERVE, ROOT / "serve.py", *ports, *arguments)
    assert status == 2
    assert printed == ""
    assert said in complaints
    assert complaints.count("\n") == 1


def test_a_taken_port_is_one_line_that_names_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run("--port", str(taken.getsockname()[1]))
        _, complaints = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "--port" in complaints
    assert complaints.count("\n") == 1


def test_a_decoder_that_the_server_starts_answers_under_tls_whatever_the_certificate_s_name(
    tmp_path: Path,
) -> None:
    certfile, keyfile = self_signed(tmp_path, "elsewhere.example")
    port = free_port()
    process = run(
        "--certfile", str(certfile), "--keyfile", str(keyfile), "--port", str(port), "--no-lsl",
        "--dashboard-port", str(free_port()), "--log-level", "ERROR",
    )  # fmt: skip
    trusting = ssl.create_default_context(cafile=str(certfile))
    trusting.check_hostname = False

    def ask(path: str, body: object = None) -> dict:
        request = Request(
            f"https://127.0.0.1:{port}/api/sessions{path}",
            None if body is None else json.dumps(body).encode(),
        )
        with urlopen(request, timeout=30, context=trusting) as answer:
            return json.load(answer)

    try:
        assert any(line.startswith("Streams    wss://") for line in process.stdout)
        ask("", {"custom_code": "deck"})
        ask("/deck/decoders", {"decoder": "passthrough"})
        until = time.monotonic() + STARTED_WITHIN
        while "passthrough" not in ask("/deck/scores")["decoders"]:
            assert time.monotonic() < until, ask("/deck/decoders")
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_redis_without_its_library_is_one_line_that_says_how_to_install_it() -> None:
    code = "import sys; sys.modules['redis'] = None; import serve; sys.exit(serve.main(sys.argv[1:]))"
    ports = ("--port", str(free_port()), "--dashboard-port", str(free_port()))
    command = [sys.executable, "-c", code, "--redis", "redis://rig1", *ports]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)

    assert done.returncode == 2
    assert done.stderr.endswith("serve.py: --redis needs redis-py. Run pip install -e '.[redis]'.\n")


def test_wrong_password_of_redis_is_told_and_shown_nowhere_and_the_server_serves(
    redis_server: RedisServer,
) -> None:
    with redis_server.client as client:
        client.config_set("requirepass", "right")
    port = free_port()
    process = run(
        "--no-lsl", "--log-level", "DEBUG",
        "--port", str(port), "--dashboard-port", str(free_port()),
        PHANTOM_REDIS=redis_server.url.replace("//", "//:s3cr%40t@"),
    )  # fmt: skip
    said = ""
    try:
        for line in process.stdout:
            said += line
            if line.startswith("Streams"):
                break
        until = time.monotonic() + STARTED_WITHIN
        unwell: list[str] = []
        while len(unwell) < 2 and time.monotonic() < until:
            for path, method in (("/api/sessions/create?custom_code=a", "POST"), ("/health", "GET")):
                with urlopen(
                    Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=20
                ) as answer:
                    said += (text := answer.read().decode())
            unwell = json.loads(text)["sinks"]
    finally:
        process.terminate()
        rest, complaints = process.communicate(timeout=20)
    said += rest

    assert process.returncode == 0
    assert unwell == ["redis of a", "redis"]
    assert complaints.count("refuses the password. Give the right one in PHANTOM_REDIS.") >= 1
    assert "Traceback" not in complaints
    for secret in ("s3cr%40t", "s3cr@t"):
        assert secret not in said + complaints
