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
    number = packet["sequence_number"]
    print(number, sum(counts), cursor["x"], cursor["y"])
    socket.send(json.dumps({"type": "prediction", "sequence_number": number, "x": 0, "y": 0}))  # yours
""")

JAVASCRIPT = Template("""\
const socket = new WebSocket("$url");
socket.onmessage = ({ data }) => {
  const packet = JSON.parse(data);
  if (packet.type !== "data") return; // the first message describes the recording
  const { sequence_number, spikes, kinematics } = packet.data;
  console.log(sequence_number, spikes.spike_counts, kinematics);
  socket.send(JSON.stringify({ type: "prediction", sequence_number, x: 0, y: 0 })); // yours
};
""")

SET_TOKEN = "Set the environment variable PHANTOM_TOKEN to the server's token."
GUARDED_PYTHON = Template(
    PYTHON.template.replace("import json\n", "import json\nimport os\n", 1).replace(
        '"$url"', '"$url", header=["Authorization: Bearer " + os.environ["PHANTOM_TOKEN"]]'
    )
)
GUARDED_JAVASCRIPT = Template(
    JAVASCRIPT.template.replace('"$url"', '"$url?token=" + encodeURIComponent(process.env.PHANTOM_TOKEN)')
)

MATLAB = Template("""\
lib = lsl_loadlib();
found = lsl_resolve_byprop(lib, 'name', '$stream', 1, 10);
inlet = lsl_inlet(found{1});
while true
    [counts, stamp] = inlet.pull_sample();
    fprintf('%.3f s: %d spikes\\n', stamp, sum(counts));
end
""")


def snippets(url: str, lsl_stream: str | None, guarded: bool = False) -> Iterator[Snippet]:
    """The programs of one session.

    Parameters
    ----------
    url : str
        Of its stream in JSON.
    lsl_stream : str, optional
        Name of its neural LSL stream; None if it has none.
    guarded : bool
        Whether the server has a token. The programs read it from the environment, as they may be shared.
    """
    hint = f" {SET_TOKEN}" if guarded else ""
    python, javascript = (GUARDED_PYTHON, GUARDED_JAVASCRIPT) if guarded else (PYTHON, JAVASCRIPT)
    yield Snippet("python", "Python", f"pip install websocket-client.{hint}", python.substitute(url=url))
    yield Snippet(
        "javascript",
        "JavaScript",
        f"In Node 22, or in a page whose origin the server lets in with --allow-origin.{hint}",
        javascript.substitute(url=url),
    )
    if lsl_stream is None:
        yield Snippet("matlab", "MATLAB", "This session has no LSL streams; make one with LSL on.", "")
    else:
        note = "With liblsl-Matlab on the path. LSL is silent at speed max."
        yield Snippet("matlab", "MATLAB, LSL", note, MATLAB.substitute(stream=lsl_stream))
