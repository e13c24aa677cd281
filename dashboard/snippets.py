"""Programs that connect to a session, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template


@dataclass(frozen=True)
class Snippet:
    key: str
    language: str
    note: str
    text: str


PYTHON = Template("""\
import json

from websocket import create_connection

socket = create_connection("$url")
metadata = json.loads(socket.recv())
print(metadata["dataset"], metadata["num_channels"], "units")
while True:
    packet = json.loads(socket.recv())["data"]
    counts, cursor = packet["spikes"]["spike_counts"], packet["kinematics"]
    print(packet["sequence_number"], sum(counts), cursor["x"], cursor["y"])
""")

JAVASCRIPT = Template("""\
const socket = new WebSocket("$url");
socket.onmessage = ({ data }) => {
  const packet = JSON.parse(data);
  if (packet.type !== "data") return; // the first message describes the recording
  const { sequence_number, spikes, kinematics } = packet.data;
  console.log(sequence_number, spikes.spike_counts, kinematics);
};
""")

MATLAB = Template("""\
lib = lsl_loadlib();
found = lsl_resolve_byprop(lib, 'name', '$stream', 1, 10);
inlet = lsl_inlet(found{1});
while true
    [counts, stamp] = inlet.pull_sample();
    fprintf('%.3f s: %d spikes\\n', stamp, sum(counts));
end
""")


def snippets(url: str, lsl_stream: str | None) -> Iterator[Snippet]:
    """The programs of one session.

    Parameters
    ----------
    url : str
        Of its stream in JSON.
    lsl_stream : str, optional
        Name of its neural LSL stream; None if it has none.
    """
    yield Snippet("python", "Python", "pip install websocket-client", PYTHON.substitute(url=url))
    yield Snippet(
        "javascript",
        "JavaScript",
        "In Node 22, or in a page whose origin the server lets in with --allow-origin.",
        JAVASCRIPT.substitute(url=url),
    )
    if lsl_stream is None:
        yield Snippet("matlab", "MATLAB", "This session has no LSL streams; make one with LSL on.", "")
    else:
        note = "With liblsl-Matlab on the path. LSL is silent at speed max."
        yield Snippet("matlab", "MATLAB, LSL", note, MATLAB.substitute(stream=lsl_stream))
