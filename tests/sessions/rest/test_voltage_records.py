"""Voltages in a record, as those meet it who have asked for them."""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

from engine import broadband
from engine.broadband import BLOCK
from sessions.archive import Archive
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import PATIENCE
from tests.sessions.serving import Client, serving
from tests.sessions.streaming import Decoder

GUIDE = (Path(__file__).parents[3] / "resources" / "guide" / "electrodes.md").read_text()
HEADER = struct.Struct("<4sHHIQdI")


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Client]:
    """A server with a session of electrodes, and one of a recording."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broadband, "fastest", lambda: "scipy")  # numba takes seconds to load
        with serving(Store({"small": small_recording()}), archive=Archive(tmp_path / "records")) as made:
            made.create("wires", source="electrodes:8")
            made.create("replayed")
            yield made


def received(client: Decoder, n: int) -> tuple[list[int], list[np.ndarray[Any, np.dtype[np.int16]]]]:
    """The first samples' indices of so many blocks, and the blocks."""
    frames = [client.frame()[1] for _ in range(n)]
    blocks = [np.frombuffer(each, "<i2", offset=HEADER.size).reshape(-1, 8) for each in frames]
    return [HEADER.unpack_from(each)[4] for each in frames], blocks


def test_a_record_has_what_a_raw_client_got_at_the_same_samples_and_times(
    ask: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/wires")
    try:
        received(client, 5)
        started = ask("POST", "/api/sessions/wires/record", {"voltages": True}).json
        assert (started["voltages"], started["voltage_blocks_lost"]) == (True, 0)
        firsts, blocks = received(client, 80)
    finally:
        client.close()
    ask("DELETE", "/api/sessions/wires/record")
    tape = ask.store.get("wires").tape
    assert tape is not None
    tape.wait(PATIENCE)
    told = ask("GET", "/api/sessions/wires/record").json
    assert (told["state"], told["voltage_blocks_lost"], told["error"]) == ("finished", 0, None)
    content = ask("GET", f"/api/records/{told['name']}.nwb").content
    with h5py.File(io.BytesIO(content)) as file, NWBHDF5IO(file=file, mode="r") as reader:
        nwb = reader.read()
        series = nwb.acquisition["ElectricalSeries"]
        assert len(series.data) == told["voltage_blocks"] * BLOCK
        begins = round(series.starting_time * series.rate)
        both = [(at - begins, block) for at, block in zip(firsts, blocks, strict=True) if at >= begins]
        assert len(both) > 60
        recorded = np.concatenate([series.data[at : at + BLOCK] for at, _ in both])
        np.testing.assert_array_equal(recorded, np.concatenate([block for _, block in both]))
        first = nwb.processing["ecephys"]["spike_counts"].starting_time
        assert series.starting_time == pytest.approx(first, abs=0.026)
        kept = json.loads(nwb.scratch["settings"].data)[0]
        assert series.conversion == pytest.approx(1e-6 * kept["electrodes"]["microvolts_per_count"])
    (program,) = re.findall(r"```python\n(from pynwb .*?)```", GUIDE, re.DOTALL)
    exec(re.sub(r"wires-.*\.nwb", str(tmp_path / "records" / f"{told['name']}.nwb"), program), {})
    spread, begin = re.fullmatch(r"(\d+\.\d) uV from (\S+) s on\n", capsys.readouterr().out).groups()
    assert 10 < float(spread) < 50
    assert float(begin) == begins / 30_000


def test_voltages_are_recorded_of_those_sessions_alone_that_have_some(ask: Client) -> None:
    refused = ask("POST", "/api/sessions/replayed/record", {"voltages": True})
    assert (refused.status, refused.json["error"]["code"]) == (409, "not_now")
    assert refused.json["detail"].startswith("A session whose source is recording has no voltages.")
    assert ask("GET", "/api/sessions/replayed/record").json["state"] == "off"
    plain = ask("POST", "/api/sessions/wires/record").json
    assert (plain["state"], plain["voltages"], plain["voltage_blocks"]) == ("recording", False, 0)
