"""The commands and TLS: what they trust, and what they say where that does not go."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tornado.netutil import bind_sockets

from sessions.commands import check, client, decode
from sessions.commands.tls import PINNED
from sessions.gate import Rules
from sessions.gate.configured import certificate, certificate_text
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.server import StreamServer, stream_rules
from sessions.settings import Settings
from sessions.store import Store
from tests.builders import small_recording
from tests.certificates import self_signed

SERVE = Path(__file__).parents[3] / "serve.py"
COMMANDS: tuple[Callable[[str], int], ...] = (
    lambda url: check.main(["1", "--url", url]),
    lambda url: decode.main(["--session", "deck", "--decoder", "passthrough", "--url", url]),
)


# Tornado leaves the socket of a connection that it gives up amid its handshake to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")


@contextmanager
def deck(chosen: Settings) -> Iterator[int]:
    """A stream port that speaks as the settings say; its number."""
    store = Store({"small": small_recording()})
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    rules = [*stream_rules(store), *rest_rules(Context(store, port, port), home=True)]
    server = StreamServer(store, rules, sockets, Rules(), certificate(chosen))
    server.start()
    try:
        yield port
    finally:
        store.close()
        server.stop()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """With a certificate for another name than the one by which it is reached."""
    files = self_signed(tmp_path_factory.mktemp("tls"), "elsewhere.example")
    return Settings(certfile=files[0], keyfile=files[1])


def complaint(command: Callable[[str], int], url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that cannot begin, after its name."""
    assert command(url) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said.partition(": ")[2].strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_certificate_that_is_not_trusted_is_told_with_the_way_to_trust_it(
    command: Callable[[str], int], elsewhere: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with deck(elsewhere) as port:
        said = complaint(command, url := f"wss://127.0.0.1:{port}", capsys)
    assert said.startswith(f"The certificate at {url} is not trusted here.")
    assert said.endswith("SSL_CERT_FILE=rig.crt.")


@pytest.mark.parametrize("command", ["check", "decode"])
@pytest.mark.parametrize(
    ("name", "days", "fault"),
    [("elsewhere.example", 1, "is not for 127.0.0.1. "), ("127.0.0.1", -1, "has expired. ")],
)
def test_what_is_wrong_with_a_trusted_certificate_is_told_and_no_log_beside_it(
    command: str, name: str, days: int, fault: str, tmp_path: Path
) -> None:
    files = self_signed(tmp_path, name, days)
    options = {"check": ["1"], "decode": ["--session", "deck", "--decoder", "passthrough"]}[command]
    with deck(Settings(certfile=files[0], keyfile=files[1])) as port:
        url = f"wss://127.0.0.1:{port}"
        done = subprocess.run(
            [sys.executable, SERVE, command, *options, "--url", url],
            env={"SSL_CERT_FILE": str(files[0])}, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(f"serve.py {command}: The certificate at {url} {fault}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_is_not_there_is_not_a_certificate_s_fault(
    command: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = complaint(command, f"wss://127.0.0.1:{port}", capsys)
    assert said.startswith(f"Nobody answers at wss://127.0.0.1:{port} (")


@pytest.mark.parametrize("command", COMMANDS)
def test_plain_text_to_a_port_with_tls_and_tls_to_a_plain_one_name_the_other(
    command: Callable[[str], int],
    elsewhere: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with deck(elsewhere) as port:
        said = complaint(command, f"ws://127.0.0.1:{port}", capsys)
    assert f"If the server has a certificate, use --url wss://127.0.0.1:{port};" in said

    # A plain port waits for the rest of what it takes for a request, or answers if its end is in there.
    for module in (client, decode):
        monkeypatch.setattr(module, "ANSWER_WITHIN", 0.5)
    with deck(Settings()) as port:
        said = complaint(command, f"wss://127.0.0.1:{port}", capsys)
    unsure = f"If the server has no certificate, use --url ws://127.0.0.1:{port};" in said
    assert unsure or f"does not speak TLS. Use --url ws://127.0.0.1:{port}." in said


@pytest.mark.parametrize("days", [1, -1])
def test_a_pinned_certificate_is_trusted_whatever_its_name_and_day(
    days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = self_signed(tmp_path, "elsewhere.example", days)
    chosen = Settings(certfile=files[0], keyfile=files[1])
    monkeypatch.setenv(PINNED, certificate_text(chosen))
    with deck(chosen) as port:
        assert check.main(["1", "--url", f"wss://127.0.0.1:{port}"]) != 2
    assert f"small at wss://127.0.0.1:{port}" in capsys.readouterr().out


def test_no_other_certificate_is_trusted_where_one_is_pinned(
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = self_signed(tmp_path, "elsewhere.example")
    monkeypatch.setenv(PINNED, certificate_text(elsewhere))
    with deck(Settings(certfile=files[0], keyfile=files[1])) as port:
        assert "is not trusted here" in complaint(COMMANDS[0], f"wss://127.0.0.1:{port}", capsys)


def test_of_a_chain_the_first_certificate_alone_is_pinned(elsewhere: Settings, tmp_path: Path) -> None:
    other, key = self_signed(tmp_path, "other.example")
    chain = tmp_path / "chain.pem"
    chain.write_text(f"# the rig's\n{key.read_text()}{other.read_text()}{elsewhere.certfile.read_text()}")

    text = certificate_text(Settings(certfile=chain))

    assert ssl.PEM_cert_to_DER_cert(text) == ssl.PEM_cert_to_DER_cert(other.read_text())
    assert certificate_text(Settings()) is None
