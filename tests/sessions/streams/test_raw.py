"""The stream of voltages as clients meet it: blocks, choices, losses, refusals and goodbyes."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pytest
import websocket

from engine import broadband
from engine.broadband import BLOCK, SAMPLING_RATE
from engine.sources.electrodes.settings import Electrodes
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import wait_until
from tests.engine.sources.electrodes.offline import offline
from tests.sessions.frames import BINARY, TEXT
from tests.sessions.serving import Client, serving
from tests.sessions.streaming import Decoder, PlainDecoder, closing_code

GUIDE = (Path(__file__).parents[3] / "resources" / "guide" / "electrodes.md").read_text()
SEED = 7
N_CHANNELS = 96


class Block(NamedTuple):
    """One message, read by what the contract says and nothing else."""

    first: int
    timestamp: float
    flags: int
    samples: np.ndarray[Any, np.dtype[np.int16]]

    @classmethod
    def read(cls, frame: tuple[int, bytes]) -> Block:
        opcode, payload = frame
        assert opcode == BINARY, f"closed with {closing_code(payload)}"
        magic, version, n, rate, first, timestamp, flags = struct.unpack_from("<4sHHIQdI", payload)
        assert (magic, version, rate) == (b"PDRW", 1, 30_000)
        return cls(first, timestamp, flags, np.frombuffer(payload, "<i2", offset=32).reshape(-1, n))


@pytest.fixture(scope="module", autouse=True)
def by_scipy() -> Iterator[None]:
    """Voltages are computed as without numba, which takes seconds to load."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broadband, "fastest", lambda: "scipy")
        yield


@pytest.fixture(scope="module")
def ask() -> Iterator[Client]:
    """A server with a session of electrodes, and one of a recording."""
    with serving(Store({"small": small_recording()}, max_clients=3)) as made:
        made.create("wires", source=f"electrodes:{N_CHANNELS}", seed=SEED)
        made.create("few", source="electrodes:4", seed=SEED)
        made.create("replayed")
        yield made


@contextmanager
def connected(ask: Client, path: str = "wires") -> Iterator[Decoder]:
    client = Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/{path}")
    try:
        yield client
    finally:
        client.close()


def blocks(client: Decoder, n: int) -> list[Block]:
    return [Block.read(client.frame()) for _ in range(n)]


def expected(n_channels: int, seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    settings = Electrodes(n_channels=n_channels, seed=SEED)
    return offline(small_recording(), settings, round(seconds * 40))


def test_samples_are_those_of_the_same_seed_offline_and_come_when_they_are_due(ask: Client) -> None:
    begun = time.time()
    with connected(ask) as client:
        found, arrived = blocks(client, 40), time.time()
    told = client.metadata
    assert told["session_code"] == "wires"
    assert told["channels"] == list(range(N_CHANNELS)) == list(range(told["n_channels"]))
    assert told["channel_names"][5] == "electrode 5"
    assert (told["sampling_rate_hz"], told["block_samples"]) == (SAMPLING_RATE, BLOCK)
    assert (told["dtype"], told["byte_order"], told["order"]) == ("int16", "little", "sample-major")
    assert told["microvolts_per_count"] == 0.25
    assert told["start_time"] == pytest.approx(begun, abs=60)
    header = told["header"]
    assert (header["magic"], header["version"], header["bytes"]) == (
        "PDRW",
        1,
        struct.calcsize("<4sHHIQdI"),
    )
    assert [field["offset"] for field in header["fields"]] == [0, 4, 6, 8, 12, 20, 28]

    assert [block.first for block in found] == list(range(0, 40 * BLOCK, BLOCK))
    together = np.concatenate([block.samples for block in found])
    np.testing.assert_array_equal(together, expected(N_CHANNELS, 0.5)[: len(together)])
    steps = [late.timestamp - early.timestamp for early, late in pairwise(found)]
    np.testing.assert_allclose(steps, BLOCK / SAMPLING_RATE, atol=1e-6)
    assert found[0].timestamp > begun - 0.025  # the first bin begins before it is due
    assert found[-1].timestamp + BLOCK / SAMPLING_RATE <= arrived
    assert not any(block.flags for block in found)


def test_a_client_gets_the_channels_that_it_asks_for_in_its_order(ask: Client) -> None:
    with connected(ask, "wires?channels=95,3-5") as client:
        assert client.metadata["channels"] == [95, 3, 4, 5]
        assert client.metadata["channel_names"] == [f"electrode {i}" for i in (95, 3, 4, 5)]
        some = blocks(client, 3)
    end = some[-1].first + BLOCK
    whole = expected(N_CHANNELS, end / SAMPLING_RATE + 0.05)
    for block in some:
        np.testing.assert_array_equal(
            block.samples, whole[block.first : block.first + BLOCK, [95, 3, 4, 5]]
        )


def test_a_slow_client_loses_blocks_that_are_counted_and_another_gets_all(ask: Client) -> None:
    slow = PlainDecoder(ask.port, "/stream/raw/wires", slow=False)
    slow.wait_open()
    session = ask.store.get("wires")
    with connected(ask) as quick:
        (listener,) = [each for each in listeners(session) if each.layout == "voltages, 96 channels"][:1]
        assert (listener.name, listener.queue) == ("raw", "drop-oldest")
        got = blocks(quick, 1)
        while not any(each.dropped for each in listeners(session)):
            got += blocks(quick, 10)
        frames = slow.frames()  # it has read nothing so far
        assert next(frames)[0] == TEXT
        seen = [Block.read(next(frames))]
        while not seen[-1].flags:
            seen.append(Block.read(next(frames)))
        lost = (seen[-1].first - seen[-2].first) // BLOCK - 1
        assert lost > 0
        assert max(each.dropped for each in listeners(session)) >= lost
        assert ask("GET", "/api/sessions/wires").json["dropped_packets"] >= lost
        got += blocks(quick, 10)
        slow.close()
    assert {late.first - early.first for early, late in pairwise(got)} == {BLOCK}
    assert not any(block.flags for block in got)
    assert all(early.first + BLOCK == late.first for early, late in pairwise(seen[:-1]))
    wait_until(lambda: session.decoders == 0)
    assert ask("GET", "/api/sessions/wires").json["dropped_packets"] >= lost  # also when it has gone


def listeners(session: Any) -> list[Any]:
    return [each for audience in session.audiences for each in audience.decoders]


def test_a_pause_is_silent_and_no_sample_is_missing_after_it(ask: Client) -> None:
    replay = ask.store.get("few").replay
    with connected(ask, "few") as client:
        before = blocks(client, 5)
        replay.pause()
        head = replay.voltages.head
        paused = time.time()
        while time.time() < paused + 0.1:  # several bins
            with connected(ask, "few?channels=0"):
                assert replay.voltages.head <= head + 1  # what was due within a sample of the pause
        resumed = time.time()
        ask("POST", "/api/control/few/resume")
        found = before + blocks(client, head - len(before) + 10)
    first = found[0].first
    assert [block.first - first for block in found] == list(range(0, len(found) * BLOCK, BLOCK))
    gaps = [late.timestamp - early.timestamp for early, late in pairwise(found)]
    assert max(gaps) > resumed - paused - 0.025  # bins go on in step
    together = np.concatenate([block.samples for block in found])
    end = first + len(together)
    np.testing.assert_array_equal(together, expected(4, end / SAMPLING_RATE + 0.05)[first:end])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("replayed", 409, "whose source is recording has no voltages.* with source electrodes"),
        ("nobody", 404, "Unknown session 'nobody'"),
        ("few?decoder=x", 422, "Unknown parameter 'decoder'. There is channels."),
        *(
            (f"few?channels={quote(asked)}", 422, "^Parameter channels is .*within 0 to 3.* 0-3,8")
            for asked in ("", "4", "0-4", "2-1", "-1", "1,1", "0-2,1", "all", "0,,1", "\u0661", "9" * 300)
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(ask: Client, path: str, status: int, said: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/{path}")
    body = json.loads(refused.value.resp_body)
    assert refused.value.status_code == status
    assert body["detail"] == body["error"]["message"]
    assert "\n" not in body["detail"]
    assert re.search(said, body["detail"])


def test_a_plain_request_is_refused_and_raw_is_no_code(ask: Client) -> None:
    reply = ask("GET", "/stream/raw/few")
    assert (reply.status, reply.json["error"]["code"]) == (400, "not_an_upgrade")
    with pytest.raises(websocket.WebSocketBadStatusException, match="422"):
        Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw")


def test_the_program_of_the_guide_reads_the_stream(ask: Client, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[:1]
    exec(program.replace("localhost:8000", f"127.0.0.1:{ask.port}"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 100
    pattern = r"sample (\d+) at \d+\.\d+: lowest \[.*\] uV(, and blocks were lost before it)?"
    firsts = [int(match[1]) for line in lines if (match := re.fullmatch(pattern, line))]
    assert firsts == sorted(firsts)
    assert len(firsts) == 100


def test_more_clients_than_a_session_may_have_are_refused(ask: Client) -> None:
    with connected(ask, "few"), connected(ask, "few"), connected(ask, "few"):
        assert ask("GET", "/api/sessions/few").json["active_connections"] == 3
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/few")
        assert refused.value.status_code == 429
    wait_until(lambda: ask.store.get("few").decoders == 0)


def test_who_sends_messages_is_told_and_closed(ask: Client) -> None:
    client = Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/few")
    client.socket.send("{}")
    assert client.closed() == 1008


def test_streams_end_with_their_session_and_with_the_server() -> None:
    store = Store({"small": small_recording()})
    with serving(store) as ask:
        clients = []
        for code in ("one", "two"):
            ask.create(code, source="electrodes:1")
            clients.append(Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/{code}"))
            Block.read(clients[-1].frame())
        assert ask("DELETE", "/api/sessions/one").status == 409  # a client is connected
        store.delete("one")
        assert clients[0].closed() == 1000
        store.close()
        assert clients[1].closed() == 1001
